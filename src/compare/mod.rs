//! Compares two states, each of them empty, a commit or the worktree: their paths, and the content of each path.

mod contents;
pub mod directories;
pub mod files;
mod patch;
mod renames;
mod side;

use crate::alarm::{self, Evidence, Findings, Watch};
use crate::diff::similarity::Fingerprint;
use crate::diff::text::{TextOptions, is_text};
use crate::diff::{self, Body, Change, ChangeCounts, Options, Status};
use crate::error::Result;
use crate::history::listing::{self, ListOptions};
use crate::history::{entry_at, mounted_over};
use crate::object::{Attributes, Entry, Objects};
use crate::path::RepoPathBuf;
use crate::path::selection::Spec;
use crate::repo::Repository;
use crate::worktree::{Overlay, Worktree};

use renames::HeldChanges;

pub use renames::RenameSearch;
pub use side::{Side, scan_worktree};

/// Two sides to compare, and access to their contents.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// Holds the recorded content.
    pub repository: &'a Repository,
    /// Holds the content that is not recorded. Required if the new side is the worktree.
    pub worktree: Option<&'a Worktree>,
    /// The old side: empty or a commit.
    pub old: &'a Side,
    /// The new side.
    pub new: &'a Side,
}

impl Comparison<'_> {
    /// Calls `each` with every path that differs, in path order, except paths that the new side does not cover. With
    /// `renames`, a rename is one change at the new path.
    pub fn changes(
        &self,
        options: &Options,
        renames: Option<&RenameSearch>,
        each: &mut dyn FnMut(Change) -> Result<()>,
    ) -> Result<ChangeCounts> {
        self.watched_changes(options, renames, &mut |_| {}, each)
    }

    /// Like [`Comparison::changes`]; also judges the changes of the worktree since a commit.
    pub fn watched(
        &self,
        options: &Options,
        renames: Option<&RenameSearch>,
        each: &mut dyn FnMut(Change) -> Result<()>,
    ) -> Result<(ChangeCounts, Findings)> {
        let (Side::Commit(before), Side::Live(_), Some(worktree)) = (self.old, self.new, self.worktree) else {
            return Ok((self.changes(options, renames, each)?, Findings::default()));
        };
        let mut watch = Watch::default();
        let mut see = |change: &Change| {
            if change.status != Status::Ignored {
                watch.add(&change.path, change.old.as_ref(), change.new.as_ref());
            }
        };
        let counts = self.watched_changes(options, renames, &mut see, each)?;
        let store = self.repository.store();
        Ok((counts, alarm::judge(watch, &Evidence { before, store, live: &worktree.root })))
    }

    /// Calls `see` with every path that differs, before renames are found, and `each` after.
    fn watched_changes(
        &self,
        options: &Options,
        renames: Option<&RenameSearch>,
        see: &mut dyn FnMut(&Change),
        each: &mut dyn FnMut(Change) -> Result<()>,
    ) -> Result<ChangeCounts> {
        let (old, new) = (self.old.as_tree(), self.new.as_tree());
        let options = Options { left_out: self.new.left_out(self.repository.store().purged()), ..options.clone() };
        let mut held = renames.and_then(|search| HeldChanges::new(self, search, options.mtimes));
        let mut counts = self.with_objects(|objects| {
            diff::compare(objects, old, new, &options, &mut |change| {
                if change.status == Status::Uncovered {
                    return Ok(());
                }
                see(&change);
                match &mut held {
                    Some(held) => held.take(change, each),
                    None => each(change),
                }
            })
        })?;
        held.map_or(Ok(()), |held| held.finish(&mut counts, each))?;
        Ok(counts)
    }

    /// Recorded paths that a mount in the worktree now hides.
    pub fn mounted_over(&self) -> Result<Vec<RepoPathBuf>> {
        match (self.old, self.new) {
            (Side::Commit(old), Side::Live(new)) => mounted_over(self.repository.store(), &old.root, &new.uncovered),
            _ => Ok(Vec::new()),
        }
    }

    /// Compares the content of a path.
    pub fn body(&self, change: &Change, options: TextOptions) -> Result<Body> {
        if !has_other_content(change) {
            return Ok(Body::Nothing);
        }
        contents::compare(self, change, options)
    }

    /// The contents of both sides of a change, for another program to compare. `None` for a side without a file or link, or
    /// with purged content.
    pub fn whole_contents(&self, change: &Change) -> Result<[Option<Vec<u8>>; 2]> {
        let contents = self.contents(&change.path, (change.old.as_ref(), change.new.as_ref()))?;
        let bytes = |side: &Option<contents::Source<'_>>| side.as_ref().map(contents::Source::bytes).transpose();
        Ok([bytes(&contents.old)?, bytes(&contents.new)?])
    }

    /// The share of equal lines in both contents, in percent. 0 if they are too large.
    pub fn similarity(&self, change: &Change) -> Result<u8> {
        let contents = self.contents(&change.path, (change.old.as_ref(), change.new.as_ref()))?;
        let Some(sides) = contents.load(contents::MAX_IN_MEMORY)? else { return Ok(0) };
        let longest = sides.iter().map(Vec::len).max().unwrap_or(0).max(1) as u64;
        let [old, new] = sides.each_ref().map(|bytes| Fingerprint::of_lines(bytes, is_text(bytes)));
        Ok((old.shared(&new) * 100 / longest) as u8)
    }

    /// The attributes of both sides, if they differ.
    pub fn attributes(&self, change: &Change) -> Result<(Option<Attributes>, Option<Attributes>)> {
        if !change.what.attributes {
            return Ok((None, None));
        }
        let id = |entry: &Option<Entry>| entry.as_ref().and_then(|entry| entry.attributes);
        let old = id(&change.old).map(|id| self.repository.store().attributes(id)).transpose()?;
        let new = self.with_objects(|objects| id(&change.new).map(|id| objects.attributes(id)).transpose())?;
        Ok((old, new))
    }

    /// Those of these paths that neither side has, each with the reason.
    pub fn missing_paths(&self, paths: &[RepoPathBuf]) -> Result<Vec<(RepoPathBuf, String)>> {
        let roots = [self.old, self.new].map(|side| side.as_tree().root);
        let absent = self.with_objects(|objects| {
            let mut absent = Vec::new();
            for path in paths {
                let entries = roots.iter().flatten().map(|root| entry_at(objects, root, path));
                if entries.collect::<Result<Vec<_>>>()?.iter().all(Option::is_none) {
                    absent.push(path.clone());
                }
            }
            Ok(absent)
        })?;
        if absent.is_empty() {
            return Ok(Vec::new());
        }
        let purged = self.repository.store().purged();
        let left_out = [self.old.left_out(purged), self.new.left_out(purged)];
        let reason = |path: &RepoPathBuf| match left_out.each_ref().map(|side| side.reason(path)) {
            [_, Some(Status::Ignored)] => Some("ignored"),
            [None, None] => Some("on neither side"),
            // Uncovered paths are reported elsewhere.
            _ => None,
        };
        Ok(absent.into_iter().filter_map(|path| reason(&path).map(|reason| (path, reason.to_owned()))).collect())
    }

    /// Those of the patterns that match no path of either side, as the user wrote them.
    pub fn unmatched_patterns<'s>(&self, specs: &'s [Spec]) -> Result<Vec<&'s [u8]>> {
        let mut unmatched: Vec<&Spec> = specs.iter().filter(|spec| spec.pattern_text().is_some()).collect();
        self.with_objects(|objects| {
            for root in [self.old, self.new].iter().filter_map(|side| side.as_tree().root) {
                let Some(tree) = root.tree().filter(|_| !unmatched.is_empty()) else { break };
                let options = ListOptions { recursive: true, with_trees: true, ..ListOptions::default() };
                for listed in listing::list(objects, tree, options) {
                    let (path, _) = listed?;
                    unmatched.retain(|spec| !spec.covers(&path));
                    if unmatched.is_empty() {
                        break;
                    }
                }
            }
            Ok(())
        })?;
        Ok(unmatched.into_iter().filter_map(Spec::pattern_text).collect())
    }

    /// Calls a function with the store, overlaid by the objects of a scan on the new side.
    fn with_objects<T>(&self, function: impl FnOnce(&dyn Objects) -> T) -> T {
        let store = self.repository.store();
        match self.new {
            Side::Live(scan) => function(&Overlay { below: store, objects: &scan.objects }),
            _ => function(store),
        }
    }
}

/// Whether the content differs, or only one side has any.
fn has_other_content(change: &Change) -> bool {
    change.what.content || matches!(change.status, Status::Added | Status::Deleted)
}
