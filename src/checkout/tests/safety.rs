//! Nothing is lost: what is not saved is not touched, whatever happens in between.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::{Fixture, path, set};
use crate::apply::plan::Verdict;
use crate::checkout::clean_staged;
use crate::error::ErrorKind;
use crate::id::{BlobId, TreeId};
use crate::object::{Content, ObjectKind, Objects};
use crate::worktree::index::Update;

#[test]
fn checkout_refuses_ignored_content_in_the_way() {
    let mut fixture = Fixture::new();
    fs::write(fixture.at("data"), "recorded").unwrap();
    fs::write(fixture.at("other"), "recorded").unwrap();
    let (target, _) = fixture.record();
    fs::write(fixture.at("data"), "precious").unwrap();
    fs::write(fixture.at("other"), "changed").unwrap();
    fs::write(fixture.at(".undoignore"), "data\n").unwrap();
    let (_, scan) = fixture.record();
    let before = fixture.describe_tree();
    let error = fixture.check_out_scan(scan, &target, |_| {}).err().expect("it is refused");
    assert_eq!((error.kind(), error.path_list()), (ErrorKind::Refused, &[path("data")][..]));
    assert_eq!(fixture.describe_tree(), before);
    // Saved despite the rules, it may be replaced.
    let (saved, scan) = fixture.record_despite(&["data"]);
    fixture.check_out_scan(scan, &target, |_| {}).unwrap();
    assert_eq!(fs::read(fixture.at("data")).unwrap(), b"recorded");
    // And it comes back.
    fixture.check_out(&saved);
    assert_eq!(fixture.describe_tree(), before);
}

#[test]
fn checkout_accepts_ignored_content_that_matches() {
    let mut fixture = Fixture::new();
    fs::write(fixture.at("data"), "same").unwrap();
    set(&fixture.at("data"), 0o640, 9);
    let (target, _) = fixture.record();
    let expected = fixture.describe_tree();
    set(&fixture.at("data"), 0o600, 10);
    fs::write(fixture.at(".undoignore"), "data\n").unwrap();
    let done = fixture.check_out(&target);
    assert_eq!(fixture.describe_tree()["data"], expected["data"]);
    let scan = fixture.scan(&fixture.index(&done));
    assert_eq!((scan.root, scan.files_read), (target.root, 0));
}

#[test]
fn checkout_keeps_ignored_content_in_removed_directory() {
    let mut fixture = Fixture::new();
    let (target, _) = fixture.record();
    fs::create_dir_all(fixture.at("work/cache")).unwrap();
    fs::write(fixture.at("work/cache/big"), "precious").unwrap();
    fs::write(fixture.at("work/file"), "recorded").unwrap();
    fs::write(fixture.at(".undoignore"), "cache/\n").unwrap();
    fixture.check_out(&target);
    assert_eq!(fs::read(fixture.at("work/cache/big")).unwrap(), b"precious");
    assert!(!fixture.at("work/file").exists() && !fixture.at(".undoignore").exists());
}

#[test]
fn checkout_keeps_paths_ignored_by_target() {
    let mut fixture = Fixture::new();
    fs::write(fixture.at(".undoignore"), "*.log\n").unwrap();
    let (target, _) = fixture.record();
    fs::remove_file(fixture.at(".undoignore")).unwrap();
    fs::write(fixture.at("a.log"), "recorded by now").unwrap();
    fs::write(fixture.at("b"), "recorded").unwrap();
    fixture.check_out(&target);
    assert!(fixture.at("a.log").exists() && !fixture.at("b").exists());
}

