//! Nothing is lost: what is not saved is not touched, whatever happens in between.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::{House, path, set};
use crate::apply::verdict::Verdict;
use crate::checkout::clean_staged;
use crate::error::ErrorKind;
use crate::id::{BlobId, TreeId};
use crate::object::{Content, ObjectKind, Objects};
use crate::worktree::index::Update;

#[test]
fn ignored_content_in_the_way_refuses_and_nothing_changes() {
    let mut house = House::new();
    fs::write(house.at("data"), "recorded").unwrap();
    fs::write(house.at("other"), "recorded").unwrap();
    let (target, _) = house.record();
    fs::write(house.at("data"), "precious").unwrap();
    fs::write(house.at("other"), "changed").unwrap();
    fs::write(house.at(".undoignore"), "data\n").unwrap();
    let (_, scan) = house.record();
    let before = house.tell();
    let error = house.go_from(scan, &target, |_| {}).err().expect("it is refused");
    assert_eq!((error.kind(), error.path_list()), (ErrorKind::Refused, &[path("data")][..]));
    assert_eq!(house.tell(), before);
    // Saved despite the rules, it may be replaced.
    let (saved, scan) = house.record_despite(&["data"]);
    house.go_from(scan, &target, |_| {}).unwrap();
    assert_eq!(fs::read(house.at("data")).unwrap(), b"recorded");
    // And it comes back.
    house.go(&saved);
    assert_eq!(house.tell(), before);
}

#[test]
fn ignored_content_that_is_already_right_is_no_obstacle() {
    let mut house = House::new();
    fs::write(house.at("data"), "same").unwrap();
    set(&house.at("data"), 0o640, 9);
    let (target, _) = house.record();
    let expected = house.tell();
    set(&house.at("data"), 0o600, 10);
    fs::write(house.at(".undoignore"), "data\n").unwrap();
    let done = house.go(&target);
    assert_eq!(house.tell()["data"], expected["data"]);
    let scan = house.look(&house.index(&done));
    assert_eq!((scan.root, scan.files_read), (target.root, 0));
}

#[test]
fn ignored_content_in_a_directory_that_goes_away_stays() {
    let mut house = House::new();
    let (target, _) = house.record();
    fs::create_dir_all(house.at("work/cache")).unwrap();
    fs::write(house.at("work/cache/big"), "precious").unwrap();
    fs::write(house.at("work/file"), "recorded").unwrap();
    fs::write(house.at(".undoignore"), "cache/\n").unwrap();
    house.go(&target);
    assert_eq!(fs::read(house.at("work/cache/big")).unwrap(), b"precious");
    assert!(!house.at("work/file").exists() && !house.at(".undoignore").exists());
}

#[test]
fn what_the_target_ignores_stays() {
    let mut house = House::new();
    fs::write(house.at(".undoignore"), "*.log\n").unwrap();
    let (target, _) = house.record();
    fs::remove_file(house.at(".undoignore")).unwrap();
    fs::write(house.at("a.log"), "recorded by now").unwrap();
    fs::write(house.at("b"), "recorded").unwrap();
    house.go(&target);
    assert!(house.at("a.log").exists() && !house.at("b").exists());
}

