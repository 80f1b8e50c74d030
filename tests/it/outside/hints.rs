//! Hints about histories outside whose directories or stores are missing.

use std::fs;

use super::Shop;
use crate::tree::{Tree, assert_same};

/// Removes the directory `shop`, after `alpha` and `zulu` beside it.
fn three_removed() -> Shop {
    let shop = Shop::empty();
    for name in ["alpha", "zulu", "shop"] {
        shop.env.write(&format!("{name}/a"), name);
        shop.in_directory(name, "init --outside").ok();
        shop.in_directory(name, "commit -m one").ok();
        fs::remove_dir_all(shop.env.path().join(name)).unwrap();
    }
    shop
}

#[test]
fn of_several_removed_directories_the_newest_is_named() {
    let shop = three_removed();
    let hint = format!("undo revive {}, or list all: undo stores\n", shop.path().display());
    let text = shop.env.undo("status").fails(10);
    assert!(String::from_utf8_lossy(&text.stderr).contains(&hint), "{text}");
    shop.env.undo("revive shop").ok();
    shop.env.undo("revive alpha").ok();
    shop.env.undo("revive zulu").ok();
    let text = shop.env.shell("cd alpha && rm -rf ../alpha ../shop ../zulu && undo status");
    let hint = format!("undo revive {}\n", shop.env.path().join("alpha").display());
    assert!(String::from_utf8_lossy(&text.stderr).contains(&hint), "{text}");
}

#[test]
fn a_store_elsewhere_is_attached_by_init() {
    let shop = Shop::empty();
    shop.undo("init --store ../store").ok();
    shop.env.write("shop/prices", "apples 3\n");
    shop.undo("commit -m one").ok();
    let before = shop.tree();
    shop.remove();
    let failed = shop.env.undo("revive new --from store").fails(2);
    let text = String::from_utf8(failed.stderr).unwrap();
    let hint = text.lines().find_map(|line| line.strip_prefix("hint: to attach it: ")).expect("a hint");
    shop.env.shell(&hint.replace("; then restore its current commit: ", " && ")).ok();
    assert_same(&before, &Tree::read(&shop.env.path().join("new")));
}

#[test]
fn a_revival_of_an_attached_directory_does_not_restore_another_history() {
    let shop = three_removed();
    fs::create_dir(shop.path()).unwrap();
    shop.undo("stores adopt --from ../alpha").ok();
    let refused = shop.env.undo("revive shop --from zulu").fails(4).to_string();
    assert!(refused.contains("/shop` is attached to the store `") && refused.contains("/zulu-"), "{refused}");
    assert_eq!(fs::read_dir(shop.path()).unwrap().count(), 1);
    shop.env.undo("revive shop --from alpha").ok();
    assert_eq!(shop.env.read("shop/a"), b"alpha");
}

#[test]
fn init_names_a_store_that_is_missing() {
    let shop = Shop::new();
    fs::remove_dir_all(shop.store()).unwrap();
    let failed = shop.undo("init").to_string();
    assert!(failed.contains("does not exist\n") && !failed.contains("undo status"), "{failed}");
}

#[test]
fn a_file_is_not_revived() {
    let shop = Shop::new();
    shop.env.write("file", "");
    let failed = shop.env.undo("revive file --from shop").fails(2).to_string();
    assert!(failed.contains("already exists and is not a directory\nhint: "), "{failed}");
}

#[test]
fn an_older_history_is_not_continued_silently() {
    let shop = Shop::new();
    shop.remove();
    shop.env.write("shop/prices", "new");
    shop.undo("init --outside").ok();
    shop.undo("commit -m new").ok();
    shop.remove();
    shop.env.undo("revive later --from shop").ok();
    let warning = format!(" that was at this path, and is now `{}`\n", shop.env.path().join("later").display());
    fs::create_dir(shop.path()).unwrap();
    let adopted = shop.env.undo("stores adopt shop").ok();
    assert!(String::from_utf8_lossy(&adopted.stderr).contains(&warning), "{adopted}");
    assert_eq!(shop.messages("shop"), ["two", "one"]);
    shop.remove();
    let revived = shop.env.undo("revive shop").ok();
    assert!(String::from_utf8_lossy(&revived.stderr).contains(&warning), "{revived}");
}

#[test]
fn an_automatic_commit_in_a_copy_fails_with_one_message() {
    let shop = Shop::new();
    shop.copy("copy");
    let failed = shop.in_directory("copy", "commit --auto").fails(4).to_string();
    assert_eq!(failed.matches("uses the same repository").count(), 1, "{failed}");
}
