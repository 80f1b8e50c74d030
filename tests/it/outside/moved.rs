//! A directory that moves continues without a question; a copy does not continue silently.

use std::fs;
use std::path::Path;
use std::process::Command;

use snapbox::str;

use super::Shop;
use crate::safety::places::Mounted;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

#[test]
fn a_moved_directory_continues_without_a_question() {
    let shop = Shop::new();
    shop.rename("store");
    let status = shop.in_directory("store", "status").ok();
    assert!(status.stderr.is_empty(), "{status}");
    fs::write(shop.env.path().join("store/prices"), "apples 5\n").unwrap();
    shop.in_directory("store", "commit -m three").ok();
    assert_eq!(shop.messages("store"), ["three", "two", "one"]);
    let stores = shop.env.undo("stores --json").ok().json();
    assert_eq!(stores[0]["directories"][0]["path"], shop.env.path().join("store").to_str().unwrap());
    assert_eq!(stores[0]["directories"][0]["missing"], false);
}

#[test]
fn a_moved_directory_keeps_its_index() {
    let shop = Shop::empty();
    shop.undo("init --outside").ok();
    shop.env.write("shop/large", vec![7; 64 << 10]);
    shop.undo("commit -m large").ok();
    // A file as recent as the file system's clock is read again.
    std::thread::sleep(std::time::Duration::from_millis(50));
    shop.env.write("shop/other", "other");
    shop.undo("commit -m other").ok();
    shop.rename("store");
    shop.env.write("store/small", "small");
    let commit = shop.in_directory("store", "commit --json -m small").ok().json();
    let read = commit.iter().find_map(|line| line["bytes_read"].as_u64()).unwrap();
    assert!(read < 64 << 10, "{read} bytes read: {commit:?}");
    let indexes = fs::read_dir(shop.store()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(indexes.filter(|name| name.starts_with("index-")).count(), 1);
}

#[test]
fn a_parent_of_the_directory_may_be_renamed() {
    let shop = Shop { env: crate::env::TestEnv::new() };
    shop.env.write("old/shop/file", "file");
    shop.in_directory("old/shop", "init --outside").ok();
    shop.in_directory("old/shop", "commit -m one").ok();
    fs::rename(shop.env.path().join("old"), shop.env.path().join("new")).unwrap();
    shop.in_directory("new/shop", "commit").ok();
    assert_eq!(shop.messages("new/shop"), ["one"]);
    fs::remove_dir_all(shop.env.path().join("new")).unwrap();
    shop.env.undo("revive new/shop").ok();
    assert_eq!(shop.env.read("new/shop/file"), b"file");
}

#[test]
fn a_directory_may_move_to_another_file_system() {
    let Some(other) = other_file_system() else { return };
    let shop = Shop::new();
    let before = shop.tree();
    let target = other.path().join("shop");
    let moved = Command::new("mv").arg(shop.path()).arg(&target).status().unwrap();
    assert!(moved.success());
    let at = |line: &str| shop.env.undo(&format!("-C {} {line}", target.display()));
    assert!(at("status").ok().stderr.is_empty());
    fs::write(target.join("prices"), "apples 5\n").unwrap();
    at("commit -m three").ok();
    at("checkout @~").ok();
    assert_same(&before, &Tree::read(&target));
    // The store is on another file system now; a revival does not need the same one.
    fs::remove_dir_all(&target).unwrap();
    shop.env.undo(&format!("revive {}", target.display())).ok();
    assert_same(&before, &Tree::read(&target));
}

/// A directory on another file system than the temporary directory.
fn other_file_system() -> Option<tempfile::TempDir> {
    use std::os::unix::fs::MetadataExt;
    let other = tempfile::tempdir_in("/dev/shm").ok()?;
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    if device(other.path()) == device(&std::env::temp_dir()) {
        skip("no second file system");
        return None;
    }
    Some(other)
}

#[test]
fn the_first_commit_to_another_file_system_is_announced() {
    let shop = Shop::empty();
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "tmpfs"], &shop.path()) else {
        skip("tmpfs cannot be mounted");
        return;
    };
    assert!(!shop.undo("init --outside").ok().to_string().contains("another file system"));
    fs::remove_file(shop.path().join(".undo")).unwrap();
    shop.env.write("shop/data/large", vec![1; 3 << 20]);
    shop.env.write("shop/small", "12");
    assert!(!shop.undo("init --outside").ok().to_string().contains("another file system"), "3 MiB do not matter");
    fs::remove_file(shop.path().join(".undo")).unwrap();
    let large = fs::File::options().write(true).open(shop.path().join("data/large")).unwrap();
    large.set_len(2 << 30).unwrap();
    let init = shop.undo("init --outside").ok();
    let warning = "is on another file system than the directory, so files cannot share their blocks: the first commit copies up \
                   to 2.00 GiB (2 files)";
    assert!(init.to_string().contains(warning), "{init}");
    large.set_len(10).unwrap();
    shop.undo("commit -m one").ok();
    shop.undo("verify").ok();
}

