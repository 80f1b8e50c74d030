//! Compaction: which packs it rewrites, and where it puts current and old versions.

use proptest::prelude::*;

use super::*;
use crate::id::{CommitId, TreeId};
use crate::metadata::{Kind, Metadata};
use crate::object::{Commit, Content, Entry, Tree};
use crate::progress::Silent;
use crate::store::compaction::CompactionPlan;

/// Commits of a directory of small files. Each changes one line of one file.
struct History {
    fixture: Fixture,
    commits: Vec<CommitId>,
    files: Vec<Vec<u8>>,
}

/// Plans a compaction of all packs.
fn plan_all(store: &Store) -> Option<CompactionPlan> {
    store.plan_compaction(256 << 20, 10, &store.packs().into_iter().map(|(id, _)| id).collect())
}

impl History {
    fn new(files: usize) -> History {
        let fixture = Fixture::new(Compression::Zstd(1));
        // The lines of a file resemble no other file.
        let file = |n: usize| {
            (0..40)
                .map(|line| format!("{}\n", blake3::hash(&[n as u8, (n >> 8) as u8, line]).to_hex()))
                .collect::<String>()
        };
        let mut history =
            History { fixture, commits: Vec::new(), files: (0..files).map(|n| file(n).into_bytes()).collect() };
        history.commit();
        history
    }

    fn change(&mut self, file: usize) {
        let number = format!("version {:08}", self.commits.len());
        self.files[file][65..65 + number.len()].copy_from_slice(number.as_bytes());
        self.commit();
    }

    /// The objects of a commit of the files.
    fn commit(&mut self) {
        let mut objects: Vec<Object> = self.files.iter().map(|bytes| data(bytes.clone())).collect();
        let metadata = Metadata { mode: 0o644, ..Metadata::default() };
        let entry = |(n, file): (usize, &Object)| Entry {
            name: format!("file-{n:04}").into_bytes(),
            metadata,
            attributes: None,
            content: Content::File { blob: file.1.into(), size: file.2.len() as u64 },
        };
        let tree = Tree { entries: objects.iter().enumerate().map(entry).collect() };
        let put = |id: TreeId, bytes| {
            objects.push((ObjectKind::Tree, id.object_id(), bytes));
            Ok(())
        };
        let mut root = Entry::directory(tree.save(put).unwrap(), tree.totals().unwrap());
        root.metadata.mode = 0o755;
        assert_eq!(root.kind(), Kind::Directory);
        let parents = Vec::from_iter(self.commits.last().copied());
        let time = crate::time::Timestamp { seconds: 1000 + self.commits.len() as i64, nanoseconds: 0 };
        let commit = Commit { root, parents, time, links: None, ..crate::object::tests::samples::commit() };
        objects.push(object(ObjectKind::Commit, commit.encode()));
        let id = objects.last().unwrap().1;
        self.fixture.put(&objects);
        self.commits.push(id.into());
    }

    fn newest(&self) -> CommitId {
        *self.commits.last().unwrap()
    }

    /// Compacts everything that is planned, and leaves the new packs.
    fn compact(&mut self, mask: Option<Mask>) {
        let store = self.fixture.masked(mask);
        let plan = plan_all(&store).unwrap();
        let compacted = store.compact(&plan, &[self.newest()], &Silent).unwrap();
        let mut packs: Vec<PackId> =
            self.fixture.packs.iter().copied().filter(|id| !compacted.removed.contains(id)).collect();
        assert!(packs.is_empty(), "all packs are small");
        packs.extend(compacted.publish(&store).unwrap());
        self.fixture.leave(packs);
    }

    fn size(&self) -> u64 {
        self.fixture.store().packs().iter().map(|(_, size)| size).sum()
    }

    /// Reads all files of a commit, sorted by location; the number of decoded frames.
    fn read(&self, commit: CommitId) -> u64 {
        let store = self.fixture.store();
        let tree = match store.commit(commit).unwrap().root.content {
            Content::Directory { tree, .. } => store.tree(tree).unwrap(),
            _ => unreachable!(),
        };
        let blob = |entry: &Entry| match entry.content {
            Content::File { blob, .. } => blob.object_id(),
            _ => unreachable!(),
        };
        let mut blobs: Vec<ObjectId> = tree.entries.iter().map(blob).collect();
        blobs.sort_by_key(|&id| store.locate(ObjectKind::Data, id));
        let mut reader = store.reader();
        blobs.iter().for_each(|&id| assert!(reader.read(ObjectKind::Data, id).is_ok()));
        store.frames_decoded()
    }
}

#[test]
fn old_versions_cost_what_differs() {
    let mut history = History::new(200);
    let first = history.size();
    for n in 0..120 {
        history.change(n % 3);
    }
    let grown = history.size() - first;
    history.compact(None);
    let each = (history.size() - first) / 120;
    // Table: three or four objects of 45 bytes. Ids do not compress: commit, node, blob and parent.
    assert!(each < 600 && grown / 120 > 5 * each, "{each} bytes a commit, {} before", grown / 120);
    history.commits.iter().for_each(|&commit| assert!(history.read(commit) < 20));
}

