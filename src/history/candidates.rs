//! Reads the commits that a retention policy judges.

use crate::error::{Error, ErrorKind, Result};
use crate::history::retention::Candidate;
use crate::history::walk::{WalkOptions, WalkedCommit, walk};
use crate::id::CommitId;
use crate::object::Commit;
use crate::object::operation::NewCommit;
use crate::repo::Repository;

/// A candidate, and what a list of commits shows of it.
#[derive(Clone, Debug)]
pub struct DescribedCandidate {
    /// What the policy needs.
    pub candidate: Candidate,
    /// First line of the message.
    pub subject: String,
    /// Parents as the commit names them.
    pub named_parents: Vec<CommitId>,
}

/// The commits that the options select, newest first. Omits unreadable commits, which therefore stay.
pub fn candidates(repository: &Repository, options: WalkOptions) -> Result<Vec<DescribedCandidate>> {
    let mut candidates = Vec::new();
    for walked in walk(repository, options)? {
        match walked {
            Ok(WalkedCommit { id, commit, parents }) => candidates.push(describe(id, commit, parents)),
            Err(error) if error.kind() == ErrorKind::Damaged => {}
            Err(error) => return Err(error),
        }
    }
    Ok(candidates)
}

/// Describes a commit that cannot be read, with the time and the parents that the journal has. [`ErrorKind::Refused`] if it
/// has none: without its parents, nothing would lead to the commits before it.
pub fn describe_lost(repository: &Repository, id: CommitId) -> Result<DescribedCandidate> {
    let operations = repository.operations().map_while(Result::ok);
    let mut made = operations.flat_map(|(_, operation)| {
        let time = operation.time;
        operation.commits.into_iter().map(move |commit| (commit, time))
    });
    let Some((NewCommit { parents: named_parents, .. }, time)) = made.find(|(commit, _)| commit.id == id) else {
        let message = format!("commit {} cannot be read, and the journal does not know its parents", id.short());
        let hint = "to restore it from a copy of the repository: undo repair --from COPY";
        return Err(Error::new(ErrorKind::Refused, message).hint(hint));
    };
    let parents = repository.view().kept_parents(&named_parents);
    Ok(DescribedCandidate {
        candidate: Candidate { id, parents, time, is_automatic: false, is_suspicious: false },
        subject: "(cannot be read)".to_owned(),
        named_parents,
    })
}

#[cfg(test)]
thread_local! {
    /// Number of commits that this thread has described.
    pub static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Describes a commit with these nearest ancestors that are not forgotten.
pub fn describe(id: CommitId, commit: Commit, parents: Vec<CommitId>) -> DescribedCandidate {
    #[cfg(test)]
    READ.set(READ.get() + 1);
    let (is_automatic, is_suspicious) = (commit.automatic, commit.is_suspicious());
    DescribedCandidate {
        candidate: Candidate { id, parents, time: commit.time, is_automatic, is_suspicious },
        subject: commit.message.lines().next().unwrap_or_default().to_owned(),
        named_parents: commit.parents,
    }
}
