//! A restored directory equals the recorded one, to the last byte and attribute.
//!
//! `tree::Tree` reads and compares directories independently of the crate.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::env::TestEnv;
use crate::kinds::{KINDS, make};
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

#[test]
fn entries_of_every_kind_replace_each_other() {
    let env = TestEnv::new();
    env.undo("init").ok();
    let fill = |side: fn((usize, usize)) -> usize| {
        for from in 0..KINDS.len() {
            for to in 0..KINDS.len() {
                let place = env.path().join(format!("{}-to-{}", KINDS[from], KINDS[to]));
                let _ = fs::remove_dir_all(&place);
                fs::create_dir(&place).unwrap();
                make(KINDS[side((from, to))], &place);
            }
        }
    };
    fill(|(from, _)| from);
    env.undo("commit -m before").ok();
    let before = Tree::read(&env.path());
    fill(|(_, to)| to);
    env.undo("commit -m after").ok();
    let after = Tree::read(&env.path());
    for _ in 0..2 {
        env.undo("checkout @~").ok();
        assert_same(&before, &Tree::read(&env.path()));
        env.undo("checkout -").ok();
        assert_same(&after, &Tree::read(&env.path()));
    }
    env.undo("status").shows(snapbox::str![[r#"
on main at [ID], 5 minutes ago  after
no changes

"#]]);
}

#[test]
fn checkout_restores_tree_of_all_kinds() {
    let env = TestEnv::new();
    crate::kinds::everything(&env.path());
    env.undo("commit --init -m everything").ok();
    let recorded = Tree::read(&env.path());
    crate::kinds::wreck(&env.path());
    env.undo("checkout latest").ok();
    assert_same(&recorded, &Tree::read(&env.path()));
    env.undo("checkout -").ok();
    env.undo("checkout -").ok();
    assert_same(&recorded, &Tree::read(&env.path()));
}

#[test]
fn export_writes_the_same_tree() {
    let env = TestEnv::new();
    crate::kinds::everything(&env.path());
    env.undo("commit --init -m everything").ok();
    let out = env.root().join("exported");
    env.undo(&format!("export @ {}", out.display())).ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&out));
}

#[test]
fn replacing_one_hard_link_keeps_the_other() {
    let env = TestEnv::new();
    fs::create_dir_all(env.path().join("a/b")).unwrap();
    env.write("a/one", b"shared");
    fs::hard_link(env.path().join("a/one"), env.path().join("a/b/two")).unwrap();
    fs::hard_link(env.path().join("a/one"), env.path().join("three")).unwrap();
    env.undo("commit --init -m linked").ok();
    let linked = Tree::read(&env.path());
    fs::remove_file(env.path().join("a/b/two")).unwrap();
    env.write("a/b/two", b"alone");
    env.undo("commit -m parted").ok();
    let parted = Tree::read(&env.path());
    env.undo("checkout @~").ok();
    assert_same(&linked, &Tree::read(&env.path()));
    env.undo("checkout -").ok();
    assert_same(&parted, &Tree::read(&env.path()));
}

#[test]
fn same_size_rewrite_with_reset_mtime_is_detected() {
    let env = TestEnv::new();
    env.undo("init").ok();
    for round in 0..20u8 {
        env.write("file", [round; 64]);
        let time = fs::metadata(env.path().join("file")).unwrap().modified().unwrap();
        env.undo("commit -m one").ok();
        env.write("file", [round ^ 0x80; 64]);
        fs::File::options().write(true).open(env.path().join("file")).unwrap().set_modified(time).unwrap();
        let found = env.undo("status --json").ok().json();
        assert_eq!(found[0]["path"], "file", "round {round}");
    }
}

#[test]
fn user_restores_in_read_only_folders() {
    let env = TestEnv::new();
    env.write("locked/inner/file", b"one");
    let lock = |mode| {
        for folder in ["locked/inner", "locked"] {
            fs::set_permissions(env.path().join(folder), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    lock(0o555);
    env.undo_as_user("commit --init -m locked").ok();
    let recorded = Tree::read(&env.path());
    lock(0o755);
    env.write("locked/inner/file", b"two");
    env.write("locked/inner/more", b"more");
    lock(0o555);
    env.undo_as_user("commit -m more").ok();
    let more = Tree::read(&env.path());
    env.undo_as_user("checkout @~").ok();
    assert_same(&recorded, &Tree::read(&env.path()));
    env.undo_as_user("checkout -").ok();
    assert_same(&more, &Tree::read(&env.path()));
    fs::set_permissions(env.path().join("locked"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir_all(env.path().join("locked")).unwrap();
    env.undo_as_user("checkout latest").ok();
    assert_same(&more, &Tree::read(&env.path()));
    lock(0o755);
}

#[test]
fn unreadable_paths_are_listed_and_not_deleted() {
    let env = TestEnv::new();
    env.write("open", b"open");
    env.undo_as_user("commit --init -m open").ok();
    env.write("secret", b"secret");
    env.write("vault/inside", b"inside");
    let close =
        |name: &str, mode| fs::set_permissions(env.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    close("secret", 0o000);
    close("vault", 0o000);
    for line in ["status", "diff"] {
        env.undo_as_user(line).fails(3);
    }
    // The commit does not have an entry for the closed directory.
    env.undo_as_user("diff --exit-code").fails(1);
    env.write("open", b"changed");
    env.undo_as_user("diff --exit-code").fails(1);
    let shown = env.undo_as_user("commit -m partial").fails(3);
    let talk = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(talk.contains("secret") && talk.contains("vault"), "{shown}");
    env.undo_as_user("checkout @~").fails(3);
    env.undo_as_user("checkout -").ok();
    close("secret", 0o600);
    close("vault", 0o700);
    assert_eq!(fs::read(env.path().join("secret")).unwrap(), b"secret");
    assert_eq!(fs::read(env.path().join("vault/inside")).unwrap(), b"inside");
}

#[test]
fn blob_ids_match_b3sum() {
    let env = TestEnv::new();
    env.write("file", b"content");
    env.write("large", vec![7; 3 << 20]);
    env.undo("commit --init -m one").ok();
    for line in env.undo("ls --json").ok().json() {
        let Some(path) = line["path"].as_str() else { continue };
        let content = fs::read(env.path().join(path)).unwrap();
        assert_eq!(line["id"], blake3::hash(&content).to_string(), "{path}");
    }
}

#[test]
fn outside_symlinks_are_recorded_and_not_followed() {
    let env = TestEnv::new();
    let outside = env.root().join("treasure");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("gold"), b"gold").unwrap();
    symlink(&outside, env.path().join("out")).unwrap();
    env.write("folder/gold", b"mine");
    env.undo("commit --init -m one").ok();
    // The folder becomes a link to an outside directory; a checkout must not write or delete through it.
    fs::remove_dir_all(env.path().join("folder")).unwrap();
    symlink(&outside, env.path().join("folder")).unwrap();
    env.undo("checkout latest").ok();
    assert_eq!(fs::read(env.path().join("folder/gold")).unwrap(), b"mine");
    assert!(env.path().join("out").is_symlink());
    assert_eq!(fs::read(outside.join("gold")).unwrap(), b"gold");
    assert_eq!(names(&outside), ["gold"]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn restored_name_is_hard_linked_again() {
    let env = TestEnv::new();
    env.write("one", b"shared");
    for name in ["two", "three"] {
        fs::hard_link(env.path().join("one"), env.path().join(name)).unwrap();
    }
    env.undo("commit --init -m linked").ok();
    let is_clean = || env.undo("status --json").ok().json()[0]["clean"] == true;
    fs::remove_file(env.path().join("two")).unwrap();
    assert!(!is_clean());
    env.undo("restore two").ok();
    assert!(is_clean());
    for name in ["one", "three"] {
        fs::remove_file(env.path().join(name)).unwrap();
    }
    env.undo("restore three").ok();
    env.undo("restore one").ok();
    assert!(is_clean());
    // The name cannot be linked to a file whose mode has changed.
    fs::remove_file(env.path().join("two")).unwrap();
    fs::set_permissions(env.path().join("one"), fs::Permissions::from_mode(0o600)).unwrap();
    env.undo("restore --from latest~ two").ok();
    let mode = |name: &str| fs::metadata(env.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("one"), mode("two"), mode("three")), (0o600, 0o644, 0o600));
}

#[test]
fn holes_are_restored_despite_preallocation() {
    let env = TestEnv::initialised();
    let reserve = "truncate -s 1M file && printf data | dd of=file bs=4 seek=65536 conv=notrunc status=none
        fallocate -n -o 4M -l 4M file";
    if env.shell(reserve).code != 0 {
        skip("this file system cannot preallocate blocks after the end of a file");
        return;
    }
    env.undo("commit -m one").ok();
    let before = Tree::read(&env.path());
    env.shell("rm file && echo short > file").ok();
    env.undo("checkout @").ok();
    assert_same(&before, &Tree::read(&env.path()));
}
