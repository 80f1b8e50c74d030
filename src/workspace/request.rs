//! What a checkout, a restore or a step through operations asks for, once revisions and paths are resolved.

use crate::history::timeline::Destination;
use crate::id::CommitId;
use crate::number;
use crate::object::operation::{Intent, UndoPosition, Verb};
use crate::path::RepoPathBuf;

/// How a checkout treats what it finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckoutMode {
    /// Save and overwrite ignored files in the way, and replace files in use.
    pub force: bool,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user.
    pub trust_owner: bool,
    /// Take no lock and write nothing. If the checkout is applied nevertheless, it is prepared again.
    pub dry_run: bool,
}

/// A requested checkout or restore.
pub(super) struct Request {
    /// The wanted commit. `None`: only refs change.
    pub to: Option<CommitId>,
    /// The given name, if an unfinished checkout may have changed which commit it names.
    pub relative: Option<String>,
    /// Only these paths; the branch stays where it is. Empty means the whole worktree.
    pub paths: Vec<RepoPathBuf>,
    /// The branch to switch to.
    pub branch: Option<String>,
    pub force: bool,
    pub trust_owner: bool,
    /// The command that is recorded.
    pub verb: Verb,
    /// The unfinished checkout that this one finishes.
    pub resumed: Option<Intent>,
    /// Where a step through operations leads.
    pub destination: Option<Destination>,
}

impl Request {
    pub(super) fn new(to: Option<CommitId>, verb: Verb, mode: CheckoutMode) -> Request {
        let CheckoutMode { force, trust_owner, .. } = mode;
        let (relative, paths, branch, resumed, destination) = (None, Vec::new(), None, None, None);
        Request { to, relative, paths, branch, force, trust_owner, verb, resumed, destination }
    }

    /// Whether it finishes an unfinished checkout, or takes it back.
    pub(super) fn ends_unfinished(&self) -> bool {
        self.resumed.is_some() || self.destination.as_ref().is_some_and(|it| it.interrupted.is_some())
    }

    /// The position among the operations that it leads to.
    pub(super) fn undo_position(&self) -> Option<UndoPosition> {
        let destination = self.destination.as_ref().and_then(|it| it.undo_position);
        destination.or_else(|| self.resumed.as_ref().and_then(Intent::undo_position))
    }

    /// The beginning of the operation's description.
    pub(super) fn about(&self) -> String {
        match &self.destination {
            Some(destination) => about(&self.verb, destination),
            None if self.resumed.is_some() => "finished after an interruption, ".to_owned(),
            None => String::new(),
        }
    }
}

/// "checkout and 2 more taken back, ".
fn about(verb: &Verb, destination: &Destination) -> String {
    if let Some(interrupted) = &destination.interrupted {
        return format!("interrupted {interrupted} undone, ");
    }
    let Some(first) = destination.crossed.first() else { return String::new() };
    let others = number::and_more(destination.crossed.len());
    let what = &first.last.verb;
    match verb {
        Verb::Undo => format!("{what}{others} undone, "),
        Verb::Redo => format!("{what}{others} redone, "),
        _ => String::new(),
    }
}
