//! Compares marks with the objects that a plain search finds.

use std::collections::HashSet;
use std::path::Path;

use super::*;
use crate::chunk;
use crate::environment::Durability;
use crate::error::ErrorKind;
use crate::history::reachable::{ReachableObjects, read};
use crate::id::{AttributesId, ChunkId};
use crate::metadata::Metadata;
use crate::object::commit::{Counts, Totals};
use crate::object::layout::Piece;
use crate::object::{Attributes, Commit, Content, Entry, Extras, Layout, Links, Objects, Tree, id_of};
use crate::path::RepoPathBuf;
use crate::progress::Silent;
use crate::store::{Compression, Options, Writer};
use crate::time::Timestamp;

struct History {
    folder: tempfile::TempDir,
    packs: Vec<PackId>,
    commits: Vec<CommitId>,
}

fn entry(name: String, content: Content, attributes: Option<AttributesId>) -> Entry {
    Entry { name: name.into_bytes(), metadata: Metadata::default(), attributes, content }
}

fn put(writer: &mut Writer<'_>, kind: ObjectKind, bytes: &[u8]) -> ObjectId {
    let id = id_of(kind, bytes);
    writer.put(kind, id, bytes).unwrap();
    id
}

fn file(writer: &mut Writer<'_>, name: String, content: &str) -> Entry {
    let blob = put(writer, ObjectKind::Data, content.as_bytes()).into();
    entry(name, Content::File { blob, size: content.len() as u64 }, None)
}

fn directory(writer: &mut Writer<'_>, name: String, mut entries: Vec<Entry>) -> Entry {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let tree = Tree { entries }.save(|id, bytes| {
        writer.put(ObjectKind::Tree, id.object_id(), &bytes)?;
        Ok(())
    });
    entry(name, Content::Directory { tree: tree.unwrap(), entries: 0, size: 0 }, None)
}

/// A file of many chunks, whose layout has nodes. One chunk is also a file.
fn chunked(writer: &mut Writer<'_>, name: String, version: usize) -> Entry {
    let (mut layout, mut whole) = (Layout::default(), Vec::new());
    for n in 0..3000 {
        let bytes = if n == 7 { format!("chunk {version}") } else { format!("chunk {n} of all") };
        let id = ChunkId::from(put(writer, ObjectKind::Data, bytes.as_bytes()));
        layout.push(Piece::Chunk { id, length: bytes.len() as u32 });
        whole.extend_from_slice(bytes.as_bytes());
    }
    let blob = BlobId(*blake3::hash(&whole).as_bytes());
    let root = layout.save(blob, |id, bytes| {
        writer.put(ObjectKind::LayoutNode, id.object_id(), &bytes)?;
        Ok(())
    });
    writer.put(ObjectKind::Layout, blob.object_id(), &root.unwrap()).unwrap();
    entry(name, Content::File { blob, size: whole.len() as u64 }, None)
}

impl History {
    fn store(&self) -> Store {
        open(self.folder.path(), &self.packs)
    }

    /// Commits of a large tree, each with one more version of some files, in separate packs.
    fn new(commits: usize) -> History {
        let mut history = History { folder: tempfile::tempdir().unwrap(), packs: Vec::new(), commits: Vec::new() };
        for version in 0..commits {
            let store = history.store();
            let session = store.session();
            let mut writer = session.writer();
            let commit = history.commit(&mut writer, version);
            history.commits.push(put(&mut writer, ObjectKind::Commit, &commit.encode()).into());
            put(&mut writer, ObjectKind::Data, format!("garbage {version}").as_bytes());
            writer.finish().unwrap();
            history.packs.extend(session.finish().unwrap().packs);
        }
        history
    }

    fn commit(&self, writer: &mut Writer<'_>, version: usize) -> Commit {
        let mut top = Vec::new();
        for n in 0..5 {
            let content = |at: usize| if at == version % 300 { format!("{n} {at} {version}") } else { format!("{at}") };
            let entries = (0..300).map(|at| file(writer, format!("file {at}"), &content(at))).collect();
            let inner = directory(writer, "inner".into(), entries);
            top.push(directory(writer, format!("directory {n}"), vec![inner]));
        }
        top.push(chunked(writer, "large".into(), version));
        let attributes = Attributes { xattrs: vec![(b"user.a".to_vec(), vec![version as u8])], holes: Vec::new() };
        let attributes = put(writer, ObjectKind::Attributes, &attributes.encode()).into();
        top.push(entry("fifo".into(), Content::Fifo, Some(attributes)));
        let path = |name: String| RepoPathBuf::new(name.into()).unwrap();
        let group = |n: usize| vec![path(format!("{n:05}")), path(format!("{n:05}-{}", version / (n + 1)))];
        let links = Links { groups: (0..500).map(group).collect() };
        let links = links.save(|id, bytes| {
            writer.put(ObjectKind::Links, id.object_id(), &bytes)?;
            Ok(())
        });
        Commit {
            root: directory(writer, String::new(), top),
            links: Some(links.unwrap()),
            parents: self.commits.last().copied().into_iter().collect(),
            time: Timestamp::default(),
            offset: 0,
            author: String::new(),
            host: String::new(),
            message: version.to_string(),
            automatic: false,
            totals: Totals::default(),
            changes: Counts::default(),
            uncovered: Vec::new(),
            torn: Vec::new(),
            extras: Extras::default(),
        }
    }

    /// All objects with their ids.
    fn objects(&self, store: &Store) -> HashSet<(ObjectKind, ObjectId)> {
        let objects = self.packs.iter().flat_map(|&id| store.list_pack(id).objects().unwrap().collect::<Vec<_>>());
        objects.map(|object| (object.kind, object.id)).collect()
    }
}

