//! Objects on their way into packs, found again, and out of them.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tempfile::TempDir;
use undo::id::ObjectId;
use undo::internals::chunk;
use undo::internals::object::{ObjectKind, Objects, id_of};
use undo::internals::store::{Compression, Options, Store};

use crate::samples;
use undo::environment::Durability;

/// Data that fills some frames, and no pack.
const LENGTH: usize = 16 << 20;
/// The longest frame of many small objects.
const FRAME: usize = 256 << 10;
/// More than the store looks up without a catalog.
const OBJECTS: u64 = 100_000;

fn empty(place: &TempDir, compression: Compression) -> Store {
    let options =
        Options { chunk: chunk::Params::default(), compression, reflink: false, durability: Durability::Synced };
    Store::open(place.path(), &[], None, options).unwrap()
}

/// Puts 16 MiB into a session that is then dropped: what is left is compressing, and comparing what was compressed.
fn compress(bencher: Bencher, compression: Compression, bytes: &[u8]) {
    let place = tempfile::tempdir().unwrap();
    let store = empty(&place, compression);
    let frames: Vec<_> = bytes.chunks(FRAME).map(|frame| (id_of(ObjectKind::Data, frame), frame)).collect();
    bencher.counter(BytesCount::new(bytes.len())).bench(|| {
        let session = store.session();
        let mut writer = session.writer();
        for (id, frame) in &frames {
            writer.put(ObjectKind::Data, *id, black_box(frame)).unwrap();
        }
    });
}

/// Compressing frames of text with the default, and comparing.
#[divan::bench]
fn compress_table(bencher: Bencher) {
    compress(bencher, Compression::Zstd(1), &samples::table(LENGTH));
}

/// Finding out that random bytes cannot be compressed.
#[divan::bench]
fn compress_noise(bencher: Bencher) {
    compress(bencher, Compression::Zstd(1), &samples::noise(1, LENGTH));
}

/// Compressing frames of text with deflate, and comparing.
#[divan::bench(sample_count = 10)]
fn compress_table_deflate(bencher: Bencher) {
    compress(bencher, Compression::Deflate(6), &samples::table(LENGTH));
}

/// A store of many small objects, with a catalog.
fn filled(place: &TempDir) -> (Store, Vec<ObjectId>) {
    let mut store = empty(place, Compression::Stored);
    let session = store.session();
    let mut writer = session.writer();
    let mut put = |n: u64| {
        let bytes = n.to_le_bytes();
        let id = id_of(ObjectKind::Data, &bytes);
        writer.put(ObjectKind::Data, id, &bytes).unwrap();
        id
    };
    let ids = (0..OBJECTS).map(&mut put).collect();
    writer.finish().unwrap();
    let packs = session.finish().unwrap().packs;
    store.add_packs(&packs).unwrap();
    assert!(place.path().join("catalog").exists());
    (store, ids)
}

/// Looking up 1,000 of 100,000 objects, all over the catalog.
#[divan::bench]
fn find_held(bencher: Bencher) {
    let place = tempfile::tempdir().unwrap();
    let (store, ids) = filled(&place);
    let some: Vec<ObjectId> = ids.into_iter().step_by(100).collect();
    let find = || some.iter().filter(|id| store.contains(ObjectKind::Data, **id)).count();
    assert_eq!(find(), some.len());
    bencher.counter(ItemsCount::new(some.len())).bench(find);
}

/// Looking up 1,000 objects that are not there: what a first commit does with each.
#[divan::bench]
fn find_new(bencher: Bencher) {
    let place = tempfile::tempdir().unwrap();
    let (store, _) = filled(&place);
    let new: Vec<ObjectId> = (0..1000u64).map(|n| id_of(ObjectKind::Data, &(!n).to_le_bytes())).collect();
    let find = || new.iter().filter(|id| store.contains(ObjectKind::Data, **id)).count();
    assert_eq!(find(), 0);
    bencher.counter(ItemsCount::new(new.len())).bench(find);
}

/// Reading 1,000 small objects in the order in which they lie: each frame is decoded once.
#[divan::bench]
fn read_in_order(bencher: Bencher) {
    let place = tempfile::tempdir().unwrap();
    let (store, ids) = filled(&place);
    bencher
        .counter(ItemsCount::new(1000u64))
        .bench(|| ids[..1000].iter().map(|id| store.object(ObjectKind::Data, *id).unwrap().len()).sum::<usize>());
}
