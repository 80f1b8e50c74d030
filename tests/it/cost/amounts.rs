//! Costs of one file, one changed byte and one commit: calls, bytes and flushes, with bounds that follow from the
//! format.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;

use undo::internals::chunk::{Params, chunks};

use super::{Call, READS, many_files, on_worktree, trace};
use crate::env::TestEnv;
use crate::skip::skip;

const WRITES: &str = "write,pwrite64,writev,pwritev,pwritev2,copy_file_range";
const FLUSHES: &str = "fsync,fdatasync,sync,syncfs,sync_file_range";

/// Number of files and folders of `many_files`, including the root.
const FILES: usize = 301;
const FOLDERS: usize = 8;

/// Maximum bytes of a tree entry: 32 for an id, 20 for metadata, sizes, and a short name.
const ENTRY: usize = 96;

/// Allowance for a commit and an operation, headers, a pack's table and footer, a journal record, and the pid in the
/// lock.
const OVERHEAD: usize = 8 << 10;

/// Files as recent as the file system's clock are read once more.
fn settle(env: &TestEnv) {
    std::thread::sleep(std::time::Duration::from_millis(20));
    env.undo("commit --init -m one").ok();
    env.undo("commit -m settled").ok();
}

/// Returns the bytes written to the repository, without the index, which is an unflushed cache.
fn written(env: &TestEnv, trace: &[Call]) -> (usize, usize) {
    let is_write = |call: &Call| WRITES.split(',').any(|name| name == call.name);
    let inside = |call: &&Call| is_write(call) && call.path.starts_with(env.path().join(".undo").to_str().unwrap());
    let sum = |calls: Vec<&Call>| calls.iter().map(|call| call.result as usize).sum();
    let (index, other) = trace.iter().filter(inside).partition(|call| call.path.contains(".undo/index"));
    (sum(other), sum(index))
}

/// Returns deterministic incompressible bytes.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

#[test]
fn unchanged_file_costs_one_call() {
    let env = TestEnv::new();
    many_files(&env);
    settle(&env);
    for arguments in [&["status"][..], &["commit", "-m", "again"]] {
        // Debug builds check each file descriptor that they close.
        let Some(trace) = trace(&env, "!fcntl", arguments) else { return };
        // One stat per file. A folder is opened, examined, listed (two calls), and closed. In addition, the repository
        // is found and opened through the root, and a commit checks `.gitignore` and the owner of the folder of each
        // file that it creates, and whether garbage should be collected; this does not grow with the worktree.
        let most = FILES + 5 * FOLDERS + 60;
        let calls = on_worktree(&env, &trace);
        assert!((FILES..=most).contains(&calls.len()), "{} calls, {most} allowed", calls.len());
    }
}

#[test]
fn changed_block_stores_only_its_chunks() {
    let env = TestEnv::new();
    let before = noise(24 << 20);
    env.write("large", &before);
    settle(&env);
    let mut after = before.clone();
    after[10 << 20..][..4096].fill(7);
    env.write("large", &after);
    let Some(trace) = trace(&env, &format!("{READS},{WRITES}"), &["commit", "-m", "two"]) else { return };

    let reads: i64 = on_worktree(&env, &trace).iter().map(|call| call.result).sum();
    assert_eq!(reads as usize, after.len(), "the file is not read exactly once");

    let known: HashSet<&[u8]> = chunks(&before, &Params::default()).collect();
    let new: usize = chunks(&after, &Params::default()).filter(|chunk| !known.contains(chunk)).map(<[u8]>::len).sum();
    // A change affects one chunk, or two at a boundary, or adds cut points.
    assert!(new > 4096 && new <= 3 * Params::default().maximum(), "{new}");
    // The list of all chunks is stored again: an id and a length each.
    let list = chunks(&after, &Params::default()).count() * 40;
    let (stored, _) = written(&env, &trace);
    assert!((new..=new + list + OVERHEAD).contains(&stored), "{stored} written for {new} in new chunks");
}

#[test]
fn holes_are_not_read() {
    const DATA: usize = 4 << 20;
    let env = TestEnv::new();
    env.undo("init").ok();
    let file = File::create(env.path().join("sparse")).unwrap();
    file.set_len(128 << 20).unwrap();
    file.write_all_at(&noise(DATA), 32 << 20).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let Some(trace) = trace(&env, &format!("{READS},fadvise64"), &["commit", "-m", "one"]) else { return };
    let on_file = on_worktree(&env, &trace);
    let asked = on_file.iter().filter(|call| call.name == "fadvise64").count();
    assert!(asked <= DATA / (128 << 10), "{asked} reads");
    let read: i64 = on_file.iter().filter(|call| call.name != "fadvise64").map(|call| call.result).sum();
    assert!(read as usize <= DATA + 100, "{read} bytes");
}

