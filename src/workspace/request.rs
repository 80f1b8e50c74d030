//! The request of a checkout, a restore or a step through operations, with revisions and paths resolved.

use crate::apply::fetched_files::FetchedFiles;
use crate::history::timeline::Destination;
use crate::id::CommitId;
use crate::number;
use crate::object::operation::{HistoryEdit, Intent, UndoPosition, Verb};
use crate::path::RepoPathBuf;
use crate::snapshot::SavedScan;

/// Options that all checkouts share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckoutMode {
    /// Save and overwrite ignored files in the way, and replace files in use.
    pub force: bool,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user.
    pub trust_owner: bool,
    /// Take no lock and write nothing. Applying such a checkout prepares it again.
    pub dry_run: bool,
}

/// A requested checkout or restore.
pub(super) struct Request {
    /// The commit to check out. `None` changes only refs.
    pub to: Option<CommitId>,
    /// The revision as given, if it is relative to the current state (`@`, `-`, `latest`, the current branch), which an
    /// unfinished checkout may have changed.
    pub relative: Option<String>,
    /// The paths to restore, which leaves the branch unchanged. Empty means the whole worktree.
    pub paths: Vec<RepoPathBuf>,
    /// The branch to switch to. Created at `to`, or at the current commit, if it does not exist.
    pub branch: Option<String>,
    pub mode: CheckoutMode,
    /// The command to record.
    pub verb: Verb,
    /// The unfinished checkout that this one finishes.
    pub resumed: Option<Intent>,
    /// The state that a step through operations leads to.
    pub destination: Option<Destination>,
    /// What the step, or the step which an unfinished checkout had begun, changes in the history.
    pub history: HistoryEdit,
    /// A scan of the directory that no operation has followed.
    pub scan: Option<SavedScan>,
    /// Files of the commit that were written when they were fetched.
    pub fetched: Option<FetchedFiles>,
}

impl Request {
    pub(super) fn new(to: Option<CommitId>, verb: Verb, mode: CheckoutMode) -> Request {
        Request {
            to,
            relative: None,
            paths: Vec::new(),
            branch: None,
            mode,
            verb,
            resumed: None,
            destination: None,
            history: HistoryEdit::default(),
            scan: None,
            fetched: None,
        }
    }

    /// Whether the request finishes or undoes an unfinished checkout.
    pub(super) fn ends_unfinished(&self) -> bool {
        self.resumed.is_some() || self.destination.as_ref().is_some_and(|it| it.interrupted.is_some())
    }

    /// The position among the operations to record: that of the step, or that of the step which an unfinished checkout
    /// had begun.
    pub(super) fn undo_position(&self) -> Option<UndoPosition> {
        let destination = self.destination.as_ref().and_then(|it| it.undo_position);
        destination.or_else(|| self.resumed.as_ref().and_then(|intent| intent.undo_position))
    }

    /// The first words of the operation's description.
    pub(super) fn about(&self) -> String {
        match &self.destination {
            Some(destination) => about_step(&self.verb, destination),
            None if self.resumed.is_some() => "finished after an interruption, ".to_owned(),
            None => String::new(),
        }
    }
}

/// `checkout and 2 more undone, `
fn about_step(verb: &Verb, destination: &Destination) -> String {
    if let Some(interrupted) = &destination.interrupted {
        return format!("interrupted {interrupted} undone, ");
    }
    let Some(first) = destination.crossed.first() else { return String::new() };
    let first = if first.last.is_automatic() { "changes".to_owned() } else { first.last.verb.to_string() };
    let actions = format!("{first}{}", number::and_more(destination.crossed.len()));
    match verb {
        Verb::Undo => format!("{actions} undone, "),
        Verb::Redo => format!("{actions} redone, "),
        _ => String::new(),
    }
}
