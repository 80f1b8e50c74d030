//! The parts of a patch in git's format, as data.

use crate::path::RepoPathBuf;

use super::binary::Ranges;
use super::git::{GitId, GitMode, Literal};
use super::text::{Hunk, TextOptions};

/// Selects what a patch contains.
#[derive(Clone, Copy, Debug)]
pub struct PatchOptions {
    /// How to compare texts.
    pub text: TextOptions,
    /// Whether to include the content of binary files.
    pub binary: bool,
}

/// A file of a patch. A change of type has two: a deletion and an addition.
#[derive(Clone, Debug)]
pub struct FilePatch {
    /// The file before; `None` if the patch creates it.
    pub old: Option<FileSide>,
    /// The file after; `None` if the patch deletes it.
    pub new: Option<FileSide>,
    /// Similarity of a renamed file, in percent.
    pub similarity: Option<u8>,
    /// The difference in content.
    pub content: PatchContent,
}

impl FilePatch {
    /// Whether nothing differs that git records.
    pub fn is_empty(&self) -> bool {
        let is_same_mode = matches!((&self.old, &self.new), (Some(old), Some(new)) if old.mode == new.mode);
        is_same_mode && self.similarity.is_none() && matches!(self.content, PatchContent::Same)
    }
}

/// A file on one side of a patch.
#[derive(Clone, Debug)]
pub struct FileSide {
    /// The path.
    pub path: RepoPathBuf,
    /// The mode.
    pub mode: GitMode,
    /// The id that git gives to the content. `None` if the content is the same on both sides, or was not read.
    pub id: Option<GitId>,
}

/// The content of a file in a patch.
#[derive(Clone, Debug)]
pub enum PatchContent {
    /// The content is the same on both sides.
    Same,
    /// Changed lines.
    Text(Vec<Hunk>),
    /// Changed bytes. The patch does not contain them, so git rejects it.
    Bytes {
        /// Changed ranges, if both sides exist.
        ranges: Ranges,
        /// Whether the content is text that is too large to compare or show line by line.
        is_text: bool,
    },
    /// The content of a side was purged, so git rejects the patch.
    Purged,
    /// Both contents, for applying the patch and for reverting it.
    Binary {
        /// The content before.
        old: Literal,
        /// The content after.
        new: Literal,
    },
}
