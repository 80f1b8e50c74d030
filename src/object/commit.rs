//! Commits: a record of the whole worktree, with author, host, time and message.

use std::collections::BTreeSet;

use serde::Serialize;

use super::entry::{Entry, put_entry, take_entry};
use super::extras::Extras;
use super::fields;
use super::kind::{ObjectKind, id_of};
use crate::codec::Decoder;
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

/// A path of the worktree that a commit does not contain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncovered {
    /// Path.
    pub path: RepoPathBuf,
    /// Reason.
    pub reason: Reason,
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
}

impl Counts {
    /// Number of all changes.
    pub fn total(&self) -> u64 {
        self.added + self.modified + self.deleted
    }
}

impl Reason {
    const ALL: [Reason; 5] = [Reason::Unreadable, Reason::Socket, Reason::Mount, Reason::Repository, Reason::TooLong];

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
        }
    }
}

/// Maximum offset of a time zone from UTC in seconds: one second less than 26 hours, as in other programs.
const FARTHEST_ZONE: i32 = 26 * 3600 - 1;

impl Commit {
    /// Encodes the commit.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = fields::begin(ObjectKind::Commit as u8);
        fields::put_flags(&mut encoder, &[self.automatic, self.links.is_some()]);
        put_entry(&mut encoder, &self.root);
        if let Some(links) = self.links {
            encoder.raw(&links.0);
        }
        fields::put_ids(&mut encoder, self.parents.iter().map(|id| id.object_id()));
        encoder.time(self.time).raw(&self.offset.to_le_bytes());
        for text in [&self.author, &self.host, &self.message] {
            encoder.bytes(text.as_bytes());
        }
        let Totals { files, directories, others, bytes } = self.totals;
        encoder.varint(files).varint(directories).varint(others).varint(bytes);
        let Counts { added, modified, deleted } = self.changes;
        encoder.varint(added).varint(modified).varint(deleted);
        debug_assert!(self.uncovered.is_sorted_by(|a, b| a.path < b.path), "uncovered paths are sorted");
        encoder.varint(self.uncovered.len() as u64);
        for Uncovered { path, reason } in &self.uncovered {
            encoder.u8(*reason as u8).bytes(path.as_bytes());
        }
        debug_assert!(self.torn.is_sorted_by(|a, b| a < b), "torn paths are sorted");
        fields::put_paths(&mut encoder, &self.torn);
        self.extras.put(&mut encoder);
        encoder.finish()
    }

    /// Decodes a commit.
    pub fn decode(bytes: &[u8]) -> Result<Commit> {
        let mut decoder = fields::expect("commit", ObjectKind::Commit as u8, bytes)?;
        let [automatic, linked] = fields::take_flags(&mut decoder)?;
        let commit = Commit {
            automatic,
            root: take_root(&mut decoder)?,
            links: fields::take_id_if(&mut decoder, linked)?,
            parents: take_parents(&mut decoder)?,
            time: decoder.time()?,
            offset: take_offset(&mut decoder)?,
            author: decoder.text()?,
            host: decoder.text()?,
            message: decoder.text()?,
            totals: take_totals(&mut decoder)?,
            changes: take_counts(&mut decoder)?,
            uncovered: fields::take_list(&mut decoder, 2, take_uncovered)?,
            torn: fields::take_paths(&mut decoder)?,
            extras: Extras::take(&mut decoder)?,
        };
        fields::ascending(&decoder, &commit.uncovered, |uncovered| &uncovered.path)?;
        fields::ascending(&decoder, &commit.torn, |path| path)?;
        decoder.finish()?;
        Ok(commit)
    }

    /// The id of the commit.
    pub fn id(&self) -> CommitId {
        id_of(ObjectKind::Commit, &self.encode()).into()
    }
}

fn take_root(decoder: &mut Decoder<'_>) -> Result<Entry> {
    let root = take_entry(decoder)?;
    if !root.name.is_empty() || root.tree().is_none() {
        return Err(decoder.invalid("root that is not a directory with an empty name"));
    }
    Ok(root)
}

fn take_parents(decoder: &mut Decoder<'_>) -> Result<Vec<CommitId>> {
    let parents = fields::take_ids(decoder)?;
    let different: BTreeSet<&CommitId> = parents.iter().collect();
    if different.len() != parents.len() { Err(decoder.invalid("parent named twice")) } else { Ok(parents) }
}

fn take_offset(decoder: &mut Decoder<'_>) -> Result<i32> {
    let offset = i32::from_le_bytes(decoder.array()?);
    let possible = (-FARTHEST_ZONE..=FARTHEST_ZONE).contains(&offset);
    if possible { Ok(offset) } else { Err(decoder.invalid("impossible time zone")) }
}

fn take_totals(decoder: &mut Decoder<'_>) -> Result<Totals> {
    let [files, directories, others, bytes] =
        [decoder.varint()?, decoder.varint()?, decoder.varint()?, decoder.varint()?];
    Ok(Totals { files, directories, others, bytes })
}

fn take_counts(decoder: &mut Decoder<'_>) -> Result<Counts> {
    let [added, modified, deleted] = [decoder.varint()?, decoder.varint()?, decoder.varint()?];
    Ok(Counts { added, modified, deleted })
}

fn take_uncovered(decoder: &mut Decoder<'_>) -> Result<Uncovered> {
    let byte = decoder.u8()?;
    let Some(reason) = Reason::ALL.into_iter().find(|&reason| reason as u8 == byte) else {
        return Err(decoder.invalid("unknown reason"));
    };
    Ok(Uncovered { path: fields::take_path(decoder)?, reason })
}
