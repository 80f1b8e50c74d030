//! Other file systems: everything that a file system can store is restored exactly, and docs/metadata.md lists it.
//!
//! Most tests need root, and tools from Debian packages.

mod features;
mod mounts;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::skip::skip;
use crate::tree::{Tree, assert_same};
use features::Features;
use mounts::{KINDS, MountedWorktree};

/// Longer than the second for which FUSE file systems let the kernel cache names and attributes.
const CACHED: Duration = Duration::from_millis(1100);

fn worktree(kind: &str) -> Option<MountedWorktree> {
    let worktree = MountedWorktree::new(kind, |_| {});
    if worktree.is_none() {
        skip(format_args!("{kind} cannot be mounted here (needs root, its tool, and FUSE or a loop device)"));
    }
    worktree
}

/// Content of the worktree, with the attributes that the file system supports.
fn tree(worktree: &MountedWorktree, features: &Features) -> Tree {
    if features.has_late_links {
        std::thread::sleep(CACHED);
    }
    let mut tree = Tree::read(&worktree.env.path());
    for node in tree.nodes.values_mut() {
        if !features.holes {
            node.holes.clear();
        }
        if !features.link_times && !node.target.is_empty() {
            node.mtime = (0, 0);
        }
    }
    tree
}

/// Records two states on a file system and checks them out in turn.
fn restore_on(kind: &str) {
    let Some(worktree) = worktree(kind) else { return };
    let env = &worktree.env;
    let _ = fs::remove_dir(env.path().join("lost+found"));
    let features = Features::of(&env.path());
    assert_eq!(documented().get(kind), Some(&features.row()), "docs/metadata.md: the row of {kind} must be this");
    env.undo("init").ok();
    features.fill(&env.path());
    let one = tree(&worktree, &features);
    env.undo("commit -m one").ok();
    features.change(&env.path());
    let two = tree(&worktree, &features);
    env.undo("commit -m two").ok();
    if !features.exchange {
        // By now the kernel's caches of the files have expired.
        std::thread::sleep(CACHED);
    }
    for (line, expected) in [("checkout @~", &one), ("undo", &two), ("redo", &one)] {
        let output = env.undo(line);
        let is_complete = if features.symlinks && !features.link_times { output.code == 3 } else { output.code == 0 };
        assert!(is_complete, "{output}");
        assert_same(expected, &tree(&worktree, &features));
        let status = env.undo("status --json").ok().json().pop().unwrap();
        assert_eq!(status["clean"], true, "{kind}, after {line}: {status}");
    }
    fs::remove_file(env.path().join("text")).unwrap();
    env.undo("restore text").ok();
    let mut restored = tree(&worktree, &features);
    restored.nodes.get_mut(&b""[..]).unwrap().mtime = one.nodes[&b""[..]].mtime;
    assert_same(&one, &restored);
    env.undo("verify").ok();
}

macro_rules! restore_on {
    ($($test:ident: $kind:literal,)*) => {
        $(
            #[test]
            fn $test() {
                restore_on($kind);
            }
        )*
    };
}

restore_on! {
    checkout_is_exact_on_ext4: "ext4",
    checkout_is_exact_on_xfs: "XFS",
    checkout_is_exact_on_btrfs: "btrfs",
    checkout_is_exact_on_tmpfs: "tmpfs",
    checkout_is_exact_on_overlayfs: "overlayfs",
    checkout_is_exact_on_fuse_overlayfs: "fuse-overlayfs",
    checkout_is_exact_on_sshfs: "sshfs",
    checkout_is_exact_on_mergerfs: "mergerfs",
    checkout_is_exact_on_bindfs: "bindfs",
    checkout_is_exact_on_gocryptfs: "gocryptfs",
    checkout_is_exact_on_encfs: "encfs",
    checkout_is_exact_on_unionfs_fuse: "unionfs-fuse",
    checkout_is_exact_on_exfat_fuse: "exfat-fuse",
    checkout_is_exact_on_ntfs_3g: "ntfs-3g",
}

/// Table of docs/metadata.md: cells by file system.
fn documented() -> BTreeMap<String, Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metadata.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("| file system | modes |")).skip(2);
    let cells = |line: &str| -> Vec<String> { line.split('|').map(|cell| cell.trim().to_owned()).collect() };
    let rows = rows.take_while(|line| line.starts_with('|')).map(cells);
    rows.map(|cells| (cells[1].clone(), cells[2..cells.len() - 1].to_vec())).collect()
}

