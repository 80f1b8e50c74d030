//! Directories closed by their owner, for example with `chmod -R 644`: every command that restores opens them first,
//! saves and restores their content, and sets the modes of the target. Runs as nobody, since root may enter every
//! directory.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

fn set_mode(env: &TestEnv, path: &str, mode: u32) {
    fs::set_permissions(env.path().join(path), Permissions::from_mode(mode)).unwrap();
}

/// A commit of nested directories, with unsaved changes in and beside them.
fn changed() -> Option<(TestEnv, Tree)> {
    if !rustix::process::geteuid().is_root() {
        skip("only root can inspect closed directories");
        return None;
    }
    let env = TestEnv::new();
    for path in ["d/a", "d/e/b", "d/e/f/c", "other/x"] {
        env.write(path, path);
    }
    env.undo_as_user("commit --init -m one").ok();
    let one = Tree::read(&env.path());
    env.write("d/e/b", "unsaved");
    env.write("other/x", "unsaved");
    Some((env, one))
}

/// Pairs of a directory and its mode, the deepest first.
const CLOSED: [&[(&str, u32)]; 6] = [
    &[("d", 0o644)],
    &[("d/e", 0o000)],
    &[("d", 0o311)],
    &[("d/e/f", 0o000), ("d/e", 0o000), ("d", 0o000)],
    &[("d/e", 0o644), ("d", 0o644), ("other", 0o200)],
    &[("d/e/f", 0o400), ("d", 0o100)],
];

#[test]
fn checkout_restores_closed_directories() {
    for modes in CLOSED {
        let Some((env, one)) = changed() else { return };
        modes.iter().for_each(|(path, mode)| set_mode(&env, path, *mode));
        let two = Tree::read(&env.path());
        let status = env.undo_as_user("status --json").fails(3);
        assert!(status.json().last().unwrap()["metadata"].as_u64() > Some(0), "{modes:?}: {status}");
        let dry = env.undo_as_user("checkout @ -n --json").fails(3);
        let report = dry.json();
        assert!(!report.last().unwrap()["closed"].as_array().unwrap().is_empty(), "{modes:?}: {dry}");
        assert_eq!(report.last().unwrap()["conflicts"].as_array().unwrap().len(), 0, "{modes:?}: {dry}");
        env.undo_as_user("undo -n").ok();
        assert_same(&two, &Tree::read(&env.path()));
        env.undo_as_user("checkout @").ok();
        assert_same(&one, &Tree::read(&env.path()));
        env.undo_as_user("undo").ok();
        assert_same(&two, &Tree::read(&env.path()));
        env.undo_as_user("redo").ok();
        assert_same(&one, &Tree::read(&env.path()));
        env.undo_as_user("undo").ok();
        env.undo_as_user("checkout -f @").ok();
        assert_same(&one, &Tree::read(&env.path()));
        assert!(!env.path().join(".undo/opened-directories").exists());
    }
}

#[test]
fn restore_leaves_other_closed_directories() {
    let Some((env, one)) = changed() else { return };
    for (path, mode) in [("d/e", 0o000), ("d", 0o644), ("other", 0o644)] {
        set_mode(&env, path, mode);
    }
    let two = Tree::read(&env.path());
    let below = |tree: &Tree, name: &str| tree.below(name.as_ref());
    env.undo_as_user("restore d").ok();
    let now = Tree::read(&env.path());
    assert_same(&below(&one, "d"), &below(&now, "d"));
    assert_same(&below(&two, "other"), &below(&now, "other"));
    assert_eq!(fs::metadata(env.path().join("other")).unwrap().permissions().mode() & 0o7777, 0o644);
    env.undo_as_user("undo").ok();
    assert_same(&two, &Tree::read(&env.path()));
    // Restoring a path inside one: its parent directories keep their modes.
    env.undo_as_user("restore d/e/b").ok();
    assert_eq!(env.read("d/e/b"), b"d/e/b");
    let modes = ["d", "d/e"].map(|path| fs::metadata(env.path().join(path)).unwrap().permissions().mode() & 0o7777);
    assert_eq!(modes, [0o644, 0o000]);
}

