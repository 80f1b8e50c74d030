//! Events while a directory is removed, and between an interrupted revival and the next one.

use std::fs;

use super::Shop;
use crate::agent_hook::{bash, hook, message};
use crate::crash::{CALLS, for_each_kill, has_strace, killed_at};
use crate::tree::assert_same;

#[test]
fn an_event_after_a_killed_revival_does_not_record_the_empty_directory() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let shop = Shop::new();
        let before = shop.tree();
        shop.remove();
        let killed = killed_at(&shop.env, call, n, &["revive", "shop"]);
        let is_attached = shop.path().join(".undo").exists();
        let event = is_attached.then(|| shop.undo("commit --auto"));
        // Killed after the last record, the directory is complete.
        let is_complete = event.is_some_and(|event| event.code == 0);
        shop.env.undo("revive shop").fails(if is_complete { 2 } else { 0 });
        assert_same(&before, &shop.tree());
        shop.remove();
        shop.env.undo("revive shop").ok();
        assert_same(&before, &shop.tree());
        killed
    });
}

/// Attached like by a revival that was killed before it wrote a file.
fn attached() -> Shop {
    let shop = Shop::new();
    let marker = fs::read(shop.path().join(".undo")).unwrap();
    shop.remove();
    fs::create_dir(shop.path()).unwrap();
    fs::write(shop.path().join(".undo"), marker).unwrap();
    for entry in fs::read_dir(shop.store()).unwrap().map(Result::unwrap) {
        if entry.file_name().to_str().unwrap().starts_with("index-") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    shop
}

#[test]
fn an_attached_directory_that_is_still_empty_is_recorded_only_by_force() {
    let shop = attached();
    for line in ["commit --auto", "commit", "commit -n"] {
        let refused = shop.undo(line).fails(4).to_string();
        assert!(refused.contains("is empty, and its history was not restored in it"), "{refused}");
        assert!(refused.contains("hint: to restore the last state: undo revive "), "{refused}");
    }
    let answer = hook(&shop.env, "claude", bash(&shop.env, "s", "make").replace("/work\"", "/work/shop\""));
    assert!(message(&answer).contains("was not recorded: `"), "{answer}");
    shop.env.undo("revive shop").ok();
    assert_eq!(shop.env.read("shop/prices"), b"apples 4\n");
    shop.undo("commit --auto").ok();
    let shop = attached();
    shop.undo("commit --force -m empty").ok();
    assert_eq!(shop.messages("shop"), ["empty", "two", "one"]);
    shop.undo("commit --auto").ok();
}

#[test]
fn a_revival_of_a_state_with_an_alarm_names_older_ones() {
    let shop = Shop::empty();
    shop.undo("init --outside").ok();
    (0..40).for_each(|n| shop.env.write(&format!("shop/{n}"), format!("{n}")));
    shop.undo("commit -m all").ok();
    // An event while `rm -rf` runs.
    (0..38).for_each(|n| fs::remove_file(shop.path().join(n.to_string())).unwrap());
    shop.undo("commit --auto").ok();
    shop.remove();
    let revived = shop.env.undo("revive shop").ok().to_string();
    assert!(
        revived.contains("warning: the restored state has an alarm, `deleted`: 38 of 40 files\nhint: to list older states: undo -C shop log --all; to restore one: undo -C shop checkout ID\n"),
        "{revived}"
    );
    shop.undo("checkout @").ok();
    assert_eq!(shop.env.read("shop/0"), b"0");
}