#[test]
fn checkout_keeps_files_changed_after_scan() {
    let mut fixture = Fixture::new();
    for name in ["replaced", "removed", "touched", "turned", "fine"] {
        fs::write(fixture.at(name), "one").unwrap();
    }
    let (target, _) = fixture.record();
    fs::remove_file(fixture.at("removed")).unwrap();
    fs::remove_file(fixture.at("turned")).unwrap();
    fs::write(fixture.at("removed"), "new").unwrap();
    fs::create_dir(fixture.at("turned")).unwrap();
    fs::write(fixture.at("replaced"), "two").unwrap();
    fs::write(fixture.at("fine"), "two").unwrap();
    fs::write(fixture.at("extra"), "extra").unwrap();
    set(&fixture.at("touched"), 0o600, 50);
    let (_, scan) = fixture.record();
    let done = fixture.check_out_scan(scan, &target, |_| {
        fs::write(fixture.at("replaced"), "three").unwrap();
        fs::write(fixture.at("touched"), "three").unwrap();
        fs::write(fixture.at("extra"), "three").unwrap();
        fs::write(fixture.at("turned/unknown"), "three").unwrap();
        fs::write(fixture.at("removed"), "three").unwrap();
    });
    let done = done.unwrap();
    let changed: Vec<_> = done.outcome.changed.iter().map(|path| path.display().into_owned()).collect();
    assert_eq!(changed, ["extra", "removed", "replaced", "touched", "turned"]);
    for name in ["extra", "removed", "replaced", "touched", "turned/unknown"] {
        assert_eq!(fs::read(fixture.at(name)).unwrap(), b"three", "{name}");
    }
    assert_eq!(fs::read(fixture.at("fine")).unwrap(), b"one");
    assert!(leftovers(&fixture).is_empty());
    // Paths that were left are read again.
    let scan = fixture.scan(&fixture.index(&done));
    assert_eq!(scan.root, fixture.record().0.root);
}

#[test]
fn checkout_keeps_entry_created_after_scan() {
    let mut fixture = Fixture::new();
    fs::write(fixture.at("new"), "target").unwrap();
    let (target, _) = fixture.record();
    fs::remove_file(fixture.at("new")).unwrap();
    let (_, scan) = fixture.record();
    let done = fixture.check_out_scan(scan, &target, |_| fs::write(fixture.at("new"), "mine").unwrap()).unwrap();
    assert_eq!(done.outcome.changed.len(), 1);
    assert_eq!(fs::read(fixture.at("new")).unwrap(), b"mine");
}

#[test]
fn checkout_compares_racy_file_by_content() {
    let mut fixture = Fixture::new();
    fs::write(fixture.at("file"), "one").unwrap();
    let (target, _) = fixture.record();
    fs::write(fixture.at("file"), "two").unwrap();
    set(&fixture.at("file"), 0o644, 5);
    let (_, mut scan) = fixture.record();
    let mut record = scan.index.find(&path("file")).unwrap();
    record.racy = true;
    let mut update = Update::new(&mut scan.index);
    update.set(&path("file"), record);
    update.finish();
    let done = fixture
        .check_out_scan(scan, &target, |_| {
            fs::write(fixture.at("file"), "six").unwrap();
            set(&fixture.at("file"), 0o644, 5);
        })
        .unwrap();
    assert_eq!(done.outcome.changed.len(), 1);
    assert_eq!(fs::read(fixture.at("file")).unwrap(), b"six");
}

#[test]
fn checkout_does_not_write_through_outside_hard_link() {
    let mut fixture = Fixture::new();
    let outside = fixture.folder.path().join("outside");
    fs::write(&outside, "shared").unwrap();
    set(&outside, 0o644, 100);
    fs::hard_link(&outside, fixture.at("a")).unwrap();
    let (target, _) = fixture.record();
    let expected = fixture.describe_tree();
    set(&outside, 0o600, 200);
    fixture.check_out(&target);
    let stat = fs::metadata(&outside).unwrap();
    assert_eq!((stat.mode() & 0o777, stat.mtime(), stat.nlink()), (0o600, 200, 1));
    assert_eq!(fixture.describe_tree()["a"], expected["a"].trim_end_matches(" is a"));
}

#[test]
fn checkout_does_not_follow_parent_replaced_by_symlink() {
    let mut fixture = Fixture::new();
    let outside = fixture.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("gone"), "precious").unwrap();
    fs::write(outside.join("kept"), "precious").unwrap();
    fs::create_dir(fixture.at("d")).unwrap();
    fs::write(fixture.at("d/kept"), "one").unwrap();
    fs::write(fixture.at("d/new"), "one").unwrap();
    let (target, _) = fixture.record();
    fs::remove_file(fixture.at("d/new")).unwrap();
    fs::write(fixture.at("d/kept"), "two").unwrap();
    fs::write(fixture.at("d/gone"), "two").unwrap();
    let (_, scan) = fixture.record();
    let done = fixture.check_out_scan(scan, &target, |_| {
        fs::rename(fixture.at("d"), fixture.folder.path().join("moved")).unwrap();
        symlink(&outside, fixture.at("d")).unwrap();
    });
    let done = done.unwrap();
    assert!(done.outcome.changed.contains(&path("d/kept")), "{:?}", done.outcome);
    let mut names: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["gone", "kept"]);
    assert_eq!(fs::read(outside.join("kept")).unwrap(), b"precious");
    assert_eq!(fs::read(outside.join("gone")).unwrap(), b"precious");
}

