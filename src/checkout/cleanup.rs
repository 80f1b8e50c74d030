//! What an interrupted checkout left behind: its staged names, found by their token.

use crate::apply::proof::hash;
use crate::apply::staging::prefix;
use crate::error::Result;
use crate::fs::{Dir, UNFINISHED};
use crate::metadata::Kind;
use crate::path::{REPOSITORY, RepoPathBuf};
use crate::store::Store;
use crate::worktree::Worktree;

/// Removes what an interrupted checkout staged. A file is kept, and listed, if its content is neither to be read in the store
/// nor unfinished work of ours: in the instant of a swap a staged name may hold what was changed in that instant, and that
/// of a file on its way from one place to another its last copy.
pub fn clean_staged(worktree: &Worktree, store: &Store, token: u64) -> Result<Vec<RepoPathBuf>> {
    let prefix = prefix(token);
    let device = worktree.root.stat_self()?.device;
    let is_ours = |directory: &Dir| {
        let stat = directory.stat_self()?;
        Ok(!worktree.is_own_repository(&stat) && (worktree.cross_mounts || !stat.is_mounted_in(device)))
    };
    let mut kept = Vec::new();
    let mut waiting = vec![RepoPathBuf::default()];
    while let Some(path) = waiting.pop() {
        // Where we may not look we may not have staged anything.
        let Ok(directory) = worktree.root.open_below(&path) else { continue };
        if !path.is_root() && !is_ours(&directory)? {
            continue;
        }
        let Ok(entries) = directory.entries() else { continue };
        for entry in entries {
            if entry.name.starts_with(&prefix) {
                if !remove(&directory, &entry.name, store)? {
                    kept.push(path.join(&entry.name));
                }
            } else if entry.name != REPOSITORY && is_directory(&directory, &entry.name, entry.kind)? {
                waiting.push(path.join(&entry.name));
            }
        }
    }
    kept.sort();
    Ok(kept)
}

fn is_directory(directory: &Dir, name: &[u8], kind: Option<Kind>) -> Result<bool> {
    match kind {
        Some(kind) => Ok(kind == Kind::Directory),
        None => Ok(directory.stat(name)?.is_some_and(|stat| stat.kind == Kind::Directory)),
    }
}

/// Removes one staged name; `false` if what is there may be saved nowhere.
fn remove(directory: &Dir, name: &[u8], store: &Store) -> Result<bool> {
    let Some(there) = directory.stat(name)? else { return Ok(true) };
    match there.kind {
        Kind::Directory => return directory.remove_dir(name),
        // Its mode is set after its content: with the one that it was made with it is half a file.
        Kind::File if there.metadata.mode != UNFINISHED && !store.can_read(hash(directory, name)?) => return Ok(false),
        _ => {}
    }
    directory.remove_file(name).map(|()| true)
}
