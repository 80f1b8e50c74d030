//! Properties of combined trees.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::{Spliced, splice};
use crate::error::{Error, Result};
use crate::history::entry_at;
use crate::id::{BlobId, LinksId, ObjectId};
use crate::metadata::Metadata;
use crate::object::{Content, Entry, Links, ObjectKind, Objects, Tree};
use crate::path::set::{PathSet, Place};
use crate::path::{RepoPath, RepoPathBuf};

type ObjectMap = HashMap<(ObjectKind, ObjectId), Arc<[u8]>>;

#[derive(Default)]
struct Memory(Mutex<ObjectMap>);

impl Objects for Memory {
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
        self.0.lock().unwrap().get(&(kind, id)).cloned().ok_or_else(|| Error::damaged(format!("no {kind:?} {id}")))
    }
}

impl Memory {
    fn put(&self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) -> Result<()> {
        self.0.lock().unwrap().insert((kind, id), bytes.into());
        Ok(())
    }

    /// Saves a root with these files (path and content); directories have the given mode.
    fn root(&self, files: &BTreeMap<RepoPathBuf, u8>, mode: u16) -> Entry {
        self.directory(b"", files.iter().map(|(path, &content)| (&**path, content)).collect(), mode)
    }

    fn directory(&self, name: &[u8], files: Vec<(&RepoPath, u8)>, mode: u16) -> Entry {
        let mut names: BTreeMap<&[u8], Vec<(&RepoPath, u8)>> = BTreeMap::new();
        for (path, content) in files {
            let first = path.names().next().unwrap();
            names.entry(first).or_default().push((path.below(RepoPath::new(first).unwrap()).unwrap(), content));
        }
        let metadata = Metadata { mode, ..Metadata::default() };
        let entries: Vec<Entry> = names
            .into_iter()
            .map(|(name, below)| match below[0] {
                (path, content) if path.is_root() => {
                    let content = Content::File { blob: BlobId([content; 32]), size: 1 };
                    Entry { name: name.to_vec(), metadata: Metadata::default(), attributes: None, content }
                }
                _ => self.directory(name, below, mode),
            })
            .collect();
        let count = entries
            .iter()
            .map(|entry| match entry.content {
                Content::Directory { entries, .. } => 1 + entries,
                _ => 1,
            })
            .sum();
        let size = entries.iter().map(Entry::size).sum();
        let tree = Tree { entries }.save(|id, bytes| self.put(ObjectKind::Tree, id.object_id(), bytes)).unwrap();
        let content = Content::Directory { tree, entries: count, size };
        Entry { name: name.to_vec(), metadata, attributes: None, content }
    }

    fn links(&self, groups: &[&[&str]]) -> Option<LinksId> {
        let groups = groups.iter().map(|group| group.iter().map(|text| path(text)).collect()).collect();
        Some(Links { groups }.save(|id, bytes| self.put(ObjectKind::Links, id.object_id(), bytes)).unwrap())
    }

    fn splice(
        &self,
        base: (&Entry, Option<LinksId>),
        from: (&Entry, Option<LinksId>),
        paths: &[RepoPathBuf],
    ) -> (Entry, Option<LinksId>) {
        let made = RefCell::new(Vec::new());
        let spliced = splice(self, base, from, paths, &mut |kind, id, bytes| {
            made.borrow_mut().push((kind, id, bytes));
            Ok(())
        });
        let Spliced { root, links, .. } = spliced.unwrap();
        made.into_inner().into_iter().for_each(|(kind, id, bytes)| self.put(kind, id, bytes).unwrap());
        (root, links)
    }

    fn files(&self, directory: &Entry, at: &RepoPath, found: &mut BTreeMap<RepoPathBuf, u8>) {
        for entry in self.tree(directory.tree().unwrap()).unwrap().entries {
            match entry.content {
                Content::File { blob, .. } => {
                    found.insert(at.join(&entry.name), blob.0[0]);
                }
                _ => self.files(&entry, &at.join(&entry.name), found),
            }
        }
    }
}