#[test]
fn metadata_table_lists_tested_file_systems() {
    let documented: Vec<String> = documented().into_keys().collect();
    let mut tested = KINDS.map(str::to_owned);
    tested.sort();
    assert_eq!(documented, tested);
}

/// Overlayfs refuses to exchange or rename a folder of its lower layer with EXDEV.
#[test]
fn overlay_folder_and_file_replace_each_other() {
    for kind in ["overlayfs", "fuse-overlayfs", "unionfs-fuse"] {
        let fill = |lower: &Path| {
            fs::create_dir_all(lower.join("folder/in")).unwrap();
            fs::write(lower.join("folder/in/file"), "in the lower layer").unwrap();
            fs::write(lower.join("file"), "a file of the lower layer").unwrap();
        };
        let Some(worktree) = MountedWorktree::new(kind, fill) else {
            skip(format_args!("{kind} cannot be mounted here"));
            continue;
        };
        let env = &worktree.env;
        // The other state is recorded elsewhere, so that the lower layer is unchanged when it is replaced.
        let elsewhere = crate::env::TestEnv::new();
        let store = elsewhere.root().join("store");
        elsewhere.undo(&format!("init -q --store '{}'", store.display())).ok();
        elsewhere.write("folder", "a file");
        elsewhere.write("file/in", "a folder");
        elsewhere.undo("commit -m other").ok();
        let other = Tree::read(&elsewhere.path());
        fs::remove_file(elsewhere.path().join(".undo")).unwrap();
        let before = Tree::read(&env.path());
        env.undo(&format!("init -q --store '{}'", store.display())).ok();
        env.undo("checkout latest").ok();
        assert_same(&other, &Tree::read(&env.path()));
        env.undo("undo").ok();
        let mut after = Tree::read(&env.path());
        // Its mtime changes with the file that names the store.
        after.nodes.get_mut(&b""[..]).unwrap().mtime = before.nodes[&b""[..]].mtime;
        assert_same(&before, &after);
    }
}

/// Renames between two disks of a pool copy the file.
#[test]
fn commit_works_in_store_on_mergerfs_pool() {
    let Some(worktree) = worktree("mergerfs") else { return };
    let env = &worktree.env;
    env.undo("init").ok();
    for n in 0..20 {
        env.write("file", format!("content {n}"));
        env.undo(&format!("commit -m {n}")).ok();
    }
    env.undo("checkout @~7").ok();
    assert_eq!(env.read("file"), b"content 12");
    env.undo("verify").ok();
}

#[test]
fn read_only_worktree_is_recorded_and_checkout_is_refused() {
    let Some(worktree) = worktree("tmpfs") else { return };
    let env = &worktree.env;
    env.undo(&format!("init -q --store '{}'", env.root().join("store").display())).ok();
    env.write("file", "one");
    env.undo("commit -m one").ok();
    env.write("file", "two");
    let remount = |mode: &str| {
        let options = format!("remount,{mode}");
        let status = std::process::Command::new("mount").args(["-o", &options]).arg(env.path()).status().unwrap();
        assert!(status.success());
    };
    remount("ro");
    env.undo("commit -m two").ok();
    for line in ["checkout @~", "restore --from @~ file"] {
        let output = env.undo(line).fails(4);
        assert!(String::from_utf8_lossy(&output.stderr).contains("mounted read-only"), "{output}");
    }
    let status = env.undo("status").ok();
    assert!(!status.to_string().contains("unfinished"), "{status}");
    remount("rw");
    assert_eq!(env.read("file"), b"two");
    env.undo("checkout @~").ok();
    assert_eq!(env.read("file"), b"one");
}

/// Files on this file system cannot be mapped into memory.
#[test]
fn commands_work_without_mmap() {
    let Some(worktree) = MountedWorktree::with_options("sshfs", &["-o", "direct_io"], |_| {}) else {
        return skip("sshfs cannot be mounted here");
    };
    let env = &worktree.env;
    env.undo("init").ok();
    env.write("file", "one");
    env.write("large", vec![3; 3 << 20]);
    env.undo("commit -m one").ok();
    env.write("file", "two");
    env.undo("commit -m two").ok();
    env.undo("checkout @~").ok();
    assert_eq!(env.read("file"), b"one");
    assert_eq!(env.undo("status --json").ok().json().pop().unwrap()["clean"], true);
    env.undo("verify").ok();
    env.undo("undo").ok();
    assert_eq!(env.read("file"), b"two");
}
