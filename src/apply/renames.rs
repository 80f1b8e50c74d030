//! Restores moved files by renaming them: a file that a plan removes at one path and creates at another is not written.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::fs::UNFINISHED;
use crate::id::BlobId;
use crate::metadata::{Kind, Metadata};
use crate::object::{Content, Entry};
use crate::path::RepoPath;
use crate::time::Timestamp;
use crate::worktree::index::{Builder, Record};

use super::plan::{Plan, Verdict};

/// The files that can be renamed, each once.
#[derive(Default)]
pub(crate) struct RenamePlan {
    /// By content and time, then path.
    sources: Vec<Source>,
}

/// Content and modification time. Renaming keeps both, so a write in between shows.
type Key = (BlobId, Timestamp);

struct Source {
    key: Key,
    /// Number of the action that removes the file.
    number: usize,
    /// In the first of several equal sources: how many of them are taken.
    taken: AtomicUsize,
    has_moved: AtomicBool,
}

/// State of a file that can be renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceState {
    Renamed,
    InPlace,
}

impl RenamePlan {
    /// Finds files that the plan removes at one path and creates at another, if their saved content can be trusted.
    pub(crate) fn of(plan: &Plan, saved: &Builder, is_trusted: &dyn Fn(&RepoPath) -> bool) -> RenamePlan {
        // Most plans have no renames, so looking for them must be cheap.
        let hasher = RandomState::new();
        let coming: HashSet<u64> = plan.numbers().filter_map(|n| Some(hasher.hash_one(wanted_by(plan, n)?))).collect();
        if coming.is_empty() {
            return RenamePlan::default();
        }
        let source = |n: usize| {
            let path = Some(plan.path(n)).filter(|path| is_trusted(path))?;
            Source::new(n, &saved.find(&path)?).filter(|source| coming.contains(&hasher.hash_one(source.key)))
        };
        let removed = plan.numbers().filter(|n| plan.verdict(*n) == Verdict::Remove);
        let mut sources: Vec<Source> = removed.filter_map(source).collect();
        sources.sort_unstable_by_key(|source| (source.key, source.number));
        let mut wanted: HashMap<Key, usize> = HashMap::new();
        let is_source = |key: &Key| sources.binary_search_by_key(key, |source| source.key).is_ok();
        for key in plan.numbers().filter_map(|n| wanted_by(plan, n)).filter(is_source) {
            *wanted.entry(key).or_default() += 1;
        }
        sources.retain(|source| {
            let left = wanted.get_mut(&source.key).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_some()
        });
        RenamePlan { sources }
    }

    /// Numbers of the actions whose files will be moved.
    pub(crate) fn numbers(&self) -> HashSet<usize> {
        self.sources.iter().map(|source| source.number).collect()
    }

    /// Number of a removed file that can be moved here; each is returned once.
    pub(crate) fn take(&self, entry: &Entry) -> Option<usize> {
        let alike = self.alike((entry.blob()?, entry.metadata.mtime));
        let taken = alike.first()?.taken.fetch_add(1, Ordering::Relaxed);
        Some(alike.get(taken)?.number)
    }

    /// Notes that the file with this number and record has been moved.
    pub(super) fn note(&self, n: usize, record: &Record) {
        if let Some(source) = self.find(n, record) {
            source.has_moved.store(true, Ordering::Relaxed);
        }
    }

    /// State of a file that can be renamed.
    pub(super) fn state(&self, n: usize, record: &Record) -> Option<SourceState> {
        let has_moved = self.find(n, record)?.has_moved.load(Ordering::Relaxed);
        Some(if has_moved { SourceState::Renamed } else { SourceState::InPlace })
    }

    fn find(&self, n: usize, record: &Record) -> Option<&Source> {
        let Content::File { blob, .. } = record.content else { return None };
        let alike = self.alike((blob, record.stat.metadata.mtime));
        Some(&alike[alike.binary_search_by_key(&n, |source| source.number).ok()?])
    }

    fn alike(&self, key: Key) -> &[Source] {
        let start = self.sources.partition_point(|source| source.key < key);
        let rest = &self.sources[start..];
        &rest[..rest.partition_point(|source| source.key == key)]
    }
}

/// Key of a file that the plan creates.
fn wanted_by(plan: &Plan, n: usize) -> Option<Key> {
    plan.file(n)?;
    let entry = plan.entry(n).filter(|entry| is_told_from_unfinished(&entry.metadata))?;
    Some((entry.blob()?, entry.metadata.mtime))
}

/// After a crash, a staged file with the mode of unfinished files is deleted, so a file with that mode must not be staged.
fn is_told_from_unfinished(metadata: &Metadata) -> bool {
    metadata.mode != UNFINISHED
}

impl Source {
    fn new(number: usize, record: &Record) -> Option<Source> {
        let Content::File { blob, size } = record.content else { return None };
        let stat = &record.stat;
        let is_plain = stat.kind == Kind::File && stat.links == 1 && !record.racy;
        if !is_plain || size == 0 || !is_told_from_unfinished(&stat.metadata) {
            return None;
        }
        let (taken, has_moved) = (AtomicUsize::new(0), AtomicBool::new(false));
        Some(Source { key: (blob, stat.metadata.mtime), number, taken, has_moved })
    }
}
