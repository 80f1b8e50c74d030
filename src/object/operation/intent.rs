//! Intents: the goal of a checkout, recorded so that an interrupted checkout can be continued or undone.

use crate::error::Result;
use crate::id::CommitId;
use crate::object::operation::action::{put_edit, take_edit};
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
        let mut encoder = fields::begin(KIND);
        fields::put_flags(&mut encoder, &[self.from.is_some(), self.switch.is_some(), !self.extras.is_empty()]);
        encoder.u64(self.token).bytes(self.verb.as_str().as_bytes()).time(self.time);
        if let Some(from) = self.from {
            encoder.raw(&from.0);
        }
        encoder.raw(&self.to.0);
        fields::put_paths(&mut encoder, &self.paths);
        encoder.varint(self.edits.len() as u64);
        self.edits.iter().for_each(|edit| put_edit(&mut encoder, edit));
        if let Some(branch) = &self.switch {
            encoder.bytes(branch.as_bytes());
        }
        if !self.extras.is_empty() {
            self.extras.put(&mut encoder);
        }
        encoder.finish()
    }

    /// Decodes an intent.
    pub fn decode(bytes: &[u8]) -> Result<Intent> {
        let mut decoder = fields::expect("intent", KIND, bytes)?;
        let [saved, switched, extra] = fields::take_flags(&mut decoder)?;
        let intent = Intent {
            token: decoder.u64()?,
            verb: decoder.text()?.as_str().into(),
            time: decoder.time()?,
            from: fields::take_id_if(&mut decoder, saved)?,
            to: fields::take_id(&mut decoder)?,
            paths: fields::take_paths(&mut decoder)?,
            edits: fields::take_list(&mut decoder, 2, take_edit)?,
            switch: if switched { Some(decoder.text()?) } else { None },
            extras: if extra { Extras::take(&mut decoder)? } else { Extras::default() },
        };
        if extra && intent.extras.is_empty() {
            return Err(decoder.invalid("extras announced but not there"));
        }
        decoder.finish()?;
        Ok(intent)
    }
}
