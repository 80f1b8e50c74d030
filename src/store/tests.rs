//! What the store promises, tried from the outside: what was put comes back, or is said to be damaged.

mod compaction;
mod damage;
mod mask;
mod merge;
mod reflink_pack;
mod writing;

use std::path::{Path, PathBuf};

use super::*;
use crate::chunk;
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId, IdPrefix, ObjectId, PackId};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, Objects, id_of};

/// A repository folder with packs.
struct Fixture {
    folder: tempfile::TempDir,
    compression: Compression,
    packs: Vec<PackId>,
}

type Object = (ObjectKind, ObjectId, Vec<u8>);

impl Fixture {
    fn new(compression: Compression) -> Fixture {
        Fixture { folder: tempfile::tempdir().unwrap(), compression, packs: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn pack_path(&self, n: usize) -> PathBuf {
        super::pack::path_of(self.path(), self.packs[n])
    }

    fn store(&self) -> Store {
        self.masked(None)
    }

    /// The store with the objects that a mask does not hide.
    fn masked(&self, mask: Option<Mask>) -> Store {
        let options = Options {
            chunk: chunk::Params::default(),
            compression: self.compression,
            reflink: true,
            durability: Durability::Synced,
        };
        Store::open(self.path(), &self.packs, mask, options).unwrap()
    }

    /// Puts objects in one session with one writer; the numbers of its packs.
    fn put(&mut self, objects: &[Object]) -> Stored {
        let store = self.store();
        let session = store.session();
        let mut writer = session.writer();
        for (kind, id, bytes) in objects {
            writer.put(*kind, *id, bytes).unwrap();
        }
        writer.finish().unwrap();
        let stored = session.finish().unwrap();
        self.packs.extend(&stored.packs);
        stored
    }

    /// Has these packs left, and no others.
    fn leave(&mut self, packs: Vec<PackId>) {
        let gone: Vec<PathBuf> = (0..self.packs.len()).map(|n| self.pack_path(n)).collect();
        gone.into_iter().for_each(|path| std::fs::remove_file(path).unwrap());
        self.packs = packs;
    }

    fn names_in(&self, folder: &str) -> Vec<String> {
        let names = crate::fs::list(&self.path().join(folder)).unwrap();
        names.into_iter().map(|name| String::from_utf8(name).unwrap()).collect()
    }
}

/// Objects in packs; one that lies in two counts twice.
fn objects_in(store: &Store, packs: &[PackId]) -> u64 {
    packs.iter().map(|&pack| store.check_pack(pack, &mut |_| {}).unwrap().objects).sum()
}

fn object(kind: ObjectKind, bytes: Vec<u8>) -> Object {
    (kind, id_of(kind, &bytes), bytes)
}

fn data(bytes: impl Into<Vec<u8>>) -> Object {
    object(ObjectKind::Data, bytes.into())
}

/// Bytes that no codec makes shorter.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Bytes that every codec makes shorter.
fn text(seed: u64, length: usize) -> Vec<u8> {
    let words = (seed..).flat_map(|n| format!("line {n} of a text that repeats itself\n").into_bytes());
    words.take(length).collect()
}

/// Objects of all kinds and many sizes.
fn mixture() -> Vec<Object> {
    let mut objects = vec![data(""), data("x"), object(ObjectKind::Tree, Vec::new())];
    for (n, length) in [10, 1000, 5000, 65_535, 65_536, 262_144, 300_000, 1_000_000].into_iter().enumerate() {
        objects.push(data(noise(n as u64, length)));
        objects.push(data(text(n as u64, length)));
    }
    for n in 0..200 {
        let kind = [ObjectKind::Tree, ObjectKind::Commit, ObjectKind::Attributes, ObjectKind::Links][n as usize % 4];
        objects.push(object(kind, text(1000 * n, 50 + 13 * n as usize)));
        objects.push(data(text(7 * n, 11 * n as usize + 1)));
    }
    objects.push(object(ObjectKind::LayoutNode, noise(99, 100_000)));
    objects
}

#[track_caller]
fn expect_all(store: &Store, objects: &[Object]) {
    let mut reader = store.reader();
    for (kind, id, bytes) in objects {
        assert!(store.contains(*kind, *id));
        assert_eq!(&store.object(*kind, *id).unwrap()[..], bytes);
        assert_eq!(reader.read(*kind, *id).unwrap(), bytes);
    }
}

/// Puts a blob made of chunks of these lengths, `None` being zeros; its id.
fn put_blob(fixture: &mut Fixture, pieces: &[(Option<u64>, usize)]) -> (BlobId, Vec<u8>) {
    let (mut layout, mut whole, mut objects) = (Layout::default(), Vec::new(), Vec::new());
    for (seed, length) in pieces {
        let bytes = seed.map_or(vec![0; *length], |seed| noise(seed, *length));
        layout.pieces.push(match seed {
            Some(_) => Piece::Chunk { id: ChunkId(*blake3::hash(&bytes).as_bytes()), length: *length as u32 },
            None => Piece::Zeros { length: *length as u64 },
        });
        whole.extend_from_slice(&bytes);
        objects.extend(seed.map(|_| data(bytes)));
    }
    let blob = BlobId(*blake3::hash(&whole).as_bytes());
    let put = |id: crate::id::LayoutId, bytes| -> Result<()> {
        objects.push((ObjectKind::LayoutNode, id.object_id(), bytes));
        Ok(())
    };
    let root = layout.save(blob, put).unwrap();
    objects.push((ObjectKind::Layout, blob.object_id(), root));
    fixture.put(&objects);
    (blob, whole)
}

/// All that is wrong with a pack.
fn check(store: &Store, pack: PackId) -> Vec<Error> {
    let mut errors = Vec::new();
    let checked = store.check_pack(pack, &mut |broken| errors.push(broken.error));
    errors.extend(checked.err());
    errors
}

#[test]
fn objects_round_trip_with_every_codec_and_catalog() {
    for compression in [Compression::Stored, Compression::Deflate(6), Compression::Zstd(1)] {
        let mut fixture = Fixture::new(compression);
        let objects = mixture();
        let stored = fixture.put(&objects);
        assert_eq!(stored.objects, objects.len() as u64 - 1, "all but the empty blob");
        expect_all(&fixture.store(), &objects);
        fixture.store().write_catalog().unwrap();
        expect_all(&fixture.store(), &objects);
        fixture.packs.iter().for_each(|&id| assert!(check(&fixture.store(), id).is_empty()));
    }
}

#[test]
fn empty_blob_is_present_and_never_stored() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    assert_eq!(fixture.put(&[data("")]), Stored::default());
    let (store, blob) = (fixture.store(), BlobId(*blake3::hash(b"").as_bytes()));
    assert!(store.contains_blob(blob));
    assert_eq!(store.layout(blob).unwrap(), Layout::default());
    assert_eq!(store.read_blob(blob, 0).unwrap(), Some(Vec::new()));
    assert_eq!(store.copy_blob(blob, &mut Vec::new()).unwrap(), 0);
    assert_eq!(store.reader().read(ObjectKind::Data, blob.object_id()).unwrap(), b"");
}

#[test]
fn sorted_reads_decode_each_frame_once() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let files: Vec<Object> = (0..500).map(|n| data(text(n * 1000, 4096))).collect();
    let trees: Vec<Object> = (0..500).map(|n| object(ObjectKind::Tree, text(n, 300))).collect();
    fixture.put(&[files.clone(), trees.clone()].concat());
    let store = fixture.store();
    let mut wanted: Vec<_> = files.iter().map(|(kind, id, _)| (store.locate(*kind, *id).unwrap(), id)).collect();
    wanted.sort_unstable();
    let mut reader = store.reader();
    for (location, id) in wanted {
        assert_eq!(reader.read(ObjectKind::Data, *id).unwrap().len(), location.length as usize);
    }
    let frames = (500 * 4096usize).div_ceil(256 << 10) as u64;
    assert_eq!(store.frames_decoded(), frames);
    trees.iter().rev().for_each(|(kind, id, _)| drop(store.object(*kind, *id).unwrap()));
    let more = (500 * 300usize).div_ceil(64 << 10) as u64;
    assert_eq!(store.frames_decoded(), frames + more, "file data is not decoded for trees");
}

