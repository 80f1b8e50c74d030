//! A file that becomes a pack as it is. Copied here, which needs no file system that shares blocks.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::fs;
use crate::store::pack::file::stage;
use crate::store::pack::{PackType, path_of};

/// Chunks of these lengths that do not repeat.
fn chunks(seed: u64, lengths: &[usize]) -> Vec<Object> {
    lengths.iter().zip(seed..).map(|(&length, seed)| data(noise(seed, length))).collect()
}

fn pieces(chunks: &[Object]) -> Vec<Piece> {
    let piece = |(_, id, bytes): &Object| Piece::Chunk { id: ChunkId::from(*id), length: bytes.len() as u32 };
    chunks.iter().map(piece).collect()
}

fn bytes_of(pieces: &[Piece], chunks: &[Object]) -> Vec<u8> {
    let of = |piece: &Piece| match *piece {
        Piece::Chunk { id, .. } => chunks.iter().find(|chunk| chunk.1 == id.object_id()).unwrap().2.clone(),
        Piece::Zeros { length } => vec![0; length as usize],
    };
    pieces.iter().flat_map(of).collect()
}

impl Fixture {
    /// Stores a file of these bytes, which are these pieces, as a reflink copy.
    fn reflink(&mut self, bytes: &[u8], pieces: &[Piece]) -> Stored {
        let store = self.store();
        let session = store.session();
        let staged = stage(&session.store.directory, "pack").unwrap();
        fs::write_all(staged.file(), bytes).unwrap();
        let mut copy = ReflinkCopy::new(&session, staged);
        copy.add(pieces);
        let mut writer = session.writer();
        copy.finish(&mut writer).unwrap();
        writer.finish().unwrap();
        let stored = session.finish().unwrap();
        self.packs.extend(&stored.packs);
        stored
    }
}

#[test]
fn reflink_pack_is_the_file_and_a_table() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let objects = chunks(1, &[200_000, 5, 300_001]);
    let [a, b, c] = pieces(&objects)[..] else { unreachable!() };
    // One of them twice, and zeros, which are not an object.
    let pieces = [a, b, Piece::Zeros { length: 70_000 }, a, c];
    let bytes = bytes_of(&pieces, &objects);
    let stored = fixture.reflink(&bytes, &pieces);
    assert_eq!((stored.packs.len(), stored.objects), (1, 3));
    assert!(stored.bytes < 4096 + 500, "{} bytes", stored.bytes);
    let file = std::fs::read(fixture.pack_path(0)).unwrap();
    assert!(file.starts_with(&bytes));
    assert_eq!(file.len() - bytes.len(), 20 + 5 * 26 + 3 * 45 + 80);
    let store = fixture.store();
    expect_all(&store, &objects);
    let contents = store.check_pack(fixture.packs[0], &mut |broken| panic!("{broken:?}")).unwrap();
    assert_eq!((contents.objects, contents.bytes), (3, file.len() as u64));
    // It is found by what it holds, and by nothing else.
    let layout = |pieces: &[Piece]| Layout { pieces: pieces.to_vec(), groups: Vec::new() };
    assert!(store.reflink_pack(&layout(&pieces)).is_some());
    assert!(store.reflink_pack(&layout(&pieces[..4])).is_none());
    assert!(store.reflink_pack(&layout(&[Piece::Zeros { length: 9 }, a])).is_none());
    assert!(store.reflink_pack(&Layout::default()).is_none());
    assert_eq!(fixture.names_in("tmp"), Vec::<String>::new());
}

#[test]
fn check_verifies_every_byte_of_a_reflink_pack() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let objects = chunks(1, &[20_000, 30_000]);
    let pieces = [pieces(&objects), vec![Piece::Zeros { length: 10_000 }]].concat();
    fixture.reflink(&bytes_of(&pieces, &objects), &pieces);
    let path = fixture.pack_path(0);
    let good = std::fs::read(&path).unwrap();
    let bits = std::fs::Permissions::from_mode(0o600);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, bits.mode());
    for at in (0..good.len()).step_by(997).chain(good.len() - 300..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        let mut broken = 0;
        let checked = fixture.store().check_pack(fixture.packs[0], &mut |_| broken += 1);
        assert!(checked.is_err() || broken == 1, "byte {at}");
    }
}

#[test]
fn half_known_file_is_stored_in_ordinary_packs() {
    let mut fixture = Fixture::new(Compression::Stored);
    let objects = chunks(1, &[100_000, 100_000, 100_000]);
    fixture.put(&objects[..2]);
    let pieces = pieces(&objects);
    let bytes = bytes_of(&pieces, &objects);
    let stored = fixture.reflink(&bytes, &pieces);
    assert_eq!(stored.objects, 1);
    assert!((100_000..101_000).contains(&stored.bytes), "{} bytes", stored.bytes);
    let store = fixture.store();
    expect_all(&store, &objects);
    let types = store.packs.iter().map(|pack| pack.table().unwrap().pack_type);
    assert_eq!(types.collect::<Vec<_>>(), [PackType::Plain, PackType::Plain]);
    // All of it is known: nothing is stored.
    assert_eq!(fixture.reflink(&bytes, &pieces).packs.len(), 0);
    // Of one that repeats itself, too.
    let objects = chunks(9, &[100_000]);
    let pieces = vec![super::reflink_pack::pieces(&objects)[0]; 3];
    let stored = fixture.reflink(&bytes_of(&pieces, &objects), &pieces);
    assert!((100_000..101_000).contains(&stored.bytes), "{} bytes", stored.bytes);
}

#[test]
fn reflink_packs_are_never_merged() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    for n in 0..16 {
        let objects = chunks(100 * n, &[4 << 20; 4]);
        fixture.reflink(&bytes_of(&pieces(&objects), &objects), &pieces(&objects));
    }
    assert_eq!(fixture.store().merge_candidates(), Vec::<PackId>::new());
    // Asked for nevertheless, it becomes a plain one.
    let store = fixture.store();
    let merged = store.merge(&fixture.packs[..2]).unwrap().unwrap();
    fixture.packs = vec![merged];
    expect_all(&fixture.store(), &chunks(0, &[4 << 20; 4]));
    assert!(fs::exists(&path_of(fixture.path(), merged)).unwrap());
}

#[test]
fn dropped_reflink_copy_is_deleted() {
    let fixture = Fixture::new(Compression::Zstd(1));
    let store = fixture.store();
    let session = store.session();
    let objects = chunks(1, &[100_000]);
    let mut copy = ReflinkCopy::new(&session, stage(&session.store.directory, "pack").unwrap());
    copy.add(&pieces(&objects));
    drop(copy);
    assert_eq!(fixture.names_in("tmp"), Vec::<String>::new());
    let (kind, id, bytes) = &objects[0];
    assert!(!session.contains(*kind, *id));
    session.writer().put(*kind, *id, bytes).unwrap();
    assert_eq!(session.finish().unwrap().objects, 1);
}

#[test]
fn reflink_pack_with_hidden_chunks_is_not_cloned() {
    let mut fixture = Fixture::new(Compression::Stored);
    let objects = chunks(1, &[300_000, 200_000]);
    let pieces = pieces(&objects);
    fixture.reflink(&bytes_of(&pieces, &objects), &pieces);
    let layout = Layout { pieces, groups: Vec::new() };
    assert!(fixture.store().reflink_pack(&layout).is_some());
    let mut mask = Mask::default();
    let mut hidden = PackMask::new(2);
    hidden.hide(1);
    mask.insert(fixture.packs[0], hidden);
    assert!(fixture.masked(Some(mask)).reflink_pack(&layout).is_none());
}
