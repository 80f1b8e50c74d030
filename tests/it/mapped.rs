//! Stores through shared mappings are never missed by a commit.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::chown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use memmap2::MmapMut;

use crate::cost::{Call, trace};
use crate::env::TestEnv;
use crate::random::Random;
use crate::skip::skip;
use crate::volumes::Volume;

const PAGE: usize = 4096;
const PAGES: usize = 8;

/// Maps a file as a database does. The file descriptor is closed: only the mapping remains.
#[expect(unsafe_code, reason = "memory maps are unsafe")]
fn map(env: &TestEnv, name: &str) -> MmapMut {
    let file = OpenOptions::new().read(true).write(true).open(env.path().join(name)).unwrap();
    // SAFETY: `undo` reads the file and does not truncate it.
    unsafe { MmapMut::map_mut(&file) }.unwrap()
}

/// Commits, and checks that the commit has the current content of the file.
#[track_caller]
fn commit(env: &TestEnv, why: &str) {
    env.undo("commit -m next").ok();
    assert!(env.undo("cat @:db").ok().stdout == env.read("db"), "{why}: the commit lacks a store");
}

/// A page is dirty when the first commit reads it, and is stored to again afterwards.
#[test]
fn store_to_dirty_page_is_recorded() {
    for Volume { kind, env, .. } in
        Volume::each(&["plain", "tmpfs", "ext4", "btrfs", "xfs", "overlay", "overlay-tmpfs"])
    {
        env.write("db", [b'A'; 2 * PAGE]);
        env.write("other", "x");
        let mut mapped = map(&env, "db");
        mapped[0] = b'1';
        std::thread::sleep(Duration::from_millis(30));
        env.undo("commit --init -m one").ok();
        std::thread::sleep(Duration::from_millis(30));
        mapped[..8].copy_from_slice(b"PRECIOUS");
        drop(mapped);
        let status = env.undo("status").ok();
        assert!(status.text().contains("modified  db"), "{kind}: {status}");
        env.undo("checkout @").ok();
        assert_eq!(env.read("db")[..8], *b"1AAAAAAA", "{kind}");
        env.undo("undo").ok();
        assert_eq!(env.read("db")[..8], *b"PRECIOUS", "{kind}");
    }
}

/// Random changes of a file between commands: stores through mappings of all ages, write calls, the end of the program
/// and its restart.
#[test]
fn random_mapped_stores_between_commits_are_recorded() {
    for Volume { kind, env, .. } in Volume::each(&["plain", "tmpfs", "ext4", "btrfs", "xfs", "overlay"]) {
        let is_in_memory = rustix::fs::statfs(env.path()).unwrap().f_type == 0x0102_1994;
        let mut random = Random::new(kind.len() as u64);
        env.write("db", vec![b'.'; PAGES * PAGE]);
        env.undo("commit --init -m first").ok();
        let mut mapped: Option<MmapMut> = None;
        let mut done = Vec::new();
        for step in 0..14 {
            let at = random.below(PAGES) * PAGE + random.below(4);
            match random.below(6) {
                0 => mapped = None,
                1 => {
                    let map = mapped.get_or_insert_with(|| map(&env, "db"));
                    // If pages are never written back, a store to a page that was only read cannot be detected.
                    if !is_in_memory {
                        assert_ne!(map[at], 0);
                    }
                    done.push(format!("read {at}"));
                }
                2 => {
                    let file = OpenOptions::new().write(true).open(env.path().join("db")).unwrap();
                    rustix::io::pwrite(&file, &[b'a' + step], at as u64).unwrap();
                    done.push(format!("write {at}"));
                }
                _ => {
                    mapped.get_or_insert_with(|| map(&env, "db"))[at] = b'A' + step;
                    done.push(format!("store {at}"));
                }
            }
            if random.below(3) == 0 {
                env.undo("status").ok();
                done.push("status".to_owned());
            }
            if random.below(2) == 0 {
                done.push("commit".to_owned());
                commit(&env, &format!("{kind}, {done:?}"));
            }
        }
        drop(mapped);
        commit(&env, &format!("{kind}, {done:?}, end"));
        let last = env.read("db");
        env.undo("checkout @~1").ok();
        env.undo("undo").ok();
        assert!(env.read("db") == last, "{kind}, {done:?}, after undo and redo");
    }
}