#[test]
fn newest_commit_needs_no_more_frames_than_without_history() {
    let mut history = History::new(500);
    let alone = history.read(history.newest());
    for n in 0..60 {
        history.change(n * 7 % 500);
    }
    let scattered = history.read(history.newest());
    history.compact(None);
    let compacted = history.read(history.newest());
    // Commits now have a frame apart from nodes.
    assert!(compacted <= alone + 1 && alone + 1 < scattered, "{alone}, {scattered}, {compacted}");
    // An old version lies in one other frame.
    let second = history.commits[1];
    assert!(history.read(second) <= compacted + 4, "{} {compacted}", history.read(second));
}

#[test]
fn compacting_again_keeps_the_size() {
    let mut history = History::new(100);
    (0..40).for_each(|n| history.change(n % 4));
    history.compact(None);
    let once = history.size();
    assert_eq!(plan_all(&history.fixture.store()), None, "nothing is left to do");
    history.change(1);
    history.compact(None);
    let grown = history.size() - once;
    assert!(grown < 8000, "{grown}");
    history.commits.iter().for_each(|&commit| assert!(history.read(commit) > 0));
}

#[test]
fn dead_packs_are_planned_first_and_large_packs_only_if_wasteful() {
    let mut fixture = Fixture::new(Compression::Stored);
    let large = |seed: u64| -> Vec<Object> { (0..20).map(|n| data(noise(seed * 100 + n, 1 << 20))).collect() };
    let packs: Vec<Vec<Object>> = (0..4).map(large).collect();
    packs.iter().for_each(|objects| drop(fixture.put(objects)));
    assert_eq!(plan_all(&fixture.store()), None);
    let store = fixture.store();
    // All of the third pack, most of the second, and little of the first one are hidden.
    let hidden: Vec<Object> = [&packs[2][..], &packs[1][..12], &packs[0][..1]].concat();
    let mask = super::mask::hide(&store, &hidden);
    let masked = fixture.masked(Some(mask));
    let plan = plan_all(&masked).unwrap();
    assert_eq!(plan.packs, [fixture.packs[2], fixture.packs[1]]);
    assert!(plan.writes < 9 << 20 && plan.frees > 31 << 20, "{plan:?}");
    // A slice without room for the rest removes the dead pack only, after which it takes one pack at least.
    let compacted = masked.compact(&plan, &[], &Silent).unwrap();
    assert!(compacted.written < 9 << 20);
    let new = compacted.publish(&masked).unwrap();
    fixture.packs = vec![fixture.packs[0], fixture.packs[3]];
    fixture.packs.extend(new);
    let store = fixture.store();
    expect_all(&store, &packs[1][12..]);
    packs[1][..12].iter().for_each(|(kind, id, _)| assert!(!store.contains(*kind, *id)));
}

#[test]
fn damaged_frame_stops_a_compaction() {
    let mut history = History::new(10);
    history.change(1);
    super::damage::change(&history.fixture.pack_path(0), |bytes| bytes[20] ^= 1);
    let store = history.fixture.store();
    let plan = plan_all(&store).unwrap();
    let error = store.compact(&plan, &[], &Silent).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert_eq!(history.fixture.names_in("gc"), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn compaction_keeps_visible_objects_and_no_others(hidden in prop::collection::vec(any::<bool>(), 2000)) {
        let mut fixture = Fixture::new(Compression::Zstd(1));
        let objects: Vec<Object> = mixture().into_iter().filter(|(.., bytes)| !bytes.is_empty()).collect();
        objects.chunks(70).for_each(|part| drop(fixture.put(part)));
        let dead: Vec<Object> =
            objects.iter().zip(&hidden).filter(|(_, is_hidden)| **is_hidden).map(|(one, _)| one.clone()).collect();
        let mask = super::mask::hide(&fixture.store(), &dead);
        let store = fixture.masked(Some(mask));
        let plan = plan_all(&store).unwrap();
        let compacted = store.compact(&plan, &[], &Silent).unwrap();
        let removed = compacted.removed.clone();
        let new = compacted.publish(&store).unwrap();
        let kept: Vec<PackId> = fixture.packs.iter().copied().filter(|id| !removed.contains(id)).collect();
        fixture.packs = [kept, new].concat();
        // A small pack that was the only one stays.
        let store = fixture.masked(store.mask().cloned());
        let is_dead = |one: &Object| dead.iter().any(|other| (other.0, other.1) == (one.0, one.1));
        for one in &objects {
            prop_assert_eq!(store.contains(one.0, one.1), !is_dead(one));
        }
        expect_all(&store, &objects.iter().filter(|one| !is_dead(one)).cloned().collect::<Vec<_>>());
        fixture.packs.iter().for_each(|&id| assert!(store.is_whole(id)));
    }
}
