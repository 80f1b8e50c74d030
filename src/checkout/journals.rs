//! Adapts a plan so that the journals of a database file change together with it.
//!
//! Ignore rules may exclude a journal from either tree, so comparing the trees does not find it. If the journal stayed
//! beside a database file of another state, the database engine would apply it to that file.

use std::collections::BTreeSet;

use crate::apply::verdict::{Steps, Verdict};
use crate::error::Result;
use crate::metadata::Kind;
use crate::path::set::{PathSet, Place};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::Scan;
use crate::worktree::database::{database_of, files_of, journals_of};

use super::obstacles::Lookups;

/// Inputs for finding the databases of a plan under construction.
pub(super) struct Databases<'d> {
    pub scan: &'d Scan,
    /// Paths in the worktree that the scan does not cover.
    pub ground: &'d PathSet,
    pub lookups: &'d dyn Lookups,
}

/// Covered journals whose verdict was changed.
#[derive(Default)]
pub(super) struct Changed {
    /// Journals that are now removed instead of kept.
    pub removed: Vec<RepoPathBuf>,
    /// Journals that are now kept instead of written or removed.
    pub left: Vec<RepoPathBuf>,
}

impl Databases<'_> {
    /// Adapts the verdict of each covered journal to its database file. Removes the journal if the database file changes and
    /// the target does not have the journal. Keeps the journal if the target does not cover the database file, which then
    /// stays unchanged.
    pub(super) fn align(&self, steps: &mut Steps) -> Result<Changed> {
        let mut changed = Changed::default();
        for n in 0..steps.len() {
            let journal = steps.path(n);
            let Some(database) = database_of(&journal) else { continue };
            let verdict = steps.verdict(n);
            if is_change(verdict) && self.stays(steps, &database) {
                steps.set_verdict(n, Verdict::Keep);
                changed.left.push(journal);
            } else if verdict == Verdict::Keep && self.is_recorded_file(&journal) && self.changes(steps, &database)? {
                steps.set_verdict(n, Verdict::Remove);
                changed.removed.push(journal);
            }
        }
        Ok(changed)
    }

    /// Finds existing journals that no commit covers and whose database file changes. Sorted by path.
    pub(super) fn uncovered(&self, steps: &Steps) -> Result<Vec<RepoPathBuf>> {
        let uncovered = self.scan.uncovered.iter().map(|uncovered| &uncovered.path);
        let mut journals: BTreeSet<RepoPathBuf> =
            self.scan.ignored.iter().chain(uncovered).filter(|path| database_of(path).is_some()).cloned().collect();
        // The scan records an ignored directory, but not its content.
        for n in
            (0..steps.len()).filter(|n| !self.ground.is_empty() && is_change(steps.verdict(*n)) && is_file(steps, *n))
        {
            let path = steps.path(n);
            if self.ground.place(&path) == Place::Within {
                journals.extend(journals_of(&path).filter(|journal| self.ground.place(journal) == Place::Within));
            }
        }
        let mut found = Vec::new();
        for journal in journals {
            let Some(database) = database_of(&journal) else { continue };
            let goes = !self.stays(steps, &database) && self.changes(steps, &database)?;
            if goes && self.lookups.is_file(&journal) {
                found.push(journal);
            }
        }
        Ok(found)
    }

    /// Whether the worktree has the database file and the checkout leaves it unchanged, because the target does not cover it.
    fn stays(&self, steps: &Steps, database: &RepoPath) -> bool {
        match steps.find(database) {
            Some(n) if steps.verdict(n) == Verdict::Keep => self.is_recorded_file(database),
            Some(_) => false,
            None => self.ground.place(database) == Place::Within && self.lookups.is_file(database),
        }
    }

    /// Whether the plan, or an unfinished checkout, changes any file of a database.
    fn changes(&self, steps: &Steps, database: &RepoPath) -> Result<bool> {
        let is_database = steps.find(database).is_some_and(|n| is_file(steps, n)) || self.is_recorded_file(database);
        let is_changed = |path: RepoPathBuf| steps.find(&path).is_some_and(|n| is_change(steps.verdict(n)));
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

fn is_file(steps: &Steps, n: usize) -> bool {
    steps.kind(n) == Some(Kind::File)
}
