//! Alarms as they are shown: a sentence with examples for people, an object for programs.

use std::fmt;

use serde::Serialize;

use crate::alarm::{Alarm, Kind, Work};
use crate::object::Mark;
use crate::report::{JsonPath, json_paths};
use crate::terminal::human::Count;

/// An alarm.
#[derive(Clone, Debug, Serialize)]
pub struct AlarmRecord {
    r#type: &'static str,
    kind: &'static str,
    count: u64,
    of: u64,
    /// `count` of `of`, from 0 to 1.
    share: f64,
    /// `count` is a good guess.
    estimated: bool,
    /// What was added to the names.
    #[serde(skip_serializing_if = "String::is_empty")]
    suffix: String,
    paths: Vec<JsonPath>,
    #[serde(skip)]
    what: Kind,
}

impl AlarmRecord {
    /// Of what was found.
    pub fn new(alarm: &Alarm) -> AlarmRecord {
        let share = alarm.count as f64 / alarm.of.max(alarm.count) as f64;
        AlarmRecord {
            r#type: "alarm",
            kind: alarm.kind.word(),
            count: alarm.count,
            of: alarm.of,
            share: (share * 1e4).round() / 1e4,
            estimated: alarm.is_estimated,
            suffix: String::from_utf8_lossy(&alarm.suffix).into_owned(),
            paths: json_paths(&alarm.paths),
            what: alarm.kind,
        }
    }
}

/// `812 of 1,204 files were deleted, such as photos/a.jpg, photos/b.jpg`
impl fmt::Display for AlarmRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = if self.estimated { "about " } else { "" };
        write!(f, "{about}{} of {} files ", Count(self.count), Count(self.of))?;
        match self.what {
            Kind::Deleted => f.write_str("were deleted")?,
            Kind::Truncated => f.write_str("were emptied")?,
            Kind::Encrypted => f.write_str("now look encrypted")?,
            Kind::RenamedSuffix => write!(f, "became `*{}` and now look encrypted", self.suffix)?,
            Kind::Type => f.write_str("are no longer of the type that their names say")?,
        }
        let paths: Vec<&str> = self.paths.iter().map(|path| path.path.as_str()).collect();
        if paths.is_empty() { Ok(()) } else { write!(f, ", such as {}", paths.join(", ")) }
    }
}

/// What could look like an alarm, and is ordinary work.
#[derive(Clone, Debug, Serialize)]
pub struct NoteRecord {
    r#type: &'static str,
    kind: &'static str,
    count: u64,
}

impl NoteRecord {
    /// Of what was found.
    pub fn new(work: Work) -> NoteRecord {
        let (kind, count) = match work {
            Work::Rewritten(count) => ("rewritten", count),
            Work::Compressed(count) => ("compressed", count),
        };
        NoteRecord { r#type: "note", kind, count }
    }
}

/// `142 media files were rewritten; their types still fit their names`
impl fmt::Display for NoteRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.kind == "rewritten" { "media files" } else { "files" };
        write!(f, "{} {what} were {}; their types still fit their names", Count(self.count), self.kind)
    }
}

/// Why a commit is suspicious, in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct JsonMark {
    /// Which alarm.
    pub kind: String,
    /// Files that it is about.
    pub count: u64,
    /// Files that there were before.
    pub of: u64,
}

impl From<Mark> for JsonMark {
    fn from(mark: Mark) -> JsonMark {
        JsonMark { kind: mark.kind, count: mark.count, of: mark.of }
    }
}
