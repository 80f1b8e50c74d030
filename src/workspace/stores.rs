//! Lists the stores in the user's state directory, and finds the store of a directory, even of one that no longer exists.

mod adopt;
mod revive;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::history::walk::{WalkOptions, WalkedCommit, walk};
use crate::id::DirectoryId;
use crate::progress::Silent;
use crate::repo::journal::Directory;
use crate::repo::{Repository, outside};
use crate::time::Timestamp;
use crate::worktree::count::{Counted, count};

pub use super::notice::FirstCopy;
pub(crate) use crate::repo::outside::named;
pub use revive::{ReviveOptions, Revived};

use super::{Notice, Workspace};

/// A store in the user's state directory.
#[derive(Clone, Debug)]
pub struct KnownStore {
    /// Path of the store.
    pub path: PathBuf,
    /// Id of the store; empty if it cannot be read.
    pub id: String,
    /// The directories that use it, those that are missing first.
    pub directories: Vec<KnownDirectory>,
    /// Whether it has commits.
    pub has_commits: bool,
    /// Time of its latest record.
    pub time: Option<Timestamp>,
    /// Why the store, or the newest part of its journal, cannot be read.
    pub problem: Option<Arc<Error>>,
}

/// A directory that uses a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDirectory {
    /// Id of the directory in the store.
    pub id: DirectoryId,
    /// Its path at the time of the last command that wrote from it.
    pub path: PathBuf,
    /// Its own branch, if it shares the store with another directory.
    pub branch: Option<String>,
    /// Whether nothing at the path uses the store: the directory was removed or moved, or its disk is not mounted.
    pub is_missing: bool,
}

/// What a store contains.
#[derive(Debug)]
pub struct StoreContent {
    /// Number of commits of the history.
    pub commits: u64,
    /// The newest commit.
    pub newest: Option<WalkedCommit>,
    /// Why a commit cannot be read.
    pub damage: Option<Error>,
}

/// Lists the stores in the user's state directory, those with a missing directory first. A store that cannot be read is listed with its
/// problem.
pub fn known(environment: &Environment) -> Result<Vec<KnownStore>> {
    let mut stores: Vec<KnownStore> = outside::stores(environment)?.into_iter().map(read).collect();
    stores.sort_by_key(|store| !store.directories.iter().any(|directory| directory.is_missing));
    Ok(stores)
}

/// The store that records a directory, or the nearest one above it that a store knows. The directory need not exist: a removed
/// directory is found by its former path. Of several stores that knew a path, returns the one that uses it now, else the one with
/// the latest record.
pub fn store_of(directory: &Path, environment: &Environment) -> Result<Option<KnownStore>> {
    let directory = fs::canonicalize_existing(directory)?;
    let rank = |store: &KnownStore| {
        let containing = store.directories.iter().filter(|known| directory.starts_with(&known.path));
        let best = containing.map(|known| (known.path.components().count(), !known.is_missing)).max();
        best.map(|best| (best, store.has_commits, store.time))
    };
    Ok(known(environment)?.into_iter().filter(|store| rank(store).is_some()).max_by_key(rank))
}

/// A directory whose history is stored outside, and that is missing.
pub struct LostDirectory {
    /// Its path.
    pub path: PathBuf,
    /// Whether something is at its path: another directory, or the same one without `.undo`.
    pub exists: bool,
    /// Whether it is one of several.
    pub has_others: bool,
}

/// The missing directories of stores with commits.
pub(super) fn missing(stores: &[KnownStore]) -> impl Iterator<Item = (&KnownStore, &KnownDirectory)> {
    let recorded = stores.iter().filter(|store| store.has_commits);
    let all = recorded.flat_map(|store| store.directories.iter().map(move |known| (store, known)));
    all.filter(|(_, known)| known.is_missing)
}

/// The missing directory that `directory` is or was in, or of those that were in `directory`, the one with the latest record. For an
/// error that no repository was found.
pub fn lost_directory(directory: &Path, environment: &Environment) -> Option<LostDirectory> {
    let directory = fs::canonicalize_existing(directory).ok()?;
    let stores = known(environment).ok()?;
    let above = missing(&stores)
        .filter(|(_, known)| directory.starts_with(&known.path))
        .max_by_key(|(store, known)| (known.path.components().count(), store.time));
    let below = || missing(&stores).filter(|(_, known)| known.path.starts_with(&directory));
    let has_others = above.is_none() && below().nth(1).is_some();
    let (_, found) = above.or_else(|| below().max_by_key(|(store, _)| store.time))?;
    let exists = fs::exists(&found.path).unwrap_or(false);
    Some(LostDirectory { path: found.path.clone(), exists, has_others })
}

