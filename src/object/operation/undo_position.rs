//! Extras of operations and intents: membership in an action, position and tip of `undo` and `redo`, and the directory.

use crate::id::{DirectoryId, LENGTH, OperationId};
use crate::object::{Extras, Intent, Operation};

/// Key without a value: the operation before this one belongs to the same action.
const JOINED: &str = "joined";

/// Key of the position and tip of `undo` and `redo`, 32 bytes each. Zeros mean the state before the first action.
const UNDO_POSITION: &str = "travel";

/// Key in an intent: the newest operation when the command began, 32 bytes. Zeros mean none.
const BEFORE: &str = "before";

/// Key in an intent: the absolute path of the directory that it changes.
const WORKTREE: &str = "worktree";

/// Key of an operation's directory, 16 bytes, if that is not the repository's main one.
const DIRECTORY: &str = "directory";

/// The position and the tip that a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndoPosition {
    /// The action whose state is restored. `None` means the state before the first action.
    pub position: Option<OperationId>,
    /// The newest action that `redo` can reach.
    pub tip: Option<OperationId>,
}

/// Builds the extras of an operation. `directory` is its directory, unless that is the main one.
pub fn extras(is_joined: bool, undo_position: Option<UndoPosition>, directory: Option<DirectoryId>) -> Extras {
    let mut extras = Extras::default();
    if let Some(directory) = directory {
        extras.set(DIRECTORY, directory.0);
    }
    if is_joined {
        extras.set(JOINED, []);
    }
    if let Some(undo_position) = undo_position {
        undo_position.put(&mut extras);
    }
    extras
}

/// Builds the extras of an intent. `worktree` is the path of the directory that it changes; `before` is the newest
/// operation when the command began, if known.
pub fn intent_extras(
    worktree: &[u8],
    before: Option<Option<OperationId>>,
    undo_position: Option<UndoPosition>,
) -> Extras {
    let mut extras = extras(false, undo_position, None);
    extras.set(WORKTREE, worktree);
    if let Some(before) = before {
        extras.set(BEFORE, bytes(before));
    }
    extras
}

fn bytes(id: Option<OperationId>) -> [u8; LENGTH] {
    id.map_or([0; LENGTH], |id| id.0)
}

fn id(bytes: [u8; LENGTH]) -> Option<OperationId> {
    (bytes != [0; LENGTH]).then_some(OperationId(bytes))
}

impl UndoPosition {
    fn put(self, extras: &mut Extras) {
        extras.set(UNDO_POSITION, [bytes(self.position), bytes(self.tip)].concat());
    }

    fn of(extras: &Extras) -> Option<UndoPosition> {
        let (position, tip) = extras.get(UNDO_POSITION)?.split_first_chunk::<LENGTH>()?;
        Some(UndoPosition { position: id(*position), tip: id(tip.try_into().ok()?) })
    }
}

impl Operation {
    /// Whether the operation before this one belongs to the same action.
    pub fn is_joined(&self) -> bool {
        self.extras.get(JOINED).is_some()
    }

    /// Position and tip of a step; `None` for every other operation.
    pub fn undo_position(&self) -> Option<UndoPosition> {
        UndoPosition::of(&self.extras)
    }

    /// Directory of the operation; `None` for the main one of the repository.
    pub fn directory(&self) -> Option<DirectoryId> {
        Some(DirectoryId(self.extras.get(DIRECTORY)?.try_into().ok()?))
    }

    /// Verb and description.
    pub fn describe(&self) -> String {
        format!("{}: {}", self.verb, self.description)
    }
}

impl Intent {
    /// Position and tip of the step that the intent belongs to, if any.
    pub fn undo_position(&self) -> Option<UndoPosition> {
        UndoPosition::of(&self.extras)
    }

    /// The newest operation when the command began, if known. `Some(None)` means that there was none.
    pub fn before(&self) -> Option<Option<OperationId>> {
        Some(id(self.extras.get(BEFORE)?.try_into().ok()?))
    }

    /// The path of the directory that the intent changes, if known.
    pub fn worktree(&self) -> Option<&[u8]> {
        self.extras.get(WORKTREE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::samples;

    #[test]
    fn extras_round_trip_through_the_journal() {
        let id = |byte| Some(OperationId([byte; LENGTH]));
        for (joined, undo_position) in [
            (false, None),
            (true, Some(UndoPosition { position: id(1), tip: id(2) })),
            (false, Some(UndoPosition { position: None, tip: id(3) })),
        ] {
            let operation = Operation { extras: extras(joined, undo_position, None), ..Operation::default() };
            let operation = Operation::decode(&operation.encode()).unwrap();
            assert_eq!((operation.is_joined(), operation.undo_position()), (joined, undo_position));
            for before in [None, Some(None), Some(id(4))] {
                let intent =
                    Intent { extras: intent_extras(b"/data/\xff", before, undo_position), ..samples::intent() };
                let intent = Intent::decode(&intent.encode()).unwrap();
                assert_eq!((intent.before(), intent.undo_position()), (before, undo_position));
                assert_eq!(intent.worktree(), Some(&b"/data/\xff"[..]));
            }
        }
    }

    #[test]
    fn invalid_extras_are_ignored() {
        let mut extras = Extras::default();
        extras.set(UNDO_POSITION, [7; LENGTH]);
        assert_eq!(Operation { extras, ..Operation::default() }.undo_position(), None);
    }
}