#[test]
fn copy_blob_streams_and_verifies_chunks_and_zeros() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let (blob, whole) =
        put_blob(&mut fixture, &[(Some(1), 200_000), (None, 100_000), (Some(2), 70_000), (Some(1), 200_000)]);
    let store = fixture.store();
    let mut copy = Vec::new();
    assert_eq!(store.copy_blob(blob, &mut copy).unwrap(), whole.len() as u64);
    assert!(copy == whole && store.contains_blob(blob));
    assert_eq!(store.read_blob(blob, whole.len() as u64).unwrap(), Some(whole.clone()));
    assert_eq!(store.read_blob(blob, whole.len() as u64 - 1).unwrap(), None);
    assert_eq!(store.layout(blob).unwrap().pieces.len(), 4);
    assert_eq!(objects_in(&store, &fixture.packs), 3, "two chunks and the layout");

    // A layout that makes another blob of good chunks.
    let other = BlobId([9; 32]);
    let root = store.layout(blob).unwrap().save(other, |_, _| Ok(())).unwrap();
    drop(store);
    fixture.put(&[(ObjectKind::Layout, other.object_id(), root)]);
    let error = fixture.store().copy_blob(other, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.to_string().contains(&other.to_string()), "{error}");
}

#[test]
fn find_returns_sorted_ids_from_packs_and_catalog() {
    let mut fixture = Fixture::new(Compression::Zstd(1));
    let commits: Vec<Object> = (0..2000).map(|n| object(ObjectKind::Commit, text(n, 40))).collect();
    fixture.put(&commits[..1000]);
    fixture.store().write_catalog().unwrap();
    fixture.put(&commits[1000..]);
    let store = fixture.store();
    for (_, id, _) in commits.iter().step_by(97) {
        for digits in [4, 5, 64] {
            let prefix = IdPrefix::parse(&id.to_string()[..digits]).unwrap();
            let mut expected: Vec<ObjectId> = commits.iter().map(|commit| commit.1).collect();
            expected.retain(|id| prefix.matches(&id.0));
            expected.sort();
            assert_eq!(store.find(ObjectKind::Commit, &prefix, 10), expected);
            assert_eq!(store.find(ObjectKind::Tree, &prefix, 10), []);
            assert_eq!(store.find(ObjectKind::Commit, &prefix, 0), []);
        }
    }
}

