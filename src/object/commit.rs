//! Commits: a record of the whole worktree, with author, host, time and message.

use std::collections::BTreeSet;

use serde::Serialize;

use super::entry::Entry;
use super::extras::Extras;
use super::fields::{self, Field, fields};
use super::kind::{ObjectKind, id_of};
use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::{CommitId, LinksId};
use crate::path::RepoPathBuf;
use crate::time::Timestamp;

/// A record of the whole worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The root directory: an entry without a name, whose content is the root tree.
    pub root: Entry,
    /// Table of hard links.
    pub links: Option<LinksId>,
    /// Parents; none for a first commit.
    pub parents: Vec<CommitId>,
    /// Time of the commit.
    pub time: Timestamp,
    /// Offset of the author's time zone from UTC in seconds.
    pub offset: i32,
    /// User name.
    pub author: String,
    /// Host name.
    pub host: String,
    /// Message; may be empty.
    pub message: String,
    /// Whether a command made the commit before it replaced unsaved content.
    pub automatic: bool,
    /// Totals of the root tree.
    pub totals: Totals,
    /// Number of changes relative to the first parent.
    pub changes: Counts,
    /// Paths that could not be recorded, with the reason. The commit says nothing about paths below them.
    pub uncovered: Vec<Uncovered>,
    /// Files that changed while they were read, so that their content may be a mix.
    pub torn: Vec<RepoPathBuf>,
    /// Fields unknown to this version, which it preserves: keys and values, sorted by key.
    pub extras: Extras,
}

/// Totals of a tree at every depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of files; each name of a hard-linked file counts.
    pub files: u64,
    /// Number of directories without the root.
    pub directories: u64,
    /// Number of symlinks, FIFOs and devices.
    pub others: u64,
    /// Size of all files in bytes.
    pub bytes: u64,
}

fields!(Totals: files, directories, others, bytes);

/// Numbers of changed paths. A change of kind, mode, owner or attributes counts as modified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Number of added paths.
    pub added: u64,
    /// Number of modified paths.
    pub modified: u64,
    /// Number of deleted paths.
    pub deleted: u64,
}

fields!(Counts: added, modified, deleted);

/// A path of the worktree that a commit does not contain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncovered {
    /// Path.
    pub path: RepoPathBuf,
    /// Reason.
    pub reason: Reason,
}

/// The paths that should have been recorded, but could not be read.
pub fn unread(uncovered: &[Uncovered]) -> impl Iterator<Item = &RepoPathBuf> {
    uncovered.iter().filter(|uncovered| uncovered.reason.is_failure()).map(|uncovered| &uncovered.path)
}

/// Reason why a commit does not contain a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// A path that could not be read.
    Unreadable = 1,
    /// A socket.
    Socket = 2,
    /// A mount point.
    Mount = 3,
    /// A repository inside the worktree.
    Repository = 4,
    /// A file longer than any blob can be.
    TooLong = 5,
    /// A file whose content was purged.
    Purged = 6,
}

impl Counts {
    /// Number of all changes.
    pub fn total(&self) -> u64 {
        self.added + self.modified + self.deleted
    }
}

impl Reason {
    const ALL: [Reason; 6] =
        [Reason::Unreadable, Reason::Socket, Reason::Mount, Reason::Repository, Reason::TooLong, Reason::Purged];

    /// Whether the path is data that should have been recorded.
    pub fn is_failure(self) -> bool {
        matches!(self, Reason::Unreadable | Reason::TooLong)
    }

    /// The word in output and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Unreadable => "unreadable",
            Reason::Socket => "socket",
            Reason::Mount => "mount",
            Reason::Repository => "repository",
            Reason::TooLong => "too-long",
            Reason::Purged => "purged",
        }
    }
}

/// Maximum offset of a time zone from UTC in seconds: one second less than 26 hours, as in other programs.
const FARTHEST_ZONE: i32 = 26 * 3600 - 1;

impl Commit {
    /// Encodes the commit.
    pub fn encode(&self) -> Vec<u8> {
        debug_assert!(self.uncovered.is_sorted_by(|a, b| a.path < b.path), "uncovered paths are sorted");
        debug_assert!(self.torn.is_sorted_by(|a, b| a < b), "torn paths are sorted");
        let mut encoder = fields::begin(ObjectKind::Commit as u8, 1);
        encoder.flags(&[self.automatic, self.links.is_some()]).put(&self.root).put_some(&self.links);
        encoder.put(&self.parents).put(&self.time).raw(&self.offset.to_le_bytes());
        encoder.put(&self.author).put(&self.host).put(&self.message).put(&self.totals).put(&self.changes);
        encoder.put(&self.uncovered).put(&self.torn).put(&self.extras);
        encoder.finish()
    }

    /// Decodes a commit.
    pub fn decode(bytes: &[u8]) -> Result<Commit> {
        let (mut decoder, _) = fields::expect("commit", ObjectKind::Commit as u8, 1, bytes)?;
        let [automatic, linked] = decoder.flags()?;
        let commit = Commit {
            automatic,
            root: take_root(&mut decoder)?,
            links: decoder.take_if(linked)?,
            parents: take_parents(&mut decoder)?,
            time: decoder.take()?,
            offset: take_offset(&mut decoder)?,
            author: decoder.take()?,
            host: decoder.take()?,
            message: decoder.take()?,
            totals: decoder.take()?,
            changes: decoder.take()?,
            uncovered: decoder.take()?,
            torn: decoder.take()?,
            extras: decoder.take()?,
        };
        decoder.check_ascending(&commit.uncovered, |uncovered| &uncovered.path)?;
        decoder.check_ascending(&commit.torn, |path| path)?;
        decoder.finish()?;
        Ok(commit)
    }

    /// The id of the commit.
    pub fn id(&self) -> CommitId {
        id_of(ObjectKind::Commit, &self.encode()).into()
    }
}

fn take_root(decoder: &mut Decoder<'_>) -> Result<Entry> {
    let root: Entry = decoder.take()?;
    if !root.name.is_empty() || root.tree().is_none() {
        return Err(decoder.invalid("root that is not a directory with an empty name"));
    }
    Ok(root)
}

fn take_parents(decoder: &mut Decoder<'_>) -> Result<Vec<CommitId>> {
    let parents: Vec<CommitId> = decoder.take()?;
    let different: BTreeSet<&CommitId> = parents.iter().collect();
    if different.len() != parents.len() { Err(decoder.invalid("parent named twice")) } else { Ok(parents) }
}

fn take_offset(decoder: &mut Decoder<'_>) -> Result<i32> {
    let offset = i32::from_le_bytes(decoder.array()?);
    let possible = (-FARTHEST_ZONE..=FARTHEST_ZONE).contains(&offset);
    if possible { Ok(offset) } else { Err(decoder.invalid("impossible time zone")) }
}

/// The reason as one byte, then the path.
impl Field for Uncovered {
    fn put(&self, encoder: &mut Encoder) {
        encoder.u8(self.reason as u8).put(&self.path);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Uncovered> {
        let byte = decoder.u8()?;
        let reason = Reason::ALL.into_iter().find(|&reason| reason as u8 == byte);
        let reason = reason.ok_or_else(|| decoder.invalid("unknown reason"))?;
        Ok(Uncovered { path: decoder.take()?, reason })
    }
}
