//! The plan: what a checkout will do, as data. Apply does nothing that the plan does not list.

use crate::object::Entry;
use crate::path::RepoPathBuf;

/// One step. Listed in path order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make what is not there.
    Create(RepoPathBuf, Entry),
    /// Replace what is there by another content or kind.
    Replace(RepoPathBuf, Entry),
    /// Set mode, owner, time or attributes.
    Touch(RepoPathBuf, Entry),
    /// Remove.
    Remove(RepoPathBuf),
}

/// All steps of a checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In path order.
    pub actions: Vec<Action>,
    /// Uncovered content that is in the way: refuse.
    pub conflicts: Vec<RepoPathBuf>,
    /// Entries that are already as they should be.
    pub unchanged: u64,
}
