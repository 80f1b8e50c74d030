//! The index: written records are read back, and damaged ones are ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::fs::Stat;
use crate::id::{AttributesId, BlobId, TreeId};
use crate::metadata::{Kind, Metadata};
use crate::object::Content;
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;
use crate::worktree::index::{self, Block, Builder, Directory, Index, Record, Spool, Total, Update};

fn find(index: &Index, path: &RepoPath) -> Option<Record> {
    index.directory(path.parent().unwrap_or(RepoPath::root()))?.find(path.name().unwrap_or_default())
}

fn path(text: &str) -> &RepoPath {
    RepoPath::new(text.as_bytes()).unwrap()
}

fn record(name: &str, kind: Kind, content: Content) -> Record {
    let number = name.len() as u64;
    let time = Timestamp { seconds: -5, nanoseconds: 999_999_999 };
    let metadata = Metadata { mode: 0o4755, uid: 1000, gid: 100, mtime: time };
    let stat = Stat {
        kind,
        metadata,
        ctime: Timestamp { seconds: 1 << 40, nanoseconds: 1 },
        size: 10 * number,
        allocated: 4096,
        inode: u64::MAX - number,
        device: 7,
        links: 1,
        rdev: 0,
        is_mounted: false,
    };
    Record { name: name.as_bytes().to_vec(), stat, content, attributes: None, racy: false, is_prefix: false }
}

/// One of each kind, with everything that is rare.
fn records() -> Vec<Record> {
    let file = |name: &str, size| record(name, Kind::File, Content::File { blob: BlobId([3; 32]), size });
    let directory = Content::Directory { tree: TreeId([9; 32]), entries: 300, size: 1 << 40 };
    let mut device = record("device", Kind::CharDevice, Content::CharDevice { rdev: 0x501 });
    device.stat.rdev = 0x501;
    let mut linked = file("linked", 60);
    (linked.stat.links, linked.stat.device) = (3, 8);
    let mut racy = file("racy", 999);
    racy.racy = true;
    let mut prefix = Record { racy: true, is_prefix: true, ..file("prefix", 999) };
    prefix.stat.size = 5_000;
    let mut special = file("special", 70);
    special.attributes = Some(AttributesId([5; 32]));
    let symlink = record("symlink", Kind::Symlink, Content::Symlink { target: b"../\xff/x".to_vec() });
    vec![
        device,
        record("directory", Kind::Directory, directory),
        record("fifo", Kind::Fifo, Content::Fifo),
        file("file", 40),
        linked,
        prefix,
        racy,
        special,
        symlink,
    ]
}

const TOTAL: Total = Total { tree: TreeId([1; 32]), entries: 8, size: 12_345 };

fn builder() -> Builder {
    let mut builder = Builder::default();
    builder.insert(RepoPathBuf::default(), Some(TOTAL), &records());
    builder.insert(path("directory").to_owned(), None, &records()[3..5]);
    builder.insert(path("directory/deep").to_owned(), None, &[]);
    builder.insert(path("directory.x").to_owned(), Some(TOTAL), &records()[..1]);
    builder
}

fn opened(place: &Path, bytes: &[u8]) -> Index {
    let file = place.join("index");
    std::fs::write(&file, bytes).unwrap();
    Index::open(&file)
}

const ORIGIN: ([u8; 16], Timestamp) = ([0xb0; 16], Timestamp { seconds: 1_000_000, nanoseconds: 5 });

const DIRECTORIES: [&str; 4] = ["", "directory", "directory/deep", "directory.x"];

#[test]
fn written_records_are_read_back() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("index");
    assert!(Index::open(&file).directory(path("")).is_none());
    builder().write(&file).unwrap();
    let index = Index::open(&file);
    let root = index.directory(path("")).unwrap();
    assert_eq!(root.block().records().unwrap(), records());
    assert_eq!(root.total(), Some(TOTAL));
    for record in records() {
        assert_eq!(find(&index, path(str::from_utf8(&record.name).unwrap())), Some(record.clone()));
        let at = root.block().position(&record.name).unwrap();
        assert_eq!(root.block().proves(at, &record.stat), !record.racy);
        assert_eq!(
            root.block().content_size(at),
            Some(record.to_entry().size()).filter(|_| record.stat.kind == Kind::File).or(Some(0))
        );
    }
    assert_eq!(index.directory(path("directory")).unwrap().total(), None);
    assert_eq!(find(&index, path("directory/linked")), Some(records()[4].clone()));
    assert_eq!(find(&index, path("nowhere")), None);
    assert_eq!(find(&index, path("nowhere/x")), None);
    assert_eq!(index.directories().map(|(path, _)| path.display().into_owned()).collect::<Vec<_>>(), DIRECTORIES);
}

