//! Every kind of entry becomes every other kind, and comes back exactly.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{Fixture, may_only_grow, path, set};
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
fn make(fixture: &Fixture, kind: &str) {
    let x = fixture.at("x");
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
        "link to a directory" => symlink("sub", &x).unwrap(),
        "dangling link" => symlink("/nowhere/at all", &x).unwrap(),
        "hard-linked pair" => {
            fs::write(&x, "pair").unwrap();
            fs::hard_link(&x, fixture.at("sub/y")).unwrap();
        }
        "fifo" => Dir::open(&fixture.root()).unwrap().make_special(b"x", Kind::Fifo, 0).unwrap(),
        other => unreachable!("{other}"),
    }
    if kind != "absent" {
        set(&x, if kind.contains("read-only") { 0o555 } else { 0o750 }, 2_000);
    }
}

fn clear(fixture: &Fixture) {
    let x = fixture.at("x");
    let Ok(stat) = fs::symlink_metadata(&x) else { return };
    // As a user read-only directories have to be opened first.
    for directory in [x.clone(), x.join("deep/er")].iter().filter(|_| stat.is_dir()).filter(|path| path.is_dir()) {
        set(directory, 0o755, 0);
    }
    match stat.is_dir() {
        true => fs::remove_dir_all(&x).unwrap(),
        false => fs::remove_file(&x).unwrap(),
    }
    let _ = fs::remove_file(fixture.at("sub/y"));
}

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fs::write(fixture.at("standing"), "existing").unwrap();
    fs::create_dir(fixture.at("sub")).unwrap();
    fs::write(fixture.at("sub/file"), "content").unwrap();
    fixture
}

fn settle(fixture: &Fixture) {
    set(&fixture.at("sub"), 0o755, 3_000);
    set(&fixture.root(), 0o755, 4_000);
}

#[test]
fn checkout_converts_between_all_kinds() {
    for from in KINDS {
        for to in KINDS {
            let mut fixture = fixture();
            make(&fixture, to);
            settle(&fixture);
            let (target, expected) = (fixture.record().0, fixture.describe_tree());
            clear(&fixture);
            make(&fixture, from);
            settle(&fixture);
            let (back, before) = (fixture.record().0, fixture.describe_tree());
            let done = fixture.check_out(&target);
            assert_eq!(fixture.describe_tree(), expected, "from {from} to {to}:\n{}", done.plan);
            assert!(done.outcome.changed.is_empty() && done.outcome.inexact.is_empty(), "{:?}", done.outcome);
            let done = fixture.check_out(&back);
            assert_eq!(fixture.describe_tree(), before, "from {to} back to {from}:\n{}", done.plan);
        }
    }
}

#[test]
fn scan_after_checkout_reads_no_content() {
    for kind in KINDS {
        let mut fixture = fixture();
        make(&fixture, kind);
        settle(&fixture);
        let target = fixture.record().0;
        clear(&fixture);
        fs::write(fixture.at("standing"), "changed").unwrap();
        let done = fixture.check_out(&target);
        let scan = fixture.scan(&fixture.index(&done));
        assert_eq!((&scan.root, scan.links), (&target.root, target.links), "{kind}");
        assert_eq!(scan.files_read, 0, "{kind}");
    }
}

#[test]
fn checkout_restores_xattrs_and_holes() {
    let mut fixture = fixture();
    let root = Dir::open(&fixture.root()).unwrap();
    let big = fs::File::create(fixture.at("sparse")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&big, b"middle", 3 << 20).unwrap();
    big.set_len(9 << 20).unwrap();
    drop(big);
    root.set_xattr(b"standing", b"user.note", b"\x00\xff").unwrap();
    root.set_xattr(b"sub", b"user.note", b"").unwrap();
    settle(&fixture);
    let (target, expected) = (fixture.record().0, fixture.describe_tree());
    fs::write(fixture.at("sparse"), "dense").unwrap();
    root.set_xattr(b"standing", b"user.other", b"1").unwrap();
    root.remove_xattr(b"sub", b"user.note").unwrap();
    fixture.check_out(&target);
    assert_eq!(fixture.describe_tree(), expected);
    assert_eq!(root.xattrs(b"standing").unwrap(), [(b"user.note".to_vec(), b"\x00\xff".to_vec())]);
    assert_eq!(root.xattrs(b"sub").unwrap(), [(b"user.note".to_vec(), Vec::new())]);
    let scan = fixture.record().1;
    assert_eq!(scan.root, target.root, "holes are where they were");
}

#[test]
fn checkout_writes_many_files_in_parallel() {
    let mut fixture = fixture();
    for n in 0..300 {
        let folder = fixture.at(&format!("many/{}", n % 7));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(n.to_string()), format!("file {n}\n").repeat(n)).unwrap();
    }
    let (target, expected) = (fixture.record().0, fixture.describe_tree());
    fs::remove_dir_all(fixture.at("many")).unwrap();
    let done = fixture.check_out(&target);
    assert_eq!(fixture.describe_tree(), expected);
    assert_eq!(done.outcome.done_numbers().filter(|n| done.plan.path(*n).is_within(&path("many"))).count(), 308);
}

#[test]
fn checkout_patches_changed_pieces_of_large_file() {
    let mut fixture = fixture();
    let content: Vec<u8> = (0..10 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(fixture.at("large"), &content).unwrap();
    let (target, expected) = (fixture.record().0, fixture.describe_tree());
    let mut other = content.clone();
    other[5 << 20] ^= 1;
    other.extend_from_slice(b"and more");
    fs::write(fixture.at("large"), &other).unwrap();
    set(&fixture.at("large"), 0o600, 77);
    fixture.check_out(&target);
    assert_eq!(fixture.describe_tree()["large"], expected["large"]);
}

#[test]
fn checkout_reports_owner_that_cannot_be_set() {
    // As root nothing is refused, so this is proved only by a run as a user.
    if Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n") {
        return;
    }
    let mut fixture = fixture();
    let (mut target, _) = fixture.record();
    target.root.metadata.uid = 0;
    let done = fixture.check_out(&target);
    assert_eq!(done.outcome.inexact.len(), 1);
}

#[test]
fn checkout_copies_file_if_hard_link_fails() {
    let mut fixture = Fixture::new();
    fs::write(fixture.at("a"), "shared").unwrap();
    set(&fixture.at("a"), 0o640, 5);
    fs::hard_link(fixture.at("a"), fixture.at("b")).unwrap();
    let (target, _) = fixture.record();
    fs::remove_file(fixture.at("b")).unwrap();
    // A file that may only grow gets no further names.
    let file = fs::File::open(fixture.at("a")).unwrap();
    if !may_only_grow(&file, true) {
        return;
    }
    let (_, scan) = fixture.record();
    let done = fixture.check_out_scan(scan, &target, |_| {});
    may_only_grow(&file, false);
    let done = done.unwrap();
    assert_eq!(fs::read(fixture.at("b")).unwrap(), b"shared");
    assert_eq!(done.outcome.inexact[&path("b")], "not a hard link to `a` (operation not permitted)");
    let described = fixture.describe_tree();
    assert_eq!(described["a"], described["b"]);
}
