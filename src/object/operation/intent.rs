//! Intents: the goal of a checkout, recorded so that an interrupted checkout can be continued or undone.

use crate::error::Result;
use crate::id::{CommitId, OperationId};
use crate::object::fields;
use crate::object::operation::{RefEdit, UndoPosition, Verb};
use crate::path::RepoPathBuf;
use crate::time::Timestamp;

/// The first byte of an intent.
const KIND: u8 = 0x12;

/// The goal of a checkout. The journal records it before the checkout changes the worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Part of the names of all staged files: `.undo-TOKEN-N`.
    pub token: u64,
    /// The command that is recorded.
    pub verb: Verb,
    /// Start time.
    pub time: Timestamp,
    /// Commit with the state of the worktree before.
    pub from: Option<CommitId>,
    /// Commit that is checked out.
    pub to: CommitId,
    /// Paths to check out. Empty means all.
    pub paths: Vec<RepoPathBuf>,
    /// Ref changes to make at the end.
    pub edits: Vec<RefEdit>,
    /// The new current branch, if it changes.
    pub switch: Option<String>,
    /// Position and tip of the step that the checkout belongs to, if any.
    pub undo_position: Option<UndoPosition>,
    /// The newest operation when the command began. `None` if there was none.
    pub before: Option<OperationId>,
    /// Absolute path of the directory that the checkout changes.
    pub worktree: Vec<u8>,
}

impl Intent {
    /// `checkout of 3f2a91bc`, `restore from 3f2a91bc`, `undo to 3f2a91bc`
    pub fn describe(&self) -> String {
        let preposition = match self.verb {
            Verb::Checkout => "of",
            Verb::Restore => "from",
            _ => "to",
        };
        format!("{} {preposition} {}", self.verb, self.to.short())
    }

    /// Encodes the intent.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = fields::begin(KIND, 1);
        let (undo_position, before) = (&self.undo_position, &self.before);
        encoder.flags(&[self.from.is_some(), self.switch.is_some(), undo_position.is_some(), before.is_some()]);
        encoder.u64(self.token).put(&self.verb).put(&self.time).put_some(&self.from).put(&self.to);
        encoder.put(&self.paths).put(&self.edits).put_some(&self.switch);
        encoder.put_some(undo_position).put_some(before).put(&self.worktree);
        encoder.finish()
    }

    /// Decodes an intent.
    pub fn decode(bytes: &[u8]) -> Result<Intent> {
        let (mut decoder, _) = fields::expect("intent", KIND, 1, bytes)?;
        let [from, switch, undo_position, before] = decoder.flags()?;
        let intent = Intent {
            token: decoder.u64()?,
            verb: decoder.take()?,
            time: decoder.take()?,
            from: decoder.take_if(from)?,
            to: decoder.take()?,
            paths: decoder.take()?,
            edits: decoder.take()?,
            switch: decoder.take_if(switch)?,
            undo_position: decoder.take_if(undo_position)?,
            before: decoder.take_if(before)?,
            worktree: decoder.take()?,
        };
        if !intent.worktree.starts_with(b"/") {
            return Err(decoder.invalid("an intent without an absolute path"));
        }
        decoder.finish()?;
        Ok(intent)
    }
}
