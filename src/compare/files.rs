//! Lists the files of the worktree with their state relative to the current commit.

use crate::compare::{Comparison, Side};
use crate::diff::Options;
use crate::error::Result;
use crate::metadata::Kind;
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::repo::Repository;
use crate::worktree::index::for_each_entry;
use crate::worktree::{Index, Scan, Worktree};

/// State of a file relative to the current commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// In the worktree and not ignored.
    Known,
    /// Different from the commit.
    Modified,
    /// In the commit only.
    Deleted,
    /// In the worktree only.
    New,
    /// Left out by ignore rules. The content of an ignored directory is not listed.
    Ignored,
}

impl FileState {
    /// The name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            FileState::Known => "known",
            FileState::Modified => "modified",
            FileState::Deleted => "deleted",
            FileState::New => "new",
            FileState::Ignored => "ignored",
        }
    }
}

/// Selects the files to list.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// States to list. Deleted files count as modified, too.
    pub states: Vec<FileState>,
    /// List only these paths and everything below them. Empty means all.
    pub paths: Vec<RepoPathBuf>,
}

/// A listed path: anything but a directory, or an ignored directory.
pub struct ListedFile<'f> {
    /// The path.
    pub path: &'f RepoPath,
    /// State relative to the current commit.
    pub state: FileState,
    /// Kind of the entry, or of the deleted entry.
    pub kind: Kind,
    /// The entry; `None` if it is ignored.
    pub entry: Option<&'f Entry>,
}

/// Calls `each` with every file in the index, in path order. Returns `false` if the index is missing or incomplete.
pub fn files_in_index(
    repository: &Repository,
    paths: &[RepoPathBuf],
    each: &mut dyn FnMut(ListedFile<'_>) -> Result<()>,
) -> Result<bool> {
    let index = Index::open(&repository.layout.index());
    for_each_entry(&index, paths, &mut |path, entry| {
        each(ListedFile { path, state: FileState::Known, kind: entry.kind(), entry: Some(&entry) })
    })
}

/// Scans the worktree and calls `each` with every path that is not a directory, in path order. Returns the side of
/// the worktree.
pub fn files(
    repository: &Repository,
    worktree: &Worktree,
    options: &FileOptions,
    progress: &dyn Progress,
    each: &mut dyn FnMut(ListedFile<'_>) -> Result<()>,
) -> Result<Side> {
    let is_requested = |state: FileState| options.states.contains(&state);
    let at = repository.view().at().filter(|_| !is_requested(FileState::Known));
    let old = Side::commit(repository, at)?;
    let scan = super::scan_worktree(repository, worktree, &options.paths, progress)?;
    let ignored = if is_requested(FileState::Ignored) { ignored(worktree, &scan)? } else { Vec::new() };
    let mut ignored = ignored.into_iter().peekable();
    let new = Side::Live(Box::new(scan));
    let diff_options = Options { paths: options.paths.clone(), ..Options::default() };
    let comparison = Comparison { repository, worktree: Some(worktree), old: &old, new: &new };
    comparison.changes(&diff_options, None, &mut |change| {
        while let Some((path, kind)) = ignored.next_if(|(path, _)| **path < *change.path) {
            each(ListedFile { path: &path, state: FileState::Ignored, kind, entry: None })?;
        }
        let (state, entry) = match (change.old.as_ref().filter(is_file), change.new.as_ref().filter(is_file)) {
            (None, None) => return Ok(()),
            (None, Some(entry)) if is_requested(FileState::Known) => (FileState::Known, entry),
            (None, Some(entry)) => (FileState::New, entry),
            (Some(entry), None) if change.new.is_none() && is_requested(FileState::Deleted) => {
                (FileState::Deleted, entry)
            }
            (Some(_), Some(entry)) | (Some(entry), None) => (FileState::Modified, entry),
        };
        let file = ListedFile { path: &change.path, state, kind: entry.kind(), entry: Some(entry) };
        if is_requested(state) { each(file) } else { Ok(()) }
    })?;
    ignored
        .try_for_each(|(path, kind)| each(ListedFile { path: &path, state: FileState::Ignored, kind, entry: None }))?;
    Ok(new)
}

fn is_file(entry: &&Entry) -> bool {
    entry.kind() != Kind::Directory
}

/// The ignored paths that still exist, and their kinds.
fn ignored(worktree: &Worktree, scan: &Scan) -> Result<Vec<(RepoPathBuf, Kind)>> {
    let mut found = Vec::with_capacity(scan.ignored.len());
    for path in &scan.ignored {
        let stat = worktree.root.stat_below(path).ok().flatten();
        found.extend(stat.map(|stat| (path.clone(), stat.kind)));
    }
    Ok(found)
}
