//! Compares trees and file contents, and combines two trees into one.

mod area;
pub mod binary;
mod counts;
mod edited;
pub mod git;
pub mod large_text;
mod left_out;
pub mod linked;
mod lockstep;
pub mod patch;
pub mod rename;
pub mod similarity;
pub mod splice;
pub mod text;
pub mod trees;

use crate::object::Entry;
use crate::path::RepoPathBuf;

pub use counts::ChangeCounts;
pub use left_out::LeftOut;
pub use splice::{Spliced, splice};
pub use trees::{Depth, Options, compare, differences};

/// A path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RepoPathBuf,
    /// How the path differs.
    pub status: Status,
    /// The entry before; `None` if added.
    pub old: Option<Entry>,
    /// The entry after; `None` if deleted.
    pub new: Option<Entry>,
    /// Which parts of the entry differ; all false for added and deleted paths.
    pub what: What,
    /// Where a renamed file was before. Set by `rename`.
    pub renamed: Option<Rename>,
    /// Whether paths below an added or deleted directory are part of renames. Set by `rename`.
    pub has_renames: bool,
}

/// The origin of a renamed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The old path.
    pub from: RepoPathBuf,
    /// Similarity of the contents, in percent.
    pub similarity: u8,
}

/// Differences in the content of a path.
#[derive(Clone, Debug)]
pub enum Body {
    /// The content is the same, or the path is not a file.
    Nothing,
    /// Changed lines.
    Text(Vec<text::Hunk>),
    /// Changed bytes.
    Bytes {
        /// Changed ranges, if both sides are files.
        ranges: binary::Ranges,
        /// Size of each side that is a file.
        sizes: (Option<u64>, Option<u64>),
        /// Whether all sides are text, of which more differs than can be compared line by line.
        is_text: bool,
    },
    /// The content of a side was purged.
    Purged,
}

/// How a path differs, as in `--name-status` and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The path is on the new side only.
    Added,
    /// The content differs.
    Modified,
    /// The path is on the old side only.
    Deleted,
    /// The path is on the new side only, with the content, or most of it, of a path on the old side only.
    Renamed,
    /// The path still exists, but ignore rules leave it out of the new side.
    Ignored,
    /// The new side does not cover the path, so its state is unknown.
    Uncovered,
    /// The kind differs.
    Type,
    /// The content is the same; mode, owner, attributes, links or (if requested) mtime differ.
    Metadata,
}

/// Which parts of an entry differ.
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
    /// Hard links.
    pub links: bool,
}

impl Status {
    /// The name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Status::Added => "added",
            Status::Modified => "modified",
            Status::Deleted => "deleted",
            Status::Renamed => "renamed",
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
            Status::Renamed => 'R',
            Status::Ignored => 'I',
            Status::Uncovered => 'U',
            Status::Type => 'T',
            Status::Metadata => 'm',
        }
    }
}
