//! Scans of real directories.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::chunk;
use crate::environment::Durability;
use crate::error::Result;
use crate::id::{BlobId, ObjectId};
use crate::object::commit::{Reason, Totals};
use crate::object::{Attributes, Content, Entry, Links, ObjectKind, Objects};
use crate::parallel::tests::with_workers;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::{Progress, Silent, Task, Unit};
use crate::store::{self, Compression, Store};
use crate::time::Timestamp;
use crate::worktree::ignore::{TreeRules, WorktreeRules};
use crate::worktree::scan::{Options, scan};
use crate::worktree::sink::Sink;
use crate::worktree::{HashSink, Index, Overlay, Reading, Scan, Worktree};

/// A worktree, and an empty store elsewhere.
pub(super) struct Fixture {
    place: tempfile::TempDir,
    pub(super) store: Store,
}

fn path(text: &str) -> &RepoPath {
    RepoPath::new(text.as_bytes()).unwrap()
}

fn paths(texts: &[&str]) -> Vec<RepoPathBuf> {
    texts.iter().map(|text| path(text).to_owned()).collect()
}

impl Fixture {
    pub(super) fn new() -> Fixture {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("tree")).unwrap();
        fs::create_dir_all(place.path().join("tree/.undo/tmp")).unwrap();
        let repository = place.path().join("store");
        fs::create_dir_all(repository.join("tmp")).unwrap();
        let options = store::Options {
            chunk: chunk::Params::default(),
            compression: Compression::Stored,
            reflink: true,
            durability: Durability::Synced,
        };
        let store = Store::open(&repository, &[], None, options).unwrap();
        Fixture { place, store }
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.place.path().join("tree").join(name)
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let file = self.at(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }

    fn index_file(&self) -> PathBuf {
        self.place.path().join("index")
    }

    pub(super) fn worktree(&self) -> Worktree {
        Worktree::open(self.at(""), false).unwrap()
    }

    fn scan_with(&self, index: &Index, options: &Options) -> Scan {
        scan(&self.worktree(), &self.store, index, options, &HashSink::new, &Silent).unwrap()
    }

    fn scan(&self) -> Scan {
        self.scan_with(&Index::empty(), &Options::default())
    }

    /// Scans with the last index, and keeps the new one.
    fn again(&self) -> Scan {
        let scan = self.scan_with(&Index::open(&self.index_file()), &Options::default());
        scan.index.write(&self.index_file()).unwrap();
        scan
    }

    fn find(&self, scan: &Scan, name: &str) -> Option<Entry> {
        let overlay = Overlay { below: &self.store, objects: &scan.objects };
        let mut entry = scan.root.clone();
        for name in path(name).names() {
            entry = overlay.tree(entry.tree()?).unwrap().find(name)?.clone();
        }
        Some(entry)
    }

    /// All paths, as a list.
    fn listed(&self, scan: &Scan) -> Vec<String> {
        let overlay = Overlay { below: &self.store, objects: &scan.objects };
        let mut found = Vec::new();
        list(&overlay, &scan.root, &mut RepoPathBuf::default(), &mut found);
        found
    }

