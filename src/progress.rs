//! Progress of long operations. Receives reports, and can cancel.

pub(crate) mod deadline;

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

/// Receives the progress of long operations, from any thread. Implement it to show progress or to cancel.
pub trait Progress: Send + Sync {
    /// Starts a task, which ends when the returned value is dropped.
    ///
    /// `label` is a present participle ("recording"); `total` counts `unit`s and is `None` if it is not known.
    fn start(&self, label: &'static str, unit: Unit, total: Option<u64>) -> Arc<dyn Task>;
}

/// What a task counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Files, commits or other items.
    Items,
}

/// A task in progress. Called once per file or buffer, from any thread.
pub trait Task: Send + Sync {
    /// Adds completed units. An error, usually [`cancelled`], ends the operation with that error.
    fn add(&self, units: u64) -> Result<()>;

    /// Sets the total if it was not known at the start.
    fn set_total(&self, total: u64);
}

/// The error that [`Task::add`] returns to cancel an operation.
///
/// What was committed before stays. A cancelled checkout is unfinished: continue or undo it. Any other cancelled
/// operation has changed nothing.
pub fn cancelled() -> Error {
    Error::new(ErrorKind::Interrupted, "cancelled")
}

/// Ignores progress and never cancels.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &'static str, _: Unit, _: Option<u64>) -> Arc<dyn Task> {
        Arc::new(Silent)
    }
}

impl Task for Silent {
    fn add(&self, _: u64) -> Result<()> {
        Ok(())
    }

    fn set_total(&self, _: u64) {}
}
