//! Measures by how much a repository grows on disk during a transaction, without examining all of its files.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::Result;
use crate::fs::{self, Dir};
use crate::id::PackId;
use crate::repo::journal;
use crate::repo::layout::Layout;
use crate::store::Stored;

/// Maximum number of bytes by which file systems round up the size of a pack and its folder.
const SLACK: i64 = 256 << 10;

/// Counts allocated bytes, as `du` does.
pub(super) struct DiskGrowth {
    /// Allocated bytes at the start of the files that a transaction may write or replace.
    before: i64,
    /// The newest segment of the journal at the start.
    segment: u64,
    /// Bytes of new packs, less those of deleted ones.
    packs: i64,
}

impl DiskGrowth {
    /// Starts to count. `segment` is the newest segment of the journal.
    pub(super) fn start(layout: &Layout, segment: u64) -> DiskGrowth {
        DiskGrowth { before: replaced_files(layout, segment, segment).unwrap_or(0), segment, packs: 0 }
    }

    /// Adds new packs of a session. A reflink pack counts only its table, as in `stored`.
    pub(super) fn add_stored(&mut self, layout: &Layout, stored: &Stored) {
        let before = self.packs;
        self.add_packs(layout, &stored.packs);
        let most = stored.bytes as i64 + SLACK * stored.packs.len() as i64;
        self.packs = before + (self.packs - before).min(most);
    }

    /// Adds new packs, and their folders if they are new.
    pub(super) fn add_packs(&mut self, layout: &Layout, packs: &[PackId]) {
        for &pack in packs {
            let path = layout.pack(pack);
            self.packs += allocated(&path);
            let folder = path.parent().expect("a pack lies in a folder");
            if fs::list(folder).is_ok_and(|names| names.len() == 1) {
                self.packs += allocated(folder);
            }
        }
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
        replaced_files(layout, self.segment, segment).map_or(0, |now| now - self.before) + self.packs
    }
}

/// Allocated bytes of all files except packs, of the journal only these segments.
fn replaced_files(layout: &Layout, first: u64, last: u64) -> Result<i64> {
    let bytes = |folder: &Dir, name: &[u8]| Ok(folder.stat(name)?.map_or(0, |stat| stat.allocated as i64));
    let root = Dir::open(&layout.repository)?;
    let mut sum = 0;
    for path in [layout.index(), layout.catalog(), layout.lock(), layout.reserve(), layout.packs(), layout.journal()] {
        sum += bytes(&root, path.file_name().unwrap_or_default().as_bytes())?;
    }
    let journal = root.open_dir(layout.journal().file_name().unwrap_or_default().as_bytes())?;
    (first..=last).try_fold(sum, |sum, number| Ok(sum + bytes(&journal, journal::file_name(number).as_bytes())?))
}

fn all_packs(layout: &Layout) -> i64 {
    layout.pack_files().unwrap_or_default().iter().map(|(_, path)| allocated(path)).sum()
}

/// 0 for a file that does not exist.
fn allocated(path: &Path) -> i64 {
    fs::stat(path).ok().flatten().map_or(0, |stat| stat.allocated as i64)
}
