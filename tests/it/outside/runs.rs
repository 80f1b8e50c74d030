//! `undo run` in a directory whose history is outside: commands that delete the file `.undo`, or the directory.

use std::fs;

use super::Shop;
use crate::tree::{Tree, assert_same};

/// Commands that delete the file `.undo` and other files.
const DELETIONS: [&str; 3] = [
    "--rollback -- sh -c 'rm .undo prices'",
    "--guard 'deleted<1' -- find . -mindepth 1 -delete",
    "--rollback -- sh -c 'rm -rf \"$OLDPWD/shop\"; mkdir \"$OLDPWD/shop\"'",
];

#[test]
fn a_deleted_file_undo_is_written_again() {
    for options in DELETIONS {
        let shop = Shop::new();
        let before = shop.tree();
        let ran = shop.env.shell(&format!("cd shop && undo run {options}"));
        let message = format!("warning: the command deleted `{}/.undo`", shop.path().display());
        let text = String::from_utf8_lossy(&ran.stderr);
        assert!([0, 6].contains(&ran.code) && text.contains(&message), "{options}\n{ran}");
        assert_same(&before, &shop.tree());
        shop.undo("redo").ok();
        assert!(!shop.path().join("prices").exists(), "{options}");
        shop.undo("undo").ok();
        assert_same(&before, &shop.tree());
    }
}

#[test]
fn a_deleted_file_undo_is_written_again_if_the_changes_are_kept() {
    let shop = Shop::new();
    let before = shop.tree();
    let ran = shop.undo("run -- sh -c 'rm .undo prices'").ok().to_string();
    assert!(ran.contains("/.undo`, which names the store"), "{ran}");
    shop.undo("undo").ok();
    assert_same(&before, &shop.tree());
}

#[test]
fn the_command_that_revives_a_removed_directory_is_named() {
    for init in ["init --outside", "init --store ../store"] {
        let shop = Shop::empty();
        shop.undo(init).ok();
        shop.env.write("shop/prices", "apples 3\n");
        shop.undo("commit -m one").ok();
        shop.env.write("shop/prices", "apples 4\n");
        let before = shop.tree();
        let ran = shop.undo(&format!("run --rollback -- rm -rf {}", shop.path().display())).fails(125);
        let text = String::from_utf8(ran.stderr.clone()).unwrap();
        assert!(text.contains(&format!("`{}` was removed", shop.path().display())), "{ran}");
        let hint = text.lines().find_map(|line| line.strip_prefix("hint: to revive it: "));
        shop.env.shell(hint.expect("a hint")).ok();
        assert_same(&before, &Tree::read(&shop.path()));
        assert!(fs::exists(shop.path().join(".undo")).unwrap());
    }
}
