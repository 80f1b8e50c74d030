//! Intents: the goal of a checkout, recorded so that an interrupted checkout can be continued or undone.

use crate::error::Result;
use crate::id::CommitId;
use crate::object::operation::{RefEdit, Verb};
use crate::object::{Extras, fields};
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
    /// Additional keys and values, including those unknown to this version.
    pub extras: Extras,
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
        encoder.flags(&[self.from.is_some(), self.switch.is_some(), !self.extras.is_empty()]);
        encoder.u64(self.token).put(&self.verb).put(&self.time).put_some(&self.from).put(&self.to);
        encoder.put(&self.paths).put(&self.edits).put_some(&self.switch);
        if !self.extras.is_empty() {
            encoder.put(&self.extras);
        }
        encoder.finish()
    }

    /// Decodes an intent.
    pub fn decode(bytes: &[u8]) -> Result<Intent> {
        let (mut decoder, _) = fields::expect("intent", KIND, 1, bytes)?;
        let [from, switch, has_extras] = decoder.flags()?;
        let intent = Intent {
            token: decoder.u64()?,
            verb: decoder.take()?,
            time: decoder.take()?,
            from: decoder.take_if(from)?,
            to: decoder.take()?,
            paths: decoder.take()?,
            edits: decoder.take()?,
            switch: decoder.take_if(switch)?,
            extras: decoder.take_if(has_extras)?.unwrap_or_default(),
        };
        if has_extras && intent.extras.is_empty() {
            return Err(decoder.invalid("extras announced but not there"));
        }
        decoder.finish()?;
        Ok(intent)
    }
}