fn read(path: PathBuf) -> KnownStore {
    let known = |(id, directory, is_there): (DirectoryId, Directory, bool)| KnownDirectory {
        id,
        path: directory.path().to_owned(),
        branch: directory.branch,
        is_missing: !is_there,
    };
    match outside::summarize(&path) {
        Ok(summary) => {
            let mut directories: Vec<KnownDirectory> = summary.directories.into_iter().map(known).collect();
            directories.sort_by(|one, other| (!one.is_missing, &one.path).cmp(&(!other.is_missing, &other.path)));
            let (time, problem) = (Some(summary.time), summary.damage.map(Arc::new));
            KnownStore { path, id: summary.id, directories, has_commits: summary.has_commits, time, problem }
        }
        Err(error) => KnownStore {
            path,
            id: String::new(),
            directories: Vec::new(),
            has_commits: false,
            time: None,
            problem: Some(Arc::new(error)),
        },
    }
}

impl KnownStore {
    /// Bytes that the store takes on disk.
    pub fn disk_size(&self) -> Result<u64> {
        outside::disk_size(&self.path)
    }

    /// Reads the commits.
    pub fn content(&self, environment: &Environment) -> Result<StoreContent> {
        let mut content = StoreContent { commits: 0, newest: None, damage: None };
        let Some(directory) = self.directories.first() else { return Ok(content) };
        let repository = Repository::open_detached(&self.path, directory.id, environment.clone())?;
        for walked in walk(&repository, WalkOptions::default())? {
            let walked = match walked {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    content.damage.get_or_insert(error);
                    continue;
                }
                walked => walked?,
            };
            content.commits += 1;
            content.newest.get_or_insert(walked);
        }
        Ok(content)
    }
}

/// Bytes from which on copies are worth a warning.
const LARGE_COPY: u64 = 1 << 30;

impl Workspace {
    /// Like [`Workspace::init`], with a new store in the user's state directory, which outlives the directory. A notice says how much
    /// the first commit copies if the store is on another file system.
    ///
    /// [`ErrorKind::Refused`] if the directory or the state directory belongs to another user.
    pub fn init_outside(directory: impl Into<PathBuf>, environment: Environment) -> Result<Workspace> {
        let directory = directory.into();
        let former = store_of(&directory, &environment)?;
        let store = outside::place_for(&directory, &environment)?;
        let repository = Repository::init(&directory, Some(&store), environment)?;
        let (worktree, store) = (repository.layout.worktree.clone(), repository.layout.repository.clone());
        let mut workspace = Workspace::of(repository, directory)?;
        let is_former = |former: &KnownStore| {
            let mut directories = former.directories.iter();
            former.path != store && former.has_commits && directories.any(|known| known.path == worktree)
        };
        if let Some(former) = former.filter(is_former) {
            workspace.notices.push(Notice::FormerHistory { directory: worktree.clone(), store: former.path });
        }
        if let Some(copy) = workspace.first_copy()? {
            workspace.notices.push(Notice::OtherFileSystem { store, copy });
        }
        Ok(workspace)
    }

    /// What the first commit copies to a store on another file system. `None` if the store is on the same file system, where files may
    /// share their blocks with the store, or if the copies take little of the free space.
    fn first_copy(&self) -> Result<Option<FirstCopy>> {
        let store = Dir::open(&self.repository.layout.repository)?;
        if store.stat_self()?.device == self.worktree.root.stat_self()?.device {
            return Ok(None);
        }
        // The commit will report what cannot be counted.
        let (Counted { all, .. }, _) = count(&self.worktree, self.repository.store(), &|_| false, &Silent);
        let copy = FirstCopy { files: all.files, bytes: all.bytes, free: store.free_space()? };
        let is_large = copy.bytes >= LARGE_COPY || copy.free.is_some_and(|free| copy.bytes > free / 10);
        Ok((copy.files > 0 && is_large).then_some(copy))
    }
}
