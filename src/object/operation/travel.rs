//! What an operation remembers beside its effects, in its extras: that it went on from the one before it, and where a step
//! back or forward has come to.

use crate::id::{LENGTH, OperationId};
use crate::object::Operation;

/// Empty: the operation before this one was recorded by the same command, and prepared it.
const JOINED: &str = "joined";

/// Of `undo` and `redo`: position, then tip, 32 bytes each; zeros: before the first action.
const TRAVEL: &str = "travel";

/// Where a step back or forward has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Travel {
    /// The action whose state was reached; `None`: the state before the first one.
    pub position: Option<OperationId>,
    /// The action that the line ends with.
    pub tip: Option<OperationId>,
}

/// Extras of an operation, sorted by key.
pub fn extras(is_joined: bool, travel: Option<Travel>) -> Vec<(String, Vec<u8>)> {
    let bytes = |id: Option<OperationId>| id.map_or([0; LENGTH], |id| id.0);
    let joined = is_joined.then(|| (JOINED.to_owned(), Vec::new()));
    let travel = travel.map(|travel| (TRAVEL.to_owned(), [bytes(travel.position), bytes(travel.tip)].concat()));
    joined.into_iter().chain(travel).collect()
}

impl Operation {
    /// Whether the operation before it was recorded by the same command, and prepared it.
    pub fn is_joined(&self) -> bool {
        self.extra(JOINED).is_some()
    }

    /// Where a step back or forward has come to; `None` for every other operation.
    pub fn travel(&self) -> Option<Travel> {
        let (position, tip) = self.extra(TRAVEL)?.split_first_chunk::<LENGTH>()?;
        let id = |bytes: [u8; LENGTH]| (bytes != [0; LENGTH]).then_some(OperationId(bytes));
        Some(Travel { position: id(*position), tip: id(tip.try_into().ok()?) })
    }

    /// The verb, and what it did.
    pub fn in_words(&self) -> String {
        format!("{}: {}", self.verb, self.description)
    }

    fn extra(&self, key: &str) -> Option<&[u8]> {
        self.extras.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_survives_the_journal() {
        let id = |byte| Some(OperationId([byte; LENGTH]));
        for (joined, travel) in [
            (false, None),
            (true, Some(Travel { position: id(1), tip: id(2) })),
            (false, Some(Travel { position: None, tip: id(3) })),
        ] {
            let operation = Operation { extras: extras(joined, travel), ..Operation::default() };
            let operation = Operation::decode(&operation.encode()).unwrap();
            assert_eq!((operation.is_joined(), operation.travel()), (joined, travel));
        }
    }

    #[test]
    fn what_cannot_be_understood_is_nothing() {
        let extras = vec![(TRAVEL.to_owned(), vec![7; LENGTH])];
        assert_eq!(Operation { extras, ..Operation::default() }.travel(), None);
    }
}
