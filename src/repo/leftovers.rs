//! Deletes files that are no longer needed: staged files of dead processes, and packs that the journal does not name.
//!
//! Runs under the lock. A failure only leaves files behind.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::fs::{self, Atime, Dir, ReadLock, Stat};
use crate::id::{MaskId, PackId};
use crate::metadata::Kind;
use crate::repo::journal;
use crate::repo::layout::Layout;
use crate::time::Timestamp;

/// How long an unneeded file is kept, in seconds, where locks cannot show whether another process still reads it.
pub const REMOVAL_DELAY: i64 = 3600;

/// How long a pack with commits that the journal does not name is kept, in seconds: a journal that was cut off leaves such packs, and
/// `undo repair` restores their commits (decision 72).
pub const UNNAMED_COMMITS_DELAY: i64 = 7 * 24 * 3600;

/// Deletes staged files of dead processes. Only the holder of the lock stages packs and segments. Caches and the files of a clone are
/// written without the lock, so they are deleted only when they are old.
pub fn clean(layout: &Layout) {
    let now = now(layout);
    remove_from(&layout.tmp(), |_, _| true);
    remove_from(&layout.journal(), |name, _| name.ends_with(b".tmp"));
    remove_from(&layout.repository, |name, stat| name.ends_with(b".tmp") && is_old(stat, now));
}

/// Deletes what an interrupted garbage collection has left. Its lock must be held.
pub fn clean_gc(layout: &Layout) {
    remove_from(&layout.gc(), |_, _| true);
}

/// Starts the grace period of a mask that the journal no longer names, and deletes masks whose grace period is over.
pub fn retire_mask(layout: &Layout, retired: Option<MaskId>, named: Option<MaskId>) {
    let now = now(layout);
    let name = |id: MaskId| id.to_string().into_bytes();
    let (retired, named) = (retired.filter(|id| Some(*id) != named).map(name), named.map(name));
    if let Some(retired) = retired {
        let _ = retire(&layout.masks().join(OsStr::from_bytes(&retired)), now);
    }
    remove_from(&layout.masks(), |file, stat| named.as_deref() != Some(file) && is_old(stat, now));
}

/// A file that is no longer needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnneededFile {
    /// Description of the file.
    pub what: &'static str,
    /// Path of the file.
    pub path: PathBuf,
    /// Size in bytes.
    pub bytes: u64,
}

/// Lists the files that `clean` and `remove_packs` may delete now or later, including those of a running writer.
pub fn unneeded_files(layout: &Layout, named: &BTreeSet<PackId>) -> Vec<UnneededFile> {
    let mut found = Vec::new();
    let mut add = |what, path: PathBuf| {
        // An empty file takes no space, and may be a test of the file system's clock.
        if let Some(stat) = fs::stat(&path).ok().flatten().filter(|stat| stat.size > 0) {
            found.push(UnneededFile { what, path, bytes: stat.size });
        }
    };
    for (_, path) in unnamed_packs(layout, named).into_iter().flatten() {
        add("pack that the journal does not name", path);
    }
    for (folder, ending) in [(layout.tmp(), ""), (layout.journal(), ".tmp"), (layout.repository.clone(), ".tmp")] {
        let names = fs::list(&folder).unwrap_or_default();
        for name in names.iter().filter(|name| name.ends_with(ending.as_bytes())) {
            add("staged file", folder.join(OsStr::from_bytes(name)));
        }
    }
    found
}

/// Packs that are not among these.
pub(super) fn unnamed_packs(layout: &Layout, named: &BTreeSet<PackId>) -> Result<Vec<(PackId, PathBuf)>> {
    Ok(layout.pack_files()?.into_iter().filter(|(id, _)| !named.contains(id)).collect())
}

