//! Files of the worktree by how they are to the current commit: what `status` tells, file by file.

use crate::compare::{Comparison, Side};
use crate::diff::Options;
use crate::error::Result;
use crate::metadata::Kind;
use crate::object::Entry;
use crate::object::commit::Uncovered;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::repo::Repository;
use crate::worktree::ignore::IgnoreWarning;
use crate::worktree::index::for_each_entry;
use crate::worktree::{Index, Scan, Worktree};

/// How a file is to the current commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There, and covered.
    Known,
    /// Other than in the commit.
    Modified,
    /// Only in the commit.
    Deleted,
    /// Not in the commit.
    New,
    /// Left out by ignore rules; of a directory only itself.
    Ignored,
}

impl State {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            State::Known => "known",
            State::Modified => "modified",
            State::Deleted => "deleted",
            State::New => "new",
            State::Ignored => "ignored",
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// Those of these states; a deleted one is modified too.
    pub states: Vec<State>,
    /// Only these paths and what is below them; empty: all.
    pub paths: Vec<RepoPathBuf>,
}

/// What could not be told for certain.
#[derive(Default)]
pub struct Uncertain {
    /// Not read, with reasons.
    pub uncovered: Vec<Uncovered>,
    /// Changed while they were read.
    pub torn: Vec<RepoPathBuf>,
    /// Files that were read without their extended attributes.
    pub without_attributes: Vec<RepoPathBuf>,
    /// Lines of `.undoignore` that make no sense.
    pub ignore_warnings: Vec<IgnoreWarning>,
}

/// A file, or what else is no directory; or an ignored directory.
pub struct File<'f> {
    /// Where it is.
    pub path: &'f RepoPath,
    /// How it is to the current commit.
    pub state: State,
    /// What it is, or was.
    pub kind: Kind,
    /// All of that; `None` for what is ignored.
    pub entry: Option<&'f Entry>,
}

/// Calls `each` with every file that was there when the worktree was last read, in path order; `false` if that is not known.
pub fn files_known(
    repository: &Repository,
    paths: &[RepoPathBuf],
    each: &mut dyn FnMut(File<'_>) -> Result<()>,
) -> Result<bool> {
    let index = Index::open(&repository.layout.index());
    for_each_entry(&index, paths, &mut |path, entry| {
        each(File { path, state: State::Known, kind: entry.kind(), entry: Some(&entry) })
    })
}

/// Reads the worktree, and calls `each` with every file and what else is no directory, in path order.
pub fn files(
    repository: &Repository,
    worktree: &Worktree,
    selected: &Selected,
    progress: &dyn Progress,
    each: &mut dyn FnMut(File<'_>) -> Result<()>,
) -> Result<Uncertain> {
    let is_asked = |state: State| selected.states.contains(&state);
    let at = repository.view().at().filter(|_| !is_asked(State::Known));
    let old = Side::commit(repository, at)?;
    let scan = super::look(repository, worktree, &selected.paths, progress)?;
    let ignored = if is_asked(State::Ignored) { ignored(worktree, &scan)? } else { Vec::new() };
    let mut ignored = ignored.into_iter().peekable();
    let new = Side::Live(Box::new(scan));
    let options = Options { paths: selected.paths.clone(), ..Options::default() };
    let comparison = Comparison { repository, worktree: Some(worktree), old: &old, new: &new };
    comparison.changes(&options, &mut |change| {
        while let Some((path, kind)) = ignored.next_if(|(path, _)| **path < *change.path) {
            each(File { path: &path, state: State::Ignored, kind, entry: None })?;
        }
        let (state, entry) = match (change.old.as_ref().filter(is_file), change.new.as_ref().filter(is_file)) {
            (None, None) => return Ok(()),
            (None, Some(entry)) if is_asked(State::Known) => (State::Known, entry),
            (None, Some(entry)) => (State::New, entry),
            (Some(entry), None) if change.new.is_none() && is_asked(State::Deleted) => (State::Deleted, entry),
            (Some(_), Some(entry)) | (Some(entry), None) => (State::Modified, entry),
        };
        let file = File { path: &change.path, state, kind: entry.kind(), entry: Some(entry) };
        if is_asked(state) { each(file) } else { Ok(()) }
    })?;
    ignored.try_for_each(|(path, kind)| each(File { path: &path, state: State::Ignored, kind, entry: None }))?;
    match new {
        Side::Live(scan) => {
            let Scan { uncovered, torn, without_attributes, ignore_warnings, .. } = *scan;
            Ok(Uncertain { uncovered, torn, without_attributes, ignore_warnings })
        }
        _ => Ok(Uncertain::default()),
    }
}

fn is_file(entry: &&Entry) -> bool {
    entry.kind() != Kind::Directory
}

/// What ignore rules leave out, and what it is. What has gone since is left out here too.
fn ignored(worktree: &Worktree, scan: &Scan) -> Result<Vec<(RepoPathBuf, Kind)>> {
    let mut found = Vec::with_capacity(scan.ignored.len());
    for path in &scan.ignored {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { continue };
        let stat = worktree.root.open_below(parent).ok().and_then(|directory| directory.stat(name).ok().flatten());
        found.extend(stat.map(|stat| (path.clone(), stat.kind)));
    }
    Ok(found)
}
