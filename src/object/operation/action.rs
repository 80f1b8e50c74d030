//! Operations: actions of a user, stored in the journal.

use std::fmt;

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::{CommitId, DirectoryId, OperationId, PackId};
use crate::object::fields::{self, Field, fields};
use crate::object::operation::{HistoryEdit, UndoPosition, Verb};
use crate::object::{Extras, kind};
use crate::time::Timestamp;

/// The first byte of an operation.
const KIND: u8 = 0x10;

/// Key of the extras of an operation whose commit does not hold the state of the directory.
pub const PARTIAL: &str = "partial";

/// An action of a user, or the part of one that saved unsaved changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// The operation before it.
    pub parent: Option<OperationId>,
    /// The command that is recorded.
    pub verb: Verb,
    /// Description of the effect: `main 3f2a → 91bc, 12 files written`.
    pub description: String,
    /// Command line as typed.
    pub arguments: Vec<String>,
    /// Start time.
    pub time: Timestamp,
    /// Duration in milliseconds.
    pub duration: u64,
    /// User name.
    pub user: String,
    /// Host name.
    pub host: String,
    /// Ref changes.
    pub edits: Vec<RefEdit>,
    /// Current branch before and after, if it changed.
    pub switched: Option<(String, String)>,
    /// New commits. They replace their parents as heads.
    pub commits: Vec<NewCommit>,
    /// The worktree's commit before and after, if the operation changed the worktree.
    pub worktree: Option<(Option<CommitId>, CommitId)>,
    /// Packs that it added.
    pub packs_added: Vec<PackId>,
    /// Number of bytes read from the worktree.
    pub bytes_read: u64,
    /// Number of bytes added to the store.
    pub bytes_stored: u64,
    /// Whether the operation before this one belongs to the same action.
    pub is_joined: bool,
    /// Directory of the operation; `None` for the main one of the repository.
    pub directory: Option<DirectoryId>,
    /// Position and tip of a step; `None` for every other operation.
    pub undo_position: Option<UndoPosition>,
    /// Commits that are forgotten or recalled, and purged contents.
    pub history: HistoryEdit,
    /// Fields unknown to this version, which it preserves: keys and values, sorted by key.
    pub extras: Extras,
}

/// A commit that an operation made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// Id of the commit.
    pub id: CommitId,
    /// Its parents, and a commit whose message it corrects: these are no longer heads.
    pub parents: Vec<CommitId>,
}

fields!(NewCommit: id, parents);

/// A change of a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefEdit {
    /// Name of the ref.
    pub name: RefName,
    /// Value before. `None` if the ref did not exist.
    pub old: Option<CommitId>,
    /// Value after. `None` if the ref was deleted.
    pub new: Option<CommitId>,
}

/// A branch or a tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefName {
    /// A branch, which follows new commits.
    Branch(String),
    /// A tag, which stays on its commit.
    Tag(String),
}

/// Prefix of the full names of branches.
pub const BRANCHES: &str = "refs/heads/";

/// Prefix of the full names of tags.
pub const TAGS: &str = "refs/tags/";

impl RefName {
    /// `branch` or `tag`.
    pub fn word(&self) -> &'static str {
        match self {
            RefName::Branch(_) => "branch",
            RefName::Tag(_) => "tag",
        }
    }

    /// The tag with the name of this branch, or the branch with the name of this tag.
    pub fn other_kind(&self) -> RefName {
        match self {
            RefName::Branch(name) => RefName::Tag(name.clone()),
            RefName::Tag(name) => RefName::Branch(name.clone()),
        }
    }

    /// The name without prefix.
    pub fn short(&self) -> &str {
        match self {
            RefName::Branch(name) | RefName::Tag(name) => name,
        }
    }
}

/// The full name: `refs/heads/main`, `refs/tags/v1`.
impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RefName::Branch(name) => write!(f, "{BRANCHES}{name}"),
            RefName::Tag(name) => write!(f, "{TAGS}{name}"),
        }
    }
}