#[test]
fn what_changes_between_scan_and_apply_is_noticed_and_kept() {
    let mut house = House::new();
    for name in ["replaced", "removed", "touched", "turned", "fine"] {
        fs::write(house.at(name), "one").unwrap();
    }
    let (target, _) = house.record();
    fs::remove_file(house.at("removed")).unwrap();
    fs::remove_file(house.at("turned")).unwrap();
    fs::write(house.at("removed"), "new").unwrap();
    fs::create_dir(house.at("turned")).unwrap();
    fs::write(house.at("replaced"), "two").unwrap();
    fs::write(house.at("fine"), "two").unwrap();
    fs::write(house.at("extra"), "extra").unwrap();
    set(&house.at("touched"), 0o600, 50);
    let (_, scan) = house.record();
    let done = house.go_from(scan, &target, |_| {
        fs::write(house.at("replaced"), "three").unwrap();
        fs::write(house.at("touched"), "three").unwrap();
        fs::write(house.at("extra"), "three").unwrap();
        fs::write(house.at("turned/unknown"), "three").unwrap();
        fs::write(house.at("removed"), "three").unwrap();
    });
    let done = done.unwrap();
    let changed: Vec<_> = done.tally.changed.iter().map(|path| path.display().into_owned()).collect();
    assert_eq!(changed, ["extra", "removed", "replaced", "touched", "turned"]);
    for name in ["extra", "removed", "replaced", "touched", "turned/unknown"] {
        assert_eq!(fs::read(house.at(name)).unwrap(), b"three", "{name}");
    }
    assert_eq!(fs::read(house.at("fine")).unwrap(), b"one");
    assert!(leftovers(&house).is_empty());
    // What was left alone is looked at anew.
    let scan = house.look(&house.index(&done));
    assert_eq!(scan.root, house.record().0.root);
}

#[test]
fn a_name_that_is_taken_in_between_is_left_alone() {
    let mut house = House::new();
    fs::write(house.at("new"), "target").unwrap();
    let (target, _) = house.record();
    fs::remove_file(house.at("new")).unwrap();
    let (_, scan) = house.record();
    let done = house.go_from(scan, &target, |_| fs::write(house.at("new"), "mine").unwrap()).unwrap();
    assert_eq!(done.tally.changed.len(), 1);
    assert_eq!(fs::read(house.at("new")).unwrap(), b"mine");
}

#[test]
fn a_racy_file_is_compared_by_content() {
    let mut house = House::new();
    fs::write(house.at("file"), "one").unwrap();
    let (target, _) = house.record();
    fs::write(house.at("file"), "two").unwrap();
    set(&house.at("file"), 0o644, 5);
    let (_, mut scan) = house.record();
    let mut record = scan.index.find(&path("file")).unwrap();
    record.racy = true;
    let mut update = Update::new(&mut scan.index);
    update.set(&path("file"), record);
    update.finish();
    let done = house
        .go_from(scan, &target, |_| {
            fs::write(house.at("file"), "six").unwrap();
            set(&house.at("file"), 0o644, 5);
        })
        .unwrap();
    assert_eq!(done.tally.changed.len(), 1);
    assert_eq!(fs::read(house.at("file")).unwrap(), b"six");
}

#[test]
fn checkout_does_not_write_through_outside_hard_link() {
    let mut house = House::new();
    let outside = house.folder.path().join("outside");
    fs::write(&outside, "shared").unwrap();
    set(&outside, 0o644, 100);
    fs::hard_link(&outside, house.at("a")).unwrap();
    let (target, _) = house.record();
    let expected = house.tell();
    set(&outside, 0o600, 200);
    house.go(&target);
    let stat = fs::metadata(&outside).unwrap();
    assert_eq!((stat.mode() & 0o777, stat.mtime(), stat.nlink()), (0o600, 200, 1));
    assert_eq!(house.tell()["a"], expected["a"].trim_end_matches(" is a"));
}

#[test]
fn a_parent_that_becomes_a_link_to_elsewhere_leads_nowhere() {
    let mut house = House::new();
    let outside = house.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("gone"), "precious").unwrap();
    fs::write(outside.join("kept"), "precious").unwrap();
    fs::create_dir(house.at("d")).unwrap();
    fs::write(house.at("d/kept"), "one").unwrap();
    fs::write(house.at("d/new"), "one").unwrap();
    let (target, _) = house.record();
    fs::remove_file(house.at("d/new")).unwrap();
    fs::write(house.at("d/kept"), "two").unwrap();
    fs::write(house.at("d/gone"), "two").unwrap();
    let (_, scan) = house.record();
    let done = house.go_from(scan, &target, |_| {
        fs::rename(house.at("d"), house.folder.path().join("moved")).unwrap();
        symlink(&outside, house.at("d")).unwrap();
    });
    let done = done.unwrap();
    assert!(done.tally.changed.contains(&path("d/kept")), "{:?}", done.tally);
    let mut names: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["gone", "kept"]);
    assert_eq!(fs::read(outside.join("kept")).unwrap(), b"precious");
    assert_eq!(fs::read(outside.join("gone")).unwrap(), b"precious");
}

