//! Files into a store and out of it again.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;

use crate::chunk::Params;
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;
use crate::object::layout::Piece;
use crate::object::{ObjectKind, id_of};
use crate::parallel::tests::with_workers;
use crate::progress::{Silent, Task};
use crate::snapshot::file::StoreSink;
use crate::store::{Compression, Options, Store};
use crate::worktree::content::Reading;
use crate::worktree::sink::Sink;

const PARAMS: Params = Params { whole: 1 << 20, target: 128 << 10 };

fn store(at: &Path, chunk: Params) -> Store {
    std::fs::create_dir_all(at.join("tmp")).unwrap();
    Store::open(
        at,
        &[],
        None,
        Options { chunk, compression: Compression::Zstd(1), reflink: true, durability: Durability::Synced },
    )
    .unwrap()
}

/// Bytes that do not repeat.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// A file: its bytes, and the holes it is said to have.
type Given<'g> = (&'g [u8], &'g [(u64, u64)]);

/// Stores files with the holes they are said to have; gives their ids and the store with them.
fn stored(at: &Path, files: &[Given<'_>]) -> (Vec<BlobId>, Store) {
    stored_with(at, PARAMS, files)
}

fn stored_with(at: &Path, params: Params, files: &[Given<'_>]) -> (Vec<BlobId>, Store) {
    let mut store = store(at, params);
    let session = store.session();
    let mut sink = StoreSink::new(&store, &session, true);
    let mut ids = Vec::new();
    for given in files {
        ids.push(read(&mut sink, *given, None));
    }
    sink.finish().unwrap();
    let packs = session.finish().unwrap().packs;
    store.add_packs(&packs).unwrap();
    (ids, store)
}

/// Stores a file that held `last` before.
fn read(sink: &mut StoreSink<'_>, (bytes, holes): Given<'_>, last: Option<BlobId>) -> BlobId {
    let file = file_of(bytes);
    let mut reading = Reading::new(&file, bytes.len() as u64, holes, &Silent).with_last(last);
    let id = sink.read(&mut reading).unwrap();
    assert_eq!(reading.position(), bytes.len() as u64);
    id
}

/// The pieces of a file that is cut in one go.
fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let piece = |chunk: &[u8]| Piece::Chunk { id: id_of(ObjectKind::Data, chunk).into(), length: chunk.len() as u32 };
    crate::chunk::chunks(bytes, &PARAMS).map(piece).collect()
}

#[test]
fn cuts_do_not_depend_on_workers_or_last_content() {
    let place = tempfile::tempdir().unwrap();
    // Longer than what one thread takes alone, and than the window.
    let before = noise(40 << 20, 1);
    let (ids, mut store) = stored(place.path(), &[(&before, &[])]);
    assert_eq!(store.layout(ids[0]).unwrap().pieces, pieces(&before));
    let after = [&before[..15 << 20], &noise(3 << 20, 2), &before[15 << 20..], &noise(10, 3)].concat();
    let mut kept = None;
    for workers in [1, 2, 3, 8] {
        let session = store.session();
        let id = with_workers(workers, || {
            let mut sink = StoreSink::new(&store, &session, true);
            let id = read(&mut sink, (&after, &[]), Some(ids[0]));
            sink.finish().unwrap();
            id
        });
        let stored = session.finish().unwrap();
        assert!(stored.bytes < 7 << 20, "{} bytes for 3 MiB of new ones by {workers} workers", stored.bytes);
        kept = Some((id, stored));
    }
    let (id, stored) = kept.unwrap();
    store.add_packs(&stored.packs).unwrap();
    assert_eq!(id.0, *blake3::hash(&after).as_bytes());
    assert_eq!(store.layout(id).unwrap().pieces, pieces(&after));
    let mut out = Vec::new();
    store.copy_blob(id, &mut out).unwrap();
    assert!(out == after);
}

#[test]
fn files_of_all_sizes_are_stored_exactly() {
    let place = tempfile::tempdir().unwrap();
    let whole = PARAMS.whole as usize;
    let files: Vec<Vec<u8>> = [0, 1, 100, whole - 1, whole, whole + 1, 4 << 20, (4 << 20) + 1, 9_000_001]
        .iter()
        .enumerate()
        .map(|(seed, &length)| noise(length, seed as u64))
        .collect();
    let given: Vec<Given<'_>> = files.iter().map(|bytes| (bytes.as_slice(), &[][..])).collect();
    let (ids, store) = stored(place.path(), &given);
    for (id, bytes) in ids.iter().zip(&files) {
        assert_eq!(id.0, *blake3::hash(bytes).as_bytes(), "{} bytes", bytes.len());
        let mut out = Vec::new();
        store.copy_blob(*id, &mut out).unwrap();
        assert!(out == *bytes, "{} bytes", bytes.len());
        assert_eq!(store.contains(ObjectKind::Layout, id.object_id()), bytes.len() > whole);
    }
}

#[test]
fn large_file_is_cut_by_content() {
    let place = tempfile::tempdir().unwrap();
    let before = noise(12 << 20, 1);
    let after = [&noise(1000, 2), &before[..]].concat();
    let (ids, store) = stored(place.path(), &[(&before, &[]), (&after, &[])]);
    let lengths: Vec<usize> = crate::chunk::chunks(&before, &PARAMS).map(<[u8]>::len).collect();
    let layouts = ids.iter().map(|id| store.layout(*id).unwrap().pieces).collect::<Vec<_>>();
    assert_eq!(layouts[0].iter().map(|piece| piece.length() as usize).collect::<Vec<_>>(), lengths);
    let new = layouts[1].iter().filter(|piece| !layouts[0].contains(piece)).count();
    assert!(new <= 4, "{new} of {} chunks are new", layouts[1].len());
}

#[test]
fn holes_and_zeros_have_no_chunks() {
    let place = tempfile::tempdir().unwrap();
    let mut bytes = vec![0; 40 << 20];
    bytes[..100].copy_from_slice(&noise(100, 3));
    bytes[30 << 20..][..2_000_000].copy_from_slice(&noise(2_000_000, 4));
    let holes = [(4096, (20 << 20) - 4096), (35 << 20, 5 << 20)];
    let (ids, store) = stored(place.path(), &[(&bytes, &holes), (&bytes[..50_000], &[(4096, 45_904)])]);
    assert_eq!(ids[0].0, *blake3::hash(&bytes).as_bytes());
    let pieces = store.layout(ids[0]).unwrap().pieces;
    let zeros: u64 = pieces.iter().filter(|piece| matches!(piece, Piece::Zeros { .. })).map(Piece::length).sum();
    assert!(zeros > 35 << 20, "{zeros}");
    let mut out = Vec::new();
    store.copy_blob(ids[0], &mut out).unwrap();
    assert!(out == bytes);
    let mut out = Vec::new();
    store.copy_blob(ids[1], &mut out).unwrap();
    assert!(out == bytes[..50_000]);
}

/// Small chunks, so that small files have every bound. The longest is as long as what is kept in one piece.
const SMALL: Params = Params { whole: 32 << 10, target: 4 << 10 };

/// Each file must come out as it went in, cut as in one go where it has no holes.
fn check(files: &[Given<'_>]) {
    let place = tempfile::tempdir().unwrap();
    let (ids, store) = stored_with(place.path(), SMALL, files);
    for (id, (bytes, holes)) in ids.iter().zip(files) {
        let what = format!("{} bytes, holes {holes:?}", bytes.len());
        assert_eq!(id.0, *blake3::hash(bytes).as_bytes(), "{what}");
        let layout = store.layout(*id).unwrap();
        assert_eq!(layout.size(), bytes.len() as u64, "{what}");
        let mut out = Vec::new();
        store.copy_blob(*id, &mut out).unwrap();
        assert!(out == *bytes, "{what}");
        let is_whole = bytes.len() as u64 <= SMALL.whole;
        assert_eq!(store.contains(ObjectKind::Layout, id.object_id()), !is_whole, "{what}");
        let lengths: Vec<usize> = layout.pieces.iter().map(|piece| piece.length() as usize).collect();
        if holes.is_empty() && !is_whole {
            assert_eq!(lengths, crate::chunk::chunks(bytes, &SMALL).map(<[u8]>::len).collect::<Vec<_>>(), "{what}");
        }
    }
}

#[test]
fn files_at_size_limits_are_stored_exactly() {
    let (longest, window) = (SMALL.maximum(), 8 << 20);
    let bounds = [longest, 2 * longest, 3 * longest, window, window + longest, 2 * window];
    let sizes: Vec<usize> = bounds.iter().flat_map(|&bound| [bound - 1, bound, bound + 1]).collect();
    // The same byte over and over is never cut before the longest chunk ends.
    let plain: Vec<Vec<u8>> = sizes.iter().map(|&size| vec![7; size]).collect();
    let mixed: Vec<Vec<u8>> = sizes.iter().map(|&size| noise(size, 1)).collect();
    check(&plain.iter().chain(&mixed).map(|bytes| (bytes.as_slice(), &[][..])).collect::<Vec<_>>());
}

/// Lengths about the bounds.
fn length() -> impl Strategy<Value = usize> {
    let bounds = [1, 4096, SMALL.maximum(), 2 * SMALL.maximum(), 8 << 20];
    (prop::sample::select(bounds.to_vec()), -2i64..3).prop_map(|(bound, more)| (bound as i64 + more).max(1) as usize)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn holes_of_any_length_read_as_zeros(
        parts in prop::collection::vec((any::<bool>(), length()), 1..6),
    ) {
        let (mut bytes, mut holes): (Vec<u8>, Vec<(u64, u64)>) = (Vec::new(), Vec::new());
        for (seed, (is_hole, length)) in parts.into_iter().enumerate() {
            match holes.last_mut() {
                Some(last) if is_hole && last.0 + last.1 == bytes.len() as u64 => last.1 += length as u64,
                _ if is_hole => holes.push((bytes.len() as u64, length as u64)),
                _ => {}
            }
            bytes.extend(if is_hole { vec![0; length] } else { noise(length, seed as u64) });
        }
        check(&[(&bytes, &holes)]);
    }
}

/// Progress that is not in time after some bytes.
struct BytesInTime(AtomicI64);

impl Task for BytesInTime {
    fn add(&self, units: u64) -> Result<()> {
        let left = self.0.fetch_sub(units as i64, Ordering::Relaxed) - units as i64;
        if left >= 0 { Ok(()) } else { Err(Error::new(ErrorKind::NotInTime, "the time is over")) }
    }

    fn set_total(&self, _: u64) {}
}

/// Stores a file in tries that take this many bytes each, the known ones included. Returns its id and the number of tries.
fn read_in_tries(store: &mut Store, file: &File, (size, holes): (u64, &[(u64, u64)]), bytes: u64) -> (BlobId, u64) {
    let (mut prefix, mut known, mut tries) = (None, 0, 0);
    loop {
        tries += 1;
        let session = store.session();
        let mut sink = StoreSink::new(store, &session, true);
        let task = BytesInTime(AtomicI64::new((known + bytes) as i64));
        let mut reading = Reading::new(file, size, holes, &task).with_prefix(prefix);
        let result = sink.read(&mut reading);
        if let Some((blob, length)) = reading.stored_prefix() {
            assert!(length >= known, "{length} < {known}");
            (prefix, known) = (Some(blob), length);
        }
        sink.finish().unwrap();
        let packs = session.finish().unwrap().packs;
        store.add_packs(&packs).unwrap();
        match result {
            Ok(id) => return (id, tries),
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotInTime),
        }
    }
}

#[test]
fn a_file_that_was_read_in_several_tries_is_stored_as_if_read_at_once() {
    const SIZE: usize = 100 << 20;
    let mut with_zeros = noise(SIZE, 9);
    with_zeros[30 << 20..(30 << 20) + 5_000_000].fill(0);
    with_zeros[SIZE - 9_000_000..].fill(0);
    let hole = (30 << 20, 5_000_000);
    let at_end = (SIZE as u64 - 9_000_000, 9_000_000);
    let files: [Given<'_>; 3] = [(&noise(SIZE, 8), &[]), (&with_zeros, &[]), (&with_zeros, &[hole, at_end])];
    for (bytes, holes) in files {
        let place = tempfile::tempdir().unwrap();
        let (ids, whole) = stored(&place.path().join("whole"), &[(bytes, holes)]);
        for step in [17 << 20, 33_333_333] {
            let place = tempfile::tempdir().unwrap();
            let mut store = store(place.path(), PARAMS);
            let (id, tries) = read_in_tries(&mut store, &file_of(bytes), (SIZE as u64, holes), step);
            assert_eq!(id, ids[0]);
            assert!(tries >= 3, "{tries} tries");
            assert_eq!(store.layout(id).unwrap(), whole.layout(id).unwrap(), "{step} bytes in a try, {holes:?}");
            assert_eq!(store.copy_blob(id, &mut std::io::sink()).unwrap(), SIZE as u64);
        }
    }
}