#[test]
fn clean_staged_keeps_unsaved_content() {
    let mut fixture = Fixture::new();
    fs::create_dir(fixture.at("d")).unwrap();
    fs::write(fixture.at("d/file"), "recorded").unwrap();
    fixture.record();
    let staged = |n: u32| format!("d/.undo-00000000000000ab-{n}");
    fs::write(fixture.at(&staged(0)), "half a").unwrap();
    set(&fixture.at(&staged(0)), 0o1600, 1);
    fs::write(fixture.at(&staged(1)), "recorded").unwrap();
    fs::write(fixture.at(&staged(2)), "changed in the very instant of the swap").unwrap();
    fs::create_dir(fixture.at(&staged(3))).unwrap();
    symlink("x", fixture.at(&staged(4))).unwrap();
    fs::write(fixture.at(&staged(5)), "private, and changed in that instant").unwrap();
    set(&fixture.at(&staged(5)), 0o600, 1);
    fs::write(fixture.at("d/.undo-00000000000000ac-0"), "of another one").unwrap();
    let kept = clean_staged(&fixture.worktree(), &fixture.store, 0xab).unwrap();
    assert_eq!(kept, [path(&staged(2)), path(&staged(5))]);
    let names =
        ["d", "d/.undo-00000000000000ab-2", "d/.undo-00000000000000ab-5", "d/.undo-00000000000000ac-0", "d/file"];
    assert_eq!(fixture.describe_tree().into_keys().skip(1).collect::<Vec<_>>(), names);
}

#[test]
fn checkout_reports_lost_content_and_restores_the_rest() {
    let mut fixture = Fixture::new();
    let names: Vec<String> = (0..40).map(|n| format!("file{n:02}")).collect();
    names.iter().for_each(|name| fs::write(fixture.at(name), format!("new {name}")).unwrap());
    let (mut target, _) = fixture.record();
    names.iter().for_each(|name| fs::write(fixture.at(name), format!("old {name}")).unwrap());
    fs::create_dir(fixture.at("extra")).unwrap();
    let good = target.clone();
    let mut tree = fixture.store.tree(target.root.tree().unwrap()).unwrap();
    let entry = tree.entries.iter_mut().find(|entry| entry.name == b"file20").unwrap();
    entry.content = Content::File { blob: BlobId([9; 32]), size: 10 };
    let put = |id: TreeId, bytes: Vec<u8>| {
        target.objects.insert((ObjectKind::Tree, id.object_id()), bytes.into());
        Ok(())
    };
    let tree = tree.save(put).unwrap();
    target.root.content = Content::Directory { tree, entries: 40, size: 400 };
    let (_, scan) = fixture.record();
    let outcome = fixture.check_out_scan(scan, &target, |_| {}).unwrap();
    assert_eq!(outcome.outcome.damaged.keys().map(|path| &**path).collect::<Vec<_>>(), [&*path("file20")]);
    for name in &names {
        let expected = if name == "file20" { "old" } else { "new" };
        assert_eq!(fs::read_to_string(fixture.at(name)).unwrap(), format!("{expected} {name}"));
    }
    assert!(leftovers(&fixture).is_empty() && !fixture.at("extra").exists());
    // A commit that is whole is reached from there.
    fixture.check_out(&good);
    assert!(names.iter().all(|name| fs::read_to_string(fixture.at(name)).unwrap() == format!("new {name}")));
}

fn leftovers(fixture: &Fixture) -> Vec<String> {
    fixture.describe_tree().into_keys().filter(|name| name.contains(".undo-")).collect()
}

