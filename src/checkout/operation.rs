//! Journal records of a checkout: the intent, written before the first change, and the operation, written after the last.

use std::os::unix::ffi::OsStrExt;

use crate::error::Result;
use crate::history::timeline::Timeline;
use crate::id::CommitId;
use crate::number::{Count, plural};
use crate::object::Objects;
use crate::object::operation::{Intent, Refs, UndoPosition, View};
use crate::quote::visible;
use crate::repo::{NewOperation, Repository};

use super::{Options, Outcome};

/// Whether the checkout moves to another undo position. Such a checkout is recorded even if nothing else changes.
pub(super) fn changes_undo_position(repository: &Repository, undo_position: Option<UndoPosition>) -> Result<bool> {
    let Some(undo_position) = undo_position else { return Ok(false) };
    Ok(Timeline::open(repository).cursor()? != undo_position.position)
}

/// Builds the intent, from which a later command can finish or undo an interrupted checkout.
pub(super) fn intent(
    repository: &Repository,
    token: u64,
    (from, to): (Option<CommitId>, CommitId),
    options: &Options,
) -> Intent {
    let (view, refs) = (repository.view(), refs(repository.view(), Some(to), options));
    Intent {
        token,
        verb: options.verb.clone(),
        time: repository.environment.now(),
        from,
        to,
        paths: options.paths.clone(),
        edits: refs.edits_from(view),
        switch: Some(refs.current).filter(|branch| *branch != view.current),
        undo_position: options.undo_position,
        before: options.origin.before,
        worktree: repository.layout.worktree.as_os_str().as_bytes().to_vec(),
    }
}

/// Refs after the checkout. Without explicit refs, a checkout of the whole worktree moves the current branch.
fn refs(view: &View, to: Option<CommitId>, options: &Options) -> Refs {
    let mut refs = options.refs.clone().unwrap_or_else(|| view.refs.clone());
    if let (None, true, Some(to)) = (&options.refs, options.paths.is_empty(), to) {
        refs.branches.insert(view.current.clone(), to);
    }
    refs
}

/// Builds the operation that records the checkout.
pub(super) fn new_operation(repository: &Repository, outcome: &Outcome, options: &Options) -> NewOperation {
    let view = repository.view();
    let refs = refs(view, outcome.to, options);
    let description = description(repository, outcome, &refs, options);
    NewOperation {
        verb: options.verb.clone(),
        description,
        edits: refs.edits_from(view),
        switch: Some(refs.current).filter(|branch| *branch != view.current),
        commits: outcome.aside.into_iter().collect(),
        undo_position: options.undo_position,
        history: options.history.clone(),
        thins: options.thins.clone(),
        ..NewOperation::default()
    }
}

/// `main 3f2a91bc → 91bc3f2a`, or `main at 3f2a91bc` if the commit stays the same; `(no commits)` without one.
pub fn describe(branch: &str, from: Option<CommitId>, to: Option<CommitId>) -> String {
    let short = |id: Option<CommitId>| id.map_or_else(|| "(no commits)".to_owned(), CommitId::short);
    match (from, to) {
        (None, None) => format!("{branch} (no commits)"),
        _ if from == to => format!("{branch} at {}", short(to)),
        _ => format!("{branch} {} → {}", short(from), short(to)),
    }
}

/// `main 3f2a91bc → 91bc3f2a, 12 written, 3 deleted, 4 unsaved changes kept in 77e0a1b2`
fn description(repository: &Repository, outcome: &Outcome, refs: &Refs, options: &Options) -> String {
    // The description omits a saved commit that cannot be read.
    let saved = outcome.saved.and_then(|id| Some((id, repository.store().commit(id).ok()?)));
    let from = if saved.is_some() { options.at } else { outcome.from };
    let to = outcome.to.map(CommitId::short).unwrap_or_default();
    let mut words = match options.paths.as_slice() {
        [] => describe(&refs.current, from, refs.at()),
        [path] if path.is_root() => format!("the directory from {to}"),
        [path] => format!("{} from {to}", visible(path.as_bytes())),
        paths => format!("{} paths from {to}", Count(paths.len() as u64)),
    };
    words.insert_str(0, &options.about);
    words.push_str(&format!(", {} written, {} deleted", Count(outcome.written), Count(outcome.deleted)));
    if let Some((id, commit)) = saved {
        let what = match commit.changes.total() {
            // It counts its differences from another automatic commit.
            _ if commit.is_beside() => "unsaved changes".to_owned(),
            0 => "unsaved times".to_owned(),
            changes => plural(changes, "unsaved change"),
        };
        words.push_str(&format!(", {what} kept in {}", id.short()));
    }
    words
}
