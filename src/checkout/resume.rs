//! A checkout that was interrupted: what has to wait for its end, and the refs that it was to change.

use crate::error::{Error, ErrorKind, Result};
use crate::history::past::Refs;
use crate::object::operation::{Intent, View};
use crate::repo::Repository;

/// [`ErrorKind::Refused`] if a checkout did not end: some paths alone would end it, and nobody would know any more what
/// the rest was to become.
pub fn refuse_paths(repository: &Repository) -> Result<()> {
    let Some(intent) = repository.unfinished() else { return Ok(()) };
    let message = format!("a {} to {} did not end, so single paths are not restored", intent.verb, intent.to.short());
    Err(Error::new(ErrorKind::Refused, message).hint("finish it first: undo checkout --continue"))
}

/// What refs become by the end of a checkout as it was meant, whatever was recorded since.
pub fn refs_to_finish(view: &View, intent: &Intent) -> Refs {
    let mut refs = Refs::of(view);
    if let Some(from) = intent.from {
        // What was recorded since, of a worktree between two states, stays beside the branch.
        refs.branches.insert(view.current.clone(), from);
    }
    for edit in &intent.edits {
        refs.set(&edit.name, edit.new);
    }
    if let Some(branch) = &intent.switch {
        refs.current.clone_from(branch);
    }
    refs
}