    /// Lets the file system's clock pass what was just written.
    fn settle(&self) {
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn list(objects: &dyn Objects, directory: &Entry, at: &mut RepoPathBuf, found: &mut Vec<String>) {
    let Some(tree) = directory.tree() else { return };
    for entry in objects.tree(tree).unwrap().entries {
        at.push(&entry.name);
        found.push(at.display().into_owned());
        list(objects, &entry, at, found);
        at.pop();
    }
}

fn blob_of(bytes: impl AsRef<[u8]>) -> Option<BlobId> {
    Some(BlobId(*blake3::hash(bytes.as_ref()).as_bytes()))
}

fn make_fifo(at: &Path) {
    let dir = crate::fs::Dir::open(at.parent().unwrap()).unwrap();
    let name = at.file_name().unwrap().as_encoded_bytes();
    dir.make_special(name, crate::metadata::Kind::Fifo, 0).unwrap();
}

#[test]
fn every_kind_of_file_is_recorded_or_listed_with_a_reason() {
    let fixture = Fixture::new();
    fixture.write("a.txt", "hello");
    fixture.write("sub/deep/b.bin", [0, 255]);
    fixture.write("sub/.undo/format", "a repository in the worktree");
    fs::create_dir(fixture.at("empty")).unwrap();
    symlink("../elsewhere", fixture.at("link")).unwrap();
    make_fifo(&fixture.at("pipe"));
    let _socket = std::os::unix::net::UnixListener::bind(fixture.at("socket")).unwrap();
    fs::set_permissions(fixture.at("a.txt"), fs::Permissions::from_mode(0o4751)).unwrap();
    let scan = fixture.scan();
    assert_eq!(fixture.listed(&scan), ["a.txt", "empty", "link", "pipe", "sub", "sub/deep", "sub/deep/b.bin"]);
    assert_eq!(scan.totals, Totals { files: 2, directories: 3, others: 2, bytes: 7 });
    assert!(matches!(scan.root.content, Content::Directory { entries: 7, size: 7, .. }));
    assert!(matches!(fixture.find(&scan, "sub").unwrap().content, Content::Directory { entries: 2, size: 2, .. }));
    let text = fixture.find(&scan, "a.txt").unwrap();
    assert_eq!((text.blob(), text.size(), text.metadata.mode), (blob_of("hello"), 5, 0o4751));
    let metadata = fs::metadata(fixture.at("a.txt")).unwrap();
    assert_eq!(text.metadata.mtime.nanoseconds, metadata.mtime_nsec() as u32);
    assert_eq!(fixture.find(&scan, "link").unwrap().content, Content::Symlink { target: b"../elsewhere".to_vec() });
    assert_eq!(fixture.find(&scan, "pipe").unwrap().content, Content::Fifo);
    let uncovered: Vec<_> = scan.uncovered.iter().map(|it| (it.path.display().into_owned(), it.reason)).collect();
    assert_eq!(uncovered, [("socket".into(), Reason::Socket), ("sub/.undo".into(), Reason::Repository)]);
    assert_eq!((scan.files_read, scan.bytes_read), (2, 7));
    assert!(scan.ignored.is_empty() && scan.torn.is_empty() && scan.links.is_none());
}

#[test]
fn an_unchanged_worktree_costs_no_reads() {
    let fixture = Fixture::new();
    fixture.write("a", "1");
    fixture.write("sub/b", "2");
    symlink("x", fixture.at("sub/link")).unwrap();
    fixture.settle();
    let first = fixture.again();
    let second = fixture.again();
    assert_eq!((first.files_read, second.files_read, second.bytes_read), (2, 0, 0));
    assert_eq!((&second.root, second.totals), (&first.root, first.totals));
    let index = Index::open(&fixture.index_file());
    let third = fixture.scan_with(&index, &Options::default());
    assert!(third.index.is_same(&index), "and there is nothing new to write down");
    fixture.write("sub/b", "3");
    let third = fixture.again();
    assert_eq!(third.files_read, 1);
    assert_eq!(fixture.find(&third, "sub/b").unwrap().blob(), blob_of("3"));
    fs::remove_file(fixture.at("a")).unwrap();
    assert_eq!(fixture.listed(&fixture.again()), ["sub", "sub/b", "sub/link"]);
}

/// As after a power cut: the stat of a young file may be on the disk, and its content not.
#[test]
fn recent_files_are_read_again_after_a_restart() {
    let fixture = Fixture::new();
    fixture.write("a", "1");
    fixture.settle();
    let first = fixture.again();
    assert_eq!(fixture.again().files_read, 0);
    let now: Timestamp = jiff::Timestamp::now().into();
    for (seconds, files_read) in [(now.seconds, 1), (now.seconds + 3600, 0)] {
        let origin = ([0xb0; 16], Timestamp { seconds, nanoseconds: 0 });
        fs::write(fixture.index_file(), first.index.encode(origin).collect::<Vec<_>>().concat()).unwrap();
        assert_eq!(fixture.scan_with(&Index::open(&fixture.index_file()), &Options::default()).files_read, files_read);
    }
    assert_eq!(fixture.again().root, first.root);
    assert_eq!(Index::open(&fixture.index_file()).doubtful_since(), None);
}

#[test]
fn rewrites_of_the_same_size_within_one_tick_are_detected() {
    let fixture = Fixture::new();
    for round in 0..50 {
        let text = format!("{round:04}");
        fixture.write("a", &text);
        let scan = fixture.again();
        assert_eq!(fixture.find(&scan, "a").unwrap().blob(), blob_of(&text));
    }
}

#[test]
fn scans_do_not_depend_on_the_number_of_workers() {
    let fixture = Fixture::new();
    for number in 0..3_000 {
        fixture.write(&format!("flat/{number}"), number.to_string());
    }
    for number in 0..200 {
        fixture.write(&format!("deep/{}/{}/{number}", number % 7, number % 11), number.to_string());
    }
    fixture.write("large", vec![7; 3 << 20]);
    fixture.settle();
    let one = with_workers(1, || fixture.scan_with(&Index::empty(), &Options::default()));
    let many = with_workers(7, || fixture.scan_with(&Index::empty(), &Options::default()));
    assert_eq!((&one.root, one.totals, one.files_read), (&many.root, many.totals, many.files_read));
    assert_eq!(one.totals.files, 3_201);
    let origin = ([0; 16], Timestamp::default());
    assert!(one.index.encode(origin).eq(many.index.encode(origin)));
    let mut ids: [Vec<_>; 2] = [&one, &many].map(|scan| scan.objects.keys().copied().collect());
    ids.iter_mut().for_each(|ids| ids.sort());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn hard_links_are_read_once_and_grouped() {
    let fixture = Fixture::new();
    fixture.write("sub/b", "the same");
    fs::create_dir(fixture.at("other")).unwrap();
    fs::hard_link(fixture.at("sub/b"), fixture.at("a")).unwrap();
    fs::hard_link(fixture.at("sub/b"), fixture.at("other/c")).unwrap();
    fixture.write("lonely", "a name outside the worktree does not count");
    fs::hard_link(fixture.at("lonely"), fixture.place.path().join("outside")).unwrap();
    let check = |scan: &Scan| {
        let overlay = Overlay { below: &fixture.store, objects: &scan.objects };
        let links = overlay.links(scan.links.unwrap()).unwrap();
        assert_eq!(links, Links { groups: vec![paths(&["a", "other/c", "sub/b"])] });
    };
    fixture.settle();
    let scan = fixture.again();
    assert_eq!((scan.files_read, scan.totals.files), (2, 4));
    check(&scan);
    let scan = fixture.again();
    assert_eq!(scan.files_read, 0);
    check(&scan);
}

#[test]
fn ignored_directories_are_listed_and_not_entered() {
    let fixture = Fixture::new();
    fixture.write(".undoignore", "*.tmp\n/build/\n!keep.tmp\n");
    fixture.write("sub/.undoignore", "!special.tmp\nx\n");
    for name in
        ["a.tmp", "keep.tmp", "build/1", "build/deep/2", "sub/a.tmp", "sub/special.tmp", "sub/x/1", "sub/build/3"]
    {
        fixture.write(name, name);
    }
    let scan = fixture.scan();
    assert_eq!(
        fixture.listed(&scan),
        [".undoignore", "keep.tmp", "sub", "sub/.undoignore", "sub/build", "sub/build/3", "sub/special.tmp"]
    );
    assert_eq!(scan.ignored, paths(&["a.tmp", "build", "sub/a.tmp", "sub/x"]));
    let despite = Options { despite_rules: paths(&["build/deep", "sub/a.tmp"]), ..Options::default() };
    let scan = fixture.scan_with(&Index::empty(), &despite);
    assert!(fixture.listed(&scan).contains(&"build/deep/2".to_owned()));
    assert_eq!(scan.ignored, paths(&["a.tmp", "build/1", "sub/x"]));
    fixture.write(".undoignore", "[a\n");
    let scan = fixture.scan();
    assert!(fixture.listed(&scan).contains(&"a.tmp".to_owned()));
    assert_eq!(scan.ignored, paths(&["sub/x"]));
    assert_eq!((&*scan.ignore_warnings[0].file, scan.ignore_warnings[0].line), (path(".undoignore"), 1));
}

#[test]
fn tree_rules_equal_the_rules_of_the_worktree() {
    let fixture = Fixture::new();
    let (upper, deeper) = ("*.tmp\n/build/\n", "!special.tmp\n");
    fixture.write(".undoignore", upper);
    fixture.write("sub/.undoignore", deeper);
    let scan = fixture.scan();
    let overlay = Overlay { below: &fixture.store, objects: &scan.objects };
    let blob = |_: &RepoPath, id| {
        let found = [upper, deeper].into_iter().find(|text| blob_of(text) == Some(id));
        Ok(found.unwrap().as_bytes().to_vec())
    };
    let rules = TreeRules::new(&overlay, &scan.root, &blob);
    let root = fixture.worktree().root;
    let mut deciding = WorktreeRules::new(&root);
    for (name, ignored) in [
        ("a.tmp", true),
        ("a", false),
        ("build", true),
        ("build/deep/x", true),
        ("sub/special.tmp", false),
        ("sub/not/there/a.tmp", true),
        ("sub/not/there/special.tmp", false),
        ("sub/build", false),
    ] {
        assert_eq!(rules.ignores(path(name), name == "build").unwrap(), ignored, "{name}");
        let rule = deciding.rule(path(name), name == "build").unwrap();
        assert_eq!(rule.is_some_and(|rule| rule.ignores), ignored, "{name}");
    }
    let deep = format!("sub/{}a.tmp", "d/".repeat(2_000));
    std::thread::scope(|scope| {
        let asked = || TreeRules::new(&overlay, &scan.root, &blob).ignores(path(&deep), false).unwrap();
        let thread = std::thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, asked).unwrap();
        assert!(thread.join().unwrap());
    });
}

#[test]
fn entries_removed_during_a_scan_are_skipped() {
    let fixture = Fixture::new();
    for name in ["a", "b", "sub/c"] {
        fixture.write(name, name);
    }
    // `a` is read first, and takes the others with it.
    let sinks = || Removing { fixture: &fixture, inner: HashSink::new() };
    let options = Options::default();
    let scan = || scan(&fixture.worktree(), &fixture.store, &Index::empty(), &options, &sinks, &Silent).unwrap();
    let scan = with_workers(1, scan);
    assert_eq!(fixture.listed(&scan), ["a"]);
    assert!(scan.uncovered.is_empty() && scan.torn.is_empty());
}

/// A sink that removes everything but `a`.
struct Removing<'h> {
    fixture: &'h Fixture,
    inner: HashSink,
}

impl Sink for Removing<'_> {
    const STORES: bool = false;

    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId> {
        let _ = fs::remove_file(self.fixture.at("b"));
        let _ = fs::remove_dir_all(self.fixture.at("sub"));
        self.inner.read(reading)
    }

