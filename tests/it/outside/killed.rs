//! Kills of `init --outside`, `revive` and `stores` at any call, and a full disk: the same command succeeds when repeated.

use std::fs;

use super::Shop;
use crate::crash::{CALLS, for_each_kill, has_strace, killed_at};
use crate::safety::places::Mounted;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

#[test]
fn a_killed_revival_is_continued_when_repeated() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let shop = Shop::new();
        fs::hard_link(shop.path().join("prices"), shop.path().join("stock/prices")).unwrap();
        shop.undo("commit -m three").ok();
        let before = shop.tree();
        shop.remove();
        let killed = killed_at(&shop.env, call, n, &["revive", "shop"]);
        let again = shop.env.undo("revive shop");
        // Killed after the last record, the directory is complete.
        let is_complete = || shop.undo("status --json").ok().json().last().unwrap()["clean"] == true;
        assert!(again.code == 0 || again.code == 2 && is_complete(), "{call} {n}: {again}");
        assert_same(&before, &shop.tree());
        assert_eq!(shop.messages("shop"), ["three", "two", "one"], "{call} {n}");
        shop.undo("verify").ok();
        killed
    });
}

#[test]
fn a_killed_adoption_or_split_succeeds_when_repeated() {
    if !has_strace() {
        return;
    }
    for verb in ["adopt", "split"] {
        for_each_kill(&CALLS, |call, n| {
            let shop = Shop::new();
            shop.copy("copy");
            let before = Tree::read(&shop.env.path().join("copy"));
            let killed = killed_at(&shop.env, call, n, &["stores", verb, "copy"]);
            let again = shop.env.undo(&format!("stores {verb} copy"));
            // Killed after the last record, the copy is known.
            assert!([0, 2].contains(&again.code), "{verb} {call} {n}: {again}");
            fs::write(shop.env.path().join("copy/prices"), "apples 6\n").unwrap();
            shop.in_directory("copy", "commit -m copy").ok();
            assert_eq!(shop.messages("copy"), ["copy", "two", "one"], "{verb} {call} {n}");
            shop.undo("commit").fails(if verb == "adopt" { 4 } else { 0 });
            shop.in_directory("copy", "checkout @~").ok();
            assert_same(&before, &Tree::read(&shop.env.path().join("copy")));
            shop.in_directory("copy", "verify").ok();
            killed
        });
    }
}

#[test]
fn a_killed_adoption_of_a_directory_without_a_marker_succeeds_when_repeated() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let shop = Shop::new();
        fs::remove_file(shop.path().join(".undo")).unwrap();
        let killed = killed_at(&shop.env, call, n, &["stores", "adopt", "shop"]);
        let again = shop.env.undo("stores adopt shop");
        assert!([0, 2].contains(&again.code), "{call} {n}: {again}");
        shop.undo("commit").ok();
        assert_eq!(shop.messages("shop"), ["two", "one"], "{call} {n}");
        assert_eq!(shop.stores().len(), 1, "{call} {n}");
        killed
    });
}

#[test]
fn a_killed_init_is_completed_when_repeated() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let shop = Shop::empty();
        shop.env.write("shop/file", "file");
        let killed = killed_at(&shop.env, call, n, &["-C", "shop", "init", "--outside"]);
        let again = shop.undo("init --outside");
        assert!([0, 2].contains(&again.code), "{call} {n}: {again}");
        shop.undo("commit -m one").ok();
        assert_eq!(shop.stores().len(), 1, "{call} {n}");
        fs::remove_dir_all(shop.path()).unwrap();
        shop.env.undo("revive shop").ok();
        assert_eq!(shop.env.read("shop/file"), b"file");
        killed
    });
}

#[test]
fn a_full_disk_stops_init_and_revive_without_loss() {
    let shop = Shop::empty();
    let state = shop.env.root().join("home/.local");
    fs::create_dir(&state).unwrap();
    let Some(mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"], &state) else {
        skip("tmpfs cannot be mounted");
        return;
    };
    let filler = state.join("filler");
    let full = fs::write(&filler, vec![1; 1 << 20]);
    assert!(full.is_err());
    let failed = shop.undo("init --outside");
    assert_eq!(failed.code, 13, "{failed}");
    assert_eq!(fs::read_dir(shop.path()).unwrap().count(), 0);
    assert_eq!(fs::read_dir(&state).unwrap().count(), 1, "nothing but the filler is left");
    drop(mounted);
    // A revival to a full disk is continued when there is space.
    shop.env.write("shop/data", vec![3; 300 << 10]);
    shop.env.write("shop/file", "file");
    shop.undo("init --outside").ok();
    shop.undo("commit -m one").ok();
    let before = shop.tree();
    fs::remove_dir_all(shop.path()).unwrap();
    fs::create_dir(shop.env.path().join("small")).unwrap();
    let small = Mounted::new(&["-t", "tmpfs", "-o", "size=200k", "tmpfs"], &shop.env.path().join("small")).unwrap();
    let failed = shop.env.undo("revive small/shop --from shop");
    assert_eq!(failed.code, 13, "{failed}");
    let remounted =
        shop.env.command("mount").args(["-o", "remount,size=8m"]).arg(shop.env.path().join("small")).status();
    assert!(remounted.unwrap().success());
    shop.env.undo("revive small/shop --from shop").ok();
    assert_same(&before, &Tree::read(&shop.env.path().join("small/shop")));
    drop(small);
}