/// Files below a folder that this process has open.
fn open_files(folder: &Path) -> usize {
    let links =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    links.filter(|path| path.starts_with(folder)).count()
}

#[test]
fn many_packs_need_few_open_files() {
    let mut fixture = Fixture::new(Compression::Stored);
    let objects: Vec<Object> = (0..20).map(|n| data(noise(n, 1000))).collect();
    objects.iter().for_each(|object| drop(fixture.put(std::slice::from_ref(object))));
    let store = fixture.store();
    expect_all(&store, &objects);
    let mut reader = store.reader();
    objects.iter().for_each(|(kind, id, _)| drop(reader.read(*kind, *id).unwrap().to_vec()));
    assert_eq!(open_files(fixture.path()), 0);
    // What is removed while it is read stays readable.
    (0..20).for_each(|n| std::fs::remove_file(fixture.pack_path(n)).unwrap());
    objects.iter().for_each(|(kind, id, bytes)| assert_eq!(reader.read(*kind, *id).unwrap(), bytes));
}

#[test]
fn flushed_packs_are_closed() {
    let fixture = Fixture::new(Compression::Stored);
    std::fs::create_dir(fixture.path().join("tmp")).unwrap();
    let sealed = (0..20u8).map(|n| {
        let mut builder = super::pack::file::Builder::new(fixture.path());
        let frame = super::pack::Frame { stored: 1, raw: 1, ..super::pack::format::EMPTY_FRAME };
        builder.push(frame, &[n], []).unwrap();
        let mut sealed = builder.seal(&|_| false).unwrap();
        sealed.sync(Durability::Synced).unwrap();
        sealed
    });
    let sealed: Vec<_> = sealed.collect();
    assert_eq!((open_files(fixture.path()), fixture.names_in("tmp").len()), (0, 20));
    drop(sealed);
    assert!(fixture.names_in("tmp").is_empty());
}
