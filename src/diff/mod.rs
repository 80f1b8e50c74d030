//! Differences: between two trees, and between two contents; and trees put together from two others.

mod area;
pub mod binary;
mod counts;
mod cursor;
mod left_out;
pub mod linked;
pub mod paths;
pub mod rename;
pub mod splice;
pub mod text;
pub mod trees;

use crate::object::Entry;
use crate::path::RepoPathBuf;

pub use counts::ChangeCounts;
pub use left_out::LeftOut;
pub use splice::{Spliced, splice};
pub use trees::{Depth, Options, compare};

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub path: RepoPathBuf,
    /// How, in one word.
    pub status: Status,
    /// The entry before; `None` if added.
    pub old: Option<Entry>,
    /// The entry after; `None` if deleted.
    pub new: Option<Entry>,
    /// What of it differs (all false for added and deleted).
    pub what: What,
    /// Of an added path: the deleted path whose content it has. Of a deleted one: the added path. Set by `rename`.
    pub renamed: Option<RepoPathBuf>,
}

/// What differs in the content of a path.
#[derive(Clone, Debug)]
pub enum Body {
    /// Nothing, or there is none.
    Nothing,
    /// Lines.
    Text(Vec<text::Hunk>),
    /// Bytes, and the sizes of both sides where there are files.
    Bytes {
        /// What differs, where there are files on both sides.
        ranges: binary::Ranges,
        /// Before and after.
        sizes: (Option<u64>, Option<u64>),
    },
}

/// How a path differs; the words of `--name-status` and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Only on the new side.
    Added,
    /// Other content.
    Modified,
    /// Only on the old side.
    Deleted,
    /// Only on the old side, and still there: the new side leaves it out, since rules ignore it.
    Ignored,
    /// Only on the old side; what became of it the new side does not say.
    Uncovered,
    /// Another kind.
    Type,
    /// Same content, other mode, owner, attributes or links (or mtime, where asked for).
    Metadata,
}

/// What of an entry differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct What {
    /// Content or kind.
    pub content: bool,
    /// Permission bits.
    pub mode: bool,
    /// Owner or group.
    pub owner: bool,
    /// Modification time.
    pub mtime: bool,
    /// Extended attributes or holes.
    pub attributes: bool,
    /// Other names of the same file.
    pub links: bool,
}

impl Status {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Status::Added => "added",
            Status::Modified => "modified",
            Status::Deleted => "deleted",
            Status::Ignored => "ignored",
            Status::Uncovered => "uncovered",
            Status::Type => "type",
            Status::Metadata => "metadata",
        }
    }

    /// The letter of `--name-status`.
    pub fn letter(self) -> char {
        match self {
            Status::Added => 'A',
            Status::Modified => 'M',
            Status::Deleted => 'D',
            Status::Ignored => 'I',
            Status::Uncovered => 'U',
            Status::Type => 'T',
            Status::Metadata => 'm',
        }
    }
}
