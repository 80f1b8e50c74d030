//! Files that nobody needs any more: what dead processes staged, and packs that the journal does not name.
//!
//! All of it is done under the lock. Failures leave files behind, nothing worse.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::fs::{self, Atime, Dir, Stat};
use crate::id::PackId;
use crate::repo::layout::Layout;
use crate::time::Timestamp;

/// Seconds for which a file that is no longer needed may still be in use: readers take no lock.
const GRACE: i64 = 3600;

/// Removes what dead processes staged. Only the holder of the lock stages packs and segments. Caches are written
/// without it, so what is staged for them goes only when it is old.
pub fn clean(layout: &Layout) {
    let now = now(layout);
    remove_from(&layout.tmp(), |_, _| true);
    remove_from(&layout.journal(), |name, _| name.ends_with(b".tmp"));
    remove_from(&layout.repository, |name, stat| name.ends_with(b".tmp") && is_old(stat, now));
}

/// A file of the repository that nobody needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superfluous {
    /// What it is, in words.
    pub what: &'static str,
    /// Where.
    pub path: PathBuf,
    /// Bytes.
    pub bytes: u64,
}

/// Lists what `clean` and `remove_packs` may remove now or later. Of a writer at work it shows what that is writing.
pub fn superfluous(layout: &Layout, named: &BTreeSet<PackId>) -> Vec<Superfluous> {
    let mut found = Vec::new();
    let mut add = |what, path: PathBuf| {
        // An empty one takes no space, and may be how somebody asks for the time.
        if let Some(stat) = fs::stat(&path).ok().flatten().filter(|stat| stat.size > 0) {
            found.push(Superfluous { what, path, bytes: stat.size });
        }
    };
    for path in unnamed_packs(layout, named).into_iter().flatten() {
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
fn unnamed_packs(layout: &Layout, named: &BTreeSet<PackId>) -> Result<impl Iterator<Item = PathBuf>> {
    Ok(layout.pack_files()?.into_iter().filter(|(id, _)| !named.contains(id)).map(|(_, path)| path))
}

/// Marks packs that the journal no longer names with the present, from which their grace counts.
pub fn retire_packs(layout: &Layout, packs: &[PackId]) -> Result<()> {
    let now = now(layout);
    for &pack in packs {
        let file = fs::open(&layout.pack(pack))?;
        // Owned by another member of the group: only the owner may set a time other than the current one.
        fs::set_file_mtime(&file, now, Atime::Omit).or_else(|_| fs::touch_file(&file))?;
    }
    Ok(())
}

/// Removes packs that are not among those that the journal names, when their grace is over.
pub fn remove_packs(layout: &Layout, named: &BTreeSet<PackId>) -> Result<()> {
    let now = now(layout);
    for path in unnamed_packs(layout, named)? {
        if fs::stat(&path).ok().flatten().is_some_and(|stat| is_old(&stat, now)) {
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}

/// When the lock was taken, by the clock that gives files their times.
fn now(layout: &Layout) -> Timestamp {
    let lock = fs::stat(&layout.lock()).ok().flatten();
    lock.map_or_else(Timestamp::default, |stat| stat.metadata.mtime)
}

fn is_old(stat: &Stat, now: Timestamp) -> bool {
    stat.metadata.mtime.seconds < now.seconds.saturating_sub(GRACE)
}

fn remove_from(directory: &Path, is_needless: impl Fn(&[u8], &Stat) -> bool) {
    let Ok(directory) = Dir::open(directory) else { return };
    for entry in directory.entries().unwrap_or_default() {
        if let Ok(Some(stat)) = directory.stat(&entry.name)
            && is_needless(&entry.name, &stat)
        {
            let _ = directory.remove_file(&entry.name);
        }
    }
}
