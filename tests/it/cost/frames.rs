//! What going back decodes: every frame once, however many files lie in it.

use undo::checkout::{self, Options, Target};
use undo::progress::Silent;
use undo::repo::{Layout, Repository};
use undo::worktree::scan::{self, scan};
use undo::worktree::{HashSink, Index, Worktree};

use crate::env::TestEnv;

const FILES: usize = 2000;

#[test]
fn a_frame_is_decoded_once_for_all_files_in_it() {
    let env = TestEnv::new();
    let bytes = |n: usize| format!("content {n} ").repeat(80);
    for n in 0..FILES {
        env.write(&format!("folder-{}/file-{n}", n % 20), bytes(n));
    }
    env.undo("commit --init -m one").ok();
    for n in 0..20 {
        std::fs::remove_dir_all(env.path().join(format!("folder-{n}"))).unwrap();
    }

    let mut repository = Repository::open(Layout::discover(&env.path()).unwrap()).unwrap();
    let worktree = Worktree::open(env.path(), false).unwrap();
    let store = repository.store();
    let packs = store.packs();
    let frames: u64 = packs.iter().flat_map(|(id, _)| store.list_pack(*id).totals().unwrap().frames).sum();
    // Small files are gathered: as many share a frame as fit into 256 KiB.
    assert!(frames < FILES as u64 / 50, "{frames} frames");

    let mut transaction = repository.begin().unwrap();
    let repository = transaction.repository();
    let target = Target::commit(repository.store(), repository.view().at().unwrap()).unwrap();
    let options = scan::Options::default();
    let scan = scan(&worktree, repository.store(), &Index::empty(), &options, &HashSink::new, &Silent).unwrap();
    let before = repository.store().frames_decoded();
    let options = Options { verb: "checkout".to_owned(), ..Options::default() };
    let outcome =
        checkout::run(&mut transaction, &worktree, scan, &target, options, &mut |_, _, _| None, &Silent).unwrap();
    assert!(outcome.written >= FILES as u64, "{outcome:?}");
    // Frames of content are decoded by who writes files, frames of trees before that.
    let decoded = transaction.repository().store().frames_decoded() - before;
    assert!(decoded <= frames, "{decoded} of {frames} frames decoded for {} files", outcome.written);
    assert_eq!(env.read("folder-7/file-7"), bytes(7).as_bytes());
}
