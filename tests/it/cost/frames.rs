//! A checkout decodes every frame at most once.

use std::os::unix::fs::MetadataExt;

use undo::environment::Environment;
use undo::id::CommitId;
use undo::internals::checkout::{self, Checkout, Options, Target};
use undo::internals::repo::{Layout, Repository};
use undo::internals::snapshot;
use undo::internals::worktree::Worktree;
use undo::progress::Silent;

use crate::env::TestEnv;

const FILES: usize = 2000;

#[test]
fn frame_is_decoded_once_for_all_its_files() {
    let env = TestEnv::new();
    let bytes = |n: usize| format!("content {n} ").repeat(80);
    for n in 0..FILES {
        env.write(&format!("folder-{}/file-{n}", n % 20), bytes(n));
    }
    env.undo("commit --init -m one").ok();
    for n in 0..20 {
        std::fs::remove_dir_all(env.path().join(format!("folder-{n}"))).unwrap();
    }

    // Frames of content are decoded while files are written, frames of trees before.
    let (decoded, written) = checkout(&env, "@");
    let frames = frames(&env);
    // Small files share frames of 256 KiB.
    assert!(frames < FILES as u64 / 50, "{frames} frames");
    assert!(written >= FILES as u64, "{written} written");
    assert!(decoded <= frames, "{decoded} of {frames} frames decoded for {written} files");
    assert_eq!(env.read("folder-7/file-7"), bytes(7).as_bytes());
}

#[test]
fn content_after_insertion_is_not_decoded() {
    let env = TestEnv::new();
    let mut before = vec![0; 24 << 20];
    blake3::Hasher::new().finalize_xof().fill(&mut before);
    env.write("large", &before);
    env.undo("commit --init -m one").ok();
    let frames = frames(&env);
    env.write("large", [&before[..1 << 20], b"inserted", &before[1 << 20..]].concat());
    // A file as recent as the file system's clock would be racy.
    std::thread::sleep(std::time::Duration::from_millis(20));
    env.undo("commit -m two").ok();
    let (decoded, written) = checkout(&env, "@~");
    assert_eq!(written, 1);
    assert!(decoded < frames / 2, "{decoded} frames decoded of {frames}");
    assert!(env.read("large") == before);
}

#[test]
fn renamed_files_are_not_decoded() {
    let env = TestEnv::new();
    for n in 0..FILES {
        env.write(&format!("folder/{}/file-{n}", n % 20), format!("content {n} ").repeat(80));
    }
    env.write("alone", vec![7; 9 << 20]);
    env.undo("commit --init -m one").ok();
    std::fs::rename(env.path().join("folder"), env.path().join("other")).unwrap();
    std::fs::rename(env.path().join("alone"), env.path().join("other/alone")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    env.undo("commit -m two").ok();
    let inode = |path: &str| std::fs::metadata(env.path().join(path)).unwrap().ino();
    let inodes = (inode("other/alone"), inode("other/7/file-7"));

    let (decoded, written) = checkout(&env, "@~");
    assert!(written > FILES as u64, "{written} written");
    // Only trees and commits are decoded.
    assert!(decoded < 20, "{decoded} frames decoded");
    assert_eq!((inode("alone"), inode("folder/7/file-7")), inodes);
}

/// Returns the number of frames in the store.
fn frames(env: &TestEnv) -> u64 {
    let repository = Repository::open(Layout::discover(&env.path()).unwrap(), Environment::from_process()).unwrap();
    let store = repository.store();
    store.packs().iter().flat_map(|(id, _)| store.list_pack(*id).totals().unwrap().frames).sum()
}

/// Checks out a commit without unsaved changes; returns the decoded frames and the written files.
fn checkout(env: &TestEnv, revision: &str) -> (u64, u64) {
    let commit = CommitId::parse(env.undo(&format!("rev-parse {revision}")).ok().text().trim()).unwrap();
    let mut repository = Repository::open(Layout::discover(&env.path()).unwrap(), Environment::from_process()).unwrap();
    let worktree = Worktree::open(env.path(), false).unwrap();
    let mut transaction = repository.begin().unwrap();
    let repository = transaction.repository();
    let target = Target::commit(repository.store(), commit).unwrap();
    let options = snapshot::Options::default();
    let (_, scan) = snapshot::take(&mut transaction, &worktree, &options, &Silent).unwrap();
    let store = transaction.repository().store();
    let before = store.frames_decoded();
    let plan = checkout::plan(store, &worktree, scan.scan(), &target).unwrap();
    let options = Options { verb: "checkout".into(), ..Options::default() };
    let applied = Checkout { scan, target, plan, options }.apply(&mut transaction, &worktree, &Silent).unwrap();
    let outcome = applied.record(&mut transaction, None).unwrap();
    (transaction.repository().store().frames_decoded() - before, outcome.written)
}
