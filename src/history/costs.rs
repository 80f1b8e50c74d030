//! Looks up how many bytes each commit added to the store.

use std::collections::HashMap;

use crate::error::Result;
use crate::id::CommitId;
use crate::repo::Repository;
use crate::repo::journal::Operations;

/// Reads costs from the newest operation on, no further than needed.
pub struct Costs {
    operations: Operations,
    known: HashMap<CommitId, u64>,
}

impl Costs {
    /// Opens the journal of a repository.
    pub(crate) fn new(repository: &Repository) -> Costs {
        Costs { operations: repository.operations(), known: HashMap::new() }
    }

    /// Bytes that a commit added to the store. `None` if no operation in the journal made it.
    pub fn of(&mut self, id: CommitId) -> Result<Option<u64>> {
        while !self.known.contains_key(&id) {
            let Some(operation) = self.operations.next() else { return Ok(None) };
            let (_, operation) = operation?;
            self.known.extend(operation.commits.iter().map(|commit| (commit.id, operation.bytes_stored)));
        }
        Ok(self.known.get(&id).copied())
    }
}
