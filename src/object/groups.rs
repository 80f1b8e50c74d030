//! Hashes a large blob in groups of bytes, with several threads, so that equal groups of two versions can be detected.
//!
//! BLAKE3 is a tree, and each group is a subtree. An unchanged group has the same value as before, and all values
//! together prove the id of the blob.

use blake3::Hasher;
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use crate::id::{BlobId, LENGTH};
use crate::parallel;

/// Size of a group in bytes. Part of the format.
pub const GROUP: usize = 4 << 20;

/// 16 TiB, the maximum size of a blob: its list of groups takes 128 MiB, in memory and in a layout, which must fit in a
/// frame of 256 MiB. Files on ext4 cannot be longer; on other file systems only sparse files are.
pub const LONGEST: u64 = 16 << 40;

/// BLAKE3's chaining value of a group, which depends on the bytes and the offset of the group.
pub type GroupHash = [u8; LENGTH];

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Hashes a blob from start to end.
pub struct Groups {
    /// Whether all workers hash complete groups.
    is_shared: bool,
    /// Values of complete groups.
    values: Vec<GroupHash>,
    /// Hasher of the first group, for a blob of just one group, whose hash is not that of a subtree.
    first: Option<Hasher>,
    /// Hasher of the incomplete group, and its number of bytes.
    open: Hasher,
    filled: usize,
}

impl Groups {
    /// Starts a blob.
    pub fn new(is_shared: bool) -> Groups {
        Groups { is_shared, values: Vec::new(), first: None, open: Hasher::new(), filled: 0 }
    }

    /// Continues a blob of which these are the values of the first groups, at least two.
    pub fn resume(is_shared: bool, values: Vec<GroupHash>) -> Groups {
        assert!(values.len() > 1, "a blob of one group needs the hasher of that group");
        Groups { is_shared, open: begin(values.len()), values, first: None, filled: 0 }
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let missing = if self.filled == 0 && !self.values.is_empty() { 0 } else { GROUP - self.filled };
        let (head, rest) = bytes.split_at(missing.min(bytes.len()));
        self.fill(head);
        let (whole, tail) = rest.as_chunks::<GROUP>();
        self.extend(whole.len(), |n, at| hash(n, &whole[at]));
        self.fill(tail);
    }

    /// Appends zeros. `known` returns the value of the group with this number if it was all zeros before.
    pub fn update_zeros(&mut self, mut length: u64, known: &(dyn Fn(usize) -> Option<GroupHash> + Sync)) {
        let missing = if self.filled == 0 && !self.values.is_empty() { 0 } else { (GROUP - self.filled) as u64 };
        let fill = |groups: &mut Groups, mut count: u64| {
            while count > 0 {
                let step = count.min(ZEROS.len() as u64);
                groups.fill(&ZEROS[..step as usize]);
                count -= step;
            }
        };
        fill(self, missing.min(length));
        length -= missing.min(length);
        let whole = (length / GROUP as u64) as usize;
        self.extend(whole, |n, _| known(n).unwrap_or_else(|| hash_zeros(n)));
        fill(self, length % GROUP as u64);
    }

    /// Values of the complete groups.
    pub fn values(&self) -> &[GroupHash] {
        &self.values
    }

    /// Returns the id of the blob and the values of its groups; no values for a blob of one group.
    pub fn finish(mut self) -> (BlobId, Vec<GroupHash>) {
        let only = match (self.values.len(), self.filled) {
            (0, _) => Some(&self.open),
            (1, 0) => self.first.as_ref(),
            _ => None,
        };
        if let Some(only) = only {
            return (BlobId(*only.finalize().as_bytes()), Vec::new());
        }
        if self.filled > 0 {
            self.values.push(self.open.finalize_non_root());
        }
        (root(&self.values), self.values)
    }

    /// Adds bytes to the incomplete group, at most as many as it lacks.
    fn fill(&mut self, bytes: &[u8]) {
        self.open.update(bytes);
        self.filled += bytes.len();
        if self.filled == GROUP {
            self.values.push(self.open.finalize_non_root());
            let complete = std::mem::replace(&mut self.open, begin(self.values.len()));
            if self.values.len() == 1 {
                self.first = Some(complete);
            }
            self.filled = 0;
        }
    }

