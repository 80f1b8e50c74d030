//! How new the copies of a repository are.

use crate::error::{ErrorKind, Result};
use crate::history;
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::object::Objects;
use crate::time::Timestamp;
use crate::transfer::association::Association;
use crate::workspace::Workspace;

/// The copy of a repository in a target, as the repository remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Name of the target.
    pub name: String,
    /// Where the target is.
    pub url: String,
    /// When the repository was pushed last.
    pub pushed: Option<Timestamp>,
    /// Number of commits since then.
    pub behind: u64,
}

impl Workspace {
    /// The copies of this repository, in the order of the settings. Asks no target.
    pub fn copies(&self) -> Result<Vec<Copy>> {
        self.targets().iter().map(|target| self.copy(&target.name, &target.url)).collect()
    }

    fn copy(&self, name: &str, url: &str) -> Result<Copy> {
        let association = Association::load(&self.repository, name)?;
        let pushed = association.as_ref().and_then(|association| association.pushed);
        let heads = association.map(|association| association.heads).unwrap_or_default();
        let behind = self.commits_since(&heads)?;
        Ok(Copy { name: name.to_owned(), url: url.to_owned(), pushed, behind })
    }

    /// Number of commits of the history that are not among these commits and their ancestors.
    fn commits_since(&self, heads: &[CommitId]) -> Result<u64> {
        let store = self.repository.store();
        let exclude = heads.iter().copied().filter(|id| store.commit(*id).is_ok()).collect();
        let options = WalkOptions { exclude, ..WalkOptions::default() };
        let mut count = 0;
        for item in history::walk(&self.repository, options)? {
            match item {
                Err(error) if error.kind() == ErrorKind::Damaged => {}
                item => count += u64::from(item.is_ok()),
            }
        }
        Ok(count)
    }

    /// The commits of a range, in any order.
    pub fn commits_of_range(&self, (exclude, from): (CommitId, CommitId)) -> Result<Vec<CommitId>> {
        let options = WalkOptions { from: vec![from], exclude: vec![exclude], ..WalkOptions::default() };
        history::walk(&self.repository, options)?.map(|item| item.map(|item| item.id)).collect()
    }
}
