//! Ranges applied to the old content give the new one, and are precise where that is cheap.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::id::BlobId;

fn applied(old: &[u8], new: &[u8], found: &Ranges) -> Vec<u8> {
    let (mut result, mut at) = (Vec::new(), 0);
    for range in &found.ranges {
        result.extend_from_slice(&old[at..range.old_offset as usize]);
        assert_eq!(result.len() as u64, range.new_offset);
        result.extend_from_slice(&new[range.new_offset as usize..][..range.new_length as usize]);
        at = (range.old_offset + range.old_length) as usize;
    }
    result.extend_from_slice(&old[at..]);
    result
}

fn range(old_offset: u64, old_length: u64, new_offset: u64, new_length: u64) -> Range {
    Range { old_offset, old_length, new_offset, new_length }
}

/// Bytes without repetitions.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

/// A content cut into pieces of given lengths; pieces of zeros become runs of zeros.
struct Cut {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    read: Cell<usize>,
}

impl Cut {
    fn new(bytes: &[u8], lengths: &[usize]) -> Cut {
        let mut pieces = Vec::new();
        let (mut rest, mut lengths) = (bytes, lengths.iter().cycle());
        while !rest.is_empty() {
            let length = lengths.next().map_or(rest.len(), |length| *length).min(rest.len());
            let (part, after) = rest.split_at(length);
            pieces.push(match part.iter().all(|&byte| byte == 0) {
                true => Piece::Zeros { length: length as u64 },
                false => Piece::Chunk { id: ChunkId(*blake3::hash(part).as_bytes()), length: length as u32 },
            });
            rest = after;
        }
        Cut { bytes: bytes.to_vec(), pieces, read: Cell::new(0) }
    }

    fn fetch(&self, offset: u64, length: u32) -> Result<Vec<u8>> {
        let mut at = 0;
        for piece in &self.pieces {
            if let (true, Piece::Chunk { length: known, .. }) = (at == offset, *piece) {
                assert_eq!(known, length);
                self.read.set(self.read.get() + length as usize);
                return Ok(self.bytes[at as usize..][..length as usize].to_vec());
            }
            at += piece.length();
        }
        panic!("no chunk begins at {offset}")
    }
}

fn by_pieces(old: &Cut, new: &Cut) -> Ranges {
    let old = Contents { pieces: &old.pieces, fetch: &|offset, length| old.fetch(offset, length) };
    let new = Contents { pieces: &new.pieces, fetch: &|offset, length| new.fetch(offset, length) };
    ranges_of_pieces(&old, &new).unwrap()
}

fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![3 => Just(0u8), 1 => 0u8..3], 0..200)
}

proptest! {
    #[test]
    fn applying_ranges_to_the_old_content_gives_the_new(
        old in some_bytes(),
        new in some_bytes(),
        lengths in proptest::collection::vec(1usize..30, 1..5),
    ) {
        let found = ranges(&old, &new);
        prop_assert_eq!(applied(&old, &new, &found), new.clone());
        prop_assert_eq!(found.ranges.is_empty(), old == new);
        let found = by_pieces(&Cut::new(&old, &lengths), &Cut::new(&new, &lengths));
        prop_assert_eq!(applied(&old, &new, &found), new.clone());
        let found = by_pieces(&Cut::new(&old, &lengths), &Cut::new(&new, &[7, 3]));
        prop_assert_eq!(applied(&old, &new, &found), new);
        prop_assert!(found.ranges.windows(2).all(|two| two[1].old_offset - two[0].old_end() >= MIN_GAP));
    }

    #[test]
    fn finds_changed_removed_and_added_bytes(
        edits in proptest::collection::vec((0usize..60_000, 0usize..300, 0usize..300), 1..6),
    ) {
        let old = noise(64_000);
        let mut new = old.clone();
        for (at, removed, added) in edits {
            let end = (at + removed).min(new.len());
            new.splice(at.min(end)..end, std::iter::repeat_n(b'x', added));
        }
        let found = ranges(&old, &new);
        prop_assert_eq!(applied(&old, &new, &found), new);
        prop_assert!(found.ranges.iter().map(|range| range.new_length).sum::<u64>() < 6 * 20_000);
    }
}

#[test]
fn reports_bytes_changed_in_place_exactly() {
    let old = noise(5_000);
    let mut new = old.clone();
    for at in [10, 11, 20, 3_000] {
        new[at] ^= 1;
    }
    assert_eq!(ranges(&old, &new).ranges, [range(10, 11, 10, 11), range(3_000, 1, 3_000, 1)]);
    assert_eq!(ranges(&old, &old).ranges, []);
    assert_eq!(ranges(b"", b"abc").ranges, [range(0, 0, 0, 3)]);
    assert_eq!(ranges(b"abc", b"").ranges, [range(0, 3, 0, 0)]);
}

#[test]
fn an_insertion_leaves_the_bytes_after_it_equal() {
    let old = noise(50_000);
    let new = [&old[..20_000], &b"inserted"[..], &old[20_000..]].concat();
    assert_eq!(ranges(&old, &new).ranges, [range(20_000, 0, 20_000, 8)]);
}

#[test]
fn does_not_read_equal_pieces() {
    let old = noise(1 << 20);
    let mut new = old.clone();
    new[600_000] ^= 1;
    let (old, new) = (Cut::new(&old, &[10_000]), Cut::new(&new, &[10_000]));
    assert_eq!(by_pieces(&old, &new).ranges, [range(600_000, 1, 600_000, 1)]);
    assert_eq!((old.read.get(), new.read.get()), (10_000, 10_000));
}

#[test]
fn finds_a_write_into_a_huge_hole_without_reading_the_hole() {
    const HOLE: u64 = 1 << 40;
    let id = ChunkId(BlobId(*blake3::hash(b"data").as_bytes()).0);
    let old = [Piece::Zeros { length: HOLE }];
    let new =
        [Piece::Zeros { length: HOLE / 2 }, Piece::Chunk { id, length: 4 }, Piece::Zeros { length: HOLE / 2 - 4 }];
    let fetch = |_: u64, _: u32| Ok(b"data".to_vec());
    let [old, new] = [&old[..], &new[..]].map(|pieces| Contents { pieces, fetch: &fetch });
    assert_eq!(ranges_of_pieces(&old, &new).unwrap().ranges, [range(HOLE / 2, 4, HOLE / 2, 4)]);
    let longer = [Piece::Zeros { length: HOLE + 5 }];
    let longer = Contents { pieces: &longer, fetch: &fetch };
    assert_eq!(ranges_of_pieces(&old, &longer).unwrap().ranges, [range(HOLE, 0, HOLE, 5)]);
}

#[test]
fn reports_a_chunk_of_the_wrong_length_as_damage() {
    let pieces = [1, 2].map(|n| [Piece::Chunk { id: ChunkId([n; 32]), length: 10 }]);
    let fetch = |_: u64, _: u32| Ok(vec![1, 2, 3]);
    let [old, new] = [&pieces[0], &pieces[1]].map(|pieces| Contents { pieces, fetch: &fetch });
    assert_eq!(ranges_of_pieces(&old, &new).unwrap_err().kind(), crate::error::ErrorKind::Damaged);
}

#[test]
fn bounds_the_number_of_ranges() {
    let old = vec![0; 100_000];
    let new: Vec<u8> = (0..100_000).map(|n| u8::from(n % 50 == 0)).collect();
    let found = ranges(&old, &new);
    assert_eq!((found.ranges.len(), found.truncated), (MAX_RANGES, true));
}
