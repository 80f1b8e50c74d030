//! Files that were moved: what a plan removes at one path and makes at another is one file, and gets its old name back.
//! Whatever its size, nothing is decoded or written.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::fs::UNFINISHED;
use crate::id::BlobId;
use crate::metadata::{Kind, Metadata};
use crate::object::{Content, Entry};
use crate::path::RepoPath;
use crate::time::Timestamp;
use crate::worktree::index::{Builder, Record};

use super::plan::{Action, Plan};

/// What can be moved, each once.
#[derive(Default)]
pub(super) struct Moved<'p> {
    /// By content and time, then path.
    sources: Vec<Source<'p>>,
}

/// Content, and the time of the last write to it: moving keeps that, and it is not set anew, so a write that comes in between
/// shows.
type Key = (BlobId, Timestamp);

struct Source<'p> {
    key: Key,
    path: &'p RepoPath,
    /// Of the first of those that are alike: how many of them are taken.
    taken: AtomicUsize,
    has_moved: AtomicBool,
}

/// What has become of a file that was to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has moved.
    Moved,
    /// It is where it was.
    Left,
}

impl<'p> Moved<'p> {
    /// What a plan removes and makes elsewhere, of what is saved and can be trusted.
    pub(super) fn of(plan: &'p Plan, saved: &Builder, torn: &HashSet<&RepoPath>) -> Moved<'p> {
        let source = |action: &'p Action| match action {
            Action::Remove(path) if !torn.contains(&**path) => Source::new(path, &saved.find(path)?),
            _ => None,
        };
        let made = || plan.actions.iter().filter_map(wanted_by);
        // Most plans remove much or make much, and nothing that is both: they are not to pay for it.
        if made().next().is_none() {
            return Moved::default();
        }
        let mut sources: Vec<Source<'p>> = plan.actions.iter().filter_map(source).collect();
        sources.sort_unstable_by_key(|source| (source.key, source.path));
        let mut wanted: HashMap<Key, usize> = HashMap::new();
        for key in made().filter(|key| sources.binary_search_by_key(key, |source| source.key).is_ok()) {
            *wanted.entry(key).or_default() += 1;
        }
        sources.retain(|source| {
            let left = wanted.get_mut(&source.key).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_some()
        });
        Moved { sources }
    }

    /// The paths of all that is going to be moved.
    pub(super) fn paths(&self) -> HashSet<&'p RepoPath> {
        self.sources.iter().map(|source| source.path).collect()
    }

    /// The path of a file that can become this one; each is given once.
    pub(super) fn take(&self, entry: &Entry) -> Option<&'p RepoPath> {
        let alike = self.alike((entry.blob()?, entry.metadata.mtime));
        let taken = alike.first()?.taken.fetch_add(1, Ordering::Relaxed);
        Some(alike.get(taken)?.path)
    }

    /// Notes that the file at this path, of this record, has moved.
    pub(super) fn note(&self, path: &RepoPath, record: &Record) {
        if let Some(source) = self.find(path, record) {
            source.has_moved.store(true, Ordering::Relaxed);
        }
    }

    /// What has become of a file that was to be moved.
    pub(super) fn fate(&self, path: &RepoPath, record: &Record) -> Option<Fate> {
        let has_moved = self.find(path, record)?.has_moved.load(Ordering::Relaxed);
        Some(if has_moved { Fate::Moved } else { Fate::Left })
    }

    fn find(&self, path: &RepoPath, record: &Record) -> Option<&Source<'p>> {
        let Content::File { blob, .. } = record.content else { return None };
        let alike = self.alike((blob, record.stat.metadata.mtime));
        Some(&alike[alike.binary_search_by_key(&path, |source| source.path).ok()?])
    }

    fn alike(&self, key: Key) -> &[Source<'p>] {
        let start = self.sources.partition_point(|source| source.key < key);
        let rest = &self.sources[start..];
        &rest[..rest.partition_point(|source| source.key == key)]
    }
}

/// Of a file that is made.
fn wanted_by(action: &Action) -> Option<Key> {
    match action {
        Action::Create(_, entry) | Action::Replace(_, entry) if is_told_from_unfinished(&entry.metadata) => {
            Some((entry.blob()?, entry.metadata.mtime))
        }
        _ => None,
    }
}

/// With the mode of what is not finished it would be taken for that, after a kill, whatever somebody has written to it.
fn is_told_from_unfinished(metadata: &Metadata) -> bool {
    metadata.mode != UNFINISHED
}

impl<'p> Source<'p> {
    fn new(path: &'p RepoPath, record: &Record) -> Option<Source<'p>> {
        let Content::File { blob, size } = record.content else { return None };
        let stat = &record.stat;
        let is_plain = stat.kind == Kind::File && stat.links == 1 && !record.racy;
        if !is_plain || size == 0 || !is_told_from_unfinished(&stat.metadata) {
            return None;
        }
        let (taken, has_moved) = (AtomicUsize::new(0), AtomicBool::new(false));
        Some(Source { key: (blob, stat.metadata.mtime), path, taken, has_moved })
    }
}
