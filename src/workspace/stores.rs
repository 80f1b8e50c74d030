//! Stores outside of their directories: which there are, and which belongs to a directory, even to one that no longer exists.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::fs;
use crate::id::DirectoryId;
use crate::repo::outside;
use crate::time::Timestamp;

/// A store in the user's state directory.
#[derive(Clone, Debug)]
pub struct KnownStore {
    /// Path of the store.
    pub path: PathBuf,
    /// Id of the store; empty if it cannot be read.
    pub id: String,
    /// The directories that use it, those that are missing first.
    pub directories: Vec<KnownDirectory>,
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
        best.map(|best| (best, store.time))
    };
    Ok(known(environment)?.into_iter().filter(|store| rank(store).is_some()).max_by_key(rank))
}

fn read(path: PathBuf) -> KnownStore {
    match outside::summarize(&path) {
        Ok(summary) => {
            let mut directories: Vec<KnownDirectory> = summary
                .directories
                .into_iter()
                .map(|(id, directory, is_there)| KnownDirectory {
                    id,
                    path: directory.path().to_owned(),
                    branch: directory.branch,
                    is_missing: !is_there,
                })
                .collect();
            directories.sort_by(|one, other| (!one.is_missing, &one.path).cmp(&(!other.is_missing, &other.path)));
            let (time, problem) = (Some(summary.time), summary.damage.map(Arc::new));
            KnownStore { path, id: summary.id, directories, time, problem }
        }
        Err(error) => {
            KnownStore { path, id: String::new(), directories: Vec::new(), time: None, problem: Some(Arc::new(error)) }
        }
    }
}

#[cfg(test)]
mod tests;