fn open(folder: &Path, packs: &[PackId]) -> Store {
    let options = Options {
        chunk: chunk::Params::default(),
        compression: Compression::Zstd(1),
        reflink: true,
        durability: Durability::NoSync,
    };
    Store::open(folder, packs, None, options).unwrap()
}

/// What the plain search finds.
fn reachable(store: &Store, commits: &[CommitId]) -> HashSet<(ObjectKind, ObjectId)> {
    let found = ReachableObjects::new(store, read(store, commits.iter().copied()));
    let kinds = found.flat_map(|object| {
        let object = object.unwrap_or_else(|unreadable| panic!("{}", unreadable.error));
        let kind = object.object_type.kinds().iter().find(|kind| store.contains(**kind, object.id));
        kind.map(|kind| (*kind, object.id))
    });
    kinds.collect()
}

fn expect_marked(store: &Store, marks: &Marks, objects: &HashSet<(ObjectKind, ObjectId)>, commits: &[CommitId]) {
    let needed = reachable(store, commits);
    for &(kind, id) in objects {
        assert_eq!(marks.is_marked(store, kind, id), needed.contains(&(kind, id)), "{} {id}", kind.word());
    }
    assert_eq!(marks.count, needed.len() as u64);
}

#[test]
fn marks_equal_the_objects_of_a_plain_search() {
    let history = History::new(18);
    for with_catalog in [false, true] {
        let mut store = history.store();
        if with_catalog {
            store.add_packs(&[]).unwrap();
            assert!(history.folder.path().join("catalog").exists());
        }
        let objects = history.objects(&store);
        let nothing = BTreeSet::new();
        for range in [0..0, 0..1, 17..18, 3..6, 0..18] {
            let commits = &history.commits[range];
            let mut marking = Marking::new(&store, store.marks(), &nothing);
            marking.mark(commits.iter().copied(), &Silent).unwrap();
            expect_marked(&store, marking.marks(), &objects, commits);
        }
    }
}

#[test]
fn marking_continues_with_more_commits() {
    let history = History::new(6);
    let (store, nothing) = (history.store(), BTreeSet::new());
    let mut marking = Marking::new(&store, store.marks(), &nothing);
    marking.mark(history.commits[..2].iter().copied(), &Silent).unwrap();
    let before = marking.marks().bytes(&store).unwrap();
    let marks = marking.finish();
    let mut marking = Marking::new(&store, marks, &nothing);
    marking.mark(history.commits[4..].iter().copied(), &Silent).unwrap();
    let commits = [&history.commits[..2], &history.commits[4..]].concat();
    expect_marked(&store, marking.marks(), &history.objects(&store), &commits);
    let after = marking.marks().bytes(&store).unwrap();
    let all: u64 = history.packs.iter().map(|&id| store.list_pack(id).totals().unwrap().stored).sum();
    assert!(0 < before && before < after && after < all, "{before} {after} {all}");
}

#[test]
fn young_packs_are_marked_with_what_they_need() {
    let history = History::new(3);
    let (store, nothing) = (history.store(), BTreeSet::new());
    let mut marking = Marking::new(&store, store.marks(), &nothing);
    marking.mark_packs(history.packs[2..].iter().copied(), &Silent).unwrap();
    let last = open(history.folder.path(), &history.packs[2..]);
    let (marks, own) = (marking.marks(), history.objects(&store));
    let needed = reachable(&store, &history.commits[2..]);
    for (kind, id) in own {
        assert_eq!(marks.is_marked(&store, kind, id), needed.contains(&(kind, id)) || last.contains(kind, id));
    }
}

#[test]
fn unchanged_entries_are_not_looked_up_again() {
    let commits = 20;
    let history = History::new(commits);
    let (store, nothing) = (history.store(), BTreeSet::new());
    let mut marking = Marking::new(&store, store.marks(), &nothing);
    marking.mark(history.commits.iter().copied(), &Silent).unwrap();
    let marks = marking.marks();
    // A blob of several chunks is searched as data and as layout. All else is searched once.
    assert!(marks.lookups <= marks.count + commits as u64, "{} lookups of {} objects", marks.lookups, marks.count);
    let frames: u64 = history.packs.iter().map(|&id| store.list_pack(id).totals().unwrap().frames[2]).sum();
    // Commits, root, two levels of directories with nodes; data is not read.
    assert!(marking.frames_decoded() <= 6 * frames, "{} of {frames} frames", marking.frames_decoded());
}

#[test]
fn purged_content_is_not_marked() {
    let history = History::new(2);
    let store = history.store();
    let tree = store.tree(store.commit(history.commits[1]).unwrap().root.tree().unwrap()).unwrap();
    let large = tree.find(b"large").and_then(Entry::blob).unwrap();
    let purged = BTreeSet::from([large]);
    let mut marking = Marking::new(&store, store.marks(), &purged);
    marking.mark([history.commits[1]], &Silent).unwrap();
    let marks = marking.marks();
    assert!(!marks.is_marked(&store, ObjectKind::Layout, large.object_id()));
    let chunks = store.layout(large).unwrap().pieces;
    let chunk = |piece: &Piece| matches!(piece, Piece::Chunk { id, .. } if marks.is_marked(&store, ObjectKind::Data, id.object_id()));
    assert_eq!(chunks.iter().filter(|piece| chunk(piece)).count(), 0);
}

#[test]
fn missing_object_ends_the_search() {
    let history = History::new(3);
    let (store, nothing) = (open(history.folder.path(), &history.packs[1..]), BTreeSet::new());
    let error = Marking::new(&store, store.marks(), &nothing).mark([history.commits[2]], &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.to_string().contains("is missing"), "{error}");
}
