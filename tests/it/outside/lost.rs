//! A directory that was removed comes back exactly, with its history.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Shop;
use crate::kinds;
use crate::tree::{Tree, assert_same};

#[test]
fn everything_comes_back_after_the_removal_of_the_directory() {
    let shop = Shop::empty();
    shop.undo("init --outside").ok();
    shop.undo("commit -m empty").ok();
    kinds::everything(&shop.path());
    shop.undo("commit -m everything").ok();
    let before = shop.tree();
    shop.remove();
    let stores = shop.env.undo("stores --json").ok().json();
    assert_eq!(stores[0]["directories"][0]["missing"], true, "{stores:?}");
    let revived = shop.env.undo("revive shop --json").ok().json();
    assert_eq!((&revived[0]["type"], &revived[0]["continued"]), (&"revived".into(), &false.into()), "{revived:?}");
    assert_same(&before, &shop.tree());
    // The removal is not a state of its history.
    assert_eq!(shop.messages("shop"), ["everything", "empty"]);
    assert_eq!(shop.undo("log --json").ok().json().len(), 3);
    assert_eq!(shop.undo("status --json").ok().json().last().unwrap()["clean"], true);
    for line in ["verify", "gc", "stats", "status", "commit"] {
        shop.undo(line).ok();
    }
    assert_same(&before, &shop.tree());
    fs::write(shop.path().join("more"), "more").unwrap();
    shop.undo("commit -m more").ok();
    shop.undo("checkout @~").ok();
    assert_same(&before, &shop.tree());
}

#[test]
fn undo_after_a_revival_undoes_what_was_done_before_the_loss() {
    let shop = Shop::new();
    let two = shop.tree();
    shop.remove();
    shop.env.undo("revive shop").ok();
    assert_same(&two, &shop.tree());
    shop.undo("checkout @~").ok();
    assert_eq!(fs::read(shop.path().join("prices")).unwrap(), b"apples 3\n");
    shop.undo("undo").ok();
    assert_same(&two, &shop.tree());
}

#[test]
fn a_second_revival_restores_the_same_automatic_commit() {
    let shop = Shop::new();
    let before = shop.tree();
    fs::write(shop.path().join("prices"), "apples 5\n").unwrap();
    shop.undo("commit --auto").ok();
    fs::write(shop.path().join("prices"), "apples 6\n").unwrap();
    shop.undo("commit --auto").ok();
    let last = shop.tree();
    for _ in 0..2 {
        shop.remove();
        shop.env.undo("revive shop").ok();
        assert_same(&last, &shop.tree());
    }
    // The revivals are passed over.
    shop.undo("undo").ok();
    assert_eq!(fs::read(shop.path().join("prices")).unwrap(), b"apples 5\n");
    shop.undo("redo").ok();
    assert_same(&last, &shop.tree());
    shop.undo("checkout @").ok();
    assert_same(&before, &shop.tree());
    shop.undo("undo").ok();
    assert_same(&last, &shop.tree());
}

#[test]
fn a_restore_of_the_whole_directory_is_its_last_state() {
    let shop = Shop::new();
    shop.undo("restore --from @~ .").ok();
    let one = shop.tree();
    shop.remove();
    shop.env.undo("revive shop").ok();
    assert_same(&one, &shop.tree());
    assert_eq!(shop.messages("shop"), ["two", "one"]);
}

#[test]
fn the_last_state_is_the_one_that_was_restored_last() {
    let shop = Shop::new();
    shop.undo("checkout @~").ok();
    let one = shop.tree();
    shop.remove();
    shop.env.undo("revive shop").ok();
    assert_same(&one, &shop.tree());
    assert_eq!(shop.messages("shop"), ["one"]);
}

#[test]
fn a_directory_comes_back_at_another_path_or_from_a_named_store() {
    let shop = Shop::new();
    let before = shop.tree();
    shop.remove();
    shop.env.undo("revive elsewhere/deep").fails(2);
    assert!(!shop.env.path().join("elsewhere").exists());
    shop.env.undo("revive elsewhere/deep --from shop").ok();
    assert_same(&before, &Tree::read(&shop.env.path().join("elsewhere/deep")));
    // Now it is there.
    shop.env.undo("revive shop").fails(2);
    shop.env.undo("revive shop --from elsewhere/deep").fails(4);
    fs::remove_dir_all(shop.env.path().join("elsewhere")).unwrap();
    let name = shop.store().file_name().unwrap().to_str().unwrap().to_owned();
    fs::create_dir(shop.path()).unwrap();
    shop.env.undo(&format!("revive shop --from {name}")).ok();
    assert_same(&before, &shop.tree());
    shop.remove();
    shop.env.undo(&format!("revive shop --from {}", shop.store().display())).ok();
    assert_same(&before, &shop.tree());
}

#[test]
fn a_directory_with_files_is_not_revived() {
    let shop = Shop::new();
    shop.undo("revive ../shop").fails(2);
    shop.remove();
    shop.env.write("shop/other", "other");
    shop.env.undo("revive shop").fails(2);
    assert_eq!(shop.env.read("shop/other"), b"other");
    assert!(!shop.path().join(".undo").exists());
    shop.env.write("file", "");
    assert_ne!(shop.env.undo("revive file --from shop").code, 0);
    assert_eq!(shop.env.read("file"), b"");
}

