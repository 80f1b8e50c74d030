//! Prediction of cuts: a file is cut at the same places, whether its last content is known or not.

use proptest::prelude::*;

use crate::chunk::{Params, chunks};
use crate::object::groups::GROUP;
use crate::object::layout::Piece;
use crate::object::{Groups, Layout, ObjectKind, id_of};
use crate::parallel;
use crate::snapshot::large::SectionCutter;
use crate::snapshot::rechunk::{CutPredictor, FilePiece};

/// Small, so that tests are quick.
const SMALL: Params = Params { whole: 4096, target: 4096 };

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A file as stretches of data and holes between them.
#[derive(Clone, Debug)]
struct Given {
    bytes: Vec<u8>,
    /// Start and length, ascending, of zeros.
    holes: Vec<(usize, usize)>,
}

impl Given {
    /// The stretches in front of each hole, with the hole's length, and what is left.
    fn stretches(&self) -> Vec<(&[u8], usize)> {
        let mut at = 0;
        let mut stretches = Vec::new();
        for &(start, length) in &self.holes {
            stretches.push((&self.bytes[at..start], length));
            at = start + length;
        }
        stretches.push((&self.bytes[at..], 0));
        stretches
    }

    /// The layout of a file without last content.
    fn layout(&self) -> Layout {
        let mut layout = Layout::default();
        for (bytes, hole) in self.stretches() {
            for chunk in chunks(bytes, &SMALL) {
                layout.push(match chunk.iter().all(|&byte| byte == 0) {
                    true => Piece::Zeros { length: chunk.len() as u64 },
                    false => Piece::Chunk { id: id_of(ObjectKind::Data, chunk).into(), length: chunk.len() as u32 },
                });
            }
            layout.push(Piece::Zeros { length: hole as u64 });
        }
        layout
    }

    /// The layout of a file with this last content, and the number of bytes that were searched for cut points.
    fn predicted(&self, last: &Layout) -> (Layout, usize) {
        let mut predictor = CutPredictor::new(last, SMALL);
        let (mut layout, mut searched) = (Layout::default(), 0);
        for (bytes, hole) in self.stretches() {
            let cutter = SectionCutter { params: SMALL, all: true, workers: parallel::workers(), groups: &[] };
            let mut at = 0;
            for found in cutter.cut(&mut predictor, bytes) {
                assert!(
                    found
                        .chunk
                        .is_none_or(|id| id_of(ObjectKind::Data, &bytes[at..][..found.length]) == id.object_id())
                );
                layout.push(found.piece());
                searched += if is_old(&found) { 0 } else { found.length };
                at += found.length;
            }
            assert_eq!(at, bytes.len());
            if hole > 0 {
                predictor.pass(hole as u64);
                layout.push(Piece::Zeros { length: hole as u64 });
            }
        }
        (layout, searched)
    }
}

/// Whether the last content had the chunk, and it needed no search.
fn is_old(found: &FilePiece) -> bool {
    found.chunk.is_some() && !found.is_new
}

/// A change: where, how many bytes go, and how many come.
type Edit = (prop::sample::Index, usize, usize, u64);

fn edited(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, gone, come, seed) in edits {
        let at = at.index(bytes.len() + 1);
        let end = bytes.len().min(at + gone);
        // Now and then zeros.
        let new = if seed % 5 == 0 { vec![0; *come] } else { noise(*seed, *come) };
        bytes.splice(at..end, new);
    }
    bytes
}

fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    let length = || prop_oneof![Just(0), Just(1), 0..300usize, 0..20_000usize];
    prop::collection::vec((any::<prop::sample::Index>(), length(), length(), any::<u64>()), 0..most)
}

fn with_holes(bytes: Vec<u8>, places: &[(prop::sample::Index, usize)]) -> Given {
    let mut given = Given { holes: Vec::new(), bytes };
    let mut places: Vec<_> = places.iter().map(|(at, length)| (at.index(given.bytes.len() + 1), *length)).collect();
    places.sort_unstable();
    let mut free = 0;
    for (start, length) in places {
        let length = length.min(given.bytes.len() - start);
        if start >= free && length > 0 {
            given.bytes[start..start + length].fill(0);
            given.holes.push((start, length));
            free = start + length;
        }
    }
    given
}

