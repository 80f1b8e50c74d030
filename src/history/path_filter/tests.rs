//! Path filters on trees in memory: the result, and how many tree nodes are read for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::error::Error;
use crate::history::{entry_at, selection_filter};
use crate::id::{BlobId, ObjectId};
use crate::metadata::Metadata;
use crate::object::{Content, ObjectKind, Tree};
use crate::path::selection::PathSelection;

/// Paths of files and their content.
type Files = BTreeMap<String, u8>;

#[derive(Default)]
struct Memory {
    nodes: HashMap<ObjectId, Arc<[u8]>>,
    reads: AtomicUsize,
}

impl Objects for Memory {
    fn object(&self, _: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.nodes.get(&id).cloned().ok_or_else(|| Error::damaged(format!("no tree {id}")))
    }
}

impl Memory {
    fn root(&mut self, files: &Files) -> Entry {
        self.directory("", files.iter().map(|(path, content)| (path.as_str(), *content)).collect())
    }

    fn directory(&mut self, name: &str, files: Vec<(&str, u8)>) -> Entry {
        let mut entries = Vec::new();
        let mut folders: BTreeMap<&str, Vec<(&str, u8)>> = BTreeMap::new();
        for (path, content) in files {
            match path.split_once('/') {
                Some((folder, below)) => folders.entry(folder).or_default().push((below, content)),
                None => entries.push(entry_named(path, Content::File { blob: BlobId([content; 32]), size: 1 })),
            }
        }
        entries.extend(folders.into_iter().map(|(name, files)| self.directory(name, files)));
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let tree = Tree { entries }.save(|id, bytes| {
            self.nodes.insert(id.object_id(), bytes.into());
            Ok(())
        });
        entry_named(name, Content::Directory { tree: tree.unwrap(), entries: 0, size: 0 })
    }

    /// Tree nodes read to filter a history, newest commit first.
    fn reads(&self, filter: &mut PathFilter, roots: &[Entry]) -> usize {
        let before = self.reads.load(Ordering::Relaxed);
        for (n, root) in roots.iter().enumerate() {
            filter.differs(self, root, roots.get(n + 1)).unwrap();
        }
        self.reads.load(Ordering::Relaxed) - before
    }
}

fn entry_named(name: &str, content: Content) -> Entry {
    Entry { name: name.into(), metadata: Metadata::default(), attributes: None, content }
}

fn paths(texts: &[&str]) -> Vec<RepoPathBuf> {
    texts.iter().map(|text| RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()).collect()
}

#[test]
fn reads_one_tree_per_commit_for_an_unchanged_path() {
    let mut memory = Memory::default();
    let mut files: Files = (0..20).map(|n| (format!("a/b/c/file-{n}"), 1)).collect();
    let roots: Vec<Entry> = (0..100)
        .map(|n| {
            files.insert("other/file".into(), n);
            memory.root(&files)
        })
        .collect();
    // The first commit adds the path: the three directories above it are read once.
    let mut filter = PathFilter::new(&paths(&["a/b/c/file-7"]));
    assert_eq!(memory.reads(&mut filter, &roots), 100 + 3);
    // Several paths share the trees above them.
    let mut filter = PathFilter::new(&paths(&["a/b/c/file-7", "a/b/c/file-8", "a/b", "nothing", "a/nothing"]));
    assert_eq!(memory.reads(&mut filter, &roots), 100 + 1);
    // A missing path is not looked up again below an unchanged directory.
    let mut filter = PathFilter::new(&paths(&["a/b/nothing"]));
    assert_eq!(memory.reads(&mut filter, &roots), 100 + 2);
}

#[test]
fn reads_each_tree_above_a_changed_path_once() {
    let mut memory = Memory::default();
    let mut files: Files = (0..20).map(|n| (format!("a/b/c/file-{n}"), 1)).collect();
    let roots: Vec<Entry> = (0..100)
        .map(|n| {
            files.insert("a/b/c/file-3".into(), n);
            memory.root(&files)
        })
        .collect();
    let mut filter = PathFilter::new(&paths(&["a/b/c/file-7"]));
    assert_eq!(memory.reads(&mut filter, &roots), 100 * 4);
}