    fn object(&mut self, _: ObjectKind, _: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        Ok(Some(bytes))
    }

    fn finish(self) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_selection_includes_parent_directories_only() {
    let fixture = Fixture::new();
    for name in ["a", "sub/b", "sub/c", "sub/deep/d", "other/e"] {
        fixture.write(name, name);
    }
    let options = Options { paths: paths(&["sub/deep", "sub/b", "gone", "a/below"]), ..Options::default() };
    let scan = fixture.scan_with(&Index::empty(), &options);
    assert_eq!(fixture.listed(&scan), ["sub", "sub/b", "sub/deep", "sub/deep/d"]);
    assert_eq!(scan.files_read, 2);
}

#[test]
fn entries_staged_by_an_unfinished_checkout_are_skipped() {
    let fixture = Fixture::new();
    fixture.write(".undo-00000000000000ff-1", "staged");
    fixture.write("sub/.undo-00000000000000ff-2", "staged");
    fixture.write("sub/.undo-00000000000000fe-2", "another file");
    let scan = fixture.scan_with(&Index::empty(), &Options { staged_by: Some(255), ..Options::default() });
    assert_eq!(fixture.listed(&scan), ["sub", "sub/.undo-00000000000000fe-2"]);
}

#[test]
fn holes_are_recorded_and_hashed_as_zeros() {
    let fixture = Fixture::new();
    fixture.write("sparse", "");
    let mut file = fs::File::options().write(true).open(fixture.at("sparse")).unwrap();
    file.write_all(b"begin").unwrap();
    file.seek(SeekFrom::Start(2 << 20)).unwrap();
    file.write_all(b"end").unwrap();
    file.set_len(4 << 20).unwrap();
    drop(file);
    let mut whole = vec![0; 4 << 20];
    whole[..5].copy_from_slice(b"begin");
    whole[2 << 20..][..3].copy_from_slice(b"end");
    let scan = fixture.scan();
    let entry = fixture.find(&scan, "sparse").unwrap();
    assert_eq!((entry.blob(), entry.size()), (blob_of(&whole), 4 << 20));
    let Some(attributes) = entry.attributes else { return };
    let bytes = &scan.objects[&(ObjectKind::Attributes, attributes.object_id())];
    let holes = Attributes::decode(bytes).unwrap().holes;
    assert_eq!(holes.last().map(|(start, length)| start + length), Some(4 << 20));
    assert!(scan.bytes_read < 1 << 20, "{}", scan.bytes_read);
}

/// A sink whose file changes a number of times while it is read.
struct Meddling<'h> {
    fixture: &'h Fixture,
    times: &'h std::sync::atomic::AtomicU32,
    inner: HashSink,
}

