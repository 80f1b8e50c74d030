//! Alarms, and notes about changes that only look like one.

use serde::Serialize;

use crate::alarm::{Alarm, Kind, OrdinaryWork};
use crate::path::RepoPathBuf;

/// An alarm.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "alarm")]
pub struct AlarmRecord {
    /// In JSON its word.
    #[serde(serialize_with = "word")]
    pub kind: Kind,
    /// Affected files.
    pub count: u64,
    /// Files before the change.
    pub of: u64,
    /// `count` of `of`, from 0 to 1.
    share: f64,
    /// Whether `count` is an estimate.
    pub estimated: bool,
    /// The suffix that was added to the names.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub suffix: String,
    /// Examples.
    pub paths: Vec<RepoPathBuf>,
}

fn word<S: serde::Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.word())
}

impl From<&Alarm> for AlarmRecord {
    fn from(alarm: &Alarm) -> AlarmRecord {
        let share = alarm.count as f64 / alarm.of.max(alarm.count) as f64;
        AlarmRecord {
            kind: alarm.kind,
            count: alarm.count,
            of: alarm.of,
            share: (share * 1e4).round() / 1e4,
            estimated: alarm.is_estimated,
            suffix: String::from_utf8_lossy(&alarm.suffix).into_owned(),
            paths: alarm.paths.clone(),
        }
    }
}

/// Changes that could look like an alarm and are ordinary work.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "note")]
pub struct NoteRecord {
    /// `rewritten` or `compressed`.
    pub kind: &'static str,
    /// Affected files.
    pub count: u64,
}

impl From<OrdinaryWork> for NoteRecord {
    fn from(work: OrdinaryWork) -> NoteRecord {
        let (kind, count) = match work {
            OrdinaryWork::Rewritten(count) => ("rewritten", count),
            OrdinaryWork::Compressed(count) => ("compressed", count),
        };
        NoteRecord { kind, count }
    }
}
