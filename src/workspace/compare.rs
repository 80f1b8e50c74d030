//! Compares two states: the worktree or a commit with a commit.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::alarm::Findings;
use crate::compare::{Comparison, RenameSearch, Side};
use crate::diff::patch::{FilePatch, PatchOptions};
use crate::diff::rename::RenameOptions;
use crate::diff::text::TextOptions;
use crate::diff::{self, Body, Change, ChangeCounts, Rename, Status, What};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::CommitId;
use crate::metadata::Kind;
use crate::object::commit::Uncovered;
use crate::object::{Attributes, Commit, Entry};
use crate::path::selection::{PathSelection, Spec};
use crate::path::{RepoPath, RepoPathBuf};
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
    /// The only change, if two entries are compared that are not directories.
    single: Option<Box<Change>>,
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
        #[cfg(feature = "targets")]
        self.check_has_directory()?;
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

    /// The changes that a commit made to its first parent, or to the nearest ancestor that is not forgotten.
    pub fn diff_commit(&self, commit: &Commit, options: DiffOptions) -> Result<Differences<'_>> {
        let old = Side::commit(&self.repository, self.repository.parents(commit).first().copied())?;
        Ok(self.differences(old, Side::Commit(Box::new(commit.clone())), options))
    }

    /// Compares two recorded entries: directories by the paths in them, anything else as one change, of another path if the
    /// paths differ. [`ErrorKind::Usage`] if only one is a directory.
    pub fn diff_entries(
        &self,
        old: (CommitId, &RepoPath),
        new: (CommitId, &RepoPath),
        options: DiffOptions,
    ) -> Result<Differences<'_>> {
        let (old_entry, new_entry) = (self.entry(old.0, old.1)?, self.entry(new.0, new.1)?);
        let side = |(commit, path): (CommitId, &RepoPath), root: &Entry| -> Result<Side> {
            let mut commit = self.read_commit(commit)?;
            let below = |mut uncovered: Uncovered| {
                uncovered.path = uncovered.path.below(path)?.to_owned();
                Some(uncovered)
            };
            commit.uncovered = commit.uncovered.into_iter().filter_map(below).collect();
            (commit.root, commit.links) = (Entry { name: Vec::new(), ..root.clone() }, None);
            Ok(Side::Commit(Box::new(commit)))
        };
        match [&old_entry, &new_entry].map(|entry| entry.kind() == Kind::Directory) {
            [true, true] => Ok(self.differences(side(old, &old_entry)?, side(new, &new_entry)?, options)),
            [false, false] => {
                let mut change = single_change((old.1, old_entry), (new.1, new_entry), options.mtimes);
                let commit = |id| Side::commit(&self.repository, Some(id));
                let differences = self.differences(commit(old.0)?, commit(new.0)?, options);
                let similarity = differences.comparison().similarity(&change)?;
                if let Some(rename) = &mut change.renamed {
                    rename.similarity = similarity;
                }
                Ok(Differences { single: Some(Box::new(change)), ..differences })
            }
            [is_old_directory, _] => {
                let (directory, file) = if is_old_directory { (old.1, new.1) } else { (new.1, old.1) };
                let message = format!("`{}` is a directory and `{}` is not", directory.display(), file.display());
                Err(Error::new(ErrorKind::Usage, message))
            }
        }
    }

    pub(super) fn differences(&self, old: Side, new: Side, options: DiffOptions) -> Differences<'_> {
        let DiffOptions { paths, mtimes, renames } = options;
        let filter = if paths.as_paths().is_some() { PathSelection::default() } else { paths.clone() };
        let options = diff::Options { paths: paths.starts(), filter, mtimes, ..diff::Options::default() };
        Differences { workspace: self, old, new, paths, options, renames: RenameSearch::new(renames), single: None }
    }
}

impl Differences<'_> {
    /// Calls `each` for every path that differs, in path order. An error of `each` ends the comparison with that error.
    pub fn for_each(&self, each: &mut dyn FnMut(Change) -> Result<()>) -> Result<ChangeCounts> {
        if let Some(change) = &self.single {
            let mut counts = ChangeCounts::default();
            if change.renamed.is_some() || change.what != What::default() {
                counts.add(change.status);
                each((**change).clone())?;
            }
            return Ok(counts);
        }
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
        if self.single.is_some() {
            return self.for_each(&mut |_| Ok(()));
        }
        self.comparison().changes(&self.options, None, &mut |_| Ok(()))
    }

    /// The difference in content.
    pub fn body(&self, change: &Change, options: TextOptions) -> Result<Body> {
        self.comparison().body(change, options)
    }

    /// The parts of a change that a patch in git's format can hold.
    pub fn file_patches(&self, change: &Change, options: PatchOptions) -> Result<Vec<FilePatch>> {
        self.comparison().file_patches(change, options)
    }

    /// Writes both versions of a file below a directory for temporary files, runs a command of the shell with their paths, and
    /// waits for it. The path of a missing version is `/dev/null`. Does nothing for a change without content.
    pub fn run_tool(&self, change: &Change, command: &str) -> Result<()> {
        let scratch = fs::ScratchDirectory::new()?;
        let [old, new] = self.comparison().whole_contents(change)?;
        if old == new {
            return Ok(());
        }
        let old_path = change.renamed.as_ref().map_or(&change.path, |rename| &rename.from);
        let write = |directory: &str, path: &RepoPath, bytes: Option<Vec<u8>>| match bytes {
            Some(bytes) => scratch.write(directory, path.as_path(), &bytes),
            None => Ok(PathBuf::from("/dev/null")),
        };
        let (old, new) = (write("old", old_path, old)?, write("new", &change.path, new)?);
        let shell = ["sh", "-c", &format!("{command} \"$@\""), "sh"].map(OsString::from);
        let command_line = shell.into_iter().chain([old.into_os_string(), new.into_os_string()]).collect::<Vec<_>>();
        match fs::run_program(&command_line, &[])?.exit {
            // A shell's status for a program that it may not run or cannot find.
            126 | 127 => Err(Error::new(ErrorKind::Usage, format!("cannot run `{command}`"))),
            // Programs that compare files often report with their status whether they differ.
            _ => Ok(()),
        }
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

/// The change from one entry to another. Entries at different paths count as renamed, whatever their content.
fn single_change((old_path, old): (&RepoPath, Entry), (path, new): (&RepoPath, Entry), mtimes: bool) -> Change {
    let what = diff::differences(&old, &new, mtimes);
    let renamed = (old_path != path)
        .then(|| Rename { from: old_path.to_owned(), similarity: if what.content { 0 } else { 100 } });
    let status = match what {
        _ if renamed.is_some() => Status::Renamed,
        What { content: true, .. } if old.kind() != new.kind() => Status::Type,
        What { content: true, .. } => Status::Modified,
        _ => Status::Metadata,
    };
    Change { path: path.to_owned(), status, old: Some(old), new: Some(new), what, renamed, has_renames: false }
}