fn holes() -> impl Strategy<Value = Vec<(prop::sample::Index, usize)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 1..30_000usize), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn predicted_cuts_equal_fresh_cuts(
        length in 0..300_000usize,
        repeats in prop_oneof![Just(1usize), Just(3)],
        edits in edits(6),
        old_holes in holes(),
        new_holes in holes(),
    ) {
        // Equal parts have equal chunks, at several places.
        let bytes = noise(length as u64, length / repeats).repeat(repeats);
        let old = with_holes(bytes.clone(), &old_holes);
        let new = with_holes(edited(&old.bytes, &edits), &new_holes);
        prop_assert_eq!(new.predicted(&old.layout()).0, new.layout());
    }

    #[test]
    fn predictor_is_right_for_any_layout(seed in any::<u64>(), cuts in prop::collection::vec(1..40_000u32, 0..20)) {
        let bytes = noise(seed, 200_000);
        let mut wrong = Layout::default();
        let mut at = 0;
        for length in cuts {
            let end = bytes.len().min(at + length as usize);
            // True ids of pieces with lengths that no chunk of this content has.
            if end > at && !(SMALL.minimum()..=SMALL.maximum()).contains(&(end - at)) {
                let id = id_of(ObjectKind::Data, &bytes[at..end]).into();
                wrong.push(Piece::Chunk { id, length: (end - at) as u32 });
            }
            at = end;
        }
        let given = Given { bytes, holes: Vec::new() };
        prop_assert_eq!(given.predicted(&wrong).0, given.layout());
    }
}

#[test]
fn predictor_searches_little_around_change() {
    let old = Given { bytes: noise(1, 1 << 20), holes: Vec::new() };
    let layout = old.layout();
    let longest = SMALL.maximum();
    let searched = |bytes: Vec<u8>| Given { bytes, holes: Vec::new() }.predicted(&layout).1;
    // The last chunk was cut by the end, so it is searched in any case.
    assert!(searched(old.bytes.clone()) <= longest);
    let mut changed = old.bytes.clone();
    changed[500_000] ^= 1;
    assert!(searched(changed) <= 3 * longest);
    let inserted = [&old.bytes[..500_000], b"more", &old.bytes[500_000..]].concat();
    assert!(searched(inserted) <= 4 * longest);
    let cut = [&old.bytes[..200_000], &old.bytes[300_000..]].concat();
    assert!(searched(cut) <= 4 * longest);
    let longer = [&old.bytes[..], &noise(2, 100)].concat();
    assert!(searched(longer) <= 2 * longest);
    let moved = [&noise(3, 300_000), &old.bytes[..]].concat();
    assert!(searched(moved) <= 300_000 + 4 * longest);
}

#[test]
fn predictor_skips_unchanged_groups() {
    let old = Given { bytes: noise(1, 3 * GROUP), holes: Vec::new() };
    let mut groups = Groups::new(false);
    groups.update(&old.bytes);
    let last = Layout { groups: groups.finish().1, ..old.layout() };
    // Other bytes, with forged hashes of the first and the last group. Reading the bytes would reveal that.
    let other = noise(2, 3 * GROUP);
    let mut forged = last.groups.clone();
    forged[1] = [0; 32];
    let cutter = SectionCutter { params: SMALL, all: true, workers: 1, groups: &forged };
    let mut at = 0;
    for found in cutter.cut(&mut CutPredictor::new(&last, SMALL), &other) {
        // The old chunk that reaches into the second group is not there any more.
        if at + SMALL.maximum() < GROUP || at >= GROUP {
            assert_eq!(is_old(&found), at < GROUP, "{} bytes at {at}", found.length);
        }
        at += found.length;
    }
    assert_eq!(at, other.len());
}
