//! What was moved gets its old name back, and nothing that anybody has written is lost on the way.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Applied, Fixture, path, set};
use crate::checkout::{Target, clean_staged};

/// Creates a recorded worktree with a directory of files.
fn fixture() -> (Fixture, Target) {
    let mut fixture = Fixture::new();
    fs::create_dir(fixture.at("sub")).unwrap();
    for name in ["sub/a", "sub/b", "c"] {
        fs::write(fixture.at(name), format!("{name} ").repeat(1000)).unwrap();
        set(&fixture.at(name), 0o640, 1_000);
    }
    set(&fixture.at("sub"), 0o750, 2_000);
    set(&fixture.root(), 0o755, 3_000);
    let target = fixture.record().0;
    (fixture, target)
}

fn inode(fixture: &Fixture, name: &str) -> u64 {
    fs::symlink_metadata(fixture.at(name)).unwrap().ino()
}

fn rename(fixture: &Fixture, from: &str, to: &str) {
    fs::rename(fixture.at(from), fixture.at(to)).unwrap();
}

/// Records the worktree when all stats are proven, and checks out the target. `between` runs between plan and apply.
fn check_out(fixture: &mut Fixture, target: &Target, between: impl FnOnce(&Fixture)) -> Applied {
    std::thread::sleep(Duration::from_millis(20));
    let (_, scan) = fixture.record();
    fixture.check_out_scan(scan, target, |_| between(fixture)).unwrap()
}

#[test]
fn checkout_renames_moved_file_back() {
    for (from, to) in [("sub", "other"), ("c", "sub/c"), ("sub/a", "sub/A"), ("sub/b", "b")] {
        let (mut fixture, target) = fixture();
        let (before, name) = (fixture.describe_tree(), if from == "sub" { "sub/a" } else { from });
        let expected = inode(&fixture, name);
        rename(&fixture, from, to);
        let done = check_out(&mut fixture, &target, |_| {});
        assert_eq!(fixture.describe_tree(), before, "{from} {to}: {}", done.plan);
        assert_eq!(inode(&fixture, name), expected, "{from} {to}");
        assert!(done.outcome.changed.is_empty() && done.outcome.inexact.is_empty(), "{:?}", done.outcome);
        assert_eq!(fixture.scan(&fixture.index(&done)).bytes_read, 0, "{from} {to}");
    }
}

#[test]
fn checkout_applies_metadata_to_moved_file() {
    let (mut fixture, target) = fixture();
    let (before, expected) = (fixture.describe_tree(), inode(&fixture, "c"));
    rename(&fixture, "c", "d");
    set(&fixture.at("d"), 0o755, 1_000);
    let _ = rustix::fs::setxattr(fixture.at("d"), "user.new", b"1", rustix::fs::XattrFlags::empty());
    check_out(&mut fixture, &target, |_| {});
    assert_eq!((fixture.describe_tree(), inode(&fixture, "c")), (before, expected));
    assert_ne!(rustix::fs::listxattr(fixture.at("c"), &mut [0_u8; 0][..]), Ok(9));
}

#[test]
fn checkout_moves_each_equal_file_once() {
    let (mut fixture, _) = fixture();
    for name in ["x", "y", "z"] {
        fs::write(fixture.at(name), "alike").unwrap();
        set(&fixture.at(name), 0o644, 5_000);
    }
    let (target, before) = (fixture.record().0, fixture.describe_tree());
    rename(&fixture, "x", "sub/x");
    rename(&fixture, "y", "sub/y");
    fs::remove_file(fixture.at("z")).unwrap();
    check_out(&mut fixture, &target, |_| {});
    assert_eq!(fixture.describe_tree(), before);
}

#[test]
fn checkout_writes_files_that_cannot_be_moved() {
    let changes: [fn(&Fixture); 3] = [
        |fixture| fs::hard_link(fixture.at("d"), fixture.at("e")).unwrap(),
        |fixture| set(&fixture.at("d"), 0o640, 9_999),
        |fixture| fs::write(fixture.at("d"), "c ".repeat(1000)).unwrap(),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let (mut fixture, target) = fixture();
        let (before, old) = (fixture.describe_tree(), inode(&fixture, "c"));
        rename(&fixture, "c", "d");
        change(&fixture);
        check_out(&mut fixture, &target, |_| {});
        assert_eq!(fixture.describe_tree(), before, "{n}");
        assert_ne!(inode(&fixture, "c"), old, "{n}");
    }
}

