//! A checkout that was interrupted: what has to wait for its end, and the refs that it was to change.

use crate::error::{Error, ErrorKind, Result};
use crate::object::operation::{Intent, RefEdit, RefName, View};
use crate::repo::Repository;

/// [`ErrorKind::Refused`] if a checkout did not end: some paths alone would end it, and nobody would know any more what
/// the rest was to become.
pub fn refuse_paths(repository: &Repository) -> Result<()> {
    let Some(intent) = repository.unfinished() else { return Ok(()) };
    let message = format!("a {} to {} did not end, so single paths are not restored", intent.verb, intent.to.short());
    Err(Error::new(ErrorKind::Refused, message).hint("finish it first: undo checkout --continue"))
}

/// The changes of refs that end a checkout as it was meant, whatever was recorded since.
pub fn edits_to_finish(view: &View, intent: &Intent) -> Vec<RefEdit> {
    let mut edits: Vec<RefEdit> =
        intent.edits.iter().map(|edit| RefEdit { old: view.get(&edit.name), ..edit.clone() }).collect();
    let current = RefName::Branch(view.current.clone());
    if edits.iter().all(|edit| edit.name != current) {
        edits.push(RefEdit { name: current, old: view.at(), new: intent.from });
    }
    edits.retain(|edit| edit.old != edit.new);
    edits
}