/// Deletes packs that the journal no longer names: at once if no other process reads the repository, else after the grace
/// period. Deletes what other commands have left, as [`remove_unnamed`].
pub fn remove_replaced(
    layout: &Layout,
    replaced: &[PackId],
    named: &BTreeSet<PackId>,
    lock: &mut ReadLock,
    has_commits: &dyn Fn(PackId) -> bool,
) -> Result<()> {
    let is_removed = lock.exclusively(|| {
        for &pack in replaced {
            let _ = fs::remove_file(&layout.pack(pack));
        }
    });
    if !is_removed {
        let now = now(layout);
        replaced.iter().try_for_each(|&pack| retire(&layout.pack(pack), now))?;
    }
    // A damaged segment only delays the deletion.
    let replaced = journal::replaced_packs(&layout.journal()).unwrap_or_default();
    remove_unnamed(layout, named, lock, |pack| replaced.contains(&pack), has_commits)
}

/// Deletes packs that the journal does not name: those that `is_needless` selects at once if no other process reads the
/// repository, all others when their grace period is over. Those for which `has_commits` is true have a longer one.
pub fn remove_unnamed(
    layout: &Layout,
    named: &BTreeSet<PackId>,
    lock: &mut ReadLock,
    is_needless: impl Fn(PackId) -> bool,
    has_commits: &dyn Fn(PackId) -> bool,
) -> Result<()> {
    let unnamed = unnamed_packs(layout, named)?;
    if unnamed.is_empty() {
        return Ok(());
    }
    lock.exclusively(|| {
        for (_, path) in unnamed.iter().filter(|(id, _)| is_needless(*id)) {
            let _ = fs::remove_file(path);
        }
    });
    remove_packs(layout, named, has_commits)
}

/// Deletes empty folders of packs, which may take a block each.
pub fn remove_empty_folders(layout: &Layout) {
    let Ok(packs) = Dir::open(&layout.packs()) else { return };
    for folder in packs.entries().unwrap_or_default() {
        // Fails if there are files in it.
        let _ = packs.remove_dir(&folder.name);
    }
}

/// Starts the grace period of a file that the journal no longer names, by setting its mtime to the current time. A missing file
/// is ignored.
fn retire(path: &Path, now: Timestamp) -> Result<()> {
    let file = match fs::open(path) {
        Err(error) if error.is_not_found() => return Ok(()),
        file => file?,
    };
    // The file may belong to another member of the group: only the owner may set a time other than the current one.
    fs::set_file_mtime(&file, now, Atime::Omit).or_else(|_| fs::touch_file(&file))
}

/// Deletes packs that the journal does not name and whose grace period is over.
pub fn remove_packs(layout: &Layout, named: &BTreeSet<PackId>, has_commits: &dyn Fn(PackId) -> bool) -> Result<()> {
    let now = now(layout);
    for (id, path) in unnamed_packs(layout, named)? {
        let stat = fs::stat(&path).ok().flatten().filter(|stat| is_old(stat, now));
        if stat.is_some_and(|stat| is_older(&stat, now, UNNAMED_COMMITS_DELAY) || !has_commits(id)) {
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}

/// Time at which the lock was taken, by the clock of the file system.
fn now(layout: &Layout) -> Timestamp {
    let lock = fs::stat(&layout.lock()).ok().flatten();
    lock.map_or_else(Timestamp::default, |stat| stat.metadata.mtime)
}

fn is_old(stat: &Stat, now: Timestamp) -> bool {
    is_older(stat, now, REMOVAL_DELAY)
}

/// Whether the file is older than a number of seconds.
fn is_older(stat: &Stat, now: Timestamp, seconds: i64) -> bool {
    stat.metadata.mtime.seconds < now.seconds.saturating_sub(seconds)
}

fn remove_from(directory: &Path, is_needless: impl Fn(&[u8], &Stat) -> bool) {
    let Ok(directory) = Dir::open(directory) else { return };
    for entry in directory.entries().unwrap_or_default() {
        if let Ok(Some(stat)) = directory.stat(&entry.name)
            && is_needless(&entry.name, &stat)
        {
            let _ = match stat.kind {
                Kind::Directory => fs::remove_dir_all(&directory.path().join(OsStr::from_bytes(&entry.name))),
                _ => directory.remove_file(&entry.name),
            };
        }
    }
}
