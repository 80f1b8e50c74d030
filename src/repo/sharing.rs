//! Implements `store.shared`, which shares a repository with the group of its directory. The modes of the folders
//! record this, and every new file and folder inherits its mode from its folder, whatever the umask is.

use crate::error::Result;
use crate::fs::Dir;
use crate::metadata::Kind;
use crate::path::REPOSITORY;
use crate::repo::disk::walk;
use crate::repo::layout::{Attachment, Layout};

/// Modes of folders and files.
pub(super) struct Modes {
    pub folder: u16,
    file: u16,
}

const PRIVATE: Modes = Modes { folder: 0o700, file: 0o600 };
pub(super) const SHARED: Modes = Modes { folder: 0o2770, file: 0o660 };

/// Grants the directory's group access to the whole repository, or revokes it.
pub fn set(layout: &Layout, is_shared: bool) -> Result<()> {
    let group = Dir::open(&layout.worktree)?.stat_self()?.metadata.gid;
    let (modes, group) = if is_shared { (SHARED, Some(group)) } else { (PRIVATE, None) };
    set_below(&Dir::open(&layout.repository)?, group, &modes)?;
    match layout.attachment {
        Attachment::Store(_) => set_one(&Dir::open(&layout.worktree)?, REPOSITORY, group, modes.file),
        Attachment::Own | Attachment::Linked => Ok(()),
    }
}

/// Shares a repository whose settings request it although its folder is not shared: the settings were edited by hand,
/// or the repository was copied without modes.
pub fn ensure(layout: &Layout, is_shared: bool) -> Result<()> {
    if !is_shared || Dir::open(&layout.repository)?.stat_self()?.metadata.mode == SHARED.folder {
        return Ok(());
    }
    set(layout, true)
}

/// Sets the mode of a folder before its content, so that files created meanwhile get the new mode.
fn set_below(folder: &Dir, group: Option<u32>, modes: &Modes) -> Result<()> {
    set_one(folder, b".", group, modes.folder)?;
    walk(folder, &mut |folder, name, stat| match stat.kind {
        Kind::Directory => set_one(folder, name, group, modes.folder),
        Kind::File => set_one(folder, name, group, modes.file),
        _ => Ok(()),
    })
}

fn set_one(folder: &Dir, name: &[u8], group: Option<u32>, mode: u16) -> Result<()> {
    let Some(stat) = folder.stat(name)? else { return Ok(()) };
    if let Some(group) = group.filter(|group| *group != stat.metadata.gid) {
        folder.set_owner(name, stat.metadata.uid, group)?;
    } else if stat.metadata.mode == mode {
        return Ok(());
    }
    folder.set_mode(name, mode)
}
