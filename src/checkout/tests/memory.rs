//! Trees in memory, written as text, so that plans are tested without a disk.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::checkout::obstacles::{Lookups, Occupant};
use crate::checkout::planner;
use crate::checkout::{Plan, Target};
use crate::error::{Error, Result};
use crate::fs::Stat;
use crate::id::{BlobId, CommitId, LinksId, ObjectId};
use crate::metadata::{Kind, Metadata};
use crate::object::commit::{Reason, Totals, Uncovered};
use crate::object::{Content, Entry, Links, ObjectKind, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;
use crate::worktree::Scan;
use crate::worktree::index::{Builder, Record, Update};

use super::path;

/// Objects in memory.
#[derive(Default)]
pub struct MemoryObjects {
    objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
}

impl Objects for MemoryObjects {
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
        self.objects.get(&(kind, id)).cloned().ok_or_else(|| Error::damaged("missing"))
    }
}

/// One side of a plan, as text.
///
/// `a=1` a file with content, `d/` a directory, `l>t` a link, `p|` a FIFO, `b~a` another name of a file; `@5` at the end
/// is its time; `?x` is ignored, `!x` uncovered, `^a=1` a file that has a name outside too.
pub struct ParsedSide {
    root: Entry,
    links: Option<LinksId>,
    index: Builder,
    ignored: Vec<RepoPathBuf>,
    uncovered: Vec<Uncovered>,
}

impl MemoryObjects {
    pub fn parse_side(&mut self, lines: &[&str]) -> ParsedSide {
        let mut entries: BTreeMap<RepoPathBuf, Entry> = BTreeMap::new();
        let mut groups: BTreeMap<RepoPathBuf, Vec<RepoPathBuf>> = BTreeMap::new();
        let (mut ignored, mut uncovered, mut outside) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            let (text, time) = line.split_once('@').map_or((*line, 0), |(text, time)| (text, time.parse().unwrap()));
            if let Some(text) = text.strip_prefix('?') {
                ignored.push(path(text));
            } else if let Some(text) = text.strip_prefix('!') {
                uncovered.push(Uncovered { path: path(text), reason: Reason::Unreadable });
            } else if let Some((name, first)) = text.split_once('~') {
                entries.insert(path(name), entries[&path(first)].clone());
                groups.entry(path(first)).or_insert_with(|| vec![path(first)]).push(path(name));
            } else {
                let plain = text.trim_start_matches('^');
                let (name, content) = parse(plain);
                if plain != text {
                    outside.push(name.clone());
                }
                entries.insert(name, entry(content, time));
            }
        }
        let index = index(&mut entries, &groups, &outside);
        let root = self.root(&entries);
        let links = Links { groups: groups.into_values().collect() };
        let links = (!links.groups.is_empty()).then(|| {
            let put = |id: LinksId, bytes: Vec<u8>| {
                self.objects.insert((ObjectKind::Links, id.object_id()), bytes.into());
                Ok(())
            };
            links.save(put).unwrap()
        });
        ParsedSide { root, links, index, ignored, uncovered }
    }

    /// Saves all trees, the deepest first.
    fn root(&mut self, entries: &BTreeMap<RepoPathBuf, Entry>) -> Entry {
        let mut trees: BTreeMap<RepoPathBuf, Tree> = BTreeMap::from([(RepoPathBuf::default(), Tree::default())]);
        let mut saved = None;
        for (path, _) in entries.iter().filter(|(_, entry)| entry.kind() == Kind::Directory) {
            trees.insert(path.clone(), Tree::default());
        }
        for (path, entry) in entries {
            let mut entry = entry.clone();
            entry.name = path.name().unwrap().to_vec();
            trees.get_mut(path.parent().unwrap()).unwrap().entries.push(entry);
        }
        while let Some((path, mut tree)) = trees.pop_last() {
            tree.entries.sort_by(|a, b| a.name.cmp(&b.name));
            let count: u64 = tree.entries.iter().map(|entry| 1 + below(entry)).sum();
            let put = |id: crate::id::TreeId, bytes: Vec<u8>| {
                self.objects.insert((ObjectKind::Tree, id.object_id()), bytes.into());
                Ok(())
            };
            let id = tree.save(put).unwrap();
            let content = Content::Directory { tree: id, entries: count, size: 0 };
            match path.parent() {
                Some(parent) => {
                    let siblings = &mut trees.get_mut(parent).unwrap().entries;
                    siblings.iter_mut().find(|it| Some(&it.name[..]) == path.name()).unwrap().content = content;
                }
                None => saved = Some(Entry { name: Vec::new(), content, ..entry(Content::Fifo, 0) }),
            }
        }
        saved.unwrap()
    }
}

fn below(entry: &Entry) -> u64 {
    match entry.content {
        Content::Directory { entries, .. } => entries,
        _ => 0,
    }
}

