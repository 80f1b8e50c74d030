//! Objects for programs: their ids, types and sizes, in lists and one by one (`docs/plumbing.md`).

use std::io;

use serde::Serialize;

use crate::history::reach;
use crate::ui::{JsonPath, Page, Report};

/// An object that commits lead to.
#[derive(Serialize)]
pub struct Reached<'o> {
    id: String,
    object_type: &'static str,
    #[serde(flatten)]
    path: Option<JsonPath>,
    #[serde(skip)]
    bytes: Option<&'o [u8]>,
}

impl<'o> Reached<'o> {
    /// With the path where it was first met.
    pub fn new(object: &'o reach::Object) -> Reached<'o> {
        let bytes = object.path.as_ref().map(|path| path.as_bytes());
        Reached { id: object.id.to_string(), object_type: object.is.word(), path: bytes.map(JsonPath::from), bytes }
    }
}

impl Report for Reached<'_> {
    const TYPE: &'static str = "object";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.text(&self.id)?;
        if let Some(path) = self.bytes {
            page.text(" ")?;
            page.name(path)?;
        }
        page.end()
    }
}

/// How many there are, where the number is what was asked for.
#[derive(Serialize)]
pub struct Count {
    /// How many.
    pub count: u64,
}

impl Report for Count {
    const TYPE: &'static str = "summary";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.entry(self.count, &[])
    }
}
