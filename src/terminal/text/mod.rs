//! The text of each record, for people and for scripts.

mod alarms;
mod changes;
mod checkouts;
mod commits;
mod entries;
mod log;
mod objects;
mod operations;
mod patch;
mod plumbing;
mod refs;
mod runs;
mod tree_format;
mod verify;

pub use alarms::describe_alarm;
pub use changes::{ChangeLine, Fold, Listing, StatTable, describe};
pub use entries::ListedEntry;
pub use log::{LogEntry, graph_style};
pub use operations::OperationText;
pub use patch::Patch;
pub use plumbing::{Columns, TreeChangeLine};
pub use tree_format::{Form, Format, TreeLine};
