//! Holds back changes until renames have been found.

use crate::diff::rename;
use crate::diff::{Change, ChangeCounts, Status};
use crate::error::Result;

/// Maximum number of changes kept in memory to find renames.
const MAX_HELD: usize = 100_000;

/// Changes in path order, from the first one that can be part of a rename.
pub(super) struct HeldChanges {
    mtimes: bool,
    held: Vec<Change>,
    is_full: bool,
}

impl HeldChanges {
    pub fn new(mtimes: bool) -> HeldChanges {
        HeldChanges { mtimes, held: Vec::new(), is_full: false }
    }

    /// Takes the next change. Passes it on if no earlier change can be part of a rename.
    pub fn take(&mut self, change: Change, each: &mut dyn FnMut(Change) -> Result<()>) -> Result<()> {
        let can_be_renamed = matches!(change.status, Status::Added | Status::Deleted);
        if self.is_full || (self.held.is_empty() && !can_be_renamed) {
            return each(change);
        }
        self.held.push(change);
        if self.held.len() > MAX_HELD {
            self.is_full = true;
            return self.held.drain(..).try_for_each(each);
        }
        Ok(())
    }

    /// Finds renames, adjusts the counts, and passes on all changes.
    pub fn finish(mut self, counts: &mut ChangeCounts, each: &mut dyn FnMut(Change) -> Result<()>) -> Result<()> {
        rename::detect(&mut self.held, counts, self.mtimes);
        self.held.into_iter().try_for_each(each)
    }
}
