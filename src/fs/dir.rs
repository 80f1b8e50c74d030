//! An open directory, and everything that is done to one name in it. No call here follows a link below the directory,
//! and none depends on how long its path is.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::fs::{FileSystem, Stat};
use crate::metadata::{Kind, Metadata};
use crate::path::RepoPath;
use crate::time::Timestamp;

/// A handle on a directory. The path in it is only for messages.
#[derive(Debug)]
pub struct Dir {
    path: PathBuf,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name.
    pub name: Vec<u8>,
    /// Its kind, where the file system tells it with the name.
    pub kind: Option<Kind>,
}

#[allow(unused_variables, clippy::todo, reason = "signatures first")]
impl Dir {
    /// Opens a directory by path, following links: for roots that a user names.
    pub fn open(path: &Path) -> Result<Dir> {
        todo!()
    }
    /// The path it was opened by, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Opens the directory `name` in it; fails on a link.
    pub fn open_dir(&self, name: &[u8]) -> Result<Dir> {
        todo!()
    }
    /// Opens a directory below it, name by name, never through a link; for the empty path a second handle on itself.
    pub fn open_below(&self, path: &RepoPath) -> Result<Dir> {
        todo!()
    }
    /// All names but `.` and `..`, sorted by bytes.
    pub fn entries(&self) -> Result<Vec<DirEntry>> {
        todo!()
    }
    /// The stat of a name; `None` if it is not there.
    pub fn stat(&self, name: &[u8]) -> Result<Option<Stat>> {
        todo!()
    }
    /// The stat of the directory itself.
    pub fn stat_self(&self) -> Result<Stat> {
        todo!()
    }
    /// What kind of file system it is on.
    pub fn file_system(&self) -> Result<FileSystem> {
        todo!()
    }
    /// Opens a file for reading: not through a link, never blocking (a FIFO), its access time left alone where permitted.
    pub fn open_file(&self, name: &[u8]) -> Result<File> {
        todo!()
    }
    /// Makes a file with mode 0600 that must not be there yet, for reading and writing.
    pub fn create_file(&self, name: &[u8]) -> Result<File> {
        todo!()
    }
    /// Makes a directory with mode 0700.
    pub fn make_dir(&self, name: &[u8]) -> Result<()> {
        todo!()
    }
    /// Makes a symlink.
    pub fn make_symlink(&self, name: &[u8], target: &[u8]) -> Result<()> {
        todo!()
    }
    /// Makes a FIFO or a device (mode 0600; `rdev` counts for devices only).
    pub fn make_special(&self, name: &[u8], kind: Kind, rdev: u64) -> Result<()> {
        todo!()
    }
    /// Where a symlink points.
    pub fn read_link(&self, name: &[u8]) -> Result<Vec<u8>> {
        todo!()
    }
    /// Gives the inode at `name` a second name.
    pub fn hard_link(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<()> {
        todo!()
    }
    /// Renames; what is at the new name is replaced.
    pub fn rename(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<()> {
        todo!()
    }
    /// Renames; `false`, and nothing done, if the new name is taken.
    pub fn rename_new(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<bool> {
        todo!()
    }
    /// Swaps two names at once; `false`, and nothing done, where the file system cannot.
    pub fn exchange(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<bool> {
        todo!()
    }
    /// Removes a name that is no directory.
    pub fn remove_file(&self, name: &[u8]) -> Result<()> {
        todo!()
    }
    /// Removes an empty directory; `false` if it is not empty.
    pub fn remove_dir(&self, name: &[u8]) -> Result<bool> {
        todo!()
    }
    /// Extended attributes of a name, sorted; empty where the file system has none. ACLs and capabilities are among them.
    pub fn xattrs(&self, name: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        todo!()
    }
    /// Sets one extended attribute.
    pub fn set_xattr(&self, name: &[u8], key: &[u8], value: &[u8]) -> Result<()> {
        todo!()
    }
    /// Removes one extended attribute.
    pub fn remove_xattr(&self, name: &[u8], key: &[u8]) -> Result<()> {
        todo!()
    }
    /// Sets the permission bits (not of a symlink, which has none of its own).
    pub fn set_mode(&self, name: &[u8], mode: u16) -> Result<()> {
        todo!()
    }
    /// Sets owner and group.
    pub fn set_owner(&self, name: &[u8], uid: u32, gid: u32) -> Result<()> {
        todo!()
    }
    /// Sets the modification time, and leaves the access time alone.
    pub fn set_mtime(&self, name: &[u8], mtime: Timestamp) -> Result<()> {
        todo!()
    }
    /// Flushes the names in it.
    pub fn sync(&self) -> Result<()> {
        todo!()
    }
    /// The present by the file system's own clock, found by touching a file of this name in it.
    pub fn clock(&self, name: &[u8]) -> Result<Timestamp> {
        todo!()
    }
}

#[allow(dead_code)]
fn unused(_: Metadata) {}
