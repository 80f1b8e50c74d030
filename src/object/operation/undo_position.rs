//! What operations and intents remember beside their effects, in their extras: that it went on from the one before it, where
//! a step back or forward has come to, what came before a checkout, and which directory it changes.

use crate::id::{DirectoryId, LENGTH, OperationId};
use crate::object::{Extras, Intent, Operation};

/// Empty: the operation before this one was recorded by the same command, and prepared it.
const JOINED: &str = "joined";

/// Of `undo` and `redo`: position, then tip, 32 bytes each; zeros: before the first action.
const UNDO_POSITION: &str = "travel";

/// Of an intent: the newest operation when the command began, 32 bytes; zeros: none.
const BEFORE: &str = "before";

/// Of an intent: the absolute path of the directory that it changes.
const WORKTREE: &str = "worktree";

/// Key of an operation's directory, 16 bytes, if that is not the repository's main one.
const DIRECTORY: &str = "directory";

/// Where a step back or forward has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndoPosition {
    /// The action whose state was reached; `None`: the state before the first one.
    pub position: Option<OperationId>,
    /// The action that the line ends with.
    pub tip: Option<OperationId>,
}

/// Builds the extras of an operation. `directory`: where it was done, if not in the main directory.
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

/// Extras of an intent. `worktree`: the path of the directory that it changes; `before`: the newest operation when the
/// command began, if that is known.
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
    /// Whether the operation before it was recorded by the same command, and prepared it.
    pub fn is_joined(&self) -> bool {
        self.extras.get(JOINED).is_some()
    }

    /// Where a step back or forward has come to; `None` for every other operation.
    pub fn undo_position(&self) -> Option<UndoPosition> {
        UndoPosition::of(&self.extras)
    }

    /// Directory of the operation; `None` for the main one of the repository.
    pub fn directory(&self) -> Option<DirectoryId> {
        Some(DirectoryId(self.extras.get(DIRECTORY)?.try_into().ok()?))
    }

    /// The verb, and what it did.
    pub fn describe(&self) -> String {
        format!("{}: {}", self.verb, self.description)
    }
}

impl Intent {
    /// Where the step comes to that it is part of; `None` if it is part of none.
    pub fn undo_position(&self) -> Option<UndoPosition> {
        UndoPosition::of(&self.extras)
    }

    /// The newest operation when the command began (`Some(None)`: there was none), if that is known.
    pub fn before(&self) -> Option<Option<OperationId>> {
        Some(id(self.extras.get(BEFORE)?.try_into().ok()?))
    }

    /// The path of the directory that it changes, if that is known.
    pub fn worktree(&self) -> Option<&[u8]> {
        self.extras.get(WORKTREE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::samples;

    #[test]
    fn what_is_remembered_survives_the_journal() {
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
    fn what_cannot_be_understood_is_nothing() {
        let mut extras = Extras::default();
        extras.set(UNDO_POSITION, [7; LENGTH]);
        assert_eq!(Operation { extras, ..Operation::default() }.undo_position(), None);
    }
}
