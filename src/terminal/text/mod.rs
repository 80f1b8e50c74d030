//! The text of each record, for people and for scripts.

mod agent;
mod alarms;
mod changes;
mod checkouts;
mod commits;
mod copies;
#[cfg(feature = "targets")]
mod drill;
mod entries;
mod gc;
mod hooks;
mod log;
mod log_format;
mod objects;
mod operations;
mod patch;
mod placeholders;
mod plumbing;
mod purge;
mod refs;
mod retention;
mod runs;
mod stat;
mod stats;
mod stores;
#[cfg(feature = "targets")]
mod targets;
mod tree_format;
mod verify;
mod word_diff;

use std::io;

use super::{Page, Print};

pub use agent::{SessionHeader, StepLine};
pub use alarms::describe_alarm;
pub use changes::{ChangeLine, Fold, Listing, describe};
pub use copies::{LastCopy, behind};
pub use entries::ListedEntry;
pub use log::{FoldedEntry, LogEntry, graph_style};
pub use log_format::LogFormat;
pub use operations::OperationText;
pub use patch::Patch;
pub use plumbing::{Columns, TreeChangeLine};
pub use stat::{StatSummary, StatTable};
pub use tree_format::{Form, Format, TreeLine};

/// A line that separates two formats of the same changes.
pub struct EmptyLine;

impl Print for EmptyLine {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line("")
    }
}
