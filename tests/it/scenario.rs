//! Typical sessions, from the first commit to a rollback.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Creates a worktree with entries of all kinds.
fn create_worktree() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("a.txt", "one\n");
    env.write("sub/deep/b.bin", [0, 1, 2, 255]);
    env.write("sub/empty", "");
    env.write("large", (0..3_000_000u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
    fs::hard_link(env.path().join("a.txt"), env.path().join("sub/same")).unwrap();
    symlink("../nowhere", env.path().join("sub/link")).unwrap();
    fs::create_dir(env.path().join("sub/void")).unwrap();
    fs::set_permissions(env.path().join("sub/empty"), fs::Permissions::from_mode(0o4751)).unwrap();
    env
}

#[test]
fn checkout_restores_wrecked_worktree_exactly() {
    let env = create_worktree();
    env.undo("commit -m 'as it was'").ok();
    let before = Tree::read(&env.path());
    fs::remove_dir_all(env.path().join("sub")).unwrap();
    env.write("a.txt", "scribble\n");
    env.write("sub", "a file where a folder was");
    env.write("new/file", "new");
    env.undo("checkout @").ok();
    assert_same(&before, &Tree::read(&env.path()));
    assert_eq!(env.read("a.txt"), b"one\n");
}

#[test]
fn undo_restores_unsaved_changes() {
    let env = create_worktree();
    env.undo("commit -m 'as it was'").ok();
    env.write("a.txt", "unsaved\n");
    let unsaved = Tree::read(&env.path());
    let went = env.undo("checkout @ --json").ok().json();
    let saved = went.last().unwrap()["saved"].as_str().unwrap().to_owned();
    assert_eq!(env.read("a.txt"), b"one\n");
    env.undo(&format!("checkout {saved}")).ok();
    assert_same(&unsaved, &Tree::read(&env.path()));
}

#[test]
fn commit_does_not_change_worktree() {
    let env = create_worktree();
    let before = Tree::read(&env.path());
    env.undo("commit -m one").ok();
    assert_same(&before, &Tree::read(&env.path()));
    let again = env.undo("commit -m again --json").ok().json();
    assert_eq!(again.last().unwrap()["created"], false);
}

#[test]
fn deleted_worktree_is_restored_from_external_store() {
    let env = TestEnv::new();
    let store = env.root().join("store");
    env.undo(&format!("init --store '{}'", store.display())).ok();
    env.write("a", "one\n");
    env.undo_as_user("commit -m one").ok();
    let before = Tree::read(&env.path());
    fs::remove_dir_all(env.path()).unwrap();
    fs::create_dir(env.path()).unwrap();
    env.undo_as_user(&format!("init --store '{}'", store.display())).ok();
    env.undo_as_user("checkout latest").ok();
    assert_same(&before, &Tree::read(&env.path()));
}
