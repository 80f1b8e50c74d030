//! What was moved gets its old name back, and nothing that anybody has written is lost on the way.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Done, House, path, set};
use crate::checkout::{Target, clean_staged};

/// A house with a directory of files, recorded.
fn house() -> (House, Target) {
    let mut house = House::new();
    fs::create_dir(house.at("room")).unwrap();
    for name in ["room/a", "room/b", "c"] {
        fs::write(house.at(name), format!("{name} ").repeat(1000)).unwrap();
        set(&house.at(name), 0o640, 1_000);
    }
    set(&house.at("room"), 0o750, 2_000);
    set(&house.root(), 0o755, 3_000);
    let target = house.record().0;
    (house, target)
}

fn inode(house: &House, name: &str) -> u64 {
    fs::symlink_metadata(house.at(name)).unwrap().ino()
}

fn rename(house: &House, from: &str, to: &str) {
    fs::rename(house.at(from), house.at(to)).unwrap();
}

/// Records it when nothing is in doubt any more, and goes back, with something done between plan and apply.
fn go(house: &mut House, target: &Target, between: impl FnOnce(&House)) -> Done {
    std::thread::sleep(Duration::from_millis(20));
    let (_, scan) = house.record();
    house.go_from(scan, target, |_| between(house)).unwrap()
}

#[test]
fn what_was_moved_is_the_same_file_again() {
    for (from, to) in [("room", "hall"), ("c", "room/c"), ("room/a", "room/A"), ("room/b", "b")] {
        let (mut house, target) = house();
        let (before, name) = (house.tell(), if from == "room" { "room/a" } else { from });
        let expected = inode(&house, name);
        rename(&house, from, to);
        let done = go(&mut house, &target, |_| {});
        assert_eq!(house.tell(), before, "{from} {to}: {}", done.plan);
        assert_eq!(inode(&house, name), expected, "{from} {to}");
        assert!(done.tally.changed.is_empty() && done.tally.inexact.is_empty(), "{:?}", done.tally);
        assert_eq!(house.look(&house.index(&done)).bytes_read, 0, "{from} {to}");
    }
}

#[test]
fn what_was_moved_is_dressed_anew() {
    let (mut house, target) = house();
    let (before, expected) = (house.tell(), inode(&house, "c"));
    rename(&house, "c", "d");
    set(&house.at("d"), 0o755, 1_000);
    let _ = rustix::fs::setxattr(house.at("d"), "user.new", b"1", rustix::fs::XattrFlags::empty());
    go(&mut house, &target, |_| {});
    assert_eq!((house.tell(), inode(&house, "c")), (before, expected));
    assert_ne!(rustix::fs::listxattr(house.at("c"), &mut [0_u8; 0][..]), Ok(9));
}

#[test]
fn one_of_several_that_are_alike_is_taken_once() {
    let (mut house, _) = house();
    for name in ["x", "y", "z"] {
        fs::write(house.at(name), "alike").unwrap();
        set(&house.at(name), 0o644, 5_000);
    }
    let (target, before) = (house.record().0, house.tell());
    rename(&house, "x", "room/x");
    rename(&house, "y", "room/y");
    fs::remove_file(house.at("z")).unwrap();
    go(&mut house, &target, |_| {});
    assert_eq!(house.tell(), before);
}

#[test]
fn what_has_other_names_another_time_or_is_in_doubt_is_written() {
    let changes: [fn(&House); 3] = [
        |house| fs::hard_link(house.at("d"), house.at("e")).unwrap(),
        |house| set(&house.at("d"), 0o640, 9_999),
        |house| fs::write(house.at("d"), "c ".repeat(1000)).unwrap(),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let (mut house, target) = house();
        let (before, old) = (house.tell(), inode(&house, "c"));
        rename(&house, "c", "d");
        change(&house);
        go(&mut house, &target, |_| {});
        assert_eq!(house.tell(), before, "{n}");
        assert_ne!(inode(&house, "c"), old, "{n}");
    }
}

