//! Comparing: what differs between two sides, each nothing, a commit or the live directory, and what inside each path.

mod contents;
pub mod directories;
pub mod files;
mod side;

use crate::alarm::{self, Evidence, Findings, Watch};
use crate::diff::{self, Body, Change, ChangeCounts, Options, Status};
use crate::error::Result;
use crate::history::{entry_at, mounted_over};
use crate::object::{Attributes, Entry, Objects};
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::worktree::{Overlay, Worktree};

pub use side::{Side, look};

/// Two sides, and where their contents are.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// What is recorded.
    pub repository: &'a Repository,
    /// Where to look for what is not; needed if the new side is live.
    pub worktree: Option<&'a Worktree>,
    /// Before: nothing or a commit.
    pub old: &'a Side,
    /// After.
    pub new: &'a Side,
}

impl Comparison<'_> {
    /// Calls `each` with every path that differs, in path order. What the new side does not cover was not deleted,
    /// and is not told.
    pub fn changes(&self, options: &Options, each: &mut dyn FnMut(Change) -> Result<()>) -> Result<ChangeCounts> {
        let (old, new) = (self.old.as_tree(), self.new.as_tree());
        let options = Options { left_out: self.new.left_out(), ..options.clone() };
        self.with_objects(|objects| {
            let mut tell = |change: Change| if change.status == Status::Uncovered { Ok(()) } else { each(change) };
            diff::compare(objects, old, new, &options, &mut tell)
        })
    }

    /// The same, and says what the changes look like, if they are those of a live directory since a commit.
    pub fn watched(
        &self,
        options: &Options,
        each: &mut dyn FnMut(Change) -> Result<()>,
    ) -> Result<(ChangeCounts, Findings)> {
        let (Side::Commit(before), Side::Live(_), Some(worktree)) = (self.old, self.new, self.worktree) else {
            return Ok((self.changes(options, each)?, Findings::default()));
        };
        let mut watch = Watch::default();
        let counts = self.changes(options, &mut |change| {
            if change.status != Status::Ignored {
                watch.see(&change.path, change.old.as_ref(), change.new.as_ref());
            }
            each(change)
        })?;
        let store = self.repository.store();
        Ok((counts, alarm::judge(watch, &Evidence { before, store, live: &worktree.root })))
    }

    /// Paths of the old side over which something is mounted in the live directory.
    pub fn mounted_over(&self) -> Result<Vec<RepoPathBuf>> {
        match (self.old, self.new) {
            (Side::Commit(old), Side::Live(new)) => mounted_over(self.repository.store(), &old.root, &new.uncovered),
            _ => Ok(Vec::new()),
        }
    }

    /// What differs in the content of a path, with so many lines of context.
    pub fn body(&self, change: &Change, context: usize) -> Result<Body> {
        let is_content = change.what.content || matches!(change.status, Status::Added | Status::Deleted);
        if !is_content || change.renamed.is_some() {
            return Ok(Body::Nothing);
        }
        contents::compare(self, change, context)
    }

    /// The attributes of both sides, where they differ.
    pub fn attributes(&self, change: &Change) -> Result<(Option<Attributes>, Option<Attributes>)> {
        if !change.what.attributes {
            return Ok((None, None));
        }
        let id = |entry: &Option<Entry>| entry.as_ref().and_then(|entry| entry.attributes);
        let old = id(&change.old).map(|id| self.repository.store().attributes(id)).transpose()?;
        let new = self.with_objects(|objects| id(&change.new).map(|id| objects.attributes(id)).transpose())?;
        Ok((old, new))
    }

    /// Those of these paths that neither side has: nothing is compared there. Each with why.
    pub fn nowhere(&self, paths: &[RepoPathBuf]) -> Result<Vec<(RepoPathBuf, String)>> {
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
        let left_out = [self.old.left_out(), self.new.left_out()];
        let why = |path: &RepoPathBuf| match left_out.each_ref().map(|side| side.why(path)) {
            [_, Some(Status::Ignored)] => Some("ignored"),
            [None, None] => Some("on neither side"),
            // What is not covered is told of as such.
            _ => None,
        };
        Ok(absent.into_iter().filter_map(|path| why(&path).map(|why| (path, why.to_owned()))).collect())
    }

    /// The store, and what a scan found on the new side.
    fn with_objects<T>(&self, use_them: impl FnOnce(&dyn Objects) -> T) -> T {
        let store = self.repository.store();
        match self.new {
            Side::Live(scan) => use_them(&Overlay { below: store, objects: &scan.objects }),
            _ => use_them(store),
        }
    }
}