#[test]
fn leftovers_are_removed_unless_something_would_be_lost() {
    let mut house = House::new();
    fs::create_dir(house.at("d")).unwrap();
    fs::write(house.at("d/file"), "recorded").unwrap();
    house.record();
    let staged = |n: u32| format!("d/.undo-00000000000000ab-{n}");
    fs::write(house.at(&staged(0)), "half a").unwrap();
    set(&house.at(&staged(0)), 0o1600, 1);
    fs::write(house.at(&staged(1)), "recorded").unwrap();
    fs::write(house.at(&staged(2)), "changed in the very instant of the swap").unwrap();
    fs::create_dir(house.at(&staged(3))).unwrap();
    symlink("x", house.at(&staged(4))).unwrap();
    fs::write(house.at(&staged(5)), "private, and changed in that instant").unwrap();
    set(&house.at(&staged(5)), 0o600, 1);
    fs::write(house.at("d/.undo-00000000000000ac-0"), "of another one").unwrap();
    let kept = clean_staged(&house.worktree(), &house.store, 0xab).unwrap();
    assert_eq!(kept, [path(&staged(2)), path(&staged(5))]);
    let names =
        ["d", "d/.undo-00000000000000ab-2", "d/.undo-00000000000000ab-5", "d/.undo-00000000000000ac-0", "d/file"];
    assert_eq!(house.tell().into_keys().skip(1).collect::<Vec<_>>(), names);
}

#[test]
fn what_the_store_has_lost_is_told_and_left_and_all_else_is_restored() {
    let mut house = House::new();
    let names: Vec<String> = (0..40).map(|n| format!("file{n:02}")).collect();
    names.iter().for_each(|name| fs::write(house.at(name), format!("new {name}")).unwrap());
    let (mut target, _) = house.record();
    names.iter().for_each(|name| fs::write(house.at(name), format!("old {name}")).unwrap());
    fs::create_dir(house.at("extra")).unwrap();
    let good = target.clone();
    let mut tree = house.store.tree(target.root.tree().unwrap()).unwrap();
    let entry = tree.entries.iter_mut().find(|entry| entry.name == b"file20").unwrap();
    entry.content = Content::File { blob: BlobId([9; 32]), size: 10 };
    let put = |id: TreeId, bytes: Vec<u8>| {
        target.objects.insert((ObjectKind::Tree, id.object_id()), bytes.into());
        Ok(())
    };
    let tree = tree.save(put).unwrap();
    target.root.content = Content::Directory { tree, entries: 40, size: 400 };
    let (_, scan) = house.record();
    let outcome = house.go_from(scan, &target, |_| {}).unwrap();
    assert_eq!(outcome.tally.damaged.keys().map(|path| &**path).collect::<Vec<_>>(), [&*path("file20")]);
    for name in &names {
        let expected = if name == "file20" { "old" } else { "new" };
        assert_eq!(fs::read_to_string(house.at(name)).unwrap(), format!("{expected} {name}"));
    }
    assert!(leftovers(&house).is_empty() && !house.at("extra").exists());
    // A commit that is whole is reached from there.
    house.go(&good);
    assert!(names.iter().all(|name| fs::read_to_string(house.at(name)).unwrap() == format!("new {name}")));
}

fn leftovers(house: &House) -> Vec<String> {
    house.tell().into_keys().filter(|name| name.contains(".undo-")).collect()
}

