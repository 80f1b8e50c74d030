//! Adapts a plan so that the journals of a database file change together with it.
//!
//! Ignore rules may exclude a journal from either tree, so comparing the trees does not find it. If the journal stayed
//! beside a database file of another state, the database engine would apply it to that file.

use std::collections::BTreeSet;

use crate::apply::plan::{Plan, Verdict};
use crate::error::Result;
use crate::metadata::Kind;
use crate::path::set::Place;
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::database::{database_of, files_of, journals_of};

use super::planner::Planner;

impl Planner<'_> {
    /// Adapts the verdict of each covered journal to its database file. Removes the journal if the database file changes and
    /// the target does not have the journal. Keeps the journal if the target does not cover the database file, which then
    /// stays unchanged.
    pub(super) fn align_journals(&mut self) -> Result<()> {
        for n in 0..self.plan.end() {
            let journal = self.plan.path(n);
            let Some(database) = database_of(&journal) else { continue };
            let verdict = self.plan.verdict(n);
            if is_change(verdict) && self.keeps_database(&database) {
                self.plan.set_verdict(n, Verdict::Keep);
                self.plan.left_journals.push(journal);
            } else if verdict == Verdict::Keep && self.is_recorded_file(&journal) && self.changes_database(&database)? {
                self.plan.set_verdict(n, Verdict::Remove);
                self.plan.journals.push(journal);
            }
        }
        Ok(())
    }

    /// Finds existing journals that no commit covers and whose database file changes. They do not count as conflicts.
    pub(super) fn find_unsaved_journals(&mut self) -> Result<()> {
        let plan = &self.plan;
        let uncovered = self.scan.uncovered.iter().map(|uncovered| &uncovered.path);
        let mut journals: BTreeSet<RepoPathBuf> =
            self.scan.ignored.iter().chain(uncovered).filter(|path| database_of(path).is_some()).cloned().collect();
        // The scan records an ignored directory, but not its content.
        let changed_files = (0..plan.end()).filter(|n| is_change(plan.verdict(*n)) && is_file(plan, *n));
        for path in changed_files.filter(|_| !self.uncovered.is_empty()).map(|n| plan.path(n)) {
            if self.uncovered.place(&path) == Place::Within {
                journals.extend(journals_of(&path).filter(|journal| self.uncovered.place(journal) == Place::Within));
            }
        }
        let mut found = Vec::new();
        for journal in journals {
            let Some(database) = database_of(&journal) else { continue };
            let is_changed = !self.keeps_database(&database) && self.changes_database(&database)?;
            if is_changed && self.lookups.is_file(&journal) {
                found.push(journal);
            }
        }
        self.plan.conflicts.retain(|path| found.binary_search(path).is_err());
        self.plan.unsaved_journals = found;
        Ok(())
    }

    /// Whether the worktree has the database file and the checkout leaves it unchanged, because the target does not cover it.
    fn keeps_database(&self, database: &RepoPath) -> bool {
        match self.plan.find(database) {
            Some(n) if self.plan.verdict(n) == Verdict::Keep => self.is_recorded_file(database),
            Some(_) => false,
            None => self.uncovered.place(database) == Place::Within && self.lookups.is_file(database),
        }
    }

    /// Whether the plan, or an unfinished checkout, changes any file of a database.
    fn changes_database(&self, database: &RepoPath) -> Result<bool> {
        let is_database =
            self.plan.find(database).is_some_and(|n| is_file(&self.plan, n)) || self.is_recorded_file(database);
        let is_changed = |path: RepoPathBuf| self.plan.find(&path).is_some_and(|n| is_change(self.plan.verdict(n)));
        Ok(is_database && (files_of(database).any(is_changed) || self.lookups.is_halfway(database)?))
    }

    /// Whether the scan covers a file at this path.
    fn is_recorded_file(&self, path: &RepoPath) -> bool {
        self.scan.index.find(path).is_some_and(|record| record.stat.kind == Kind::File)
    }
}

/// Whether the verdict writes or removes content.
fn is_change(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Touch | Verdict::Same | Verdict::Keep)
}

fn is_file(plan: &Plan, n: usize) -> bool {
    plan.kind(n) == Some(Kind::File)
}
