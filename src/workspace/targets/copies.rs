//! How new the copies of a repository are, as this machine knows it.

use crate::error::Result;
use crate::history;
use crate::history::walk::WalkOptions;
use crate::history::walk::lacking::count_lacking;
use crate::id::CommitId;
use crate::time::Timestamp;
use crate::time::age::Age;
use crate::transfer::association::Association;
use crate::workspace::Workspace;

pub use crate::history::walk::lacking::CommitCount;

/// The copy of a repository in a target, as the repository remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Name of the target.
    pub name: String,
    /// When the whole history was pushed last.
    pub pushed: Option<Timestamp>,
    /// Commits that were not in that push. `None` if there was none.
    pub behind: Option<CommitCount>,
    /// Whether the copy lacks commits and is older than `target.max_age`.
    pub is_overdue: bool,
    /// When a drill of the target succeeded last.
    pub drilled: Option<Timestamp>,
    /// Whether the copy had no successful drill within `drill.max_age`.
    pub is_drill_overdue: bool,
}

impl Copy {
    /// Whether the target has the whole history.
    pub fn is_complete(&self) -> bool {
        self.behind == Some(CommitCount::default())
    }
}

impl Workspace {
    /// The copies of this repository, in the order of the settings. Asks no target, and reads a bounded number of commits.
    pub fn copies(&self) -> Result<Vec<Copy>> {
        self.targets().iter().map(|target| self.copy(&target.name)).collect()
    }

    /// The copy in the target of this name.
    pub(super) fn copy(&self, name: &str) -> Result<Copy> {
        self.copy_as_known(name, Association::load(&self.repository, name)?)
    }

    /// The copy in the target of this name, from what the repository remembers of it.
    pub(super) fn copy_as_known(&self, name: &str, association: Option<Association>) -> Result<Copy> {
        let drilled = association.as_ref().and_then(|association| association.drilled);
        let last = association.and_then(|association| Some((association.pushed?, association.heads)));
        let behind = last.as_ref().map(|(_, heads)| count_lacking(&self.repository, heads)).transpose()?;
        let pushed = last.map(|(time, _)| time);
        let lacks_commits = behind.is_some_and(|behind| behind != CommitCount::default());
        let config = &self.repository.config;
        let is_overdue = lacks_commits && pushed.is_some_and(|time| self.is_older(time, config.target_age));
        let is_drill_overdue = match drilled {
            Some(time) => self.is_older(time, config.drill_age),
            None => config.drill_age.is_some() && pushed.is_some(),
        };
        Ok(Copy { name: name.to_owned(), pushed, behind, is_overdue, drilled, is_drill_overdue })
    }

    /// Whether a time is longer ago than a limit allows.
    fn is_older(&self, time: Timestamp, limit: Option<Age>) -> bool {
        let environment = &self.repository.environment;
        limit.is_some_and(|limit| time < limit.before(environment.now(), environment.time_zone()))
    }

    /// The commits of a range, in any order.
    pub fn commits_of_range(&self, (exclude, from): (CommitId, CommitId)) -> Result<Vec<CommitId>> {
        let options = WalkOptions { from: vec![from], exclude: vec![exclude], ..WalkOptions::default() };
        history::walk(&self.repository, options)?.map(|item| item.map(|item| item.id)).collect()
    }
}
