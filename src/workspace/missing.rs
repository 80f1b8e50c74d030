//! Directories with a history in a store outside that nothing at their path uses: they were removed, or have lost their `.undo`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::fs;
use crate::quote::shell_path;

use super::stores;

/// A directory with a history in a store outside that nothing at its path uses.
pub(super) struct MissingDirectory {
    pub path: PathBuf,
    store: PathBuf,
    /// Whether nothing is at its path. Otherwise its `.undo` is missing, or another directory is there.
    pub is_removed: bool,
}

/// The missing directories that contain or contained these paths, which have no links and no repository. Reads all stores.
pub(super) fn missing_directories(paths: &BTreeSet<PathBuf>, environment: &Environment) -> Vec<MissingDirectory> {
    if paths.is_empty() {
        return Vec::new();
    }
    let mut known = stores::known(environment).unwrap_or_default();
    // Of several stores, the one with the latest record.
    known.sort_by_key(|store| store.time);
    let missing: BTreeMap<&Path, &Path> =
        stores::missing(&known).map(|(store, directory)| (&*directory.path, &*store.path)).collect();
    let nearest = |path: &PathBuf| path.ancestors().find_map(|above| missing.get_key_value(above));
    let found: BTreeMap<&Path, &Path> = paths.iter().filter_map(nearest).map(|(path, store)| (*path, *store)).collect();
    let found = found.into_iter().map(|(path, store)| MissingDirectory {
        path: path.to_owned(),
        store: store.to_owned(),
        is_removed: !fs::exists(path).unwrap_or(true),
    });
    found.collect()
}

impl MissingDirectory {
    pub(super) fn error(&self) -> Error {
        let (word, store) = (shell_path(&self.path), self.store.display());
        let (message, hint) = match self.is_removed {
            true => (
                format!("the directory was removed; its history is in `{store}`"),
                format!("to revive it: undo revive {word}"),
            ),
            false => (
                format!("it has no `.undo`, but `{store}` has the history of a directory at this path"),
                format!("to continue that history: undo stores adopt {word}"),
            ),
        };
        Error::new(ErrorKind::NoRepository, message).hint(hint)
    }
}