#[test]
fn commit_records_mode_of_closed_directory() {
    let Some((env, one)) = changed() else { return };
    set_mode(&env, "d/e", 0o000);
    let two = Tree::read(&env.path());
    env.undo_as_user("commit -m two").fails(3);
    let listed = env.undo("ls -l @").ok().text() + &env.undo("ls -R @").ok().text();
    assert!(listed.contains("d/e"), "{listed}");
    env.undo_as_user("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
    env.undo_as_user("undo").ok();
    assert_same(&two, &Tree::read(&env.path()));
    // The commit does not cover the content of the directory, so none of it is removed.
    set_mode(&env, "d/e", 0o755);
    env.undo_as_user("checkout @").fails(3);
    assert_same(&two, &Tree::read(&env.path()));
}

#[test]
fn rollback_reopens_closed_directories() {
    let Some((env, _)) = changed() else { return };
    let before = Tree::read(&env.path());
    env.undo_as_user("run --rollback -- chmod 000 d/e d").fails(3);
    assert_same(&before, &Tree::read(&env.path()));
    env.undo_as_user("run -- chmod 644 d").fails(3);
    env.undo_as_user("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
}

/// Creates directories of another commit, and directories in place of files.
#[test]
fn checkout_removes_closed_directories() {
    let Some((env, _)) = changed() else { return };
    let before = Tree::read(&env.path());
    env.undo_as_user("commit -m before").ok();
    env.write("new/deep/file", "new");
    fs::remove_file(env.path().join("d/a")).unwrap();
    env.write("d/a/file", "new");
    env.undo_as_user("commit -m new").ok();
    for (path, mode) in [("new/deep", 0o000), ("new", 0o644), ("d/a", 0o000)] {
        set_mode(&env, path, mode);
    }
    let after = Tree::read(&env.path());
    env.undo_as_user("checkout @~").ok();
    // Directories from which entries were removed have the times of the commit.
    assert_same(&before, &Tree::read(&env.path()));
    env.undo_as_user("undo").ok();
    assert_same(&after, &Tree::read(&env.path()));
}

/// Nothing in it is recorded, so it stays private.
#[test]
fn unrecorded_closed_directory_stays_closed() {
    let Some((env, one)) = changed() else { return };
    env.write("private/key", "secret");
    set_mode(&env, "private", 0o000);
    env.undo_as_user("status").fails(3);
    let private = Tree::read(&env.path()).below("private".as_ref());
    set_mode(&env, "d", 0o644);
    let checkout = env.undo_as_user("checkout @");
    assert!(matches!(checkout.code, 0 | 3), "{checkout}");
    let now = Tree::read(&env.path());
    assert_same(&private, &now.below("private".as_ref()));
    assert_same(&one.below("d".as_ref()), &now.below("d".as_ref()));
    assert_eq!(fs::metadata(env.path().join("private")).unwrap().permissions().mode() & 0o7777, 0o000);
}

#[test]
fn refused_checkout_resets_modes() {
    let Some((env, _)) = changed() else { return };
    env.write(".undoignore", "other\n");
    set_mode(&env, "d/e", 0o000);
    set_mode(&env, "d", 0o644);
    env.undo_as_user("status").fails(3);
    let before = Tree::read(&env.path());
    let refused = env.undo_as_user("checkout @").fails(4);
    assert!(refused.to_string().contains("other/x"), "{refused}");
    assert_same(&before, &Tree::read(&env.path()));
    assert!(!env.path().join(".undo/opened-directories").exists());
}

/// Kills the checkout before each call that opens, stages, records or closes.
#[test]
fn killed_checkout_of_closed_directories_can_be_continued_and_undone() {
    const CALLS: &str = "chmod,fchmodat,fchmod,renameat2,rename,unlink,unlinkat,fdatasync,fsync";
    for n in 1.. {
        let Some((env, one)) = changed() else { return };
        set_mode(&env, "d/e", 0o000);
        set_mode(&env, "d", 0o644);
        let two = Tree::read(&env.path());
        env.undo_as_user("status").fails(3);
        let mut strace = env.command("strace");
        strace.uid(65534).gid(65534).args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={CALLS}"));
        strace.arg("-e").arg(format!("inject={CALLS}:signal=KILL:when={n}")).arg(env.root().join("undo"));
        let Ok(killed) = strace.args(["checkout", "@"]).output() else { return skip("strace is not installed") };
        if killed.status.success() {
            assert!(n > 6, "no call was reached");
            return;
        }
        // Alternates between the two recoveries.
        let is_begun = env.undo_as_user("checkout --continue").code == 0;
        if !is_begun {
            let now = Tree::read(&env.path());
            assert_same(&two, &now);
            env.undo_as_user("checkout @").ok();
        }
        assert_same(&one, &Tree::read(&env.path()));
        env.undo_as_user("undo").ok();
        assert_same(&two, &Tree::read(&env.path()));
    }
}