/// Data that is written once must not evict other data from memory (docs/decisions/0013).
#[test]
fn large_files_bypass_the_page_cache() {
    let env = TestEnv::new();
    many_files(&env);
    let content = noise(24 << 20);
    env.write("large", &content);
    let written = |arguments: &[&str]| {
        let trace = trace(&env, WRITES, arguments)?;
        let is_passing = |call: &Call| call.name == "pwritev2" && call.result != 0;
        if trace.iter().any(|call| is_passing(call) && call.result < 0) {
            skip("this system cannot write past the page cache");
            return None;
        }
        let (passing, kept): (Vec<&Call>, Vec<&Call>) = trace.iter().partition(|call| is_passing(call));
        let sum = |calls: Vec<&Call>| calls.iter().map(|call| call.result as usize).sum::<usize>();
        Some((sum(passing), sum(kept)))
    };
    let Some((passing, kept)) = written(&["commit", "--init", "-m", "one"]) else { return };
    if passing == 0 {
        return skip("this system is older than Linux 6.16");
    }
    assert!(passing >= content.len() && kept < 1 << 20, "{passing} and {kept}");
    env.write("large", b"gone");
    env.write("folder-1/file-1", b"other");
    let Some((passing, kept)) = written(&["checkout", "@"]) else { return };
    assert!(passing == content.len() && kept < 1 << 20, "{passing} and {kept}");
    env.write("folder-1/file-1", b"another");
    let Some((passing, _)) = written(&["commit", "-m", "two"]) else { return };
    assert_eq!(passing, 0);
}

#[test]
fn small_change_writes_only_ancestor_trees() {
    let env = TestEnv::new();
    many_files(&env);
    settle(&env);
    env.write("folder-1/file-1", b"other");
    let Some(trace) = trace(&env, WRITES, &["commit", "-m", "two"]) else { return };
    let (stored, index) = written(&env, &trace);
    // The folder has a seventh of all files; the root has the folders and one file.
    let trees = (FILES / 7 + 1 + FOLDERS) * ENTRY;
    assert!(stored <= trees + OVERHEAD, "{stored} written");
    // The whole index is written: a stat, an id and a name per file.
    let records = (FILES + FOLDERS) * 128;
    assert!(index <= records, "{index} written");
}

#[test]
fn flushes_do_not_grow_with_file_count() {
    let env = TestEnv::new();
    for n in 0..20 {
        env.write(&format!("few/{n}"), b"few");
    }
    env.undo("commit --init -m few").ok();
    let mut flushes = Vec::new();
    for files in [1, 400] {
        for n in 0..files {
            env.write(&format!("folder-{}/{n}", n % 20), format!("{files} {n}").as_bytes());
        }
        let Some(commit) = trace(&env, FLUSHES, &["commit", "-m", "more"]) else { return };
        let Some(checkout) = trace(&env, FLUSHES, &["checkout", "-q", "@~"]) else { return };
        env.undo("undo").ok();
        flushes.push((commit.len(), checkout.len()));
    }
    // A commit flushes its pack, new folders above the pack, and the journal. A checkout flushes the journal for the
    // intent and for the operation, and once, in between, the file system
    // (docs/decisions/0006-flush-checkouts-once.md).
    assert!(flushes.iter().all(|(commit, checkout)| *commit <= 6 && *checkout <= 4), "{flushes:?}");
}

#[test]
fn no_sync_flushes_nothing() {
    let env = TestEnv::new();
    many_files(&env);
    for line in [&["init", "--no-sync"][..], &["commit", "--no-sync", "-m", "one"]] {
        let Some(trace) = trace(&env, FLUSHES, line) else { return };
        assert!(trace.is_empty(), "{line:?}: {trace:?}");
    }
    env.write("one", "changed");
    let Some(trace) = trace(&env, FLUSHES, &["checkout", "--no-sync", "@"]) else { return };
    assert!(trace.is_empty(), "{trace:?}");
    env.undo("verify").ok();
    // The next command with durability flushes first, once.
    for flushes in [1, 0] {
        env.write("one", format!("changed {flushes}"));
        let Some(trace) = super::trace(&env, "syncfs", &["commit", "-m", "two"]) else { return };
        assert_eq!(trace.len(), flushes, "{trace:?}");
    }
}
