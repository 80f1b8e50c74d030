//! Files that nobody needs any more: what dead processes staged, and packs that the journal does not name.
//!
//! All of it is done under the lock. Failures leave files behind, nothing worse.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::fs::{self, Dir, Stat};
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
    let mut look = |folder: PathBuf, what, is_needless: &dyn Fn(&[u8]) -> bool| {
        let Ok(directory) = Dir::open(&folder) else { return };
        for entry in directory.entries().unwrap_or_default().into_iter().filter(|entry| is_needless(&entry.name)) {
            // An empty one takes no space, and may be how somebody asks for the time.
            if let Some(stat) = directory.stat(&entry.name).ok().flatten().filter(|stat| stat.size > 0) {
                found.push(Superfluous { what, path: folder.join(OsStr::from_bytes(&entry.name)), bytes: stat.size });
            }
        }
    };
    let is_unnamed = |name: &[u8]| {
        let id = std::str::from_utf8(name).ok().and_then(PackId::parse);
        id.is_some_and(|id| !named.contains(&id))
    };
    for folder in fs::list(&layout.packs()).unwrap_or_default() {
        look(layout.packs().join(OsStr::from_bytes(&folder)), "pack that the journal does not name", &is_unnamed);
    }
    look(layout.tmp(), "staged file", &|_| true);
    for folder in [layout.journal(), layout.repository.clone()] {
        look(folder, "staged file", &|name| name.ends_with(b".tmp"));
    }
    found
}

/// Marks packs that the journal no longer names with the present, from which their grace counts.
pub fn retire_packs(layout: &Layout, packs: &[PackId]) -> Result<()> {
    let now = now(layout);
    for &pack in packs {
        let file = fs::open(&layout.pack(pack))?;
        fs::set_file_mtime(&file, now)?;
    }
    Ok(())
}

/// Removes packs that are not among those that the journal names, when their grace is over.
pub fn remove_packs(layout: &Layout, named: &BTreeSet<PackId>) -> Result<()> {
    let now = now(layout);
    for folder in fs::list(&layout.packs())? {
        let Ok(folder) = String::from_utf8(folder) else { continue };
        remove_from(&layout.packs().join(folder), |name, stat| {
            let id = std::str::from_utf8(name).ok().and_then(PackId::parse);
            id.is_some_and(|id| !named.contains(&id)) && is_old(stat, now)
        });
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
