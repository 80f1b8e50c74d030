//! Checks `compare` against a comparison of two lists of paths.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::id::{AttributesId, BlobId, ObjectId};
use crate::metadata::Metadata;
use crate::object::commit::{Reason, Uncovered};
use crate::object::tree::{Child, Node};
use crate::object::{Links, ObjectKind};
use crate::time::Timestamp;

/// Stores objects as values, with a few names per node, and counts reads.
#[derive(Default)]
struct Memory {
    nodes: Mutex<HashMap<TreeId, Node>>,
    links: Mutex<HashMap<LinksId, Links>>,
    reads: AtomicUsize,
}

impl Objects for Memory {
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
        assert_eq!(kind, ObjectKind::Tree);
        self.reads.fetch_add(1, Ordering::Relaxed);
        let nodes = self.nodes.lock().unwrap();
        let node = nodes.get(&TreeId::from(id)).ok_or_else(|| Error::damaged("missing"))?;
        Ok(node.encode().into())
    }

    fn links(&self, id: LinksId) -> Result<Links> {
        Ok(self.links.lock().unwrap()[&id].clone())
    }
}

fn hash(value: &dyn std::fmt::Debug) -> [u8; 32] {
    *blake3::hash(format!("{value:?}").as_bytes()).as_bytes()
}

impl Memory {
    fn put(&self, node: Node) -> TreeId {
        let id = TreeId(hash(&node));
        self.nodes.lock().unwrap().insert(id, node);
        id
    }

    /// Saves a directory. At every level, the hash of a name decides whether its node ends.
    fn save(&self, entries: Vec<Entry>) -> TreeId {
        let is_end = |name: &[u8], height: usize| blake3::hash(name).as_bytes()[height] < 64;
        let mut level: Vec<Child> = entries
            .chunk_by(|entry, _| !is_end(&entry.name, 0))
            .map(|leaf| Child {
                first: leaf[0].name.clone(),
                node: self.put(Node::Leaf(leaf.to_vec())),
                count: leaf.len() as u64,
            })
            .collect();
        for height in 1.. {
            match &level[..] {
                [] => return self.put(Node::Leaf(Vec::new())),
                [only] => return only.node,
                _ => {}
            }
            level = level
                .chunk_by(|child, _| height < 9 && !is_end(&child.first, height))
                .map(|inner| match inner {
                    [only] if height < 9 => only.clone(),
                    _ => Child {
                        first: inner[0].first.clone(),
                        node: self.put(Node::Inner(inner.to_vec())),
                        count: inner.iter().map(|child| child.count).sum(),
                    },
                })
                .collect();
            if height >= 9 {
                return self.put(Node::Inner(level));
            }
        }
        unreachable!("the loop returns")
    }

    fn entry(&self, name: &[u8], thing: &Thing) -> Entry {
        let content = match &thing.what {
            Body::File(n) => Content::File { blob: BlobId([*n; 32]), size: u64::from(*n) },
            Body::Symlink(n) => Content::Symlink { target: vec![*n + 1] },
            Body::Fifo => Content::Fifo,
            Body::Directory(inside) => {
                let entries = inside.iter().map(|(name, thing)| self.entry(name, thing)).collect();
                Content::Directory { tree: self.save(entries), entries: 0, size: 0 }
            }
        };
        let mtime = Timestamp { seconds: i64::from(thing.mtime), nanoseconds: 0 };
        let metadata = Metadata { mode: u16::from(thing.mode), mtime, ..Metadata::default() };
        let attributes = (thing.mode == 3).then_some(AttributesId([3; 32]));
        Entry { name: name.to_vec(), metadata, attributes, content }
    }

