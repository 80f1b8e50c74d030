//! What commits cost: how many bytes the store grew by, told by the operations that made them.

use std::collections::HashMap;

use crate::error::Result;
use crate::id::{CommitId, OperationId};
use crate::object::Operation;
use crate::repo::Repository;

/// Costs, read from the newest operation on as far as they are asked for.
pub struct Costs<'r> {
    operations: Box<dyn Iterator<Item = Result<(OperationId, Operation)>> + 'r>,
    known: HashMap<CommitId, u64>,
}

impl<'r> Costs<'r> {
    /// Those of a repository.
    pub fn new(repository: &'r Repository) -> Result<Costs<'r>> {
        Ok(Costs { operations: Box::new(repository.operations()?), known: HashMap::new() })
    }

    /// Bytes that the store grew by with this commit; `None` if no operation tells of it.
    pub fn of(&mut self, id: CommitId) -> Result<Option<u64>> {
        while !self.known.contains_key(&id) {
            let Some(operation) = self.operations.next() else { return Ok(None) };
            let (_, operation) = operation?;
            self.known.extend(operation.commits.iter().map(|commit| (commit.id, operation.bytes_stored)));
        }
        Ok(self.known.get(&id).copied())
    }
}
