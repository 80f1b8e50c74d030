//! Where stores are created, and for whom.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use super::{Shop, stores};
use crate::skip::skip;
use crate::tree::assert_same;

const NOBODY: u32 = 65534;

fn is_root() -> bool {
    if !rustix::process::geteuid().is_root() {
        skip("needs root");
    }
    rustix::process::geteuid().is_root()
}

#[test]
fn the_state_directory_follows_the_xdg_specification() {
    for (value, folder) in
        [("", "home/.local/state/undo"), ("relative/state", "home/.local/state/undo"), ("[]", "state/undo")]
    {
        let shop = Shop::empty();
        let root = shop.env.root().to_owned();
        shop.env.set("XDG_STATE_HOME", value.replace("[]", root.join("state").to_str().unwrap()));
        shop.undo("init --outside").ok();
        let [store] = stores(&root.join(folder)).try_into().unwrap();
        assert!(store.file_name().unwrap().to_str().unwrap().starts_with("shop-"), "{store:?}");
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&store), mode(&root.join(folder))), (0o700, 0o700));
        assert!(!shop.path().join("relative").exists());
        let listed = shop.env.undo("stores --json").ok().json();
        assert_eq!(listed[0]["path"], store.to_str().unwrap());
    }
}

#[test]
fn a_symlinked_home_is_followed() {
    let shop = Shop::empty();
    let root = shop.env.root().to_owned();
    symlink("home", root.join("link")).unwrap();
    fs::rename(shop.env.path(), root.join("home/work")).unwrap();
    symlink("home/work", root.join("work")).unwrap();
    shop.env.set("HOME", root.join("link"));
    shop.env.write("shop/file", "file");
    shop.undo("init --outside").ok();
    shop.undo("commit -m one").ok();
    let before = shop.tree();
    fs::remove_dir_all(root.join("home/work/shop")).unwrap();
    shop.env.undo(&format!("revive {}", root.join("link/work/shop").display())).ok();
    assert_same(&before, &shop.tree());
    shop.env.set("HOME", root.join("home"));
    shop.undo("commit").ok();
    let store = shop.store();
    shop.env.set("HOME", root.join("link"));
    for from in [store.display().to_string(), store.file_name().unwrap().to_str().unwrap().to_owned()] {
        fs::remove_dir_all(root.join("home/work/shop")).unwrap();
        shop.env.undo(&format!("revive shop --from {from}")).ok();
        assert_same(&before, &shop.tree());
    }
}

#[test]
fn a_state_directory_in_the_directory_is_refused() {
    let shop = Shop::empty();
    shop.env.set("XDG_STATE_HOME", shop.path().join("state"));
    shop.undo("init --outside").fails(2);
    assert_eq!(fs::read_dir(shop.path()).unwrap().count(), 0);
}

#[test]
fn two_directories_with_one_name_have_two_stores() {
    let shop = Shop::new();
    shop.env.write("more/shop/file", "file");
    shop.in_directory("more/shop", "init --outside").ok();
    shop.in_directory("more/shop", "commit -m other").ok();
    assert_eq!(shop.stores().len(), 2);
    assert_eq!((shop.messages("shop").len(), shop.messages("more/shop").len()), (2, 1));
    shop.in_directory("shop", "init --outside").fails(2);
}

#[test]
fn a_read_only_home_is_refused_and_leaves_nothing() {
    let shop = Shop::empty();
    let home = shop.env.root().join("home");
    fs::set_permissions(&home, Permissions::from_mode(0o555)).unwrap();
    let refused = shop.env.undo_as_user("-C shop init --outside");
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(&home, Permissions::from_mode(0o555)).unwrap();
    }
    assert_eq!(refused.code, 77, "{refused}");
    assert_eq!(fs::read_dir(shop.path()).unwrap().count(), 0);
    fs::set_permissions(&home, Permissions::from_mode(0o755)).unwrap();
    shop.env.undo_as_user("-C shop init --outside").ok();
}

#[test]
fn root_does_not_record_the_directory_of_a_user_outside() {
    if !is_root() {
        return;
    }
    let shop = Shop::empty();
    chown(shop.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    let refused = shop.undo("init --outside").fails(4);
    assert!(refused.to_string().contains("sudo -u nobody undo init --outside"), "{refused}");
    assert!(!shop.path().join(".undo").exists() && !shop.env.root().join("home/.local").exists());
    // Nor its own directory in the home of a user.
    chown(shop.path(), Some(0), Some(0)).unwrap();
    chown(shop.env.root().join("home"), Some(NOBODY), Some(NOBODY)).unwrap();
    shop.undo("init --outside").fails(4);
}

#[test]
fn root_works_in_the_directory_of_a_user() {
    if !is_root() {
        return;
    }
    let shop = Shop::empty();
    shop.env.undo_as_user("-C shop init --outside").ok();
    shop.env.write("shop/file", "file");
    shop.env.undo_as_user("-C shop commit -m one").ok();
    shop.env.write("shop/file", "changed");
    shop.undo("commit -m two").ok();
    // Files that root creates in the store belong to the user, who continues.
    let continued = shop.env.undo_as_other_user("-C shop log").unwrap();
    assert_eq!(continued.code, 0, "{continued}");
    shop.env.write("shop/file", "again");
    chown(shop.path().join("file"), Some(NOBODY), Some(NOBODY)).unwrap();
    assert_eq!(shop.env.undo_as_other_user("-C shop commit -m three").unwrap().code, 0);
}

#[test]
fn root_does_not_revive_the_directory_of_a_user() {
    if !is_root() {
        return;
    }
    let shop = Shop::empty();
    shop.env.undo_as_user("-C shop init --outside").ok();
    shop.env.write("shop/file", "file");
    shop.env.undo_as_user("-C shop commit -m one").ok();
    shop.remove();
    let refused = shop.env.undo("revive shop").fails(4);
    assert!(refused.to_string().contains("hint: run it as the owner: sudo -u nobody undo revive "), "{refused}");
    assert!(!shop.path().exists());
    // In a directory of the user, root may.
    fs::create_dir(shop.path()).unwrap();
    chown(shop.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    shop.env.undo("revive shop").ok();
    assert_eq!(shop.env.read("shop/file"), b"file");
    assert_eq!(shop.env.undo_as_other_user("-C shop commit").unwrap().code, 0);
}

#[test]
fn the_directory_of_another_user_does_not_get_the_history() {
    if !is_root() {
        return;
    }
    let shop = Shop::new();
    shop.copy("copy");
    shop.remove();
    let copy = shop.env.path().join("copy");
    // As if the other user had copied `.undo`.
    chown(&copy, Some(NOBODY), Some(NOBODY)).unwrap();
    for line in ["commit", "checkout @~", "undo"] {
        let refused = shop.in_directory("copy", line).fails(4);
        assert!(refused.to_string().contains("which belonged to another user, `root`"), "{refused}");
    }
    shop.env.undo("stores adopt copy").fails(4);
    chown(&copy, Some(0), Some(0)).unwrap();
    shop.in_directory("copy", "commit").ok();
    fs::remove_dir_all(&copy).unwrap();
    fs::create_dir(&copy).unwrap();
    chown(&copy, Some(NOBODY), Some(NOBODY)).unwrap();
    shop.env.undo("revive copy").fails(4);
    assert_eq!(fs::read_dir(&copy).unwrap().count(), 0);
}