fn parse(text: &str) -> (RepoPathBuf, Content) {
    if let Some((name, content)) = text.split_once('=') {
        let blob = BlobId(*blake3::hash(content.as_bytes()).as_bytes());
        return (path(name), Content::File { blob, size: content.len() as u64 });
    }
    if let Some((name, target)) = text.split_once('>') {
        return (path(name), Content::Symlink { target: target.as_bytes().to_vec() });
    }
    if let Some(name) = text.strip_suffix('|') {
        return (path(name), Content::Fifo);
    }
    let name = text.strip_suffix('/').expect("a directory ends with a slash");
    (path(name), Content::Directory { tree: crate::id::TreeId([0; 32]), entries: 0, size: 0 })
}

fn entry(content: Content, time: i64) -> Entry {
    let mtime = Timestamp { seconds: time, nanoseconds: 0 };
    Entry {
        name: Vec::new(),
        metadata: Metadata { mode: 0o644, mtime, ..Metadata::default() },
        attributes: None,
        content,
    }
}

fn index(
    entries: &mut BTreeMap<RepoPathBuf, Entry>,
    groups: &BTreeMap<RepoPathBuf, Vec<RepoPathBuf>>,
    outside: &[RepoPathBuf],
) -> Builder {
    let mut index = Builder::default();
    for (number, (path, entry)) in entries.iter().enumerate() {
        let group = groups.values().find(|group| group.contains(path));
        let links = group.map_or(1, Vec::len) as u64 + u64::from(outside.contains(path));
        let stat = Stat {
            kind: entry.kind(),
            metadata: entry.metadata,
            ctime: Timestamp::default(),
            size: entry.size(),
            allocated: 0,
            inode: number as u64,
            device: 1,
            links,
            rdev: 0,
            is_mounted: false,
        };
        let content = entry.content.clone();
        let mut update = Update::new(&mut index);
        update.set(path, Record { name: Vec::new(), stat, content, attributes: None, racy: false, is_prefix: false });
        update.finish();
    }
    index
}

/// Plans from one side to the other. `alike` are uncovered paths that already have the wanted content.
pub fn plan(live: &[&str], target: &[&str], alike: &[&str]) -> Plan {
    let mut objects = MemoryObjects::default();
    let (live, target) = (objects.parse_side(live), objects.parse_side(target));
    let ParsedSide { root, links, index, ignored, uncovered } = live;
    let in_the_way: Vec<RepoPathBuf> = ignored.iter().chain(uncovered.iter().map(|it| &it.path)).cloned().collect();
    let scan = Scan {
        index_failure: None,
        root,
        links,
        totals: Totals::default(),
        objects: HashMap::new(),
        index,
        uncovered,
        ignored,
        ignore_warnings: Vec::new(),
        torn: Vec::new(),
        uncovered_kinds: HashMap::new(),
        without_attributes: Vec::new(),
        files_read: 0,
        bytes_read: 0,
    };
    let rules = target.ignored.clone();
    let target = Target {
        commit: CommitId([1; 32]),
        root: target.root,
        links: target.links,
        uncovered: target.uncovered,
        objects: HashMap::new(),
        unstable: Vec::new(),
        journals: Vec::new(),
        other_names: Vec::new(),
        halfway: Vec::new(),
    };
    let alike = alike.iter().map(|text| path(text)).collect();
    planner::plan(&scan, &target, &Answers { objects, rules, alike, in_the_way }).unwrap()
}

/// Lookups from memory.
struct Answers {
    objects: MemoryObjects,
    rules: Vec<RepoPathBuf>,
    alike: Vec<RepoPathBuf>,
    in_the_way: Vec<RepoPathBuf>,
}

impl Lookups for Answers {
    fn objects(&self) -> &dyn Objects {
        &self.objects
    }

    fn is_ignored(&self, path: &RepoPath, _: bool) -> Result<bool> {
        Ok(self.rules.iter().any(|rule| path.is_within(rule)))
    }

    fn is_purged(&self, _: BlobId) -> bool {
        false
    }

    fn is_halfway(&self, _: &RepoPath) -> Result<bool> {
        Ok(false)
    }

    fn is_file(&self, path: &RepoPath) -> bool {
        self.in_the_way.iter().any(|it| **it == *path)
    }

    fn occupant(&self, path: &RepoPath, entry: &Entry) -> Result<Occupant> {
        let is_alike = self.alike.iter().any(|it| **it == *path);
        let stat = Box::new(stat_of(entry));
        Ok(match (self.is_file(path), is_alike) {
            (_, true) => Occupant::Alike { stat, racy: false, has_metadata: true },
            (true, false) => Occupant::Other,
            _ => Occupant::Nothing,
        })
    }
}

pub fn stat_of(entry: &Entry) -> Stat {
    Stat {
        kind: entry.kind(),
        metadata: entry.metadata,
        ctime: Timestamp::default(),
        size: entry.size(),
        allocated: 0,
        inode: 999,
        device: 1,
        links: 1,
        rdev: 0,
        is_mounted: false,
    }
}