#[test]
fn checkout_detects_change_with_old_mtime() {
    let mut fixture = Fixture::new();
    for name in ["replaced", "touched"] {
        fs::write(fixture.at(name), "one").unwrap();
        set(&fixture.at(name), 0o600, 1);
    }
    let (target, _) = fixture.record();
    fs::write(fixture.at("replaced"), "two").unwrap();
    fs::write(fixture.at("removed"), "two").unwrap();
    for name in ["replaced", "removed", "touched"] {
        set(&fixture.at(name), 0o644, 2);
    }
    // So that none of them is racy.
    std::thread::sleep(std::time::Duration::from_millis(30));
    let (_, scan) = fixture.record();
    let done = fixture.check_out_scan(scan, &target, |_| {
        for name in ["replaced", "removed", "touched"] {
            fs::write(fixture.at(name), "new").unwrap();
            set(&fixture.at(name), 0o644, 2);
        }
    });
    let changed: Vec<_> = done.unwrap().outcome.changed.iter().map(|path| path.display().into_owned()).collect();
    assert_eq!(changed, ["removed", "replaced", "touched"]);
    for name in ["replaced", "removed", "touched"] {
        assert_eq!(fs::read(fixture.at(name)).unwrap(), b"new", "{name}");
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
fn touched_racy_file_stays_racy() {
    let mut fixture = Fixture::new();
    fs::write(fixture.at("file"), "one").unwrap();
    fs::hard_link(fixture.at("file"), fixture.at("name")).unwrap();
    set(&fixture.at("file"), 0o644, 5);
    let (target, _) = fixture.record();
    set(&fixture.at("file"), 0o600, 5);
    let (_, mut scan) = fixture.record();
    make_racy(&mut scan, "file");
    make_racy(&mut scan, "name");
    let done = fixture.check_out_scan(scan, &target, |_| {
        fs::write(fixture.at("file"), "two").unwrap();
        set(&fixture.at("file"), 0o600, 5);
    });
    let live = fixture.scan(&fixture.index(&done.unwrap()));
    assert_eq!(live.root.tree(), fixture.scan(&crate::worktree::Index::empty()).root.tree());
}

#[test]
fn racy_file_stays_racy_when_hard_link_is_removed() {
    let mut fixture = Fixture::new();
    for name in ["a", "b"] {
        fs::write(fixture.at(name), "one").unwrap();
        set(&fixture.at(name), 0o644, 5);
    }
    let (target, _) = fixture.record();
    fs::remove_file(fixture.at("b")).unwrap();
    fs::hard_link(fixture.at("a"), fixture.at("b")).unwrap();
    let (_, mut scan) = fixture.record();
    make_racy(&mut scan, "a");
    make_racy(&mut scan, "b");
    let done = fixture.check_out_scan(scan, &target, |plan| {
        assert_eq!(plan.find(&path("a")).map(|n| plan.verdict(n)), Some(Verdict::Same));
        fs::write(fixture.at("a"), "two").unwrap();
        set(&fixture.at("a"), 0o644, 5);
    });
    let live = fixture.scan(&fixture.index(&done.unwrap()));
    assert_eq!(live.root.tree(), fixture.scan(&crate::worktree::Index::empty()).root.tree());
}

#[test]
fn checkout_accepts_changed_device_number() {
    let mut fixture = Fixture::new();
    for name in ["replaced", "removed", "touched"] {
        fs::write(fixture.at(name), "one").unwrap();
    }
    let (target, _) = fixture.record();
    fs::write(fixture.at("replaced"), "two").unwrap();
    fs::remove_file(fixture.at("removed")).unwrap();
    fs::write(fixture.at("new"), "two").unwrap();
    set(&fixture.at("touched"), 0o600, 5);
    let (_, mut scan) = fixture.record();
    for name in ["replaced", "new", "touched"] {
        let mut record = scan.index.find(&path(name)).unwrap();
        record.stat.device += 1;
        let mut update = Update::new(&mut scan.index);
        update.set(&path(name), record);
        update.finish();
    }
    let done = fixture.check_out_scan(scan, &target, |_| {}).unwrap();
    assert!(done.outcome.changed.is_empty(), "{:?}", done.outcome);
    assert_eq!(fixture.record().0.root, target.root);
}
