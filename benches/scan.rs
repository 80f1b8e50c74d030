//! A directory of 5,000 files in 50 folders is looked at.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use tempfile::TempDir;
use undo::environment::Durability;
use undo::internals::chunk;
use undo::internals::store::{self, Compression, Store};
use undo::internals::worktree::scan::Options;
use undo::internals::worktree::{HashSink, Index, Scan, Worktree, scan};
use undo::progress::Silent;

const FOLDERS: u64 = 50;
const FILES: u64 = 5000;

/// A worktree, a store that holds its trees, and its index.
struct Place {
    folder: TempDir,
    store: Store,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        // The clock of the file system is asked there.
        fs::create_dir_all(folder.path().join("tree/.undo/tmp")).unwrap();
        for n in 0..FILES {
            let at = folder.path().join(format!("tree/folder-{}", n % FOLDERS));
            fs::create_dir_all(&at).unwrap();
            fs::write(at.join(format!("file-{n}")), n.to_string().repeat(200)).unwrap();
        }
        let options = store::Options {
            chunk: chunk::Params::default(),
            compression: Compression::Stored,
            reflink: false,
            durability: Durability::Synced,
        };
        let mut place = Place { store: Store::open(folder.path(), &[], None, options).unwrap(), folder };
        // What is as young as the clock of the file system would be read again each time.
        std::thread::sleep(Duration::from_millis(50));
        let scan = place.scan(&Index::empty());
        scan.index.write(&place.index()).unwrap();
        let session = place.store.session();
        let mut writer = session.writer();
        scan.objects.iter().for_each(|((kind, id), bytes)| assert!(writer.put(*kind, *id, bytes).unwrap()));
        writer.finish().unwrap();
        let packs = session.finish().unwrap().packs;
        place.store.add_packs(&packs).unwrap();
        place
    }

    fn index(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    fn scan(&self, index: &Index) -> Scan {
        let worktree = Worktree::open(self.folder.path().join("tree"), false).unwrap();
        scan(&worktree, &self.store, index, &Options::default(), &HashSink::new, &Silent).unwrap()
    }
}

/// Nothing is known: every file is read and hashed.
#[divan::bench(sample_count = 20)]
fn everything_new(bencher: Bencher) {
    let place = Place::new();
    bencher.counter(ItemsCount::new(FILES)).bench(|| place.scan(&Index::empty()));
}

/// Nothing has changed: the index proves every file.
#[divan::bench(sample_count = 20)]
fn nothing_new(bencher: Bencher) {
    let place = Place::new();
    let index = Index::open(&place.index());
    assert_eq!(place.scan(&index).files_read, 0);
    bencher.counter(ItemsCount::new(FILES)).bench(|| place.scan(&index));
}

/// Mapping the index and checking every directory in it.
#[divan::bench]
fn load_index(bencher: Bencher) {
    let place = Place::new();
    let load = || Index::open(&place.index()).directories().map(|(_, found)| found.count() as u64).sum::<u64>();
    assert_eq!(load(), FILES + FOLDERS + 1);
    bencher.counter(ItemsCount::new(FILES)).bench(load);
}