#[test]
fn every_stat_field_is_compared() {
    let record = records().remove(3);
    let bytes = index::encode(None, std::slice::from_ref(&record));
    let block = Block::new(&bytes, 1).unwrap();
    let changes: [fn(&mut Stat); 9] = [
        |stat| stat.kind = Kind::Fifo,
        |stat| stat.metadata.mode ^= 1,
        |stat| stat.metadata.uid += 1,
        |stat| stat.metadata.gid += 1,
        |stat| stat.metadata.mtime.nanoseconds -= 1,
        |stat| stat.ctime.nanoseconds += 1,
        |stat| stat.ctime.seconds += 1,
        |stat| stat.size += 1,
        |stat| stat.inode -= 1,
    ];
    assert!(block.proves(0, &record.stat));
    for change in changes {
        let mut stat = record.stat;
        change(&mut stat);
        assert!(!block.proves(0, &stat), "{stat:?}");
    }
}

#[test]
fn damaged_indexes_are_ignored() {
    let place = tempfile::tempdir().unwrap();
    let whole = builder().encode(ORIGIN).collect::<Vec<_>>().concat();
    let expected: Vec<_> =
        DIRECTORIES.map(|it| opened(place.path(), &whole).directory(path(it)).unwrap().block().records()).into();
    let check = |bytes: &[u8], what: &str| {
        let index = opened(place.path(), bytes);
        for (directory, expected) in DIRECTORIES.iter().zip(&expected) {
            if let Some(found) = index.directory(path(directory)).filter(Directory::is_readable) {
                assert_eq!(&found.block().records(), expected, "{what}, `{directory}`");
            } else if let Some(found) = index.directory(path(directory)) {
                assert_eq!((found.count(), found.total(), found.find(b"file")), (0, None, None), "{what}");
            }
        }
        index.directories().for_each(|(path, _)| assert!(DIRECTORIES.contains(&&*path.display())));
    };
    for end in (0..whole.len()).rev().step_by(13).chain(0..100) {
        check(&whole[..end], &format!("cut at {end}"));
        assert_eq!(opened(place.path(), &whole[..end]).count(), 0, "cut at {end}");
    }
    for at in (0..whole.len()).step_by(11).chain(0..100) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        check(&bytes, &format!("byte {at} changed"));
    }
}

#[test]
fn single_records_can_be_changed() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("index");
    builder().write(&file).unwrap();
    let index = Index::open(&file);
    let mut changed = Builder::from_index(&index);
    assert!(changed.is_same(&index));
    let new = record("new", Kind::File, Content::File { blob: BlobId([8; 32]), size: 30 });
    let mut update = Update::new(&mut changed);
    update.set(path("directory/deep/new"), new.clone());
    update.set(path("directory.x"), record("ignored", Kind::Fifo, Content::Fifo));
    update.remove(path("file"));
    update.remove(path("gone/for/good"));
    update.finish();
    assert!(!changed.is_same(&index));
    changed.write(&file).unwrap();
    let index = Index::open(&file);
    assert_eq!(find(&index, path("directory/deep/new")), Some(new));
    assert_eq!(find(&index, path("directory.x")).map(|record| record.name), Some(b"directory.x".to_vec()));
    assert!(index.directory(path("directory.x")).is_none(), "a FIFO has nothing below it");
    assert_eq!(find(&index, path("file")), None);
    assert_eq!(index.directory(path("")).unwrap().total(), None, "the records make another tree now");
    assert_eq!(find(&index, path("directory/linked")), Some(records()[4].clone()));
    let mut changed = Builder::from_index(&index);
    let mut update = Update::new(&mut changed);
    update.remove(path("directory"));
    update.finish();
    assert_eq!(changed.find(path("directory/linked")), None);
    assert_eq!(changed.find(path("directory")), None);
    assert!(changed.find(path("special")).is_some());
}

#[test]
fn records_from_before_a_restart_are_doubtful() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("index");
    builder().write(&file).unwrap();
    let index = Index::open(&file);
    assert_eq!(index.doubtful_since(), None);
    assert!(Builder::from_index(&index).is_same(&index));
    let index = opened(place.path(), &builder().encode(ORIGIN).collect::<Vec<_>>().concat());
    assert_eq!(index.doubtful_since(), Some(Timestamp { seconds: 999_400, nanoseconds: 5 }));
    assert!(!Builder::from_index(&index).is_same(&index), "it is written again");
    assert_eq!(Index::empty().doubtful_since(), None);
}

#[test]
fn updates_of_large_directories_are_fast() {
    let names = |step: usize| (0..40_000).step_by(step).map(|n| format!("name-{n:05}"));
    let file = |name: &str| record(name, Kind::File, Content::File { blob: BlobId([3; 32]), size: 1 });
    let mut builder = Builder::default();
    builder.insert(RepoPathBuf::default(), None, &names(2).map(|name| file(&name)).collect::<Vec<_>>());
    let began = std::time::Instant::now();
    let mut update = Update::new(&mut builder);
    names(1).for_each(|name| update.set(path(&name), file(&name)));
    update.finish();
    let mut update = Update::new(&mut builder);
    names(3).for_each(|name| update.remove(path(&name)));
    update.finish();
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    let left = names(1).filter(|name| builder.find(path(name)).is_some()).count();
    assert_eq!(left, 40_000 - 13_334);
}

#[test]
fn golden_bytes_of_the_header() {
    let bytes = Builder::default().encode(ORIGIN).collect::<Vec<_>>().concat();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN_EMPTY);
}

