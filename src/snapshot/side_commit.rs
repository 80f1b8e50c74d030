//! Commits paths that changed during a checkout, outside the branch.

use crate::alarm::Watch;
use crate::error::Result;
use crate::id::CommitId;
use crate::metadata::Kind;
use crate::object::Objects;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::repo::{Repository, Transaction};
use crate::snapshot::commit::{self, CommitMessage, Compared};
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
    let mut existing = Vec::new();
    let mut despite_rules = Vec::new();
    for path in paths {
        if let Some(kind) = kind(worktree, path)? {
            existing.push(path.clone());
            // They were covered before the checkout restored other rules.
            despite_rules.extend((kind != Kind::Directory).then(|| path.clone()));
        }
    }
    if existing.is_empty() {
        return Ok(None);
    }
    let store = repository.store();
    let (parent, parents) = (store.commit(base)?, vec![base]);
    let session = store.session();
    let (paths, base) = (&existing, Some(&parent));
    let how = ScanOptions { paths, despite_rules: &despite_rules, base, ..ScanOptions::default() };
    let index = Index::open(&repository.layout.index());
    let recording = scan_tree::record(repository, Some(&session), worktree, &index, &how, progress)?;
    let Compared { content, differs, .. } =
        commit::compare(store, base, &recording, paths, false, &mut Watch::default())?;
    if !differs {
        return Ok(None);
    }
    let message = "changed during a checkout".to_owned();
    let message = CommitMessage { message, automatic: true, ..CommitMessage::default() };
    let commit = commit::make(repository, parents, base, content, message);
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
