//! Result of reading one entry in a scan.

use crate::worktree::index::Record;

/// Result of reading an entry.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Read consistently: its state at one moment.
    Whole(Record),
    /// A file that kept changing while it was read: its last reading.
    Torn(Record),
    /// Removed between listing and reading.
    Gone,
    /// Has become another kind of file.
    OtherKind,
    /// Not readable.
    Unreadable,
}
