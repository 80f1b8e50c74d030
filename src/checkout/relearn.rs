//! The index after a checkout: the stats of all that was written, so that the next command reads no content.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::error::Result;
use crate::fs::{Dir, Stat};
use crate::metadata::Kind;
use crate::object::{Content, Entry};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::clock::Clock;
use crate::worktree::index::{Builder, Record};

use super::plan::{Action, Plan};
use super::proof::is_saved;
use super::tally::Tally;

/// How often, and how many times, the clock is asked whether the last write is in the past: kernels count in steps of
/// up to 10 ms.
const STEP: Duration = Duration::from_millis(1);
const STEPS: usize = 50;

/// A record of an entry that has this stat.
pub(super) fn record(entry: &Entry, stat: Stat, racy: bool) -> Record {
    let (content, attributes) = (entry.content.clone(), entry.attributes);
    Record { name: entry.name.clone(), stat, content, attributes, racy }
}

/// What is not as it should be, with reasons.
type Told = BTreeMap<RepoPathBuf, String>;

/// Brings an index from before a checkout up to date, ready to be written. What is not as it should be is given, besides
/// what the tally has, and left out of the index: it will be read again.
pub(super) fn update(index: &mut Builder, root: &Dir, plan: &Plan, tally: &Tally) -> Result<Told> {
    let (learned, told) = learn(index, root, plan, tally)?;
    let inexact = tally.inexact.keys().chain(told.keys()).chain(tally.damaged.keys());
    let is_directory =
        |index: &Builder, path: &RepoPath| index.find(path).is_some_and(|it| it.stat.kind == Kind::Directory);
    for path in tally.changed.iter().chain(inexact) {
        // Of a directory only the record is wrong, and its stat says so.
        if !is_directory(index, path) {
            index.remove(path);
        }
    }
    tally.removed.iter().for_each(|path| index.remove(path));
    let clock = clock_after(root, learned.iter().map(|(_, record)| &record.stat))?;
    for (path, mut record) in learned {
        record.racy |= clock.is_racy(&record.stat);
        index.set(&path, record);
    }
    index.settle();
    Ok(told)
}

/// What is not as it should be of what was written where nothing was before, besides what the tally has.
pub(super) fn told(root: &Dir, plan: &Plan, tally: &Tally) -> Result<Told> {
    learn(&Builder::default(), root, plan, tally).map(|(_, told)| told)
}

/// What stands at the paths that were worked on, as far as it is what it should be; and what is not.
fn learn(index: &Builder, root: &Dir, plan: &Plan, tally: &Tally) -> Result<(Vec<(RepoPathBuf, Record)>, Told)> {
    let mut eye = Eye { root, parent: None };
    let (mut learned, mut inexact) = (Vec::new(), Told::new());
    let is_inexact = |found: &Told, path: &RepoPath| tally.inexact.contains_key(path) || found.contains_key(path);
    let entries: HashMap<&RepoPath, &Entry> =
        plan.actions.iter().filter_map(|action| Some((action.path(), action.entry()?))).collect();
    for action in &plan.actions {
        let path = action.path();
        let (Some(inode), false) = (tally.placed.get(path), is_inexact(&inexact, path)) else { continue };
        let entry = match action {
            Action::Link(_, to) if is_inexact(&inexact, to) => None,
            Action::Link(_, to) => match entries.get(&**to) {
                Some(entry) => Some((*entry).clone()),
                None => index.find(to).map(|record| record.to_entry()),
            },
            action => action.entry().cloned(),
        };
        let (Some(entry), Some(stat)) = (entry, eye.stat(path)?) else { continue };
        // Metadata that was set proves nothing of the content, nor does that of a file which somebody may have replaced since.
        let is_same_inode = stat.inode == *inode;
        let racy =
            !is_same_inode || matches!(action, Action::Touch(..)) && index.find(path).is_some_and(|record| record.racy);
        match difference(&entry, &stat) {
            told if !told.is_empty() && !is_same_inode && root.file_system()?.has_stable_inodes() => {}
            told if told.is_empty() => learned.push((path.to_owned(), record(&entry, stat, racy))),
            told => {
                inexact.insert(path.to_owned(), told);
            }
        }
    }
    for path in &plan.relinked {
        let (Some(record), Some(stat)) = (index.find(path), eye.stat(path)?) else { continue };
        if is_saved(&record, &stat) {
            learned.push((path.clone(), Record { stat, ..record }));
        }
    }
    let own = plan.own_directories();
    for (path, entry) in plan.directories.iter().filter(|(path, _)| !own.contains_key(&***path)) {
        let Some(stat) = eye.stat(path)?.filter(|stat| difference(entry, stat).is_empty()) else { continue };
        learned.push((path.clone(), record(entry, stat, false)));
    }
    Ok((learned, inexact))
}

/// What a stat says otherwise than an entry, in words; empty: nothing. A file system may take a call and not keep it.
fn difference(entry: &Entry, stat: &Stat) -> String {
    let (wanted, there) = (&entry.metadata, &stat.metadata);
    let mut told = Vec::new();
    if entry.kind() != stat.kind {
        return format!("it is a {}", stat.kind.word());
    }
    if stat.kind != Kind::Symlink && wanted.mode != there.mode {
        told.push(format!("mode {:04o} became {:04o}", wanted.mode, there.mode));
    }
    if (wanted.uid, wanted.gid) != (there.uid, there.gid) {
        told.push(format!("owner {}:{} became {}:{}", wanted.uid, wanted.gid, there.uid, there.gid));
    }
    if wanted.mtime != there.mtime {
        told.push(format!("time {} became {}", wanted.mtime.to_rfc3339(), there.mtime.to_rfc3339()));
    }
    match entry.content {
        Content::File { size, .. } if size != stat.size => told.push(format!("{size} bytes became {}", stat.size)),
        _ => {}
    }
    told.join(", ")
}

/// The file system's clock, once it shows a later time than all these changes.
fn clock_after<'s>(root: &Dir, stats: impl Iterator<Item = &'s Stat>) -> Result<Clock> {
    let newest = stats.max_by_key(|stat| stat.ctime);
    let mut clock = Clock::read(root)?;
    for _ in 0..STEPS {
        if newest.is_none_or(|newest| !clock.is_racy(newest)) {
            break;
        }
        std::thread::sleep(STEP);
        clock = Clock::read(root)?;
    }
    Ok(clock)
}

/// Looks at paths in path order, each directory opened once.
struct Eye<'d> {
    root: &'d Dir,
    parent: Option<(RepoPathBuf, Option<Dir>)>,
}

impl Eye<'_> {
    fn stat(&mut self, path: &RepoPath) -> Result<Option<Stat>> {
        let parent = path.parent().unwrap_or(RepoPath::root());
        if self.parent.as_ref().is_none_or(|(known, _)| **known != *parent) {
            // Gone, or closed to us by now: nothing is learned of it.
            self.parent = Some((parent.to_owned(), self.root.open_below(parent).ok()));
        }
        match &self.parent {
            Some((_, Some(directory))) => Ok(directory.stat(path.name().unwrap_or(b".")).ok().flatten()),
            _ => Ok(None),
        }
    }
}
