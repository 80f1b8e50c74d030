//! Operations: actions of a user, stored in the journal.

use std::fmt;

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::{CommitId, LENGTH, OperationId, PackId};
use crate::object::operation::Verb;
use crate::object::{Extras, fields, kind};
use crate::time::Timestamp;

/// The first byte of an operation.
const KIND: u8 = 0x10;

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
    /// Packs that it replaced.
    pub packs_removed: Vec<PackId>,
    /// Number of bytes read from the worktree.
    pub bytes_read: u64,
    /// Number of bytes added to the store.
    pub bytes_stored: u64,
    /// Fields unknown to this version, which it preserves: keys and values, sorted by key.
    pub extras: Extras,
}

/// A commit that an operation made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// Id of the commit.
    pub id: CommitId,
    /// Its parents, which are no longer heads.
    pub parents: Vec<CommitId>,
}

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
        let mut encoder = fields::begin(KIND);
        let from = self.worktree.and_then(|(from, _)| from);
        let flags = [self.parent.is_some(), self.switched.is_some(), self.worktree.is_some(), from.is_some()];
        fields::put_flags(&mut encoder, &flags);
        if let Some(parent) = self.parent {
            encoder.raw(&parent.0);
        }
        encoder
            .bytes(self.verb.as_str().as_bytes())
            .bytes(self.description.as_bytes())
            .varint(self.arguments.len() as u64);
        for argument in &self.arguments {
            encoder.bytes(argument.as_bytes());
        }
        encoder.time(self.time).varint(self.duration).bytes(self.user.as_bytes()).bytes(self.host.as_bytes());
        encoder.varint(self.edits.len() as u64);
        self.edits.iter().for_each(|edit| put_edit(&mut encoder, edit));
        if let Some((before, after)) = &self.switched {
            encoder.bytes(before.as_bytes()).bytes(after.as_bytes());
        }
        encoder.varint(self.commits.len() as u64);
        for commit in &self.commits {
            encoder.raw(&commit.id.0);
            fields::put_ids(&mut encoder, commit.parents.iter().map(|id| id.object_id()));
        }
        if let Some((from, to)) = self.worktree {
            if let Some(from) = from {
                encoder.raw(&from.0);
            }
            encoder.raw(&to.0);
        }
        fields::put_ids(&mut encoder, self.packs_added.iter().map(|id| id.object_id()));
        fields::put_ids(&mut encoder, self.packs_removed.iter().map(|id| id.object_id()));
        encoder.varint(self.bytes_read).varint(self.bytes_stored);
        self.extras.put(&mut encoder);
        encoder.finish()
    }

    /// Decodes an operation.
    pub fn decode(bytes: &[u8]) -> Result<Operation> {
        let mut decoder = fields::expect("operation", KIND, bytes)?;
        let [parent, switched, worktree, from] = fields::take_flags(&mut decoder)?;
        if from && !worktree {
            return Err(decoder.invalid("worktree left but not entered"));
        }
        let operation = Operation {
            parent: fields::take_id_if(&mut decoder, parent)?,
            verb: decoder.text()?.as_str().into(),
            description: decoder.text()?,
            arguments: fields::take_list(&mut decoder, 1, Decoder::text)?,
            time: decoder.time()?,
            duration: decoder.varint()?,
            user: decoder.text()?,
            host: decoder.text()?,
            edits: fields::take_list(&mut decoder, 2, take_edit)?,
            switched: if switched { Some((decoder.text()?, decoder.text()?)) } else { None },
            commits: fields::take_list(&mut decoder, LENGTH + 1, take_commit)?,
            worktree: if worktree { Some(take_move(&mut decoder, from)?) } else { None },
            packs_added: fields::take_ids(&mut decoder)?,
            packs_removed: fields::take_ids(&mut decoder)?,
            bytes_read: decoder.varint()?,
            bytes_stored: decoder.varint()?,
            extras: Extras::take(&mut decoder)?,
        };
        decoder.finish()?;
        Ok(operation)
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

/// Flags: is a tag; has an old value; has a new value.
pub(super) fn put_edit(encoder: &mut Encoder, edit: &RefEdit) {
    let (tag, name) = match &edit.name {
        RefName::Branch(name) => (false, name),
        RefName::Tag(name) => (true, name),
    };
    fields::put_flags(encoder, &[tag, edit.old.is_some(), edit.new.is_some()]);
    encoder.bytes(name.as_bytes());
    for id in [edit.old, edit.new].into_iter().flatten() {
        encoder.raw(&id.0);
    }
}

pub(super) fn take_edit(decoder: &mut Decoder<'_>) -> Result<RefEdit> {
    let [tag, old, new] = fields::take_flags(decoder)?;
    let name = decoder.text()?;
    let name = if tag { RefName::Tag(name) } else { RefName::Branch(name) };
    Ok(RefEdit { name, old: fields::take_id_if(decoder, old)?, new: fields::take_id_if(decoder, new)? })
}

fn take_commit(decoder: &mut Decoder<'_>) -> Result<NewCommit> {
    Ok(NewCommit { id: fields::take_id(decoder)?, parents: fields::take_ids(decoder)? })
}

fn take_move(decoder: &mut Decoder<'_>, from: bool) -> Result<(Option<CommitId>, CommitId)> {
    Ok((fields::take_id_if(decoder, from)?, fields::take_id(decoder)?))
}
