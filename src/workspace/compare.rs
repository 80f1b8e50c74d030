//! Compares two states: the worktree or a commit with a commit.

use crate::alarm::Findings;
use crate::compare::{Comparison, RenameSearch, Side};
use crate::diff::patch::{FilePatch, PatchOptions};
use crate::diff::rename::RenameOptions;
use crate::diff::{self, Body, Change, ChangeCounts};
use crate::error::Result;
use crate::id::CommitId;
use crate::object::commit::Uncovered;
use crate::object::{Attributes, Commit};
use crate::path::RepoPathBuf;
use crate::path::selection::{PathSelection, Spec};
use crate::progress::Progress;
use crate::worktree::Scan;

use super::Workspace;

/// Selects what to compare.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// Compare only these paths. Empty means all paths.
    pub paths: PathSelection,
    /// Report changed modification times too.
    pub mtimes: bool,
    /// How to find renames. `None` reports an addition and a deletion instead.
    pub renames: Option<RenameOptions>,
}

impl Default for DiffOptions {
    fn default() -> DiffOptions {
        DiffOptions { paths: PathSelection::default(), mtimes: false, renames: Some(RenameOptions::default()) }
    }
}

/// The differences between two states, computed when they are requested.
pub struct Differences<'w> {
    workspace: &'w Workspace,
    old: Side,
    new: Side,
    paths: PathSelection,
    options: diff::Options,
    renames: RenameSearch,
}

impl Workspace {
    /// Compares the worktree with the current commit. Reads changed files, and writes nothing.
    pub fn status(&self, options: DiffOptions, progress: &dyn Progress) -> Result<Differences<'_>> {
        self.diff_worktree(self.repository.view().at(), options, progress)
    }

    /// Compares the worktree with a commit. `None` is an empty directory.
    pub fn diff_worktree(
        &self,
        old: Option<CommitId>,
        options: DiffOptions,
        progress: &dyn Progress,
    ) -> Result<Differences<'_>> {
        let old = Side::commit(&self.repository, old)?;
        let new = Side::live(&self.repository, &self.worktree, &options.paths.starts(), progress)?;
        Ok(self.differences(old, new, options))
    }

    /// Compares two commits. `None` is an empty directory.
    pub fn diff_commits(
        &self,
        old: Option<CommitId>,
        new: Option<CommitId>,
        options: DiffOptions,
    ) -> Result<Differences<'_>> {
        let side = |id| Side::commit(&self.repository, id);
        Ok(self.differences(side(old)?, side(new)?, options))
    }

    /// The changes that a commit made to its first parent.
    pub fn diff_commit(&self, commit: &Commit, options: DiffOptions) -> Result<Differences<'_>> {
        let old = Side::commit(&self.repository, commit.parents.first().copied())?;
        Ok(self.differences(old, Side::Commit(Box::new(commit.clone())), options))
    }

    fn differences(&self, old: Side, new: Side, options: DiffOptions) -> Differences<'_> {
        let DiffOptions { paths, mtimes, renames } = options;
        let filter = if paths.as_paths().is_some() { PathSelection::default() } else { paths.clone() };
        let options = diff::Options { paths: paths.starts(), filter, mtimes, ..diff::Options::default() };
        Differences { workspace: self, old, new, paths, options, renames: RenameSearch::new(renames) }
    }
}

impl Differences<'_> {
    /// Calls `each` for every path that differs, in path order. An error of `each` ends the comparison with that error.
    pub fn for_each(&self, each: &mut dyn FnMut(Change) -> Result<()>) -> Result<ChangeCounts> {
        self.comparison().changes(&self.options, Some(&self.renames), each)
    }

    /// Like [`Differences::for_each`], and looks for signs of an accident or an attack if the worktree is compared with a
    /// commit.
    pub fn for_each_watched(&self, each: &mut dyn FnMut(Change) -> Result<()>) -> Result<(ChangeCounts, Findings)> {
        self.comparison().watched(&self.options, Some(&self.renames), each)
    }

    /// Whether the last comparison left out files from the search for renames: too many files were added and deleted, or
    /// some could not be read.
    pub fn has_incomplete_renames(&self) -> bool {
        self.renames.is_incomplete.get()
    }

    /// Counts the differences, without looking for renames.
    pub fn count(&self) -> Result<ChangeCounts> {
        self.comparison().changes(&self.options, None, &mut |_| Ok(()))
    }

    /// The difference in content, with `context` lines around each change of a text.
    pub fn body(&self, change: &Change, context: usize) -> Result<Body> {
        self.comparison().body(change, context)
    }

    /// The parts of a change that a patch in git's format can hold.
    pub fn file_patches(&self, change: &Change, options: PatchOptions) -> Result<Vec<FilePatch>> {
        self.comparison().file_patches(change, options)
    }

    /// The attributes before and after, if they differ.
    pub fn attributes(&self, change: &Change) -> Result<(Option<Attributes>, Option<Attributes>)> {
        self.comparison().attributes(change)
    }

    /// The commit before the changes.
    pub fn old_commit(&self) -> Option<&Commit> {
        self.old.as_commit()
    }

    /// Paths of the worktree that could not be compared, with reasons. Empty if two commits are compared.
    pub fn uncovered(&self) -> &[Uncovered] {
        self.scan().map_or(&[], |scan| &scan.uncovered)
    }

    /// Files of the worktree that kept changing while they were read. Empty if two commits are compared.
    pub fn torn(&self) -> &[RepoPathBuf] {
        self.scan().map_or(&[], |scan| &scan.torn)
    }

    /// The result of scanning the worktree, if the worktree is compared.
    pub(crate) fn scan(&self) -> Option<&Scan> {
        match &self.new {
            Side::Live(scan) => Some(scan),
            _ => None,
        }
    }

    /// Recorded paths over which something is mounted in the worktree.
    pub fn mounted_over(&self) -> Result<Vec<RepoPathBuf>> {
        self.comparison().mounted_over()
    }

    /// The selected paths that neither state contains, each with the reason.
    pub fn missing_paths(&self) -> Result<Vec<(RepoPathBuf, String)>> {
        let is_path = |spec: &&Spec| spec.pattern_text().is_none();
        let paths: Vec<_> = self.paths.included().iter().filter(is_path).map(|spec| spec.start().to_owned()).collect();
        self.comparison().missing_paths(&paths)
    }

    /// The patterns that match no path of either state, as the user wrote them.
    pub fn unmatched_patterns(&self) -> Result<Vec<&[u8]>> {
        self.comparison().unmatched_patterns(self.paths.included())
    }

    pub(crate) fn comparison(&self) -> Comparison<'_> {
        let Workspace { repository, worktree, .. } = self.workspace;
        Comparison { repository, worktree: Some(worktree), old: &self.old, new: &self.new }
    }
}