#[test]
fn a_change_that_hides_behind_its_old_time_is_noticed() {
    let mut house = House::new();
    for name in ["replaced", "touched"] {
        fs::write(house.at(name), "one").unwrap();
        set(&house.at(name), 0o600, 1);
    }
    let (target, _) = house.record();
    fs::write(house.at("replaced"), "two").unwrap();
    fs::write(house.at("removed"), "two").unwrap();
    for name in ["replaced", "removed", "touched"] {
        set(&house.at(name), 0o644, 2);
    }
    // So that none of them is racy.
    std::thread::sleep(std::time::Duration::from_millis(30));
    let (_, scan) = house.record();
    let done = house.go_from(scan, &target, |_| {
        for name in ["replaced", "removed", "touched"] {
            fs::write(house.at(name), "new").unwrap();
            set(&house.at(name), 0o644, 2);
        }
    });
    let changed: Vec<_> = done.unwrap().tally.changed.iter().map(|path| path.display().into_owned()).collect();
    assert_eq!(changed, ["removed", "replaced", "touched"]);
    for name in ["replaced", "removed", "touched"] {
        assert_eq!(fs::read(house.at(name)).unwrap(), b"new", "{name}");
    }
}

/// What was read in the instant in which it was last changed may have been changed once more in that instant.
fn make_racy(scan: &mut crate::worktree::Scan, name: &str) {
    let mut record = scan.index.find(&path(name)).unwrap();
    record.racy = true;
    let mut update = Update::new(&mut scan.index);
    update.set(&path(name), record);
    update.finish();
}

#[test]
fn touching_a_racy_file_does_not_make_its_content_known() {
    let mut house = House::new();
    fs::write(house.at("file"), "one").unwrap();
    fs::hard_link(house.at("file"), house.at("name")).unwrap();
    set(&house.at("file"), 0o644, 5);
    let (target, _) = house.record();
    set(&house.at("file"), 0o600, 5);
    let (_, mut scan) = house.record();
    make_racy(&mut scan, "file");
    make_racy(&mut scan, "name");
    let done = house.go_from(scan, &target, |_| {
        fs::write(house.at("file"), "two").unwrap();
        set(&house.at("file"), 0o600, 5);
    });
    let live = house.look(&house.index(&done.unwrap()));
    assert_eq!(live.root.tree(), house.look(&crate::worktree::Index::empty()).root.tree());
}

#[test]
fn a_racy_file_that_loses_a_name_stays_racy() {
    let mut house = House::new();
    for name in ["a", "b"] {
        fs::write(house.at(name), "one").unwrap();
        set(&house.at(name), 0o644, 5);
    }
    let (target, _) = house.record();
    fs::remove_file(house.at("b")).unwrap();
    fs::hard_link(house.at("a"), house.at("b")).unwrap();
    let (_, mut scan) = house.record();
    make_racy(&mut scan, "a");
    make_racy(&mut scan, "b");
    let done = house.go_from(scan, &target, |plan| {
        assert_eq!(plan.find(&path("a")).map(|n| plan.verdict(n)), Some(Verdict::Same));
        fs::write(house.at("a"), "two").unwrap();
        set(&house.at("a"), 0o644, 5);
    });
    let live = house.look(&house.index(&done.unwrap()));
    assert_eq!(live.root.tree(), house.look(&crate::worktree::Index::empty()).root.tree());
}

#[test]
fn a_file_system_with_another_number_is_the_same_one() {
    let mut house = House::new();
    for name in ["replaced", "removed", "touched"] {
        fs::write(house.at(name), "one").unwrap();
    }
    let (target, _) = house.record();
    fs::write(house.at("replaced"), "two").unwrap();
    fs::remove_file(house.at("removed")).unwrap();
    fs::write(house.at("new"), "two").unwrap();
    set(&house.at("touched"), 0o600, 5);
    let (_, mut scan) = house.record();
    for name in ["replaced", "new", "touched"] {
        let mut record = scan.index.find(&path(name)).unwrap();
        record.stat.device += 1;
        let mut update = Update::new(&mut scan.index);
        update.set(&path(name), record);
        update.finish();
    }
    let done = house.go_from(scan, &target, |_| {}).unwrap();
    assert!(done.tally.changed.is_empty(), "{:?}", done.tally);
    assert_eq!(house.record().0.root, target.root);
}
