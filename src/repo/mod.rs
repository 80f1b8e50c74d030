//! The repository: where its files are, its settings, its journal, and the one way refs change.

pub mod config;
pub mod format;
pub mod journal;
pub mod layout;
pub mod refname;
pub mod transaction;

use std::path::Path;

use crate::error::Result;
use crate::id::OperationId;
use crate::object::Operation;
use crate::object::operation::{Intent, View};
use crate::store::Store;

pub use config::Config;
pub use layout::Layout;
pub use transaction::{Draft, Transaction};

/// An open repository: the parts, and what the journal said when it was opened.
pub struct Repository {
    /// Where its files are.
    pub layout: Layout,
    /// Its settings.
    pub config: Config,
    store: Store,
}

#[allow(unused_variables, clippy::todo, reason = "signatures first")]
impl Repository {
    /// Makes a repository for the directory `worktree`, its store in it or at `store` elsewhere, or attaches to the
    /// store that is already there. [`crate::error::ErrorKind::Exists`] if the directory has one.
    pub fn init(worktree: &Path, store: Option<&Path>) -> Result<Repository> {
        todo!()
    }
    /// Opens the repository at or above `start`.
    pub fn discover(start: &Path) -> Result<Repository> {
        todo!()
    }
    /// Its objects.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// What all refs are.
    pub fn view(&self) -> &View {
        todo!()
    }
    /// The newest operation.
    pub fn operation(&self) -> Option<OperationId> {
        todo!()
    }
    /// A checkout that began and did not end.
    pub fn unfinished(&self) -> Option<&Intent> {
        todo!()
    }
    /// Operations, newest first, read as they are asked for.
    pub fn operations(&self) -> Result<impl Iterator<Item = Result<(OperationId, Operation)>> + '_> {
        Ok(std::iter::empty())
    }
    /// Takes the lock, waiting a little, and looks at the journal again.
    pub fn begin(&mut self) -> Result<Transaction<'_>> {
        todo!()
    }
}
