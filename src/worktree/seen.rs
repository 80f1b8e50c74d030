//! How one entry was found by a scan.

use crate::worktree::index::Record;

/// How an entry was found.
#[derive(Clone, Debug)]
pub enum Seen {
    /// As it was at one moment.
    Whole(Record),
    /// A file that kept changing while it was read: the last reading.
    Torn(Record),
    /// Gone between listing and reading.
    Gone,
    /// Its kind is another one by now.
    OtherKind,
    /// It cannot be read.
    Unreadable,
}
