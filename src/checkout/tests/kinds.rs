//! Every kind of entry becomes every other kind, and comes back exactly.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{House, may_only_grow, path, set};
use crate::fs::Dir;
use crate::metadata::Kind;

const KINDS: [&str; 12] = [
    "absent",
    "file",
    "empty file",
    "executable",
    "empty directory",
    "full directory",
    "read-only directory",
    "link to a file",
    "link to a directory",
    "dangling link",
    "hard-linked pair",
    "fifo",
];

/// Makes `x` (and what belongs to it) of a kind, where nothing is.
fn make(house: &House, kind: &str) {
    let x = house.at("x");
    match kind {
        "absent" => {}
        "file" => fs::write(&x, "content").unwrap(),
        "empty file" => fs::write(&x, "").unwrap(),
        "executable" => {
            fs::write(&x, "content").unwrap();
            return set(&x, 0o4755, 1_000);
        }
        "empty directory" => fs::create_dir(&x).unwrap(),
        "full directory" | "read-only directory" => {
            fs::create_dir_all(x.join("deep/er")).unwrap();
            fs::write(x.join("deep/er/file"), kind).unwrap();
            symlink("deep", x.join("link")).unwrap();
            set(&x.join("deep/er"), if kind == "full directory" { 0o700 } else { 0o555 }, -5);
        }
        "link to a file" => symlink("standing", &x).unwrap(),
        "link to a directory" => symlink("room", &x).unwrap(),
        "dangling link" => symlink("/nowhere/at all", &x).unwrap(),
        "hard-linked pair" => {
            fs::write(&x, "pair").unwrap();
            fs::hard_link(&x, house.at("room/y")).unwrap();
        }
        "fifo" => Dir::open(&house.root()).unwrap().make_special(b"x", Kind::Fifo, 0).unwrap(),
        other => unreachable!("{other}"),
    }
    if kind != "absent" {
        set(&x, if kind.contains("read-only") { 0o555 } else { 0o750 }, 2_000);
    }
}

fn clear(house: &House) {
    let x = house.at("x");
    let Ok(stat) = fs::symlink_metadata(&x) else { return };
    // As a user read-only directories have to be opened first.
    for directory in [x.clone(), x.join("deep/er")].iter().filter(|_| stat.is_dir()).filter(|path| path.is_dir()) {
        set(directory, 0o755, 0);
    }
    match stat.is_dir() {
        true => fs::remove_dir_all(&x).unwrap(),
        false => fs::remove_file(&x).unwrap(),
    }
    let _ = fs::remove_file(house.at("room/y"));
}

fn house() -> House {
    let house = House::new();
    fs::write(house.at("standing"), "it stands").unwrap();
    fs::create_dir(house.at("room")).unwrap();
    fs::write(house.at("room/chair"), "chair").unwrap();
    house
}

fn settle(house: &House) {
    set(&house.at("room"), 0o755, 3_000);
    set(&house.root(), 0o755, 4_000);
}

#[test]
fn every_kind_becomes_every_other_and_comes_back() {
    for from in KINDS {
        for to in KINDS {
            let mut house = house();
            make(&house, to);
            settle(&house);
            let (target, expected) = (house.record().0, house.tell());
            clear(&house);
            make(&house, from);
            settle(&house);
            let (back, before) = (house.record().0, house.tell());
            let done = house.go(&target);
            assert_eq!(house.tell(), expected, "from {from} to {to}:\n{}", done.plan);
            assert!(done.tally.changed.is_empty() && done.tally.inexact.is_empty(), "{:?}", done.tally);
            let done = house.go(&back);
            assert_eq!(house.tell(), before, "from {to} back to {from}:\n{}", done.plan);
        }
    }
}

