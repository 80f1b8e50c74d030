//! Changes of what the history keeps: commits that are forgotten or recalled, and purged contents.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::{BlobId, CommitId};
use crate::object::fields::{Field, fields};
use crate::time::Timestamp;

/// Changes of what the history keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryEdit {
    /// Commits that leave the history.
    pub forgets: Vec<ForgottenCommit>,
    /// Forgotten commits that return to the history.
    pub recalls: Vec<ForgottenCommit>,
    /// Commits that become heads thereby.
    pub heads_added: Vec<CommitId>,
    /// Commits that are no longer heads.
    pub heads_removed: Vec<CommitId>,
    /// Contents that are purged.
    pub purges: Vec<PurgedBlob>,
    /// Purged contents that can be read again.
    pub unpurges: Vec<BlobId>,
}

fields!(HistoryEdit: forgets, recalls, heads_added, heads_removed, purges, unpurges);

/// A commit that is forgotten or recalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgottenCommit {
    /// Id of the commit.
    pub id: CommitId,
    /// Its parents.
    pub parents: Vec<CommitId>,
}

fields!(ForgottenCommit: id, parents);

/// A content that is purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurgedBlob {
    /// Id of the blob.
    pub id: BlobId,
    /// Its size in bytes.
    pub size: u64,
}

fields!(PurgedBlob: id, size);

impl HistoryEdit {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == HistoryEdit::default()
    }
}

/// What remains of a forgotten commit, so that its descendants still lead to its ancestors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Its parents, or after a sweep the nearest ancestors that were not swept.
    pub parents: Vec<CommitId>,
    /// Number of commits that the entry stands for: itself, and those that a sweep left out behind it.
    pub count: u64,
    /// When the commit was forgotten. `None` after a sweep: it cannot be recalled.
    pub time: Option<Timestamp>,
}

/// Flags (bit 0: has a time), parents, count and time.
impl Field for Forgotten {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[self.time.is_some()]).put(&self.parents).put(&self.count).put_some(&self.time);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Forgotten> {
        let [has_time] = decoder.flags()?;
        let forgotten =
            Forgotten { parents: decoder.take()?, count: decoder.take()?, time: decoder.take_if(has_time)? };
        if forgotten.count == 0 { Err(decoder.invalid("a forgotten commit without a count")) } else { Ok(forgotten) }
    }
}

/// A purged content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// Size in bytes. A file of another size cannot have this content.
    pub size: u64,
    /// When the content was purged. `None` after a sweep: it cannot be read again.
    pub time: Option<Timestamp>,
}

/// Flags (bit 0: has a time), size and time.
impl Field for Purged {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[self.time.is_some()]).put(&self.size).put_some(&self.time);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Purged> {
        let [has_time] = decoder.flags()?;
        Ok(Purged { size: decoder.take()?, time: decoder.take_if(has_time)? })
    }
}

/// Forgotten commits by id.
pub type ForgottenCommits = BTreeMap<CommitId, Forgotten>;

/// The nearest ancestors of a commit that are not forgotten, given its parents: a forgotten parent is replaced by its
/// own parents. In the order of the parents, without duplicates.
pub fn kept_parents(forgotten: &ForgottenCommits, parents: &[CommitId]) -> Vec<CommitId> {
    if !parents.iter().any(|id| forgotten.contains_key(id)) {
        return parents.to_vec();
    }
    let mut kept = Vec::new();
    skipped_commits(forgotten, parents, &mut |id| kept.push(id));
    kept
}

/// Number of forgotten commits between a commit with these parents and its nearest ancestors in the history.
pub fn forgotten_count(forgotten: &ForgottenCommits, parents: &[CommitId]) -> u64 {
    skipped_commits(forgotten, parents, &mut |_| ()).iter().map(|id| forgotten[id].count).sum()
}

/// Follows forgotten commits from these parents; calls `kept` once for each commit that is not forgotten.
fn skipped_commits(
    forgotten: &ForgottenCommits,
    parents: &[CommitId],
    kept: &mut dyn FnMut(CommitId),
) -> BTreeSet<CommitId> {
    let (mut skipped, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut stack: Vec<CommitId> = parents.iter().rev().copied().collect();
    while let Some(id) = stack.pop() {
        match forgotten.get(&id) {
            Some(entry) if skipped.insert(id) => stack.extend(entry.parents.iter().rev()),
            Some(_) => {}
            None if seen.insert(id) => kept(id),
            None => {}
        }
    }
    skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> CommitId {
        CommitId([n; 32])
    }

    fn forgotten(entries: &[(u8, &[u8], u64)]) -> ForgottenCommits {
        let entry = |&(n, parents, count): &(u8, &[u8], u64)| {
            (id(n), Forgotten { parents: parents.iter().copied().map(id).collect(), count, time: None })
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn forgotten_parents_are_replaced_by_theirs() {
        let map = forgotten(&[(5, &[4], 1), (4, &[3, 2], 7), (2, &[], 1)]);
        assert_eq!(kept_parents(&map, &[id(5), id(1)]), [id(3), id(1)]);
        assert_eq!(forgotten_count(&map, &[id(5), id(1)]), 9);
        assert_eq!(kept_parents(&map, &[id(3), id(1)]), [id(3), id(1)]);
        assert_eq!(forgotten_count(&map, &[id(3)]), 0);
    }

    #[test]
    fn parents_reached_twice_are_returned_once() {
        let map = forgotten(&[(5, &[3, 4], 1), (4, &[3], 1)]);
        assert_eq!(kept_parents(&map, &[id(5), id(4), id(3)]), [id(3)]);
        assert_eq!(forgotten_count(&map, &[id(5), id(4), id(3)]), 2);
    }
}
