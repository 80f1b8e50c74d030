//! Measures what each part of a repository takes on disk.

use std::path::Path;

use serde::{Serialize, Serializer};

use crate::error::Result;
use crate::fs::{Dir, Stat};
use crate::id::PackId;
use crate::metadata::Kind;
use crate::repo::disk::walk;
use crate::repo::{REMOVAL_DELAY, Repository, UNNAMED_COMMITS_DELAY};
use crate::time::Timestamp;

/// Files of one kind. JSON has only the allocated bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Number of files, without folders.
    pub files: u64,
    /// Size of the files in bytes.
    pub size: u64,
    /// Allocated bytes, as `du` counts them.
    pub allocated: u64,
}

/// What a repository takes on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DiskUsage {
    /// All parts.
    pub total: Part,
    /// Packs that the journal names.
    pub packs: Part,
    /// Where objects are in the packs: a cache.
    pub catalog: Part,
    /// What the worktrees looked like: caches.
    pub index: Part,
    /// Segments of the journal.
    pub journal: Part,
    /// The mask in force.
    pub masks: Part,
    /// Space that is released when the disk is full.
    pub reserve: Part,
    /// Files under construction.
    pub staged: Part,
    /// Packs and masks that the journal does not name: replaced, left by a killed command, or cut off from the journal.
    pub unneeded: Part,
    /// Folders, settings, locks.
    pub other: Part,
    /// The unneeded files below `packs`.
    #[serde(skip)]
    pub unnamed_packs: Part,
    /// Number of these with commits that `repair` would restore.
    #[serde(skip)]
    pub packs_with_commits: u64,
    /// When the last of the unneeded files may be deleted.
    #[serde(skip)]
    pub unneeded_until: Option<Timestamp>,
}

impl Part {
    fn add(&mut self, stat: &Stat) {
        let is_file = stat.kind != Kind::Directory;
        self.files += u64::from(is_file);
        self.size += if is_file { stat.size } else { 0 };
        self.allocated += stat.allocated;
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.allocated)
    }
}

impl DiskUsage {
    /// Measures a repository. Examines each file once, and reads none.
    pub(crate) fn measure(repository: &Repository) -> Result<DiskUsage> {
        let mut usage = DiskUsage::default();
        let root = Dir::open(&repository.layout.repository)?;
        let stat = root.stat_self()?;
        usage.total.add(&stat);
        usage.other.add(&stat);
        let top = root.path().to_owned();
        let with_commits = repository.unnamed_commits()?;
        walk(&root, &mut |folder, name, stat| {
            let is_restorable = |pack: &PackId| with_commits.contains_key(pack);
            usage.add(
                (repository, &is_restorable),
                folder.path().strip_prefix(&top).unwrap_or(Path::new("")),
                name,
                stat,
            );
            Ok(())
        })?;
        Ok(usage)
    }

    /// Adds a file or folder. `folder` is relative to the repository.
    fn add(
        &mut self,
        (repository, is_restorable): (&Repository, &dyn Fn(&PackId) -> bool),
        folder: &Path,
        name: &[u8],
        stat: &Stat,
    ) {
        let top = folder.iter().next().and_then(|name| name.to_str()).unwrap_or_default();
        let text = std::str::from_utf8(name).unwrap_or_default();
        let state = repository.state();
        let part = match top {
            _ if stat.kind == Kind::Directory => &mut self.other,
            "packs" if PackId::parse(text).is_some_and(|id| state.packs.contains(&id)) => &mut self.packs,
            "packs" => {
                self.unnamed_packs.add(stat);
                let has_commits = PackId::parse(text).as_ref().is_some_and(is_restorable);
                self.packs_with_commits += u64::from(has_commits);
                self.unneeded_part(stat, if has_commits { UNNAMED_COMMITS_DELAY } else { REMOVAL_DELAY })
            }
            "masks" if state.mask().is_some_and(|id| id.to_string() == text) => &mut self.masks,
            "masks" => self.unneeded_part(stat, REMOVAL_DELAY),
            "tmp" | "gc" => &mut self.staged,
            "journal" | "" if name.ends_with(b".tmp") => &mut self.staged,
            "journal" => &mut self.journal,
            "" if text == "catalog" => &mut self.catalog,
            "" if text == "reserve" => &mut self.reserve,
            "" if text == "index" || text.starts_with("index-") => &mut self.index,
            _ => &mut self.other,
        };
        part.add(stat);
        self.total.add(stat);
    }

    fn unneeded_part(&mut self, stat: &Stat, delay: i64) -> &mut Part {
        let mtime = stat.metadata.mtime;
        let until = Timestamp { seconds: mtime.seconds.saturating_add(delay), ..mtime };
        self.unneeded_until = self.unneeded_until.max(Some(until));
        &mut self.unneeded
    }
}