#[test]
fn the_scan_after_a_checkout_reads_nothing_and_finds_the_target() {
    for kind in KINDS {
        let mut house = house();
        make(&house, kind);
        settle(&house);
        let target = house.record().0;
        clear(&house);
        fs::write(house.at("standing"), "changed").unwrap();
        let done = house.go(&target);
        let scan = house.look(&house.index(&done));
        assert_eq!((&scan.root, scan.links), (&target.root, target.links), "{kind}");
        assert_eq!(scan.files_read, 0, "{kind}");
    }
}

#[test]
fn attributes_and_holes_come_back() {
    let mut house = house();
    let root = Dir::open(&house.root()).unwrap();
    let big = fs::File::create(house.at("sparse")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&big, b"middle", 3 << 20).unwrap();
    big.set_len(9 << 20).unwrap();
    drop(big);
    root.set_xattr(b"standing", b"user.note", b"\x00\xff").unwrap();
    root.set_xattr(b"room", b"user.note", b"").unwrap();
    settle(&house);
    let (target, expected) = (house.record().0, house.tell());
    fs::write(house.at("sparse"), "dense").unwrap();
    root.set_xattr(b"standing", b"user.other", b"1").unwrap();
    root.remove_xattr(b"room", b"user.note").unwrap();
    house.go(&target);
    assert_eq!(house.tell(), expected);
    assert_eq!(root.xattrs(b"standing").unwrap(), [(b"user.note".to_vec(), b"\x00\xff".to_vec())]);
    assert_eq!(root.xattrs(b"room").unwrap(), [(b"user.note".to_vec(), Vec::new())]);
    let scan = house.record().1;
    assert_eq!(scan.root, target.root, "holes are where they were");
}

#[test]
fn many_files_are_written_by_two_threads() {
    let mut house = house();
    for n in 0..300 {
        let folder = house.at(&format!("many/{}", n % 7));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(n.to_string()), format!("file {n}\n").repeat(n)).unwrap();
    }
    let (target, expected) = (house.record().0, house.tell());
    fs::remove_dir_all(house.at("many")).unwrap();
    let done = house.go(&target);
    assert_eq!(house.tell(), expected);
    assert_eq!(done.tally.done_numbers().filter(|n| done.plan.path(*n).is_within(&path("many"))).count(), 308);
}

#[test]
fn a_few_changed_pieces_of_a_large_file_are_patched_in() {
    let mut house = house();
    let content: Vec<u8> = (0..10 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(house.at("large"), &content).unwrap();
    let (target, expected) = (house.record().0, house.tell());
    let mut other = content.clone();
    other[5 << 20] ^= 1;
    other.extend_from_slice(b"and more");
    fs::write(house.at("large"), &other).unwrap();
    set(&house.at("large"), 0o600, 77);
    house.go(&target);
    assert_eq!(house.tell()["large"], expected["large"]);
}

#[test]
fn an_owner_that_cannot_be_set_is_told() {
    // As root nothing is refused, so this is proved only by a run as a user.
    if Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n") {
        return;
    }
    let mut house = house();
    let (mut target, _) = house.record();
    target.root.metadata.uid = 0;
    let done = house.go(&target);
    assert_eq!(done.tally.inexact.len(), 1);
}

#[test]
fn where_no_hard_link_can_be_made_there_is_a_file_of_its_own() {
    let mut house = House::new();
    fs::write(house.at("a"), "shared").unwrap();
    set(&house.at("a"), 0o640, 5);
    fs::hard_link(house.at("a"), house.at("b")).unwrap();
    let (target, _) = house.record();
    fs::remove_file(house.at("b")).unwrap();
    // A file that may only grow gets no further names.
    let file = fs::File::open(house.at("a")).unwrap();
    if !may_only_grow(&file, true) {
        return;
    }
    let (_, scan) = house.record();
    let done = house.go_from(scan, &target, |_| {});
    may_only_grow(&file, false);
    let done = done.unwrap();
    assert_eq!(fs::read(house.at("b")).unwrap(), b"shared");
    assert_eq!(done.tally.inexact[&path("b")], "not a hard link to `a` (operation not permitted)");
    let told = house.tell();
    assert_eq!(told["a"], told["b"]);
}
