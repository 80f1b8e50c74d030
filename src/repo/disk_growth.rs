//! Measures by how much a repository grows on disk during a transaction, without examining all of its files.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::Result;
use crate::fs::{self, Dir};
use crate::id::PackId;
use crate::repo::journal;
use crate::repo::layout::Layout;
use crate::store::Stored;

/// Maximum number of bytes by which file systems round up the size of a pack.
const SLACK: i64 = 256 << 10;

/// Counts allocated bytes, as `du` does.
pub(super) struct DiskGrowth {
    root: Dir,
    /// Allocated bytes, at the start, of the files that a transaction may write or replace.
    files: i64,
    /// The newest segment of the journal at the start.
    segment: u64,
    /// Folders of packs at the start.
    folders: HashSet<Vec<u8>>,
    /// Bytes of new packs, less those of deleted ones.
    packs: i64,
}

impl DiskGrowth {
    /// Starts to count. `segment` is the newest segment of the journal.
    pub(super) fn start(layout: &Layout, segment: u64) -> Result<DiskGrowth> {
        let root = Dir::open(&layout.repository)?;
        let files = replaced_files(&root, layout, segment..=segment)?;
        let folders = folders(&root, layout)?;
        Ok(DiskGrowth { root, files, segment, folders, packs: 0 })
    }

    /// Adds new packs of a session. A reflink pack counts only its table, as in `stored`.
    pub(super) fn add_stored(&mut self, layout: &Layout, stored: &Stored) {
        let before = self.packs;
        self.add_packs(layout, &stored.packs);
        let most = stored.bytes as i64 + SLACK * stored.packs.len() as i64;
        self.packs = before + (self.packs - before).min(most);
    }

    /// Adds new packs.
    pub(super) fn add_packs(&mut self, layout: &Layout, packs: &[PackId]) {
        self.packs += packs.iter().map(|&pack| allocated(&layout.pack(pack))).sum::<i64>();
    }

    /// Runs a function that deletes packs, and counts the bytes that it frees.
    pub(super) fn watch_deletion<T>(&mut self, layout: &Layout, delete: impl FnOnce() -> T) -> T {
        let before = all_packs(layout);
        let result = delete();
        self.packs -= before - all_packs(layout);
        result
    }

    /// Bytes by which the repository has grown. Negative if it has shrunk. `segment` is the newest segment of the journal.
    pub(super) fn bytes(&self, layout: &Layout, segment: u64) -> i64 {
        let files = replaced_files(&self.root, layout, self.segment..=segment).map_or(0, |now| now - self.files);
        let now = folders(&self.root, layout).unwrap_or_default();
        let new = now.difference(&self.folders).map(|name| layout.packs().join(OsStr::from_bytes(name)));
        files + self.packs + new.map(|folder| allocated(&folder)).sum::<i64>()
    }
}

/// Allocated bytes of all files except packs, of the journal only these segments.
fn replaced_files(root: &Dir, layout: &Layout, segments: RangeInclusive<u64>) -> Result<i64> {
    let bytes = |folder: &Dir, name: &[u8]| Ok(folder.stat(name)?.map_or(0, |stat| stat.allocated as i64));
    let files = [layout.index(), layout.catalog(), layout.lock(), layout.reserve(), layout.packs(), layout.journal()];
    let sum: Result<i64> = files.iter().map(|path| bytes(root, name_of(path))).sum();
    let journal = root.open_dir(name_of(&layout.journal()))?;
    segments.into_iter().try_fold(sum?, |sum, number| Ok(sum + bytes(&journal, journal::file_name(number).as_bytes())?))
}

/// Names of the folders of packs.
fn folders(root: &Dir, layout: &Layout) -> Result<HashSet<Vec<u8>>> {
    Ok(root.open_dir(name_of(&layout.packs()))?.entries()?.into_iter().map(|entry| entry.name).collect())
}

fn name_of(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_bytes()
}

fn all_packs(layout: &Layout) -> i64 {
    layout.pack_files().unwrap_or_default().iter().map(|(_, path)| allocated(path)).sum()
}

/// 0 for a file that does not exist.
fn allocated(path: &Path) -> i64 {
    fs::stat(path).ok().flatten().map_or(0, |stat| stat.allocated as i64)
}