    /// Adds complete groups. `hash` gets the number of a group in the blob, and its index among the added ones.
    fn extend(&mut self, count: usize, hash: impl Fn(usize, usize) -> GroupHash + Sync) {
        if count == 0 {
            return;
        }
        let start = self.values.len();
        match self.is_shared {
            true => self.values.extend(parallel::map(0..count, |at| hash(start + at, at))),
            false => self.values.extend((0..count).map(|at| hash(start + at, at))),
        }
        self.open = begin(self.values.len());
    }
}

/// Whether these are the values of the groups of a blob.
pub fn prove(blob: BlobId, values: &[GroupHash]) -> bool {
    values.len() > 1 && root(values) == blob
}

/// Number of groups of a blob of this size; 0 for a single group.
pub fn count(size: u64) -> u64 {
    if size <= GROUP as u64 { 0 } else { size.div_ceil(GROUP as u64) }
}

fn begin(number: usize) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(number as u64 * GROUP as u64);
    hasher
}

fn hash(number: usize, bytes: &[u8; GROUP]) -> GroupHash {
    begin(number).update(bytes).finalize_non_root()
}

fn hash_zeros(number: usize) -> GroupHash {
    let mut hasher = begin(number);
    for _ in 0..GROUP / ZEROS.len() {
        hasher.update(&ZEROS);
    }
    hasher.finalize_non_root()
}

/// The root hash of two or more groups.
fn root(values: &[GroupHash]) -> BlobId {
    let (left, right) = halves(values);
    BlobId(*merge_subtrees_root(&merged(left), &merged(right), Mode::Hash).as_bytes())
}

fn merged(values: &[GroupHash]) -> GroupHash {
    if let [value] = values {
        return *value;
    }
    let (left, right) = halves(values);
    merge_subtrees_non_root(&merged(left), &merged(right), Mode::Hash)
}

/// In BLAKE3, the left subtree has the largest power of two that leaves at least one group on the right.
fn halves(values: &[GroupHash]) -> (&[GroupHash], &[GroupHash]) {
    values.split_at(values.len().next_power_of_two() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    #[test]
    fn group_hash_equals_blake3_for_any_update_sizes() {
        let all = bytes(5 * GROUP + 12345);
        for length in [0, 1, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 3 * GROUP, 4 * GROUP, 4 * GROUP + 1, all.len()] {
            let expected = BlobId(*blake3::hash(&all[..length]).as_bytes());
            for step in [1_000_003, GROUP, 2 * GROUP + 7, all.len()] {
                for is_shared in [false, true] {
                    let mut groups = Groups::new(is_shared);
                    all[..length].chunks(step).for_each(|part| groups.update(part));
                    let (id, values) = groups.finish();
                    assert_eq!(id, expected, "{length} in steps of {step}");
                    assert_eq!(values.len() as u64, count(length as u64));
                    assert!(values.is_empty() || prove(id, &values));
                }
            }
        }
    }

    #[test]
    fn zero_groups_use_known_hashes() {
        for (before, zeros, after) in [(0, 3 * GROUP, 0), (5, 2 * GROUP, 7), (GROUP, 3 * GROUP, 1), (9, 100, GROUP)] {
            let all = [bytes(before), vec![0; zeros], bytes(after)].concat();
            let mut groups = Groups::new(true);
            groups.update(&all[..before]);
            groups.update_zeros(zeros as u64, &|_| None);
            groups.update(&all[before + zeros..]);
            let (id, values) = groups.finish();
            assert_eq!(id.0, *blake3::hash(&all).as_bytes());
            let mut again = Groups::new(false);
            again.update(&all[..before]);
            again.update_zeros(zeros as u64, &|n| values.get(n).copied());
            again.update(&all[before + zeros..]);
            assert_eq!(again.finish(), (id, values));
        }
    }

    #[test]
    fn wrong_group_hashes_are_rejected() {
        let mut groups = Groups::new(true);
        groups.update(&bytes(3 * GROUP));
        let (id, mut values) = groups.finish();
        assert!(!prove(id, &values[..2]) && !prove(id, &[]));
        values.swap(0, 1);
        assert!(!prove(id, &values));
    }
}
