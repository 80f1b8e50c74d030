//! Alarm marks in the extras of a commit: reasons why its state looks like an accident or an attack.

use super::fields::{self, fields};
use super::{Commit, Extras};

/// Key of a list of [`Mark`]. Missing if there was no alarm.
const ALARM: &str = "alarm";

/// A reason why a commit is suspicious.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Mark {
    /// Type of the alarm. Later versions may have more types.
    pub kind: String,
    /// Number of affected files.
    pub count: u64,
    /// Number of files before.
    pub of: u64,
}

fields!(Mark: kind, count, of);

/// Adds marks to the extras of a commit. Adds nothing if there are none.
pub fn put(marks: &[Mark], extras: &mut Extras) {
    if !marks.is_empty() {
        extras.set(ALARM, fields::encode(&marks.to_vec()));
    }
}

impl Commit {
    /// Whether the state of the commit looks like an accident or an attack.
    pub fn is_suspicious(&self) -> bool {
        self.extras.get(ALARM).is_some()
    }

    /// The reasons why the commit is suspicious. Empty if they cannot be decoded.
    pub fn marks(&self) -> Vec<Mark> {
        self.extras.get(ALARM).and_then(|bytes| fields::decode("alarm", bytes).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::samples;

    #[test]
    fn marks_round_trip_and_invalid_marks_stay_suspicious() {
        let marks = vec![
            Mark { kind: "deleted".to_owned(), count: 812, of: 1204 },
            Mark { kind: "truncated".to_owned(), count: 1, of: 3 },
        ];
        let sample = samples::commit();
        assert!(!sample.is_suspicious() && sample.marks().is_empty());
        let mut extras = Extras::default();
        put(&marks, &mut extras);
        let commit = Commit { extras, ..sample.clone() };
        let commit = Commit::decode(&commit.encode()).unwrap();
        assert!(commit.is_suspicious());
        assert_eq!(commit.marks(), marks);
        for bad in [&b""[..], b"\x02\x01a\x01\x01", b"\x01\x01a\x01\x01\x01", b"\xff\xff\xff"] {
            let mut commit = sample.clone();
            commit.extras.set(ALARM, bad);
            assert!(commit.is_suspicious() && commit.marks().is_empty(), "{bad:?}");
        }
    }
}
