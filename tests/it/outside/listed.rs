//! `undo stores`: which stores there are, whatever state they are in.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use snapbox::str;

use super::Shop;

#[test]
fn stores_are_listed_with_missing_directories_first() {
    let shop = Shop::empty();
    shop.env.undo("stores").shows(str![[r#"
no histories are stored outside their directories
---- stderr ----
hint: to keep a directory's history outside it: undo init --outside

"#]]);
    shop.undo("init --outside").shows(str![[r#"
created the repository [ROOT]/home/.local/state/undo/shop-[..]
the history is stored outside the directory, so it survives if the directory is deleted
---- stderr ----
hint: to record the directory: undo commit -m "as it was"

"#]]);
    shop.env.write("shop/file", "file");
    shop.undo("commit -m one").ok();
    for name in ["another", "zoo"] {
        shop.env.write(&format!("{name}/file"), name);
        shop.in_directory(name, "init --outside").ok();
        shop.in_directory(name, "commit -m one").ok();
    }
    fs::remove_dir_all(shop.env.path().join("zoo")).unwrap();
    shop.copy("shop-copy");
    shop.env.undo("stores split shop-copy").ok();
    shop.env.undo("stores").shows(str![[r#"
zoo-[..]  1 commit, newest [..] ago, [..]
  missing  [ROOT]/work/zoo
another-[..]  1 commit, newest [..] ago, [..]
           [ROOT]/work/another
shop-[..]  1 commit, newest [..] ago, [..]
           [ROOT]/work/shop
           [ROOT]/work/shop-copy  on branch shop-copy
---- stderr ----
hint: to revive a directory: undo revive [ROOT]/work/zoo

"#]]);
    shop.env.undo("stores --json").shows(str![[r#"
{"type":"store","path":"[ROOT]/home/.local/state/undo/zoo-[..]","id":"[..]","directories":[{"path":"[ROOT]/work/zoo","id":"[..]","branch":"","missing":true}],"commits":1,"newest":"[..]","time":"[..]","size":[..],"problem":""}
{"type":"store","path":"[ROOT]/home/.local/state/undo/another-[..]","id":"[..]","directories":[{"path":"[ROOT]/work/another","id":"[..]","branch":"","missing":false}],"commits":1,"newest":"[..]","time":"[..]","size":[..],"problem":""}
{"type":"store","path":"[ROOT]/home/.local/state/undo/shop-[..]","id":"[..]","directories":[{"path":"[ROOT]/work/shop","id":"[..]","branch":"","missing":false},{"path":"[ROOT]/work/shop-copy","id":"[..]","branch":"shop-copy","missing":false}],"commits":1,"newest":"[..]","time":"[..]","size":[..],"problem":""}
{"type":"summary","count":3}

"#]]);
    let names = shop.env.undo("stores -z").ok();
    assert_eq!(names.stdout.iter().filter(|byte| **byte == 0).count(), 3);
    shop.env.undo("revive zoo").shows(str![[r#"
revived zoo as of [..] ([..] ago), [ID]: 1 path written

"#]]);
}

#[test]
fn a_status_where_a_directory_was_removed_leads_to_its_history() {
    let shop = Shop::new();
    shop.remove();
    shop.env.undo("status").shows(str![[r#"
---- stderr ----
error: no repository in `[ROOT]/work` or above it
hint: to revive a directory that was removed: undo revive [ROOT]/work/shop
[exit 10]

"#]]);
}

#[test]
fn damaged_stores_are_listed_as_such_and_hide_no_others() {
    let shop = Shop::new();
    for name in ["a", "b", "c", "d"] {
        shop.env.write(&format!("{name}/file"), name);
        shop.in_directory(name, "init --outside").ok();
        shop.in_directory(name, "commit -m one").ok();
    }
    let stores = shop.stores();
    assert_eq!(stores.len(), 5);
    fs::remove_file(stores[0].join("format")).unwrap();
    fs::write(stores[1].join("format"), "undo format 9\n").unwrap();
    for entry in fs::read_dir(stores[2].join("journal")).unwrap() {
        fs::write(entry.unwrap().path(), "noise").unwrap();
    }
    // A pack is lost, but the journal is intact.
    fs::remove_dir_all(stores[3].join("packs")).unwrap();
    fs::create_dir(stores[3].with_file_name("empty-01234567")).unwrap();
    fs::create_dir(stores[3].with_file_name("keys")).unwrap();
    let incomplete = "           incomplete: an interrupted `undo init` has left it, without a history";
    assert!(shop.env.undo("stores").fails(3).text().contains(incomplete));
    let listed = shop.env.undo("stores --json").fails(3).json();
    let problems: Vec<&str> = listed.iter().filter_map(|line| line["problem"].as_str()).collect();
    assert_eq!(problems.len(), 6, "{listed:?}");
    assert_eq!(problems.iter().filter(|problem| problem.is_empty()).count(), 1, "{problems:?}");
    assert!(shop.env.undo("stores").fails(3).text().contains("damaged"));
    shop.remove();
    shop.env.undo("revive shop").ok();
    let name = stores[0].file_name().unwrap().to_str().unwrap();
    fs::remove_dir_all(shop.env.path().join("a")).unwrap();
    assert_eq!(shop.env.undo(&format!("revive a --from {name}")).code, 5);
    assert!(!shop.env.path().join("a").exists());
}

#[test]
fn an_unreadable_store_hides_no_others() {
    let shop = Shop::empty();
    shop.env.undo_as_user("-C shop init --outside").ok();
    shop.env.write("other/file", "other");
    shop.env.undo_as_user("-C other init --outside").ok();
    shop.env.undo_as_user("-C other commit -m one").ok();
    let store = shop.stores().pop().unwrap();
    fs::set_permissions(&store, Permissions::from_mode(0o000)).unwrap();
    let listed = shop.env.undo_as_user("stores --json").fails(3).json();
    fs::set_permissions(&store, Permissions::from_mode(0o700)).unwrap();
    let problems: Vec<&str> = listed.iter().filter_map(|line| line["problem"].as_str()).collect();
    assert_eq!(problems.iter().filter(|problem| problem.is_empty()).count(), 1, "{problems:?}");
}

#[test]
fn a_store_that_was_removed_by_hand_is_reported_where_it_is_missing() {
    let shop = Shop::new();
    fs::remove_dir_all(shop.store()).unwrap();
    shop.env.undo("stores").ok();
    let refused = shop.undo("commit").fails(10);
    assert!(refused.to_string().contains("does not exist"), "{refused}");
    shop.undo("init --outside").fails(10);
    assert!(shop.stores().is_empty());
    // A new history needs the old marker to be removed.
    fs::remove_file(shop.path().join(".undo")).unwrap();
    shop.undo("init --outside").ok();
    shop.undo("commit -m again").ok();
}

#[test]
fn without_a_home_directory_a_store_cannot_be_created() {
    let shop = Shop::empty();
    // The user database names the home of the user, so only an empty variable of a user without one fails.
    shop.env.set("HOME", "");
    shop.env.set("XDG_STATE_HOME", "");
    let listed = shop.env.undo("stores");
    assert_eq!(listed.code, 0, "{listed}");
}