fn path(text: &str) -> RepoPathBuf {
    RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
}

fn files(list: &[(&str, u8)]) -> BTreeMap<RepoPathBuf, u8> {
    list.iter().map(|(text, content)| (path(text), *content)).collect()
}

/// Files below a few shared names; no file is where another needs a directory.
fn some_files() -> impl Strategy<Value = BTreeMap<RepoPathBuf, u8>> {
    let name = prop::sample::select(vec!["a", "b", "c"]);
    let file = prop::collection::vec(name, 1..4).prop_map(|names| path(&names.join("/")));
    prop::collection::btree_map(file, 0u8..3, 0..12).prop_map(|mut files| {
        let all: BTreeSet<RepoPathBuf> = files.keys().cloned().collect();
        files.retain(|path, _| !path.ancestors().any(|above| all.contains(above)));
        files
    })
}

proptest! {
    #[test]
    fn takes_selected_files_from_one_tree_and_others_from_the_other(
        base in some_files(),
        from in some_files(),
        paths in prop::collection::vec(prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4), 1..4),
    ) {
        let memory = Memory::default();
        let paths: Vec<RepoPathBuf> = paths.iter().map(|names| path(&names.join("/"))).collect();
        let selected = PathSet::topmost(paths.clone());
        let is_selected = |path: &RepoPath| selected.place(path) == Place::Within;
        let (base_root, from_root) = (memory.root(&base, 0o700), memory.root(&from, 0o755));
        let (root, _) = memory.splice((&base_root, None), (&from_root, None), &paths);
        let mut found = BTreeMap::new();
        memory.files(&root, RepoPath::root(), &mut found);
        let mut expected: BTreeMap<_, _> =
            from.into_iter().filter(|(path, _)| is_selected(path)).collect();
        let taken: Vec<RepoPathBuf> = expected.keys().cloned().collect();
        // A directory above a selected path replaces a file of the base.
        let stays = |path: &RepoPath| !is_selected(path) && !taken.iter().any(|other| other.is_within(path));
        expected.extend(base.into_iter().filter(|(path, _)| stays(path)));
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(root.size(), found.len() as u64);
        prop_assert_eq!(root.metadata.mode, 0o700);
    }
}

#[test]
fn selecting_the_root_selects_everything() {
    let memory = Memory::default();
    let base = memory.root(&files(&[("a", 1), ("d/b", 2)]), 0o700);
    let from = memory.root(&files(&[("a", 2)]), 0o755);
    let links = memory.links(&[&["a", "b"]]);
    assert_eq!(memory.splice((&base, None), (&from, links), &[path("")]), (from.clone(), links));
    assert_eq!(memory.splice((&base, None), (&base, None), &[path("d/b"), path("x")]).0, base);
}

#[test]
fn adds_missing_directories_only_above_selected_paths() {
    let memory = Memory::default();
    let base = memory.root(&files(&[("a", 1)]), 0o700);
    let from = memory.root(&files(&[("d/e/x", 2), ("d/y", 3)]), 0o755);
    let (root, _) = memory.splice((&base, None), (&from, None), &[path("d/e/x")]);
    assert_eq!(entry_at(&memory, &root, &path("d/e")).unwrap().unwrap().metadata.mode, 0o755);
    assert_eq!(entry_at(&memory, &root, &path("d/y")).unwrap(), None);
    assert_eq!(memory.splice((&base, None), (&from, None), &[path("d/none")]).0, base);
}

