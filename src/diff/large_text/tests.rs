//! Hunks of large texts are those of whole texts, and only what differs is read.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::chunk;
use crate::id::ChunkId;

/// A text cut into chunks of about 4 KiB, which counts the bytes read.
struct Cut {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    read: Cell<u64>,
}

impl Cut {
    fn new(bytes: &[u8], target: u32) -> Cut {
        let params = chunk::Params { whole: 0, target };
        let piece =
            |part: &[u8]| Piece::Chunk { id: ChunkId(*blake3::hash(part).as_bytes()), length: part.len() as u32 };
        let pieces = chunk::chunks(bytes, &params).map(piece).collect();
        Cut { bytes: bytes.to_vec(), pieces, read: Cell::new(0) }
    }
}

/// Compares two texts, and returns the number of bytes read.
fn compared(old: &[u8], new: &[u8], context: usize, limits: Limits) -> (Outcome, u64) {
    let (old, new) = (Cut::new(old, 4 << 10), Cut::new(new, 4 << 10));
    let fetch = |cut: &Cut, offset: u64, length: u32| {
        cut.read.set(cut.read.get() + u64::from(length));
        Ok(cut.bytes[offset as usize..][..length as usize].to_vec())
    };
    let (old_fetch, new_fetch) =
        (|offset, length| fetch(&old, offset, length), |offset, length| fetch(&new, offset, length));
    let contents =
        [Contents { pieces: &old.pieces, fetch: &old_fetch }, Contents { pieces: &new.pieces, fetch: &new_fetch }];
    let outcome = diff(&contents[0], &contents[1], TextOptions::exact(context), limits).unwrap();
    (outcome, old.read.get() + new.read.get())
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("line {n} of the table, {}\n", n * 7919 % 10_007)).collect()
}

#[test]
fn one_edited_line_costs_few_reads() {
    let mut lines = numbered(100_000);
    let old = lines.concat();
    lines[70_000] = "another line\n".to_owned();
    lines.insert(80_000, "a new line\n".to_owned());
    let new = lines.concat();
    let limits = Limits { counted: 0, ..Limits::default() };
    let (outcome, read) = compared(old.as_bytes(), new.as_bytes(), 3, limits);
    let Outcome::Hunks(hunks) = outcome else { panic!("{outcome:?}") };
    assert_eq!(hunks.len(), 2);
    assert!(hunks.iter().all(|hunk| hunk.is_estimated));
    // The first lines are shorter than the others.
    assert!((60_000..100_000).contains(&hunks[0].new_start), "{}", hunks[0].new_start);
    assert_eq!(hunks[1].new_start, hunks[1].old_start);
    assert!(read < 200_000, "{read} bytes of {}", old.len() + new.len());
    let (outcome, _) = compared(old.as_bytes(), new.as_bytes(), 3, Limits::default());
    let Outcome::Hunks(hunks) = outcome else { panic!("{outcome:?}") };
    assert_eq!((hunks[0].old_start, hunks[0].new_start, hunks[0].is_estimated), (69_998, 69_998, false));
    assert_eq!((hunks[1].old_start, hunks[1].new_start), (79_998, 79_998));
}

#[test]
fn limits_and_binary_contents_are_reported() {
    let old = numbered(20_000).concat();
    let new = old.replace("table", "chair");
    let limits = Limits { window: 100 << 10, ..Limits::default() };
    assert_eq!(compared(old.as_bytes(), new.as_bytes(), 3, limits).0, Outcome::TooDifferent);
    let new = format!("\0{old}");
    assert_eq!(compared(old.as_bytes(), new.as_bytes(), 3, limits).0, Outcome::Binary);
    // A line without an end.
    let (old, new) = (vec![b'a'; 1 << 20], [vec![b'a'; 1 << 20], vec![b'b']].concat());
    assert_eq!(compared(&old, &new, 3, limits).0, Outcome::TooDifferent);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn hunks_are_those_of_the_whole_texts(
        count in 0usize..3000,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..3), 0..12),
        context in 0usize..5,
        has_end in any::<bool>(),
    ) {
        let mut lines = numbered(count);
        let old = lines.concat();
        for (at, edit) in edits {
            match edit {
                _ if lines.is_empty() => lines.push("first\n".into()),
                0 => drop(lines.remove(at.index(lines.len()))),
                1 => lines.insert(at.index(lines.len()), format!("new {edit}\n")),
                _ => {
                    let at = at.index(lines.len());
                    lines[at] += "more\n";
                }
            }
        }
        let mut new = lines.concat();
        if !has_end {
            new.pop();
        }
        let whole = text::diff(old.as_bytes(), new.as_bytes(), TextOptions::exact(context)).unwrap();
        prop_assert_eq!(compared(old.as_bytes(), new.as_bytes(), context, Limits::default()).0, Outcome::Hunks(whole));
    }
}