    fn save_links(&self, groups: Vec<Vec<RepoPathBuf>>) -> Option<LinksId> {
        if groups.is_empty() {
            return None;
        }
        let id = LinksId(hash(&groups));
        self.links.lock().unwrap().insert(id, Links { groups });
        Some(id)
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Thing {
    mode: u8,
    mtime: u8,
    what: Body,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    File(u8),
    Symlink(u8),
    Fifo,
    Directory(BTreeMap<Vec<u8>, Thing>),
}

fn directory() -> Thing {
    Thing { mode: 0, mtime: 0, what: Body::Directory(BTreeMap::new()) }
}

impl Thing {
    /// Sets or removes the entry at a path, and creates the directories above it.
    fn set(&mut self, path: &RepoPath, thing: Option<Thing>) {
        let mut at = self;
        for name in path.parent().expect("not the root").names() {
            if !matches!(at.what, Body::Directory(_)) {
                *at = directory();
            }
            let Body::Directory(inside) = &mut at.what else { unreachable!() };
            at = inside.entry(name.to_vec()).or_insert_with(directory);
        }
        if !matches!(at.what, Body::Directory(_)) {
            *at = directory();
        }
        let Body::Directory(inside) = &mut at.what else { unreachable!() };
        let name = path.name().expect("not the root").to_vec();
        match thing {
            Some(thing) => inside.insert(name, thing),
            None => inside.remove(&name),
        };
    }

    fn list(&self, path: &RepoPath, to: &mut BTreeMap<RepoPathBuf, Thing>) {
        to.insert(path.to_owned(), self.clone());
        if let Body::Directory(inside) = &self.what {
            inside.iter().for_each(|(name, thing)| thing.list(&path.join(name), to));
        }
    }

    fn flat(&self) -> BTreeMap<RepoPathBuf, Thing> {
        let mut all = BTreeMap::new();
        self.list(RepoPath::root(), &mut all);
        all
    }
}

/// All files with content 1 are hard links to one file, and all with content 2 to another.
fn link_groups(flat: &BTreeMap<RepoPathBuf, Thing>) -> Vec<Vec<RepoPathBuf>> {
    let group =
        |n| flat.iter().filter(|(_, thing)| thing.what == Body::File(n)).map(|(path, _)| path.clone()).collect();
    let mut groups: Vec<Vec<RepoPathBuf>> = vec![group(1), group(2)];
    groups.retain(|group| group.len() > 1);
    groups.sort();
    groups
}

type Line = (RepoPathBuf, Status, What);

/// The expected result of `compare`, computed from flat lists.
fn expected(old: Option<&Thing>, new: Option<&Thing>, options: &Options) -> Vec<Line> {
    let [old, new] = [old, new].map(|thing| thing.map(Thing::flat).unwrap_or_default());
    let [old_links, new_links] = [&old, &new].map(link_groups);
    let fellows =
        |links: &[Vec<RepoPathBuf>], path: &RepoPathBuf| links.iter().find(|group| group.contains(path)).cloned();
    let mut paths: Vec<_> = old.keys().chain(new.keys()).cloned().collect();
    paths.sort();
    paths.dedup();
    paths.retain(|path| options.paths.is_empty() || options.paths.iter().any(|limit| path.is_within(limit)));
    let mut lines = Vec::new();
    for path in paths {
        let (status, what) = match (old.get(&path), new.get(&path)) {
            (None, None) => unreachable!(),
            (None, _) | (_, None) if path.is_root() && !options.mtimes => continue,
            (None, Some(_)) => (Status::Added, What::default()),
            (Some(_), None) => (Status::Deleted, What::default()),
            (Some(old), Some(new)) => {
                let is_directory = |thing: &Thing| matches!(thing.what, Body::Directory(_));
                let is_kind = std::mem::discriminant(&old.what) == std::mem::discriminant(&new.what);
                let what = What {
                    content: old.what != new.what && !(is_directory(old) && is_directory(new)),
                    mode: old.mode != new.mode,
                    attributes: (old.mode == 3) != (new.mode == 3),
                    owner: false,
                    mtime: options.mtimes && old.mtime != new.mtime,
                    links: fellows(&old_links, &path) != fellows(&new_links, &path),
                };
                match () {
                    _ if what == What::default() => continue,
                    _ if !is_kind => (Status::Type, what),
                    _ if what.content => (Status::Modified, what),
                    _ => (Status::Metadata, what),
                }
            }
        };
        lines.push((path, status, what));
    }
    lines
}

fn compared(memory: &Memory, old: Option<&Thing>, new: Option<&Thing>, options: &Options) -> Vec<Line> {
    let save = |thing: Option<&Thing>| match thing {
        Some(thing) => (Some(memory.entry(b"", thing)), memory.save_links(link_groups(&thing.flat()))),
        None => (None, None),
    };
    let (old, new) = (save(old), save(new));
    let [old, new] = [&old, &new].map(|(root, links)| Side { root: root.as_ref(), links: *links });
    let mut lines = Vec::new();
    let each = &mut |change: Change| {
        assert_eq!(change.old.is_none(), change.status == Status::Added);
        let is_gone = matches!(change.status, Status::Deleted | Status::Ignored | Status::Uncovered);
        assert_eq!(change.new.is_none(), is_gone);
        lines.push((change.path, change.status, change.what));
        Ok(())
    };
    memory.reads.store(0, Ordering::Relaxed);
    compare(memory, old, new, options, each).unwrap();
    lines
}

fn a_path() -> impl Strategy<Value = RepoPathBuf> {
    proptest::collection::vec("[a-h]|a-", 1..4)
        .prop_map(|names| RepoPathBuf::new(names.join("/").into_bytes()).unwrap())
}

fn a_leaf() -> impl Strategy<Value = Thing> {
    let body = prop_oneof![
        4 => (0u8..5).prop_map(Body::File),
        1 => (0u8..2).prop_map(Body::Symlink),
        1 => Just(Body::Fifo),
        1 => Just(Body::Directory(BTreeMap::new())),
    ];
    (0u8..4, 0u8..2, body).prop_map(|(mode, mtime, what)| Thing { mode, mtime, what })
}

fn edits(most: usize) -> impl Strategy<Value = Vec<(RepoPathBuf, Option<Thing>)>> {
    proptest::collection::vec((a_path(), proptest::option::weighted(0.8, a_leaf())), 0..most)
}

fn edited(mut root: Thing, edits: Vec<(RepoPathBuf, Option<Thing>)>) -> Thing {
    edits.into_iter().for_each(|(path, thing)| root.set(&path, thing));
    root
}

proptest! {
    #[test]
    fn agrees_with_a_comparison_of_path_lists(
        first in edits(60),
        second in edits(8),
        root_mode in 0u8..2,
        mtimes: bool,
        paths in prop_oneof![Just(Vec::new()), proptest::collection::vec(a_path(), 0..3)],
    ) {
        let memory = Memory::default();
        let options = Options { mtimes, paths, ..Options::default() };
        let old = edited(directory(), first);
        let new = Thing { mode: root_mode, ..edited(old.clone(), second) };
        for (old, new) in [(Some(&old), Some(&new)), (Some(&new), Some(&old)), (None, Some(&new)), (Some(&old), None)] {
            prop_assert_eq!(compared(&memory, old, new, &options), expected(old, new, &options));
        }
    }
}

fn path(text: &str) -> RepoPathBuf {
    RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
}

fn file(n: u8) -> Option<Thing> {
    Some(Thing { mode: 0, mtime: 0, what: Body::File(n) })
}

#[test]
fn reads_few_nodes_for_one_change_in_a_large_directory() {
    let memory = Memory::default();
    let names: Vec<_> = (0..20_000).map(|n| (path(&format!("long/{n:05}")), file(4))).collect();
    let old = edited(directory(), names);
    let same = compared(&memory, Some(&old), Some(&old), &Options::default());
    assert_eq!((same.len(), memory.reads.load(Ordering::Relaxed)), (0, 0));
    for (edit, lines) in [(("long/07777", file(5)), 1), (("long/07777x", file(5)), 1), (("long/07777", None), 1)] {
        let new = edited(old.clone(), vec![(path(edit.0), edit.1)]);
        assert_eq!(compared(&memory, Some(&old), Some(&new), &Options::default()).len(), lines);
        let reads = memory.reads.load(Ordering::Relaxed);
        assert!(reads < 100, "{reads} nodes read");
    }
}

#[test]
fn does_not_read_unselected_paths() {
    let memory = Memory::default();
    let both = |n| edited(directory(), ["a/x", "b/x", "c/x"].map(|text| (path(text), file(n))).to_vec());
    let options = Options { paths: vec![path("b")], ..Options::default() };
    let lines = compared(&memory, Some(&both(3)), Some(&both(4)), &options);
    assert_eq!(lines.iter().map(|line| line.0.clone()).collect::<Vec<_>>(), [path("b/x")]);
    let unlimited = compared(&memory, Some(&both(3)), Some(&both(4)), &Options::default());
    assert_eq!(unlimited.len(), 3);
}

#[test]
fn does_not_report_uncovered_paths_as_deleted() {
    let memory = Memory::default();
    let names = ["gone", "ignored/x", "kept", "logs", "uncovered/x"].map(|text| (path(text), file(3)));
    let old = edited(directory(), names.to_vec());
    let new = edited(directory(), vec![(path("kept"), file(4))]);
    let unreadable = Uncovered { path: path("uncovered"), reason: Reason::Unreadable };
    // Paths on both sides are compared even if the new side does not cover them.
    let left_out = LeftOut::new(&[unreadable], &[path("ignored"), path("kept"), path("logs")]);
    let lines = compared(&memory, Some(&old), Some(&new), &Options { left_out, ..Options::default() });
    let changes: Vec<_> = lines.iter().map(|line| (line.0.display().into_owned(), line.1)).collect();
    let expected = [
        ("gone", Status::Deleted),
        ("ignored", Status::Ignored),
        ("ignored/x", Status::Ignored),
        ("kept", Status::Modified),
        ("logs", Status::Ignored),
        ("uncovered", Status::Uncovered),
        ("uncovered/x", Status::Uncovered),
    ];
    assert_eq!(changes, expected.map(|(path, status)| (path.to_owned(), status)));
}

#[test]
fn walks_a_very_deep_directory() {
    let memory = Memory::default();
    let root = |mode| {
        let mut tree = memory.save(Vec::new());
        for _ in 0..20_000 {
            let content = Content::Directory { tree, entries: 0, size: 0 };
            let metadata = Metadata { mode, ..Metadata::default() };
            tree = memory.save(vec![Entry { name: b"d".to_vec(), metadata, attributes: None, content }]);
        }
        let content = Content::Directory { tree, entries: 0, size: 0 };
        Entry { name: Vec::new(), metadata: Metadata::default(), attributes: None, content }
    };
    let (old, new) = (root(1), root(2));
    let [old, new] = [&old, &new].map(|root| Side { root: Some(root), links: None });
    let mut count = 0;
    let options = Options::default();
    compare(&memory, old, new, &options, &mut |_| {
        count += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(count, 20_000);
}

#[test]
fn reports_names_out_of_order_as_damage() {
    let memory = Memory::default();
    let entry = |name: &[u8]| memory.entry(name, &file(3).unwrap());
    let leaf = |names: &[&[u8]]| memory.put(Node::Leaf(names.iter().map(|name| entry(name)).collect()));
    let child = |first: &[u8], node| Child { first: first.to_vec(), node, count: 1 };
    let bad = [
        leaf(&[b"b", b"a"]),
        leaf(&[b"a", b"a"]),
        memory.put(Node::Inner(vec![child(b"a", leaf(&[b"b"]))])),
        memory.put(Node::Inner(vec![child(b"a", leaf(&[b"a", b"c"])), child(b"b", leaf(&[b"b"]))])),
        memory.put(Node::Inner(vec![child(b"a", leaf(&[]))])),
    ];
    for tree in bad {
        let root = Entry { content: Content::Directory { tree, entries: 0, size: 0 }, ..entry(b"") };
        let old = Side { root: None, links: None };
        let new = Side { root: Some(&root), links: None };
        let error = compare(&memory, old, new, &Options::default(), &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Damaged);
    }
}