#[test]
fn hard_links_follow_their_paths() {
    let memory = Memory::default();
    let all = memory.root(&files(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]), 0o700);
    let splice = |base, from, paths: &[&str]| {
        let paths: Vec<RepoPathBuf> = paths.iter().map(|text| path(text)).collect();
        let (_, links) = memory.splice((&all, base), (&all, from), &paths);
        let groups = links.map(|id| Objects::links(&memory, id).unwrap().groups).unwrap_or_default();
        groups
            .iter()
            .map(|group| group.iter().map(|path| path.display().into_owned()).collect())
            .collect::<Vec<Vec<_>>>()
    };
    let (ab, cd) = (memory.links(&[&["a", "b"]]), memory.links(&[&["c", "d"]]));
    let none = Vec::<Vec<String>>::new();
    assert_eq!(splice(ab, cd, &["c", "d"]), [["a", "b"], ["c", "d"]]);
    assert_eq!(splice(ab, None, &["a"]), none, "a single path has no hard link");
    assert_eq!(splice(None, ab, &["a"]), [["a", "b"]], "b is still that file");
    assert_eq!(splice(ab, ab, &["a"]), [["a", "b"]], "both sides have it");
    let (abc, bd) = (memory.links(&[&["a", "b", "c"]]), memory.links(&[&["b", "d"]]));
    assert_eq!(splice(None, abc, &["a", "c"]), [["a", "b", "c"]]);
    assert_eq!(splice(bd, ab, &["a"]), [["b", "d"]], "b is another file's name by now");
    assert_eq!(splice(bd, abc, &["a"]), [vec!["a", "c"], vec!["b", "d"]], "c is still that file");
    let other = memory.root(&files(&[("a", 9), ("b", 9)]), 0o700);
    let (_, links) = memory.splice((&all, ab), (&other, ab), &[path("a")]);
    assert_eq!(links, None, "the two names have not one content");
}

#[test]
fn paths_with_different_metadata_are_not_linked() {
    let memory = Memory::default();
    let from = memory.root(&files(&[("a", 1), ("b", 1), ("c", 1)]), 0o700);
    let mut tree = memory.tree(from.tree().unwrap()).unwrap();
    for (mode, names) in [(0o600, &[][..]), (0, &["a", "b", "c"])] {
        tree.entries.iter_mut().for_each(|entry| entry.metadata.mode = mode);
        tree.entries.iter_mut().for_each(|entry| entry.metadata.mtime.seconds += 1);
        let tree = tree.clone().save(|id, bytes| memory.put(ObjectKind::Tree, id.object_id(), bytes)).unwrap();
        let base = Entry { content: Content::Directory { tree, entries: 3, size: 3 }, ..from.clone() };
        let (bc, abc) = (memory.links(&[&["b", "c"]]), memory.links(&[&["a", "b", "c"]]));
        let (root, links) = memory.splice((&base, bc), (&from, abc), &[path("a")]);
        let groups = Objects::links(&memory, links.unwrap()).unwrap().groups;
        let expected =
            if names.is_empty() { vec![path("b"), path("c")] } else { names.iter().map(|it| path(it)).collect() };
        assert_eq!(groups, [expected]);
        if !names.is_empty() {
            // All hard links of a file have one mtime.
            assert!(memory.tree(root.tree().unwrap()).unwrap() == memory.tree(from.tree().unwrap()).unwrap());
        }
    }
}

#[test]
fn deep_directories_do_not_overflow_the_stack() {
    const DEPTH: usize = 2_000;
    let memory = Memory::default();
    let deep = |content| {
        let content = Content::File { blob: BlobId([content; 32]), size: 1 };
        let file = Entry { name: b"f".to_vec(), metadata: Metadata::default(), attributes: None, content };
        (1..=DEPTH as u64).fold(file, |entry, entries| {
            let tree = Tree { entries: vec![entry] };
            let tree = tree.save(|id, bytes| memory.put(ObjectKind::Tree, id.object_id(), bytes)).unwrap();
            let content = Content::Directory { tree, entries, size: 1 };
            Entry { name: b"d".to_vec(), metadata: Metadata::default(), attributes: None, content }
        })
    };
    let (base, from) = (deep(1), deep(2));
    let file = path(&format!("{}f", "d/".repeat(DEPTH - 1)));
    let spliced = || memory.splice((&base, None), (&from, None), std::slice::from_ref(&file)).0;
    let root = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, spliced).unwrap();
        thread.join().unwrap()
    });
    assert_eq!(root, from);
}
