//! The index: what the worktree looked like when it was last read. A cache: losing it costs time, never data.
//!
//! A record proves content unchanged only by mtime, ctime, size, inode, mode and owner together, and only if it is not
//! racy: newer than the file system's clock when it was taken, or of a file in use whose stat may not reveal the next
//! store through a mapping. It may be trusted only while the store keeps the objects that it names: whoever removes
//! objects removes the index first.

mod builder;
mod file;
mod record;
mod spool;
mod update;

pub use builder::Builder;
pub use file::{Directory, Index};
#[cfg(test)]
pub use record::encode;
pub use record::{Block, Record, Total};
pub use spool::Spool;
pub use update::Update;
