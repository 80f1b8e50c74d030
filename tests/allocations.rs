//! Counts memory allocations, in a process without other tests.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(unsafe_code, reason = "the allocator trait is unsafe")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use undo::environment::{Durability, Environment};
use undo::id::{BlobId, CommitId};
use undo::internals::agent::Payload;
use undo::internals::checkout;
use undo::internals::chunk;
use undo::internals::export::{Compression as Archived, Destination, Source, export};
use undo::internals::metadata::Metadata;
use undo::internals::object::{Content, Entry, ObjectKind, Tree};
use undo::internals::repo::Repository;
use undo::internals::snapshot;
use undo::internals::store::{self, Compression, Store};
use undo::internals::worktree::scan::Options;
use undo::internals::worktree::{HashSink, Index, Scan, Worktree, scan};
use undo::progress::Silent;
use undo::workspace::{CheckoutMode, Workspace};

struct CountingAllocator;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Bytes in use, and their peak.
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Serializes the tests.
static SERIAL: Mutex<()> = Mutex::new(());

// SAFETY: the system's allocator does the work. The default `realloc` of the trait allocates again, and is counted too.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        let before = IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        PEAK.fetch_max(before + layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: CountingAllocator = CountingAllocator;

const FOLDERS: usize = 4;

fn look(place: &Path, store: &Store, index: &Index) -> (Scan, usize) {
    let worktree = Worktree::open(place.join("tree"), false).unwrap();
    let options = Options::default();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let scan = scan(&worktree, store, index, &options, &HashSink::new, &Silent).unwrap();
    (scan, ALLOCATIONS.load(Ordering::Relaxed) - before)
}

fn empty_store(place: &Path) -> Store {
    let options = store::Options {
        chunk: chunk::Params::default(),
        compression: Compression::Stored,
        reflink: false,
        durability: Durability::NoSync,
    };
    Store::open(place, &[], None, options).unwrap()
}

/// Counts the allocations of a scan without an index, and of the next one.
fn scans(files: usize) -> (usize, usize) {
    let place = tempfile::tempdir().unwrap();
    let mut store = empty_store(place.path());
    // Used to query the file system's clock.
    std::fs::create_dir_all(place.path().join("tree/.undo/tmp")).unwrap();
    for n in 0..files {
        let folder = place.path().join(format!("tree/folder-{}", n % FOLDERS));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("file-{n}")), n.to_string()).unwrap();
    }
    // Files as recent as the file system's clock would be read again.
    std::thread::sleep(std::time::Duration::from_millis(50));
    let (first, new) = look(place.path(), &store, &Index::empty());
    assert_eq!(first.files_read, files as u64);
    let file = place.path().join("index");
    first.index.write(&file).unwrap();
    // Trees in the store are not encoded again.
    let session = store.session();
    let mut writer = session.writer();
    first.objects.iter().for_each(|((kind, id), bytes)| assert!(writer.put(*kind, *id, bytes).unwrap()));
    writer.finish().unwrap();
    let packs = session.finish().unwrap().packs;
    store.add_packs(&packs).unwrap();
    let (second, again) = look(place.path(), &store, &Index::open(&file));
    assert_eq!(second.files_read, 0);
    (new, again)
}

#[test]
fn scan_allocates_few_times_per_file() {
    const MORE: usize = 2000;
    let _turn = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
    let (few, many) = (scans(500), scans(500 + MORE));
    let (new, known) = ((many.0 - few.0) as f64 / MORE as f64, (many.1 - few.1) as f64 / MORE as f64);
    // For a known file, its name in the listing. A new file has a record and an entry, each with its name. Nodes of long
    // directories have 62 entries, and some allocations each.
    assert!(known < 1.25, "{known:.2} allocations per known file");
    assert!(new < 4.5, "{new:.2} allocations per new file");
}

/// Returns the peak memory of an export of this many empty files, above the memory in use before.
fn exported(files: usize) -> usize {
    let place = tempfile::tempdir().unwrap();
    let mut store = empty_store(place.path());
    let nothing = Content::File { blob: BlobId(*blake3::hash(b"").as_bytes()), size: 0 };
    let entry = |n: usize| Entry {
        name: format!("file-{n:07}").into_bytes(),
        metadata: Metadata::default(),
        attributes: None,
        content: nothing.clone(),
    };
    let session = store.session();
    let mut writer = session.writer();
    let tree = Tree { entries: (0..files).map(entry).collect() };
    let totals = tree.totals().unwrap();
    let id = tree.save(|id, bytes| writer.put(ObjectKind::Tree, id.object_id(), &bytes).map(drop)).unwrap();
    writer.finish().unwrap();
    let packs = session.finish().unwrap().packs;
    store.add_packs(&packs).unwrap();
    drop(tree);
    let source = Source {
        root: Entry::directory(id, totals),
        links: None,
        objects: HashMap::new(),
        unstable: Vec::new(),
        unread: Vec::new(),
        is_root_known: false,
        limits: None,
    };
    let before = IN_USE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let to = Destination::Tar(&mut std::io::sink(), Archived::None);
    assert_eq!(export(&store, source, to, &Silent).unwrap().entries, files as u64);
    PEAK.load(Ordering::Relaxed) - before
}

