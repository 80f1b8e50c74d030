//! Commits paths that changed during a checkout, outside the branch.

use crate::alarm::Watch;
use crate::error::Result;
use crate::id::CommitId;
use crate::metadata::Kind;
use crate::object::{Extras, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::repo::{Repository, Transaction};
use crate::snapshot::commit::{self, CommitMessage};
use crate::snapshot::record::{self, Compared};
use crate::snapshot::scan_tree::{self, ScanOptions};
use crate::store::Stored;
use crate::worktree::{Index, Worktree};

/// Stores these paths as they are now, in a commit whose other paths are as in `base`. The commit is durable, and part of the
/// repository once an operation names it. `None` if the paths are as in `base`, or gone.
pub fn set_aside(
    repository: &Repository,
    worktree: &Worktree,
    base: CommitId,
    paths: &[RepoPathBuf],
    progress: &dyn Progress,
) -> Result<Option<(CommitId, Stored)>> {
    let kinds = paths.iter().map(|path| Ok((path, kind(worktree, path)?))).collect::<Result<Vec<_>>>()?;
    let there = |(path, kind): &(&RepoPathBuf, Option<Kind>)| kind.map(|_| (*path).clone());
    let is_file = |(_, kind): &&(&RepoPathBuf, Option<Kind>)| *kind != Some(Kind::Directory);
    let paths: Vec<RepoPathBuf> = kinds.iter().filter_map(there).collect();
    if paths.is_empty() {
        return Ok(None);
    }
    // They were covered before the checkout restored other rules.
    let despite_rules: Vec<RepoPathBuf> = kinds.iter().filter(is_file).filter_map(there).collect();
    let store = repository.store();
    let parent = store.commit(base)?;
    let session = store.session();
    let how = ScanOptions {
        paths: &paths,
        journals: &[],
        despite_rules: &despite_rules,
        base: Some(&parent),
        takes_trees: false,
    };
    let index = Index::open(&repository.layout.index());
    let recording = scan_tree::record(repository, Some(&session), worktree, &index, &how, progress)?;
    let Compared { content, differs, .. } =
        record::compare(store, Some(&parent), &recording, &paths, &mut Watch::default())?;
    if !differs {
        return Ok(None);
    }
    let message = "changed during a checkout".to_owned();
    let words = CommitMessage { message, automatic: true, author: None, date: None, extras: Extras::default() };
    let commit = commit::make(repository, vec![base], Some(&parent), content, words);
    let mut writer = session.writer();
    scan_tree::put_objects(&mut writer, &recording.scan)?;
    let id = Transaction::put_commit(&mut writer, &commit)?;
    writer.finish()?;
    Ok(Some((id, session.finish()?)))
}

/// Kind of the entry at a path, if there is one.
fn kind(worktree: &Worktree, path: &RepoPath) -> Result<Option<Kind>> {
    let Ok(directory) = worktree.root.open_below(path.parent().unwrap_or(RepoPath::root())) else { return Ok(None) };
    Ok(directory.stat(path.name().unwrap_or(b"."))?.map(|stat| stat.kind))
}