#[test]
fn a_copy_is_refused_until_it_is_adopted_or_split() {
    let shop = Shop::new();
    shop.copy("copy");
    fs::write(shop.env.path().join("copy/prices"), "apples 6\n").unwrap();
    let before = shop.tree();
    for line in ["commit", "checkout @~", "undo", "restore .", "run -- true", "branch x"] {
        let refused = shop.in_directory("copy", line);
        assert_eq!(refused.code, if line.starts_with("run") { 125 } else { 4 }, "{line}\n{refused}");
    }
    shop.in_directory("copy", "commit").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/copy` uses the same repository as `[ROOT]/work/shop`, and may be a copy of it
hint: if it replaces that directory: undo stores adopt [ROOT]/work/copy; for a copy with its own branch: undo stores split [ROOT]/work/copy
[exit 4]

"#]]);
    shop.in_directory("copy", "status").ok();
    shop.undo("commit").ok();
    assert_same(&before, &shop.tree());
}

#[test]
fn a_split_copy_has_its_own_branch() {
    let shop = Shop::new();
    shop.copy("copy");
    shop.env.undo("stores split copy").ok();
    fs::write(shop.env.path().join("copy/prices"), "apples 6\n").unwrap();
    shop.in_directory("copy", "commit -m 'of the copy'").ok();
    shop.env.write("shop/prices", "apples 7\n");
    shop.undo("commit -m 'of the shop'").ok();
    assert_eq!(shop.messages("copy"), ["of the copy", "two", "one"]);
    assert_eq!(shop.messages("shop"), ["of the shop", "two", "one"]);
    shop.in_directory("copy", "undo").ok();
    assert_eq!(shop.env.read("shop/prices"), b"apples 7\n");
    // Both are lost, and both come back.
    let (one, two) = (shop.tree(), Tree::read(&shop.env.path().join("copy")));
    shop.remove();
    fs::remove_dir_all(shop.env.path().join("copy")).unwrap();
    let refused = shop.env.undo(&format!("revive new --from {}", shop.store().display()));
    assert_ne!(refused.code, 0);
    assert!(refused.to_string().contains("several directories"), "{refused}");
    shop.env.undo("revive copy").ok();
    shop.env.undo("revive shop").ok();
    assert_same(&one, &shop.tree());
    assert_same(&two, &Tree::read(&shop.env.path().join("copy")));
    shop.copy("more");
    shop.env.undo("stores split more --branch copy").fails(4);
    shop.env.undo("stores split more").ok();
    shop.env.undo("stores split more").fails(2);
    // Its name always means a commit.
    shop.copy("latest");
    shop.env.undo("stores split latest").ok();
    assert!(shop.in_directory("latest", "branch").ok().text().contains("copy-latest"));
}

#[test]
fn an_adopted_copy_replaces_the_directory() {
    let shop = Shop::new();
    shop.copy("copy");
    shop.env.undo("stores adopt copy").ok();
    fs::write(shop.env.path().join("copy/prices"), "apples 6\n").unwrap();
    shop.in_directory("copy", "commit -m 'of the copy'").ok();
    assert_eq!(shop.messages("copy"), ["of the copy", "two", "one"]);
    // Now the former directory is refused.
    shop.undo("commit").fails(4);
    shop.env.undo("stores adopt shop").ok();
    shop.undo("commit").ok();
    shop.in_directory("copy", "commit").fails(4);
}

#[test]
fn a_lost_marker_is_written_again() {
    let shop = Shop::new();
    fs::remove_file(shop.path().join(".undo")).unwrap();
    shop.undo("status").shows(str![[r#"
---- stderr ----
error: no repository in `[ROOT]/work/shop` or above it
hint: a directory that was here has a history outside; to continue it: undo stores adopt [ROOT]/work/shop
[exit 10]

"#]]);
    shop.undo("stores adopt").ok();
    assert_eq!(shop.messages("shop"), ["two", "one"]);
    assert_eq!(shop.undo("status --json").ok().json().last().unwrap()["clean"], true);
    shop.env.undo("stores adopt shop --from shop").fails(2);
    shop.env.undo("stores split .").fails(10);
    shop.env.write("other/file", "");
    shop.env.undo("stores adopt other").fails(2);
    shop.in_directory("other", "init").ok();
    shop.env.undo("stores adopt other").fails(2);
    shop.env.undo("stores split other").fails(2);
}

#[test]
fn a_moved_directory_beside_a_revived_one_is_refused() {
    let shop = Shop::new();
    shop.rename("store");
    // Nothing has run in it since the move, so its former path counts as lost.
    shop.env.undo("revive shop").ok();
    shop.in_directory("store", "commit").fails(4);
    shop.env.undo("stores split store").ok();
    shop.in_directory("store", "commit").ok();
    shop.undo("commit").ok();
}