const GOLDEN_EMPTY: &str = "756e646f696e6478030000000000000000000000000000005000000000000000b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0\
     40420f0000000000050000000000000097bfd99c2e07f692242798db1ee15151";

/// Blocks beyond the memory limit go through a file; the index is the same.
#[test]
fn a_spooled_index_is_written_as_one_in_memory() {
    let place = tempfile::tempdir().unwrap();
    let fill = |mut builder: Builder| {
        for n in 0..20 {
            builder.insert(path(&format!("d{n:02}")).to_owned(), (n % 2 == 0).then_some(TOTAL), &records());
        }
        builder
    };
    let mut spooled = fill(Builder::spooled(Spool::new(place.path().join("index"))));
    let plain = fill(Builder::default());
    let bytes = |builder: &Builder| builder.encode(ORIGIN).flat_map(|piece| piece.to_vec()).collect::<Vec<u8>>();
    assert_eq!(bytes(&spooled), bytes(&plain));
    assert_eq!(spooled.find(path("d19/linked")), plain.find(path("d19/linked")));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "the file has no name");
    let mut update = Update::new(&mut spooled);
    update.set(path("d19/linked"), records().remove(4));
    update.finish();
    let index = opened(place.path(), &bytes(&spooled));
    assert_eq!(index.directory(path("d19")).unwrap().block().records().unwrap(), records());
    // If the file cannot be created, everything stays in memory.
    assert_eq!(bytes(&fill(Builder::spooled(Spool::new(place.path().join("nowhere/index"))))), bytes(&plain));
}

/// A simple implementation of changes: the records of each directory by name.
#[derive(Default)]
struct Model(BTreeMap<RepoPathBuf, BTreeMap<Vec<u8>, Record>>);

impl Model {
    fn set(&mut self, path: &RepoPath, mut record: Record) {
        if record.stat.kind != Kind::Directory {
            self.0.retain(|directory, _| !directory.is_within(path));
        }
        record.name = path.name().unwrap().to_vec();
        self.0.entry(path.parent().unwrap().to_owned()).or_default().insert(record.name.clone(), record);
    }

    fn remove(&mut self, path: &RepoPath) {
        self.0.retain(|directory, _| !directory.is_within(path));
        if let Some(records) = self.0.get_mut(path.parent().unwrap()) {
            records.remove(path.name().unwrap());
        }
    }

    fn build(&self) -> Builder {
        let mut builder = Builder::default();
        for (directory, records) in &self.0 {
            let records: Vec<Record> = records.values().cloned().collect();
            builder.insert(directory.clone(), None, &records);
        }
        builder
    }
}

/// Random changes in path order, compared with the same changes to a simple model.
#[test]
fn an_update_makes_the_changes_of_the_model() {
    let place = tempfile::tempdir().unwrap();
    let mut random = numbers(7);
    for round in 0..200 {
        let mut model = Model::default();
        let mut updated = Builder::spooled(Spool::new(place.path().join("index")));
        let mut names = BTreeSet::new();
        for _ in 0..random(30) {
            let leaf = (0..random(3)).fold(path("").to_owned(), |path, _| path.join(&[b'0' + random(5) as u8]));
            let leaf = leaf.join(&[b'0' + random(5) as u8]);
            names.extend(leaf.ancestors().filter(|above| !above.is_root()).map(RepoPath::to_owned));
            names.insert(leaf);
        }
        let is_above = |path: &RepoPath| names.iter().any(|name| name.is_within(path) && **name != *path);
        let entry = |is_directory: bool, n: usize| match is_directory {
            true => record("", Kind::Directory, Content::Directory { tree: TreeId([9; 32]), entries: 3, size: 1 }),
            false => record("", Kind::File, Content::File { blob: BlobId([n as u8; 32]), size: 0 }),
        };
        let mut update = Update::new(&mut updated);
        for name in &names {
            let record = entry(is_above(name), 1);
            model.set(name, record.clone());
            update.set(name, record);
        }
        update.finish();
        let (mut log, mut update) = (Vec::new(), Update::new(&mut updated));
        let mut gone: Option<&RepoPath> = None;
        for name in &names {
            let is_below_gone = gone.is_some_and(|gone| name.is_within(gone));
            match random(3) {
                0 => continue,
                1 if !is_below_gone => {
                    let is_directory = random(2) == 0;
                    gone = if is_directory { gone } else { Some(name) };
                    let record = entry(is_directory, 2);
                    model.set(name, record.clone());
                    update.set(name, record);
                    log.push(format!("set {} directory: {is_directory}", name.display()));
                }
                _ => {
                    gone = if is_below_gone { gone } else { Some(name) };
                    model.remove(name);
                    update.remove(name);
                    log.push(format!("remove {}", name.display()));
                }
            }
        }
        update.finish();
        let bytes = |builder: &Builder| builder.encode(ORIGIN).flat_map(|piece| piece.to_vec()).collect::<Vec<u8>>();
        assert!(bytes(&updated) == bytes(&model.build()), "round {round}: {names:?} {log:?}");
    }
}

/// Numbers below a limit, the same ones each time.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |limit| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    }
}