impl Sink for Meddling<'_> {
    const STORES: bool = false;

    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId> {
        let blob = self.inner.read(reading)?;
        let left = self.times.load(std::sync::atomic::Ordering::Relaxed);
        if left > 0 {
            self.times.store(left - 1, std::sync::atomic::Ordering::Relaxed);
            self.fixture.write("a", "x".repeat(left as usize));
        }
        Ok(blob)
    }

    fn object(&mut self, _: ObjectKind, _: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        Ok(Some(bytes))
    }

    fn finish(self) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_keeps_changing_is_torn_and_read_again() {
    let fixture = Fixture::new();
    fixture.write("a", "first of all");
    fixture.settle();
    for (times, torn, reads) in [(1, 0, 2), (2, 0, 3), (9, 1, 3)] {
        let times = std::sync::atomic::AtomicU32::new(times);
        let sinks = || Meddling { fixture: &fixture, times: &times, inner: HashSink::new() };
        let scan =
            scan(&fixture.worktree(), &fixture.store, &Index::empty(), &Options::default(), &sinks, &Silent).unwrap();
        assert_eq!((scan.torn.len(), scan.files_read), (torn, reads));
        if torn == 0 {
            let content = fs::read(fixture.at("a")).unwrap();
            assert_eq!(fixture.find(&scan, "a").unwrap().blob(), blob_of(content));
        } else {
            assert_eq!(scan.torn, paths(&["a"]));
            assert!(scan.index.find(path("a")).unwrap().racy);
        }
    }
}