#[test]
fn checkout_does_not_move_file_changed_after_save() {
    let (mut fixture, target) = fixture();
    rename(&fixture, "c", "d");
    let done = check_out(&mut fixture, &target, |fixture| fs::write(fixture.at("d"), "mine").unwrap());
    assert_eq!(fs::read(fixture.at("d")).unwrap(), b"mine");
    assert_eq!(fs::read(fixture.at("c")).unwrap(), "c ".repeat(1000).as_bytes());
    assert!(done.outcome.changed.contains(&path("d")), "{:?}", done.outcome);
}

#[test]
fn failed_move_is_reversed() {
    let (mut fixture, target) = fixture();
    rename(&fixture, "c", "d");
    let done = check_out(&mut fixture, &target, |fixture| fs::write(fixture.at("c"), "mine").unwrap());
    assert_eq!(fs::read(fixture.at("c")).unwrap(), b"mine");
    assert!(done.outcome.changed.contains(&path("c")), "{:?}", done.outcome);
    let names: Vec<_> = fs::read_dir(fixture.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with(".undo-")), "{names:?}");
}

#[test]
fn checkout_restores_swapped_files() {
    let (mut fixture, target) = fixture();
    let before = fixture.describe_tree();
    rename(&fixture, "c", "t");
    rename(&fixture, "sub/a", "c");
    rename(&fixture, "t", "sub/a");
    rename(&fixture, "sub/b", "b");
    fs::create_dir(fixture.at("sub/b")).unwrap();
    fs::write(fixture.at("sub/b/in"), "new").unwrap();
    check_out(&mut fixture, &target, |_| {});
    assert_eq!(fixture.describe_tree(), before);
}

/// The copy has not been verified before, because the file was planned to stay.
#[test]
fn checkout_keeps_last_copy_if_move_fails() {
    for can_move in [true, false] {
        let (mut fixture, target) = fixture();
        rename(&fixture, "c", "d");
        let done = check_out(&mut fixture, &target, |fixture| {
            damage(fixture);
            if !can_move {
                fs::hard_link(fixture.at("d"), fixture.at("other")).unwrap();
            }
        });
        let (there, gone) = if can_move { ("c", "d") } else { ("d", "c") };
        assert_eq!(fs::read(fixture.at(there)).unwrap(), "c ".repeat(1000).as_bytes());
        assert!(!fixture.at(gone).exists());
        let damaged: Vec<_> = done.outcome.damaged.keys().collect();
        assert_eq!(damaged.len(), if can_move { 0 } else { 2 }, "{:?}", done.outcome);
    }
}

/// Killed between two renames, a name of our own is the only one that it has.
#[test]
fn interrupted_move_keeps_last_copy() {
    for (is_damaged, kept) in [(false, 0), (true, 1)] {
        let (mut fixture, _) = fixture();
        fixture.record();
        rename(&fixture, "c", ".undo-00000000000000ab-0");
        if is_damaged {
            damage(&fixture);
        }
        assert_eq!(clean_staged(&fixture.worktree(), &fixture.store, 0xab).unwrap().len(), kept);
        assert_eq!(fixture.at(".undo-00000000000000ab-0").exists(), is_damaged);
    }
}

/// A file with that mode would be mistaken for an unfinished one.
#[test]
fn checkout_does_not_move_files_with_unfinished_mode() {
    for (old, new) in [(0o640, 0o1600), (0o1600, 0o640)] {
        let (mut fixture, _) = fixture();
        set(&fixture.at("c"), old, 1_000);
        let (target, before) = (fixture.record().0, fixture.describe_tree());
        let inode_before = inode(&fixture, "c");
        rename(&fixture, "c", "d");
        set(&fixture.at("d"), new, 1_000);
        check_out(&mut fixture, &target, |_| {});
        assert_eq!(fixture.describe_tree(), before);
        assert_ne!(inode(&fixture, "c"), inode_before, "{old:o}");
    }
}

/// Makes all frames of the store unreadable.
fn damage(fixture: &Fixture) {
    let packs = walk(&fixture.folder.path().join("store/packs"));
    assert!(!packs.is_empty());
    for pack in packs {
        let file = fs::OpenOptions::new().write(true).open(pack).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[0xff; 40], 20).unwrap();
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
