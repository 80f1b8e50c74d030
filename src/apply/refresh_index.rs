//! Updates the index with the stats of everything that was written, so that the next command reads no content.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::error::Result;
use crate::fs::{Dir, Stat};
use crate::metadata::Kind;
use crate::object::{Content, Entry};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::clock::Clock;
use crate::worktree::index::{Builder, Record, Update};
use crate::worktree::inodes::{Inode, inode};

use super::open_directories::OpenDirectories;
use super::outcome::ApplyOutcome;
use super::plan::{Plan, Verdict};
use super::proof::is_saved;

/// How often, and how many times, the clock is asked whether the last write is in the past: kernels count in steps of
/// up to 10 ms.
const STEP: Duration = Duration::from_millis(1);
const STEPS: usize = 50;

/// A record of an entry that has this stat.
pub(crate) fn record(entry: &Entry, stat: Stat, racy: bool) -> Record {
    let (content, attributes) = (entry.content.clone(), entry.attributes);
    Record { name: entry.name.clone(), stat, content, attributes, racy, is_prefix: false }
}

/// Entries that are not as wanted, with reasons.
type Inexact = BTreeMap<RepoPathBuf, String>;

/// Index changes that wait for the clock to advance. Small in unit tests, so that a batch may end anywhere.
const PART: usize = if cfg!(test) { 3 } else { 4096 };

/// Updates the index of the worktree after a checkout. Returns the entries that are not as wanted, apart from those in the
/// outcome. The index has no records of them, so they will be read again.
pub(crate) fn update(index: &mut Builder, root: &Dir, plan: &Plan, outcome: &ApplyOutcome) -> Result<Inexact> {
    let mut refresher = Refresher::new(root, plan, outcome);
    refresher.changes = Some(Changes { update: Update::new(index), clock: None, waiting: Vec::new() });
    let (inexact, changes) = refresher.refresh()?;
    if let Some(mut changes) = changes {
        changes.make(root)?;
        changes.update.finish();
    }
    Ok(inexact)
}

/// Finds entries written into an empty directory that are not as wanted, apart from those in the outcome.
pub(crate) fn find_inexact(root: &Dir, plan: &Plan, outcome: &ApplyOutcome) -> Result<Inexact> {
    Refresher::new(root, plan, outcome).refresh().map(|(inexact, _)| inexact)
}

/// Index changes, applied in batches so that memory does not grow with their number.
struct Changes<'i> {
    update: Update<'i>,
    clock: Option<Clock>,
    /// In path order; `None` removes the record.
    waiting: Vec<(RepoPathBuf, Option<Record>)>,
}

impl Changes<'_> {
    fn add(&mut self, root: &Dir, path: &RepoPath, record: Option<Record>) -> Result<()> {
        self.waiting.push((path.to_owned(), record));
        if self.waiting.len() < PART { Ok(()) } else { self.make(root) }
    }

    /// Applies the waiting changes.
    fn make(&mut self, root: &Dir) -> Result<()> {
        let stats = self.waiting.iter().filter_map(|(_, record)| Some(&record.as_ref()?.stat));
        let clock = clock_after(root, self.clock, stats)?;
        self.clock = Some(clock);
        for (path, record) in self.waiting.drain(..) {
            match record {
                Some(mut record) => {
                    record.racy |= clock.is_racy(&record.stat);
                    self.update.set(&path, record);
                }
                None => self.update.remove(&path),
            }
        }
        Ok(())
    }
}

/// Checks the paths that were worked on, in path order.
struct Refresher<'l> {
    directories: OpenDirectories<'l>,
    plan: &'l Plan,
    outcome: &'l ApplyOutcome,
    /// Index changes, if wanted: records of the entries that are as they should be.
    changes: Option<Changes<'l>>,
    inexact: Inexact,
    /// Inodes with several names whose metadata was set through their first name, with the new record.
    touched: HashMap<Inode, Option<Record>>,
}