/// A program stores constantly while commits read the file. The next commit has its last stores.
#[test]
fn stores_during_commit_are_in_next_commit() {
    for Volume { kind, env, .. } in Volume::each(&["plain", "tmpfs", "ext4", "btrfs", "xfs"]) {
        env.write("db", vec![b'.'; PAGES * PAGE]);
        env.undo("commit --init -m first").ok();
        for round in 0..2 {
            let (is_over, mut mapped) = (AtomicBool::new(false), map(&env, "db"));
            std::thread::scope(|scope| {
                let is_over = &is_over;
                let writer = scope.spawn(move || {
                    let mut count: u32 = round;
                    while !is_over.load(Ordering::Relaxed) {
                        count = count.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let at = (count as usize >> 8) % PAGES * PAGE;
                        mapped[at..at + 4].copy_from_slice(&count.to_le_bytes());
                    }
                });
                for _ in 0..2 {
                    // 3: the file kept changing while it was read.
                    let code = env.undo("commit -m during").code;
                    assert!([0, 3].contains(&code), "{kind}: {code}");
                }
                is_over.store(true, Ordering::Relaxed);
                writer.join().unwrap();
            });
            commit(&env, kind);
        }
    }
}

/// On tmpfs, a store to a page that was read through the mapping before leaves no trace. Only reading the file finds
/// it, which a checkout does before it replaces or removes the file.
#[test]
fn checkout_on_tmpfs_keeps_undetectable_store() {
    let Some(Volume { env, .. }) = Volume::new("tmpfs") else { return };
    env.write("replaced", [b'A'; PAGE]);
    env.undo("commit --init -m one").ok();
    env.write("replaced", [b'B'; PAGE]);
    env.write("removed", [b'B'; PAGE]);
    env.write("moved", [b'C'; PAGE]);
    env.undo("commit -m two").ok();
    std::fs::rename(env.path().join("moved"), env.path().join("now")).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    env.undo("commit -m three").ok();
    for name in ["replaced", "removed", "now"] {
        let mut mapped = map(&env, name);
        assert_ne!(mapped[0], 0);
        mapped[0] = b'!';
    }
    let is_noticed = env.undo("diff -q --exit-code").code == 1;
    env.undo("checkout @~2").fails(if is_noticed { 0 } else { 3 });
    if is_noticed {
        env.undo("undo").ok();
    }
    for name in ["replaced", "removed", "now"] {
        assert_eq!(env.read(name)[0], b'!', "{name}");
    }
}

/// Only the owner of a file may ask the kernel who writes to it.
#[test]
fn store_to_file_of_other_user_is_recorded() {
    let env = TestEnv::new();
    env.write("db", [b'A'; PAGE]);
    env.undo_as_user("init").ok();
    if !rustix::process::geteuid().is_root() {
        return skip("only root can create files of another user");
    }
    chown(env.path().join("db"), Some(0), Some(0)).unwrap();
    let mut mapped = map(&env, "db");
    mapped[0] = b'1';
    std::thread::sleep(Duration::from_millis(30));
    env.undo_as_other_user("commit -m one").unwrap().ok();
    std::thread::sleep(Duration::from_millis(30));
    mapped[0] = b'2';
    drop(mapped);
    env.undo_as_other_user("commit -m two").unwrap().ok();
    assert_eq!(env.undo_as_other_user("cat @:db").unwrap().ok().stdout[0], b'2');
}

/// Only files in use are flushed, each once.
#[test]
fn only_files_in_use_are_flushed() {
    let env = TestEnv::new();
    env.write("used", [b'A'; PAGE]);
    env.write("unused", [b'A'; PAGE]);
    env.undo("init").ok();
    let _used = File::options().write(true).open(env.path().join("used")).unwrap();
    let Some(calls) = trace(&env, "fdatasync", &["status"]) else { return };
    let flushed: Vec<&str> = calls.iter().map(|call: &Call| &*call.path).collect();
    assert_eq!(flushed, [env.path().join("used").to_str().unwrap()]);
}