#[test]
fn reads_only_changed_nodes_of_a_large_directory() {
    let mut memory = Memory::default();
    let mut files: Files = (0..5000).map(|n| (format!("long/{n:05}"), 1)).collect();
    let roots: Vec<Entry> = (0..50)
        .map(|n| {
            files.insert("long/04000".into(), n);
            memory.root(&files)
        })
        .collect();
    // The root, the inner node of the directory, and once the leaf of the name.
    let mut filter = PathFilter::new(&paths(&["long/00007"]));
    assert_eq!(memory.reads(&mut filter, &roots), 50 * 2 + 1);
}

#[test]
fn agrees_with_a_filter_for_patterns() {
    let names = ["a", "b", "d/a", "d/b", "d/e/a", "f/a"];
    for seed in 0..500_usize {
        let mut memory = Memory::default();
        let files = |shift: usize| -> Files {
            let content = |n: usize| (seed.wrapping_mul(31).wrapping_add(n * 7) >> shift) as u8 % 3;
            names.iter().enumerate().map(|(n, name)| ((*name).to_owned(), content(n))).filter(|(_, c)| *c > 0).collect()
        };
        let (new, old) = (files(0), files(1 + seed % 3));
        let (new, old) = (memory.root(&new), memory.root(&old));
        for selected in [&["a"][..], &["d"], &["d/e", "f"], &["d/e/a", "b"], &["nothing"], &["f/a", "d/b"]] {
            let expected = PathFilter::new(&paths(selected)).differs(&memory, &new, Some(&old)).unwrap();
            let selection = PathSelection::of_paths(paths(selected));
            let found = selection_filter::differs(&selection, &memory, &new, Some(&old)).unwrap();
            assert_eq!(found, expected, "{seed} {selected:?}");
        }
    }
}

#[test]
fn bounds_the_cache() {
    let mut memory = Memory::default();
    let asked: Vec<String> = (0..100).map(|n| format!("a/{n}")).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let mut filter = PathFilter::new(&paths(&asked));
    let roots: Vec<Entry> = (0..400)
        .map(|n: u32| memory.root(&asked.iter().map(|path| ((*path).into(), (n % 251) as u8)).collect()))
        .collect();
    for (n, root) in roots.iter().enumerate() {
        filter.differs(&memory, root, roots.get(n + 1)).unwrap();
        let held: usize = filter.cache.values().map(|entries| entries.len()).sum();
        assert!(held <= CACHED_NAMES && held == filter.cached_names, "{held} of {}", filter.cached_names);
    }
}

#[test]
fn agrees_with_comparing_each_path() {
    let mut seed = 3u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut memory = Memory::default();
    // Directories become files and files directories; `m` is long enough for several nodes.
    let mut candidates: Vec<String> =
        ["a", "a/x", "a/x/y", "a/x/z", "a-b", "b", "b/x", "b/x/y", "m", "n"].map(String::from).into();
    candidates.extend((0..600).map(|n| format!("m/{n:03}")));
    for _ in 0..20 {
        let some: Vec<&str> = (0..random(6)).map(|_| candidates[random(candidates.len())].as_str()).collect();
        let always: &[&str] = if random(5) == 0 { &["", "m", "a"] } else { &["b/x"] };
        let asked = paths(&[some.as_slice(), always].concat());
        let mut filter = PathFilter::new(&asked);
        let mut previous: Option<Entry> = None;
        for _ in 0..10 {
            let is_long = random(2) == 0;
            let mut files = Files::new();
            for path in &candidates {
                let is_free = !path.match_indices('/').any(|(at, _)| files.contains_key(&path[..at]));
                if is_free && random(if path.starts_with("m/") { 20 } else { 2 }) > usize::from(!is_long) {
                    files.insert(path.clone(), random(2) as u8);
                }
            }
            let root = memory.root(&files);
            let find = |root: &Entry, path: &RepoPath| entry_at(&memory, root, path).unwrap();
            let expected = asked.iter().any(|path| {
                let old = previous.as_ref().and_then(|root| find(root, path));
                !is_same(find(&root, path).as_ref(), old.as_ref())
            });
            assert_eq!(filter.differs(&memory, &root, previous.as_ref()).unwrap(), expected, "{asked:?} {files:?}");
            previous = Some(root);
        }
    }
}