impl Operation {
    /// Encodes the operation.
    pub fn encode(&self) -> Vec<u8> {
        let (from, to) = self.worktree.unzip();
        let from = from.flatten();
        let history = Some(&self.history).filter(|history| !history.is_empty());
        let mut encoder = fields::begin(KIND, 1);
        encoder.flags(&[
            self.parent.is_some(),
            self.switched.is_some(),
            to.is_some(),
            from.is_some(),
            self.is_joined,
            self.directory.is_some(),
            self.undo_position.is_some(),
            history.is_some(),
        ]);
        encoder.put_some(&self.parent).put(&self.verb).put(&self.description).put(&self.arguments);
        encoder.put(&self.time).put(&self.duration).put(&self.user).put(&self.host).put(&self.edits);
        encoder.put_some(&self.switched).put(&self.commits).put_some(&from).put_some(&to);
        encoder.put(&self.packs_added).put(&self.bytes_read).put(&self.bytes_stored);
        encoder.put_some(&self.directory).put_some(&self.undo_position);
        history.into_iter().for_each(|history| history.put(&mut encoder));
        encoder.put(&self.extras);
        encoder.finish()
    }

    /// Decodes an operation.
    pub fn decode(bytes: &[u8]) -> Result<Operation> {
        let (mut decoder, _) = fields::expect("operation", KIND, 1, bytes)?;
        let [parent, switched, worktree, from, is_joined, directory, undo_position, history] = decoder.flags()?;
        if from && !worktree {
            return Err(decoder.invalid("worktree left but not entered"));
        }
        let operation = Operation {
            parent: decoder.take_if(parent)?,
            verb: decoder.take()?,
            description: decoder.take()?,
            arguments: decoder.take()?,
            time: decoder.take()?,
            duration: decoder.take()?,
            user: decoder.take()?,
            host: decoder.take()?,
            edits: decoder.take()?,
            switched: decoder.take_if(switched)?,
            commits: decoder.take()?,
            worktree: if worktree { Some((decoder.take_if(from)?, decoder.take()?)) } else { None },
            packs_added: decoder.take()?,
            bytes_read: decoder.take()?,
            bytes_stored: decoder.take()?,
            is_joined,
            directory: decoder.take_if(directory)?,
            undo_position: decoder.take_if(undo_position)?,
            history: decoder.take_if(history)?.unwrap_or_default(),
            extras: decoder.take()?,
        };
        if history && operation.history.is_empty() {
            return Err(decoder.invalid("empty change of the history"));
        }
        decoder.finish()?;
        Ok(operation)
    }

    /// Whether this records an event of a hook: not an action of the user.
    pub fn is_automatic(&self) -> bool {
        self.verb == Verb::AutomaticCommit
    }

    /// The state of the directory after this, if the operation recorded or restored the directory. A commit of named paths or of a
    /// new message alone does not.
    pub fn state_after(&self) -> Option<CommitId> {
        if let Some((_, to)) = self.worktree {
            return Some(to);
        }
        if !matches!(self.verb, Verb::Commit | Verb::Run) || self.extras.get(PARTIAL).is_some() {
            return None;
        }
        // Without a new commit, the branch has moved to an older one of the same content.
        let branch = || self.edits.last().and_then(|edit| edit.new);
        self.commits.last().map(|commit| commit.id).or_else(branch)
    }

    /// Verb and description.
    pub fn describe(&self) -> String {
        format!("{}: {}", self.verb, self.description)
    }

    /// The id of the operation.
    pub fn id(&self) -> OperationId {
        Operation::id_of(&self.encode())
    }

    /// The id of the operation with this encoding: the hash keyed by `operation`.
    pub fn id_of(bytes: &[u8]) -> OperationId {
        OperationId(*kind::keyed("operation").update(bytes).finalize().as_bytes())
    }
}

/// Flags (is a tag; has an old value; has a new value), the name, the values.
impl Field for RefEdit {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[matches!(self.name, RefName::Tag(_)), self.old.is_some(), self.new.is_some()]);
        encoder.bytes(self.name.short().as_bytes()).put_some(&self.old).put_some(&self.new);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<RefEdit> {
        let [is_tag, old, new] = decoder.flags()?;
        let name = decoder.take()?;
        let name = if is_tag { RefName::Tag(name) } else { RefName::Branch(name) };
        Ok(RefEdit { name, old: decoder.take_if(old)?, new: decoder.take_if(new)? })
    }
}