#[test]
fn removed_content_comes_back_while_the_file_undo_is_left() {
    let shop = Shop::new();
    let before = shop.tree();
    for name in ["stock", "prices"] {
        let path = shop.path().join(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    shop.env.undo("revive shop").ok();
    assert_same(&before.below(std::path::Path::new("stock")), &shop.tree().below(std::path::Path::new("stock")));
    assert_eq!(shop.env.read("shop/prices"), b"apples 4\n");
}

#[test]
fn nothing_is_revived_without_commits() {
    let shop = Shop::empty();
    shop.undo("init --outside").ok();
    shop.remove();
    shop.env.undo("revive shop").fails(2);
    assert!(!shop.path().exists());
}

#[test]
fn another_project_at_an_old_path_gets_another_store() {
    let shop = Shop::new();
    let before = shop.tree();
    shop.remove();
    shop.env.write("shop/other", "other");
    let init = shop.undo("init --outside").ok();
    assert!(
        String::from_utf8_lossy(&init.stderr).contains("contains the history of an earlier directory at this path"),
        "{init}"
    );
    shop.undo("commit -m other").ok();
    assert_eq!(shop.stores().len(), 2);
    // The former history comes back at another path.
    let listed = String::from_utf8(shop.env.undo("stores").ok().stderr).unwrap();
    let line = listed.lines().find_map(|line| line.strip_prefix("hint: to revive a directory: ")).unwrap();
    let revived = shop.env.shell(&line.replace("NEW", "former"));
    assert_eq!(revived.code, 0, "{line}\n{revived}");
    assert_same(&before, &Tree::read(&shop.env.path().join("former")));
    fs::remove_dir_all(shop.env.path().join("former")).unwrap();
    assert_eq!(shop.messages("shop"), ["other"]);
    // The hint leads back to the former history.
    let hint = String::from_utf8(init.stderr.clone()).unwrap();
    let line = hint.lines().find_map(|line| line.strip_prefix("hint: to continue that one instead: ")).unwrap();
    assert_eq!(shop.env.shell(line).code, 0, "{line}");
    assert_eq!(shop.messages("shop"), ["two", "one"]);
    shop.undo("checkout @").ok();
    assert_same(&before, &shop.tree());
    // What was unsaved is saved.
    shop.undo("undo").ok();
    assert_eq!(shop.env.read("shop/other"), b"other");
}

#[test]
fn an_automatic_commit_beside_the_branch_comes_back_without_moving_the_branch() {
    let shop = Shop::new();
    shop.env.write("shop/prices", "apples 9\n");
    fs::hard_link(shop.path().join("prices"), shop.path().join("same")).unwrap();
    fs::set_permissions(shop.path(), fs::Permissions::from_mode(0o750)).unwrap();
    shop.undo("commit --auto").ok();
    let before = shop.tree();
    let status = shop.undo("status --short").ok().text();
    shop.remove();
    shop.env.undo("revive shop").ok();
    assert_same(&before, &shop.tree());
    assert_eq!(shop.messages("shop"), ["two", "one"]);
    assert_eq!(shop.undo("status --short").ok().text(), status);
    shop.undo("checkout @").ok();
    assert_eq!(shop.env.read("shop/prices"), b"apples 4\n");
    shop.undo("undo").ok();
    assert_same(&before, &shop.tree());
}

#[test]
fn a_directory_with_automatic_commits_only_comes_back() {
    let shop = Shop::empty();
    shop.undo("init --outside").ok();
    shop.env.write("shop/prices", "apples 9\n");
    shop.undo("commit --auto").ok();
    let before = shop.tree();
    shop.remove();
    shop.env.undo("revive shop").ok();
    assert_same(&before, &shop.tree());
    shop.undo("commit -m one").ok();
}

#[test]
fn a_revival_names_the_older_of_two_histories_of_a_path() {
    let shop = Shop::new();
    let before = shop.tree();
    shop.remove();
    shop.env.write("shop/other", "other");
    shop.undo("init --outside").ok();
    shop.undo("commit -m other").ok();
    shop.remove();
    let revived = String::from_utf8(shop.env.undo("revive shop").ok().stderr).unwrap();
    assert_eq!(shop.messages("shop"), ["other"]);
    let hint = "hint: another store has an older history of this path: ";
    let line = revived.lines().find_map(|line| line.strip_prefix(hint)).expect("a hint");
    shop.env.shell(&line.replace("NEW", "former")).ok();
    assert_same(&before, &Tree::read(&shop.env.path().join("former")));
}

#[test]
fn a_directory_without_recorded_state_in_a_store_with_commits_is_not_revived() {
    let shop = Shop::new();
    shop.copy("copy");
    shop.env.undo("stores split copy").ok();
    shop.in_directory("copy", "undo").ok();
    fs::remove_dir_all(shop.env.path().join("copy")).unwrap();
    let failed = shop.env.undo("revive copy").to_string();
    assert!(failed.contains("` has no recorded state of this directory\n"), "{failed}");
    assert!(!shop.env.path().join("copy").exists());
}

#[test]
fn the_log_of_operations_describes_a_revival_without_a_branch() {
    let shop = Shop::empty();
    shop.undo("init --outside").ok();
    shop.env.write("shop/prices", "apples 9\n");
    shop.undo("commit --auto").ok();
    shop.remove();
    shop.env.undo("revive shop").ok();
    let log = shop.undo("op log").ok().text();
    assert!(log.contains("the directory from ") && !log.contains(":  "), "{log}");
}

#[test]
fn an_adoption_for_an_empty_store_creates_nothing() {
    let shop = Shop::empty();
    shop.undo("init --outside").ok();
    let adopted = shop.undo("stores adopt").ok().to_string();
    assert!(adopted.contains("attached to the repository") && !adopted.contains("created"), "{adopted}");
}
