//! The scan: every entry of the worktree, merged against the index; what the index does not prove is read.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use crate::error::Result;
use crate::fs::Stat;
use crate::id::{BlobId, LinksId, ObjectId};
use crate::object::commit::{Totals, Uncovered};
use crate::object::{Entry, ObjectKind};
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::store::Store;
use crate::worktree::{Index, Worktree, index};

/// The worktree as it was read.
pub struct Scan {
    /// The root directory as an entry without a name.
    pub root: Entry,
    /// Its hard links.
    pub links: Option<LinksId>,
    /// What there is.
    pub totals: Totals,
    /// Trees, attributes and links that the store does not hold.
    pub objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    /// The stats of everything covered: the next index.
    pub index: index::Builder,
    /// What could not be read, and sockets, mounts and nested repositories; sorted.
    pub uncovered: Vec<Uncovered>,
    /// What the ignore rules leave out; of an ignored directory only itself; sorted.
    pub ignored: Vec<RepoPathBuf>,
    /// Files that kept changing while they were read; sorted.
    pub torn: Vec<RepoPathBuf>,
    /// Files whose content was read.
    pub files_read: u64,
    /// Bytes read.
    pub bytes_read: u64,
}

/// How a scan goes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only these paths and what is below them (and the directories they are in); empty: all.
    pub paths: Vec<RepoPathBuf>,
    /// Cover these although rules ignore them.
    pub despite_rules: Vec<RepoPathBuf>,
    /// Names to pass over silently: what an unfinished checkout left (`.undo-TOKEN-N`).
    pub staged_by: Option<u64>,
    /// Threads; 0: as many as there are cores.
    pub threads: usize,
}

/// What is done with the content of a file: hashed only, or stored too. One a thread.
pub trait Sink {
    /// Reads the file from its beginning. The stat is of the open file just before.
    fn read(&mut self, file: &File, stat: &Stat) -> Result<BlobId>;
}

/// Reads the worktree. `sinks` makes one sink a thread.
pub fn scan<S: Sink>(
    worktree: &Worktree,
    store: &Store,
    index: &Index,
    options: &Options,
    sinks: &(dyn Fn() -> S + Sync),
    progress: &dyn Progress,
) -> Result<Scan> {
    let _ = (worktree, store, index, options, sinks, progress);
    todo!()
}

/// Whether `path` is one of `paths`, below one, or empty paths mean all.
pub fn is_selected(paths: &[RepoPathBuf], path: &RepoPath) -> bool {
    paths.is_empty() || paths.iter().any(|selected| path.is_within(selected))
}