#[test]
fn what_is_written_to_after_it_was_saved_stays_where_it_is() {
    let (mut house, target) = house();
    rename(&house, "c", "d");
    let done = go(&mut house, &target, |house| fs::write(house.at("d"), "mine").unwrap());
    assert_eq!(fs::read(house.at("d")).unwrap(), b"mine");
    assert_eq!(fs::read(house.at("c")).unwrap(), "c ".repeat(1000).as_bytes());
    assert!(done.tally.changed.contains(&path("d")), "{:?}", done.tally);
}

#[test]
fn what_cannot_be_put_goes_back_where_it_was() {
    let (mut house, target) = house();
    rename(&house, "c", "d");
    let done = go(&mut house, &target, |house| fs::write(house.at("c"), "mine").unwrap());
    assert_eq!(fs::read(house.at("c")).unwrap(), b"mine");
    assert!(done.tally.changed.contains(&path("c")), "{:?}", done.tally);
    let names: Vec<_> = fs::read_dir(house.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with(".undo-")), "{names:?}");
}

#[test]
fn what_is_swapped_comes_back() {
    let (mut house, target) = house();
    let before = house.tell();
    rename(&house, "c", "t");
    rename(&house, "room/a", "c");
    rename(&house, "t", "room/a");
    rename(&house, "room/b", "b");
    fs::create_dir(house.at("room/b")).unwrap();
    fs::write(house.at("room/b/in"), "new").unwrap();
    go(&mut house, &target, |_| {});
    assert_eq!(house.tell(), before);
}

/// Nobody has read it before, since it was to stay.
#[test]
fn what_could_not_be_moved_is_no_last_copy_that_goes() {
    for can_move in [true, false] {
        let (mut house, target) = house();
        rename(&house, "c", "d");
        let done = go(&mut house, &target, |house| {
            damage(house);
            if !can_move {
                fs::hard_link(house.at("d"), house.at("other")).unwrap();
            }
        });
        let (there, gone) = if can_move { ("c", "d") } else { ("d", "c") };
        assert_eq!(fs::read(house.at(there)).unwrap(), "c ".repeat(1000).as_bytes());
        assert!(!house.at(gone).exists());
        let damaged: Vec<_> = done.tally.damaged.keys().collect();
        assert_eq!(damaged.len(), if can_move { 0 } else { 2 }, "{:?}", done.tally);
    }
}

/// Killed between two renames, a name of our own is the only one that it has.
#[test]
fn what_was_taken_and_not_put_is_kept_if_it_is_the_last_copy() {
    for (is_damaged, kept) in [(false, 0), (true, 1)] {
        let (mut house, _) = house();
        house.record();
        rename(&house, "c", ".undo-00000000000000ab-0");
        if is_damaged {
            damage(&house);
        }
        assert_eq!(clean_staged(&house.worktree(), &house.store, 0xab).unwrap().len(), kept);
        assert_eq!(house.at(".undo-00000000000000ab-0").exists(), is_damaged);
    }
}

/// With that mode it would be taken for one that is not finished, whatever somebody has written to it.
#[test]
fn what_has_or_gets_the_mode_of_what_is_not_finished_is_written() {
    for (old, new) in [(0o640, 0o1600), (0o1600, 0o640)] {
        let (mut house, _) = house();
        set(&house.at("c"), old, 1_000);
        let (target, before) = (house.record().0, house.tell());
        let inode_before = inode(&house, "c");
        rename(&house, "c", "d");
        set(&house.at("d"), new, 1_000);
        go(&mut house, &target, |_| {});
        assert_eq!(house.tell(), before);
        assert_ne!(inode(&house, "c"), inode_before, "{old:o}");
    }
}

/// Makes all frames of the store unreadable.
fn damage(house: &House) {
    let packs = walk(&house.folder.path().join("store/packs"));
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
