//! Statistics of a repository: what it takes on disk, what it contains, and what can be freed.

mod commits;
mod disk;
mod growth;
mod paths;

use serde::Serialize;

use crate::error::{ErrorKind, Result};
use crate::history::walk::{WalkOptions, walk};
use crate::object::{Commit, Objects};
use crate::progress::{Progress, Unit};
use crate::repo::Repository;
use crate::time::Timestamp;

pub use commits::{CommitCost, commit_costs};
pub use disk::{DiskUsage, Part};
pub use growth::{Growth, Period, PeriodGrowth, growth};
pub use paths::{PathCost, path_costs};

/// Statistics that need no search through trees, with the field names of `docs/json.md`. They come from the tables of the
/// packs, the mask, the journal and the commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// What the files take on disk.
    pub disk: DiskUsage,
    /// Number of packs.
    pub packs: u64,
    /// Number of objects that are not hidden; copies count.
    pub objects: u64,
    /// Bytes of the files of all commits that can be restored, recalled ones included.
    pub content_of_commits: u64,
    /// Bytes of file content in the objects that are not hidden.
    pub content: u64,
    /// Size of all frames when decoded, in bytes.
    pub raw: u64,
    /// Size of all frames in the packs, in bytes.
    pub stored: u64,
    /// `content_of_commits` by `content`. `None` if there is no content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deduplication: Option<f64>,
    /// `raw` by `stored`. `None` if nothing is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<f64>,
    /// Numbers of commits.
    pub commits: CommitCounts,
    /// What can be freed.
    pub garbage: Garbage,
}

/// Numbers of commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CommitCounts {
    /// Commits of the history.
    pub kept: u64,
    /// Those that a command made before it replaced unsaved content.
    pub automatic: u64,
    /// Forgotten commits that can be recalled.
    pub forgotten: u64,
    /// Forgotten commits that are gone and that kept commits lead to.
    pub swept: u64,
    /// Commits of the history that cannot be read. Nothing else counts them.
    pub unreadable: u64,
}

/// What can be freed, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// Objects that a sweep has hidden.
    pub hidden: HiddenObjects,
    /// Files that the journal does not name.
    pub unneeded: UnneededTotals,
    /// Forgotten commits that can be recalled.
    pub forgotten: Waiting,
    /// Purged contents that can be read until the next sweep.
    pub purged: Waiting,
}

/// Objects that a sweep has hidden and that are still in packs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HiddenObjects {
    /// Number of objects.
    pub objects: u64,
    /// Their share of the stored bytes of their frames.
    pub bytes: u64,
    /// Number of packs with purged content among them.
    pub purged_packs: u64,
    /// Hidden bytes in these packs.
    pub purged_bytes: u64,
}

/// Files that the journal does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UnneededTotals {
    /// Number of files.
    pub files: u64,
    /// Allocated bytes.
    pub bytes: u64,
    /// When the last of them may be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What goes with a sweep after the grace period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Number of commits or contents.
    pub count: u64,
    /// Size of the contents in bytes. 0 for commits, whose own size only a search finds.
    pub bytes: u64,
    /// From when on a sweep removes the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// From when on a sweep removes all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

fn ratio(large: u64, small: u64) -> Option<f64> {
    (small > 0).then(|| (large as f64 / small as f64 * 100.0).round() / 100.0)
}

impl Waiting {
    /// Adds what a sweep removes `grace` seconds after a time.
    fn add(&mut self, since: Timestamp, grace: i64, bytes: u64) {
        let time = Timestamp { seconds: since.seconds.saturating_add(grace), ..since };
        self.count += 1;
        self.bytes += bytes;
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = self.last.max(Some(time));
    }
}

/// Gathers the statistics of a repository. Reads the tables of all packs, one at a time, and all commits.
pub fn gather(repository: &Repository, progress: &dyn Progress) -> Result<Stats> {
    let disk = DiskUsage::measure(repository)?;
    let (files, bytes) = (disk.unneeded.files, disk.unneeded.allocated);
    let unneeded = UnneededTotals { files, bytes, until: disk.unneeded_until };
    let mut stats = Stats { disk, garbage: Garbage { unneeded, ..Garbage::default() }, ..Stats::default() };
    stats.read_tables(repository, progress)?;
    stats.read_mask(repository);
    stats.read_commits(repository, progress)?;
    let (view, now) = (repository.view(), repository.environment.now());
    let grace = now.seconds - repository.config.grace.before(now, repository.environment.time_zone()).seconds;
    for (id, forgotten) in &view.forgotten {
        match forgotten.time {
            Some(time) => {
                stats.content_of_commits += commit_bytes(repository.store().commit(*id))?;
                stats.garbage.forgotten.add(time, grace, 0);
            }
            None => stats.commits.swept += forgotten.count,
        }
    }
    for purged in view.purged.values() {
        if let Some(time) = purged.time {
            stats.garbage.purged.add(time, grace, purged.size);
        }
    }
    stats.commits.forgotten = stats.garbage.forgotten.count;
    stats.deduplication = ratio(stats.content_of_commits, stats.content);
    stats.compression = ratio(stats.raw, stats.stored);
    Ok(stats)
}

/// Bytes of the files of a commit; 0 for a damaged one, which `verify` reports.
fn commit_bytes(commit: Result<Commit>) -> Result<u64> {
    match commit {
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(0),
        commit => Ok(commit?.totals.bytes),
    }
}

impl Stats {
    fn read_tables(&mut self, repository: &Repository, progress: &dyn Progress) -> Result<()> {
        let (store, packs) = (repository.store(), &repository.state().packs);
        let task = progress.start("reading pack tables", Unit::Items, Some(packs.len() as u64));
        for &id in packs {
            let totals = match store.list_pack(id).totals() {
                // `verify` reports it.
                Err(error) if error.kind() == ErrorKind::Damaged => continue,
                totals => totals?,
            };
            self.packs += 1;
            self.objects += totals.objects;
            self.raw += totals.raw;
            self.stored += totals.stored;
            self.content += totals.content;
            task.add(1)?;
        }
        Ok(())
    }

    fn read_mask(&mut self, repository: &Repository) {
        let hidden = &mut self.garbage.hidden;
        hidden.bytes = repository.store().waste();
        let packs = &repository.state().packs;
        for pack in repository.store().mask().into_iter().flat_map(|mask| mask.of_packs(packs)) {
            hidden.objects += u64::from(pack.hidden());
            if pack.has_purged {
                hidden.purged_packs += 1;
                hidden.purged_bytes += pack.bytes;
            }
        }
    }

    fn read_commits(&mut self, repository: &Repository, progress: &dyn Progress) -> Result<()> {
        let task = progress.start("reading commits", Unit::Items, None);
        for walked in walk(repository, WalkOptions::default())? {
            let commit = match walked {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    self.commits.unreadable += 1;
                    continue;
                }
                walked => walked?.commit,
            };
            self.commits.kept += 1;
            self.commits.automatic += u64::from(commit.automatic);
            self.content_of_commits += commit.totals.bytes;
            task.add(1)?;
        }
        Ok(())
    }
}