impl<'l> Refresher<'l> {
    fn new(root: &'l Dir, plan: &'l Plan, outcome: &'l ApplyOutcome) -> Refresher<'l> {
        Refresher {
            directories: OpenDirectories::new(root),
            plan,
            outcome,
            changes: None,
            inexact: Inexact::new(),
            touched: HashMap::new(),
        }
    }

    fn refresh(mut self) -> Result<(Inexact, Option<Changes<'l>>)> {
        let plan = self.plan;
        let others = plan.directories().filter(|(path, _)| plan.find_directory(path).is_none());
        let mut directories = others.filter_map(|(path, entry)| Some((path, entry?))).peekable();
        for n in 0..plan.end() {
            let path = plan.path(n);
            while let Some((directory, entry)) = directories.next_if(|(directory, _)| **directory <= *path) {
                self.directory(directory, &entry)?;
            }
            self.step(n, &path)?;
        }
        directories.try_for_each(|(path, entry)| self.directory(path, &entry))?;
        Ok((self.inexact, self.changes))
    }

    /// Checks a directory whose content changed.
    fn directory(&mut self, path: &RepoPath, entry: &Entry) -> Result<()> {
        match self.directories.stat(path).filter(|stat| differences(entry, stat).is_empty()) {
            Some(stat) => self.change(path, Some(record(entry, stat, false))),
            None => Ok(()),
        }
    }

    fn step(&mut self, n: usize, path: &RepoPath) -> Result<()> {
        let record = match self.plan.verdict(n) {
            Verdict::Same => self.relinked(path)?,
            _ if self.outcome.is_removed(n) => return self.change(path, None),
            _ => self.placed(n, path)?,
        };
        if self.plan.verdict(n) == Verdict::Touch
            && let Some(known) = self.find(path).filter(|known| known.stat.links > 1)
        {
            self.touched.insert(inode(&known.stat), record.clone());
        }
        let is_left = self.outcome.changed.contains(path) || self.outcome.damaged.contains_key(path);
        let known = |it: &Self| it.find(path).map(|record| record.stat.kind);
        // Only the record of the directory is outdated, and its stat shows that.
        if (is_left || self.is_inexact(path)) && known(self) != Some(Kind::Directory) {
            self.change(path, None)?;
        }
        record.map_or(Ok(()), |record| self.change(path, Some(record)))
    }

    /// Checks an entry that stays and whose inode gained or lost names.
    fn relinked(&mut self, path: &RepoPath) -> Result<Option<Record>> {
        let (Some(mut known), Some(stat)) = (self.find(path), self.directories.stat(path)) else { return Ok(None) };
        // Metadata set through another name also applies to this one, which comes later.
        match self.touched.get(&inode(&stat)) {
            Some(Some(record)) => known = Record { name: known.name, ..record.clone() },
            Some(None) => return Ok(None),
            None => {}
        }
        Ok(is_saved(&known, &stat).then_some(Record { stat, ..known }))
    }

    /// Checks an entry that was put in place: returns its record if it is still there and as it should be.
    fn placed(&mut self, n: usize, path: &RepoPath) -> Result<Option<Record>> {
        let (Some(inode), false) = (self.outcome.placed(n), self.is_inexact(path)) else { return Ok(None) };
        let entry = match self.plan.linked_to(n) {
            Some(to) if self.is_inexact(&to) => None,
            Some(to) => match self.plan.find(&to).and_then(|n| self.plan.entry(n)) {
                Some(entry) => Some(entry),
                None => self.find(&to).map(|record| record.to_entry()),
            },
            None => self.plan.entry(n),
        };
        let (Some(entry), Some(stat)) = (entry, self.directories.stat(path)) else { return Ok(None) };
        let is_same_inode = stat.inode == inode;
        let differences = differences(&entry, &stat);
        if !differences.is_empty() {
            // Where inodes are stable, another inode means that another program replaced the entry.
            if is_same_inode || !self.directories.root.file_system()?.has_stable_inodes() {
                self.inexact.insert(path.to_owned(), differences);
            }
            return Ok(None);
        }
        // Setting metadata proves nothing about the content, and neither does the stat of a file that may have been
        // replaced since.
        let is_touched = self.plan.verdict(n) == Verdict::Touch && self.find(path).is_some_and(|known| known.racy);
        Ok(Some(record(&entry, stat, is_touched || !is_same_inode)))
    }

    fn is_inexact(&self, path: &RepoPath) -> bool {
        self.outcome.inexact.contains_key(path) || self.inexact.contains_key(path)
    }

    /// The earlier index record.
    fn find(&self, path: &RepoPath) -> Option<Record> {
        self.changes.as_ref()?.update.find(path)
    }

    fn change(&mut self, path: &RepoPath, record: Option<Record>) -> Result<()> {
        let root = self.directories.root;
        self.changes.as_mut().map_or(Ok(()), |changes| changes.add(root, path, record))
    }
}

/// Describes how a stat differs from an entry: a file system may accept a call without effect. Empty if nothing differs.
fn differences(entry: &Entry, stat: &Stat) -> String {
    let (wanted, there) = (&entry.metadata, &stat.metadata);
    let mut found = Vec::new();
    if entry.kind() != stat.kind {
        return format!("it is a {}", stat.kind.word());
    }
    if stat.kind != Kind::Symlink && wanted.mode != there.mode {
        found.push(format!("mode {:04o} became {:04o}", wanted.mode, there.mode));
    }
    if (wanted.uid, wanted.gid) != (there.uid, there.gid) {
        found.push(format!("owner {}:{} became {}:{}", wanted.uid, wanted.gid, there.uid, there.gid));
    }
    if wanted.mtime != there.mtime {
        found.push(format!("time {} became {}", wanted.mtime.to_rfc3339(), there.mtime.to_rfc3339()));
    }
    match entry.content {
        Content::File { size, .. } if size != stat.size => found.push(format!("{size} bytes became {}", stat.size)),
        _ => {}
    }
    found.join(", ")
}

/// Waits until the file system's clock is later than all these changes, and returns it; `known` is an earlier reading.
fn clock_after<'s>(root: &Dir, known: Option<Clock>, stats: impl Iterator<Item = &'s Stat>) -> Result<Clock> {
    let newest = stats.max_by_key(|stat| stat.ctime);
    let mut clock = known.map_or_else(|| Clock::read(root), Ok)?;
    for _ in 0..STEPS {
        if newest.is_none_or(|newest| !clock.is_racy(newest)) {
            break;
        }
        std::thread::sleep(STEP);
        clock = Clock::read(root)?;
    }
    Ok(clock)
}
