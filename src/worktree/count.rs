//! Counts the files that a scan would cover, without opening them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::fs::Stat;
use crate::id::{BlobId, LENGTH, ObjectId};
use crate::metadata::Kind;
use crate::object::ObjectKind;
use crate::path::RepoPath;
use crate::progress::{Progress, cancelled};
use crate::store::Store;
use crate::worktree::content::Reading;
use crate::worktree::scan::{self, Options};
use crate::worktree::sink::Sink;
use crate::worktree::{Index, Worktree};

/// Number and size of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileTotals {
    /// Number of files. A file with several names counts once for each.
    pub files: u64,
    /// Their size in bytes with holes, as `ls -l` prints it.
    pub bytes: u64,
}

/// The files of a worktree.
#[derive(Debug, Default)]
pub struct Counted {
    /// All files.
    pub all: FileTotals,
    /// The files at the root, and directories at the root with files.
    pub entries: BTreeMap<Vec<u8>, CountedEntry>,
}

/// A file or a directory at the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CountedEntry {
    /// The file, or the files below the directory.
    pub totals: FileTotals,
    /// Whether it is a directory.
    pub is_directory: bool,
}

/// Counts the files that a commit of the whole worktree would record, until there are enough. Returns those that were counted
/// before a failure, too.
pub fn count(
    worktree: &Worktree,
    store: &Store,
    is_enough: &(dyn Fn(FileTotals) -> bool + Sync),
    progress: &dyn Progress,
) -> (Counted, Result<()>) {
    let counted = Mutex::default();
    let sinks = || CountSink { counted: &counted, is_enough };
    let result = scan::scan(worktree, store, &Index::empty(), &Options::default(), &sinks, progress);
    (counted.into_inner().unwrap_or_else(PoisonError::into_inner), result.map(drop))
}

/// Counts files.
struct CountSink<'c> {
    counted: &'c Mutex<Counted>,
    is_enough: &'c (dyn Fn(FileTotals) -> bool + Sync),
}

impl FileTotals {
    fn add(&mut self, size: u64) {
        self.files += 1;
        self.bytes += size;
    }
}

impl Sink for CountSink<'_> {
    const STORES: bool = false;
    const READS: bool = false;

    fn count(&mut self, directory: &RepoPath, name: &[u8], stat: &Stat) -> Result<()> {
        if stat.kind != Kind::File {
            return Ok(());
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.all.add(stat.size);
        let name = directory.names().next().unwrap_or(name);
        match counted.entries.get_mut(name) {
            Some(entry) => entry.totals.add(stat.size),
            None => {
                let mut entry = CountedEntry { is_directory: !directory.is_root(), ..CountedEntry::default() };
                entry.totals.add(stat.size);
                counted.entries.insert(name.to_vec(), entry);
            }
        }
        if (self.is_enough)(counted.all) { Err(cancelled()) } else { Ok(()) }
    }

    /// Called only for a name that was a directory when it was listed.
    fn read(&mut self, _: &mut Reading<'_>) -> Result<BlobId> {
        Ok(BlobId([0; LENGTH]))
    }

    fn object(&mut self, _: ObjectKind, _: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        Ok(Some(bytes))
    }

    fn finish(self) -> Result<()> {
        Ok(())
    }
}
