//! Journals of database files in a plan: what changes a database file changes its journals too.
//!
//! A journal may be left out by rules on one side or on both, and then the two trees say nothing of it. If it stayed beside
//! a database file of another state, the database engine would apply it to that.

use std::collections::BTreeSet;

use crate::diff::paths::{PathSet, Place};
use crate::error::Result;
use crate::metadata::Kind;
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::Scan;
use crate::worktree::database::{database_of, files_of, journals_of};

use super::gather::Questions;
use super::step::{Step, Steps, Verdict};

/// The databases of a plan that is being made.
pub(super) struct Databases<'d, 'q> {
    pub scan: &'d Scan,
    /// What is in the worktree and not covered by the scan.
    pub ground: &'d PathSet,
    pub questions: &'d Questions<'q>,
}

/// Covered journals whose verdict was changed.
#[derive(Default)]
pub(super) struct Changed {
    /// Would have stayed, and are removed.
    pub removed: Vec<RepoPathBuf>,
    /// Would have been written or removed, and stay.
    pub left: Vec<RepoPathBuf>,
}

impl Databases<'_, '_> {
    /// Gives covered journals the fate of their database file: they are removed where it changes and the target does not have
    /// them, and stay where it is not covered and so stays itself.
    pub(super) fn align(&self, steps: &mut Steps) -> Result<Changed> {
        let journals: Vec<(RepoPathBuf, RepoPathBuf)> =
            steps.keys().filter_map(|path| Some((path.clone(), database_of(path)?))).collect();
        let mut changed = Changed::default();
        for (journal, database) in journals {
            let verdict = &steps[&journal].verdict;
            let new = if is_change(verdict) && self.stays(steps, &database) {
                changed.left.push(journal.clone());
                Verdict::Keep
            } else if *verdict == Verdict::Keep && self.is_recorded_file(&journal) && self.changes(steps, &database)? {
                changed.removed.push(journal.clone());
                Verdict::Remove
            } else {
                continue;
            };
            steps.insert(journal.clone(), Step { verdict: new, entry: steps[&journal].entry.clone() });
        }
        Ok(changed)
    }

    /// The journals that are in the worktree and covered by nothing, and whose database file changes.
    pub(super) fn uncovered(&self, steps: &Steps) -> Result<Vec<RepoPathBuf>> {
        let uncovered = self.scan.uncovered.iter().map(|uncovered| &uncovered.path);
        let mut journals: BTreeSet<RepoPathBuf> =
            self.scan.ignored.iter().chain(uncovered).filter(|path| database_of(path).is_some()).cloned().collect();
        // Of an ignored directory the scan knows only itself.
        for (path, step) in steps {
            if is_change(&step.verdict) && is_file(step) && self.ground.place(path) == Place::Within {
                journals.extend(journals_of(path).filter(|journal| self.ground.place(journal) == Place::Within));
            }
        }
        let mut found = Vec::new();
        for journal in journals {
            let Some(database) = database_of(&journal) else { continue };
            let goes = !self.stays(steps, &database) && self.changes(steps, &database)?;
            if goes && (self.questions.is_file)(&journal) {
                found.push(journal);
            }
        }
        Ok(found)
    }

    /// Whether a database file is in the worktree, and the target does not cover it.
    fn stays(&self, steps: &Steps, database: &RepoPath) -> bool {
        match steps.get(database) {
            Some(step) if step.verdict == Verdict::Keep => self.is_recorded_file(database),
            Some(_) => false,
            None => self.ground.place(database) == Place::Within && (self.questions.is_file)(database),
        }
    }

    /// Whether any file of a database changes.
    fn changes(&self, steps: &Steps, database: &RepoPath) -> Result<bool> {
        let is_database = steps.get(database).is_some_and(is_file) || self.is_recorded_file(database);
        let is_changed = |path: RepoPathBuf| steps.get(&path).is_some_and(|step| is_change(&step.verdict));
        Ok(is_database && (files_of(database).any(is_changed) || (self.questions.is_halfway)(database)?))
    }

    /// Whether the scan covers a file at this path.
    fn is_recorded_file(&self, path: &RepoPath) -> bool {
        self.scan.index.find(path).is_some_and(|record| record.stat.kind == Kind::File)
    }
}

/// Whether content is written or removed.
fn is_change(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Create | Verdict::Replace | Verdict::Link(_) | Verdict::Remove | Verdict::Unsaved => true,
        Verdict::Touch | Verdict::Same | Verdict::Keep => false,
    }
}

fn is_file(step: &Step) -> bool {
    step.entry.as_ref().map(Entry::kind) == Some(Kind::File)
}
