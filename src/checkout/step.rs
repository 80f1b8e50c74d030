//! What is to happen at each path on which worktree and target differ, while a plan is being made.

use std::collections::BTreeMap;

use crate::object::Entry;
use crate::path::RepoPathBuf;

/// What is to happen at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is there.
    Create,
    /// Other content or another kind is there, and it is saved.
    Replace,
    /// The content is there, with other metadata.
    Touch,
    /// Content and metadata are there; the names of its inode differ.
    Same,
    /// It is to be another name of this path.
    Link(RepoPathBuf),
    /// It is saved, and the target does not have it.
    Remove,
    /// It is saved, and the target does not cover it.
    Keep,
    /// What may be there is not saved.
    Unsaved,
}

/// A path on which the two sides differ.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub verdict: Verdict,
    /// As the target has it.
    pub entry: Option<Entry>,
}

/// By path.
pub(super) type Steps = BTreeMap<RepoPathBuf, Step>;
