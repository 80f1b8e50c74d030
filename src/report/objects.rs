//! Objects for programs: their ids, types and sizes, in lists and one by one (`docs/plumbing.md`).

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use crate::history::objects::Named;
use crate::history::reachable;
use crate::report::base64;
use crate::report::{JsonPath, Report};
use crate::terminal::Page;

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
    pub fn new(object: &'o reachable::Object) -> Reached<'o> {
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

/// What is asked about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether it is there.
    Presence,
    /// Its type.
    Type,
    /// Its size.
    Size,
    /// All of it, by programs that ask for many.
    All,
}

/// An object, and what is known without looking into it.
#[derive(Serialize)]
pub struct Described {
    id: String,
    object_type: &'static str,
    size: u64,
    #[serde(skip)]
    asked: Asked,
}

impl Described {
    /// An object of so many bytes.
    pub fn new(named: Named, size: u64, asked: Asked) -> Described {
        Described { id: named.id.to_string(), object_type: named.is.word(), size, asked }
    }
}

impl Report for Described {
    const TYPE: &'static str = "object";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        match self.asked {
            Asked::Presence => Ok(()),
            Asked::Type => page.entry(self.object_type, &[]),
            Asked::Size => page.entry(self.size, &[]),
            Asked::All => page.entry(format_args!("{} {} {}", self.id, self.object_type, self.size), &[]),
        }
    }
}

/// A name that names no object, or several.
#[derive(Serialize)]
pub struct Unresolved<'n> {
    name: Cow<'n, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_bytes: Option<String>,
    reason: &'static str,
    #[serde(skip)]
    bytes: &'n [u8],
}

impl<'n> Unresolved<'n> {
    /// For this reason: `missing` or `ambiguous`.
    pub fn new(bytes: &'n [u8], reason: &'static str) -> Unresolved<'n> {
        let name = String::from_utf8_lossy(bytes);
        let name_bytes = (name.as_bytes() != bytes).then(|| base64(bytes));
        Unresolved { name, name_bytes, reason, bytes }
    }
}

impl Report for Unresolved<'_> {
    const TYPE: &'static str = "unresolved";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.raw(&[self.bytes, b" ", self.reason.as_bytes()].concat())
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