#[test]
fn export_memory_does_not_grow_with_files() {
    let _turn = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
    let (few, many) = (exported(40_000), exported(80_000));
    // Cached tree frames are bounded; only the node list of the long directory grows.
    assert!(many < few + (4 << 20), "{few} bytes for 40,000 files, {many} for 80,000");
}

/// Peak memory in bytes while `act` runs, above the memory in use before.
fn peak<T>(act: impl FnOnce() -> T) -> (T, usize) {
    let before = IN_USE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let done = act();
    (done, PEAK.load(Ordering::Relaxed) - before)
}

fn commit(place: &Path) -> CommitId {
    let mut repository = Repository::discover(place, not_synced()).unwrap();
    let worktree = Worktree::open(place.to_owned(), false).unwrap();
    let options = snapshot::Options { verb: "commit".into(), ..snapshot::Options::default() };
    let (outcome, _) = snapshot::take(&mut repository.begin().unwrap(), &worktree, &options, &Silent).unwrap();
    outcome.commit.unwrap()
}

/// Like the command: records unsaved changes first.
fn checkout(place: &Path, to: CommitId) -> checkout::Outcome {
    let mut workspace = Workspace::open(place, not_synced()).unwrap();
    let prepared = workspace.prepare_checkout(&to.to_string(), CheckoutMode::default(), &Silent).unwrap();
    prepared.apply(&Silent).unwrap()
}

/// Memory peaks of a first commit of this many files, of a checkout that removes them all, and of one that writes them
/// again.
fn checkouts(files: usize) -> [usize; 3] {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    Repository::init(place, None, not_synced()).unwrap();
    let nothing = commit(place);
    for n in 0..files {
        let folder = place.join(format!("data/folder-{:04}", n / 100));
        if n % 100 == 0 {
            std::fs::create_dir_all(&folder).unwrap();
        }
        std::fs::write(folder.join(format!("file-{n:06}.txt")), n.to_string()).unwrap();
    }
    let (all, first) = peak(|| commit(place));
    let (outcome, removing) = peak(|| checkout(place, nothing));
    let paths = (files + files / 100) as u64;
    assert_eq!(outcome.deleted, paths + 1);
    let (outcome, writing) = peak(|| checkout(place, all));
    assert_eq!((outcome.written, outcome.changed.len(), outcome.inexact.len()), (paths + 1, 0, 0));
    [first, removing, writing]
}

/// Allows for the buffers of each committing thread, and for the buffers and caches of a checkout.
const COMMITTING: usize = 24 << 20;
const CHECKING_OUT: usize = 8 << 20;

fn not_synced() -> Environment {
    Environment::from_process().with_durability(Durability::NoSync)
}

#[test]
fn commit_and_checkout_memory_per_path_is_small() {
    const FILES: usize = 30_000;
    let _turn = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
    let [first, removing, writing] = checkouts(FILES);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(2, 8);
    let peaks = format!("first commit {first}, removing {removing}, writing {writing} bytes for {FILES} files");
    assert!(first < threads * COMMITTING, "{peaks}");
    assert!(removing.max(writing) < CHECKING_OUT + 200 * FILES, "{peaks}");
}

#[test]
fn memory_for_the_payload_of_a_hook_does_not_grow_with_the_file_that_a_tool_writes() {
    const LENGTH: usize = 50 << 20;
    let _turn = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
    let content = std::io::repeat(b'x').take(LENGTH as u64);
    let before: &[u8] = br#"{"tool_name":"Write","tool_input":{"file_path":"report.py","content":""#;
    let input = before.chain(content).chain(&br#""},"cwd":"/work"}"#[..]);
    let base = IN_USE.load(Ordering::Relaxed);
    PEAK.store(base, Ordering::Relaxed);
    let payload = Payload::read(std::io::BufReader::new(input));
    let peak = PEAK.load(Ordering::Relaxed) - base;
    assert_eq!(
        (payload.paths, payload.directory, payload.problem),
        (vec!["report.py".to_owned()], Some("/work".to_owned()), None)
    );
    assert!(peak < 1 << 20, "{peak} bytes for a payload of {LENGTH}");
}