#[test]
fn unreadable_entries_are_listed_and_not_recorded() {
    let fixture = Fixture::new();
    fixture.write("open", "1");
    fixture.write("shut", "2");
    fixture.write("sub/x", "3");
    fs::set_permissions(fixture.at("shut"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(fixture.at("sub"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(fixture.at("shut")).is_ok() {
        // Nothing is unreadable for this user.
        return;
    }
    let scan = fixture.scan();
    fs::set_permissions(fixture.at("sub"), fs::Permissions::from_mode(0o700)).unwrap();
    // Only the content of the directory is not covered.
    assert_eq!(fixture.listed(&scan), ["open", "sub"]);
    let uncovered: Vec<_> = scan.uncovered.iter().map(|it| (it.path.display().into_owned(), it.reason)).collect();
    assert_eq!(uncovered, [("shut".into(), Reason::Unreadable), ("sub".into(), Reason::Unreadable)]);
}

#[test]
fn deep_directories_need_few_open_files() {
    let fixture = Fixture::new();
    let mut deepest = fixture.at("");
    for _ in 0..400 {
        deepest.push("d");
        fs::create_dir(&deepest).unwrap();
        // A second directory at each level keeps the handle of the one above in use.
        fs::create_dir(deepest.join("e")).unwrap();
    }
    fs::write(deepest.join("f"), "deep down").unwrap();
    let scan = fixture.scan();
    assert_eq!((scan.totals.directories, scan.totals.files), (800, 1));
}

/// Keeps the reported numbers of bytes.
#[derive(Clone, Default)]
struct Watch(Arc<(AtomicU64, Mutex<Vec<u64>>)>);

impl Progress for Watch {
    fn start(&self, _: &'static str, unit: Unit, _: Option<u64>) -> Arc<dyn Task> {
        if unit == Unit::Bytes { Arc::new(self.clone()) } else { Arc::new(Silent) }
    }
}

impl Task for Watch {
    fn add(&self, units: u64) -> Result<()> {
        self.0.0.fetch_add(units, Ordering::Relaxed);
        Ok(())
    }
    fn set_total(&self, total: u64) {
        self.0.1.lock().unwrap().push(total);
    }
}

#[test]
fn the_number_of_bytes_to_read_is_reported_once() {
    let fixture = Fixture::new();
    for n in 0..30 {
        fixture.write(&format!("d{}/e/f{n}", n % 7), "x".repeat(100));
    }
    fixture.write("large", vec![1; 3 << 20]);
    for workers in [1, 4] {
        let (watch, options) = (Watch::default(), Options::default());
        let scan = || scan(&fixture.worktree(), &fixture.store, &Index::empty(), &options, &HashSink::new, &watch);
        with_workers(workers, scan).unwrap();
        let all = 3000 + (3 << 20);
        assert_eq!((watch.0.0.load(Ordering::Relaxed), &*watch.0.1.lock().unwrap()), (all, &vec![all]));
    }
}
