//! Automatic commits: they lie beside the branch and change no ref.

use crate::error::Result;
use crate::history::automatic;
use crate::id::CommitId;
use crate::object::{Extras, Objects, automatic_mark};
use crate::repo::Repository;
use crate::snapshot::commit::Content;

/// Where an automatic commit goes.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Parents of the commit, which is compared with the first one.
    pub parents: Vec<CommitId>,
    /// The last known state of the directory.
    pub before: Option<CommitId>,
    /// Fields of the operation, and of the commit if one is made.
    pub extras: Extras,
    /// No event is appended if the content is that of this commit.
    pub unless: Option<CommitId>,
}

impl Beside {
    /// An automatic commit of the repository's directory with these fields.
    pub fn of(repository: &Repository, extras: Extras) -> Result<Beside> {
        let automatic::Base { parents, before } = automatic::base(repository)?;
        Ok(Beside { parents, before, extras, unless: None })
    }

    /// Fields of the commit.
    pub(super) fn commit_extras(&self, repository: &Repository) -> Extras {
        let mut extras = self.extras.clone();
        automatic_mark::put(repository.state().directory(), &mut extras);
        extras
    }

    /// A commit that holds this content already: the last known state, or `@`.
    pub(super) fn known(&self, repository: &Repository, content: &Content) -> Option<CommitId> {
        let candidates = self.before.into_iter().chain(repository.view().at());
        candidates.into_iter().find(|&id| repository.store().commit(id).is_ok_and(|commit| content.is_of(&commit)))
    }

    /// The state before the event: `after` if the content is the same, or if it is not known.
    pub(super) fn state_before(&self, repository: &Repository, after: CommitId) -> CommitId {
        let Some(before) = self.before.filter(|before| *before != after) else { return after };
        if is_same_content(repository, before, after) { after } else { before }
    }

    /// Whether an event must be appended for this state.
    pub(super) fn is_event(&self, repository: &Repository, state: Option<CommitId>) -> bool {
        !self.unless.zip(state).is_some_and(|(known, state)| is_same_content(repository, known, state))
    }
}

/// Whether two commits have the same content. The mtime of the root alone makes no difference. An unreadable commit has the content
/// of no other.
pub(crate) fn is_same_content(repository: &Repository, a: CommitId, b: CommitId) -> bool {
    let commit = |id| repository.store().commit(id).ok();
    a == b || commit(a).zip(commit(b)).is_some_and(|(a, b)| a.root.is_same_but_time(&b.root) && a.links == b.links)
}
