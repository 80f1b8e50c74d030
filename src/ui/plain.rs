//! Values for programs: the records that plumbing prints. Their text is stable too (`docs/plumbing.md`).

use std::io;

use serde::Serialize;

use crate::id::ObjectId;
use crate::ui::{JsonPath, Page, Report};

/// The id of an object.
#[derive(Serialize)]
pub struct Id {
    /// All digits, or the first of them.
    pub id: String,
    /// Whether it is the end of a range that is left out.
    pub excluded: bool,
}

impl Id {
    /// All of it.
    pub fn new(id: ObjectId) -> Id {
        Id { id: id.to_string(), excluded: false }
    }
}

impl Report for Id {
    const TYPE: &'static str = "object";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.entry(format_args!("{}{}", if self.excluded { "^" } else { "" }, self.id), &[])
    }
}

/// A path of the file system.
#[derive(Serialize)]
pub struct Location<'p> {
    #[serde(flatten)]
    path: JsonPath,
    #[serde(skip)]
    bytes: &'p [u8],
}

impl<'p> Location<'p> {
    /// Of these bytes.
    pub fn new(bytes: &'p [u8]) -> Location<'p> {
        Location { path: bytes.into(), bytes }
    }
}

impl Report for Location<'_> {
    const TYPE: &'static str = "location";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.raw(self.bytes)
    }
}
