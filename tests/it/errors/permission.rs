//! Paths that the user may not read or write. Needs root, to act as another user.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::Path;
use std::process::Command;

use snapbox::{assert_data_eq, str};

use super::history;
use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

fn allow(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn error_in_repository_of_other_user_names_owner() {
    let env = history();
    let mut seen = String::new();
    for line in ["status", "cat one:notes.txt", "commit", "checkout one", ""] {
        let Some(output) = env.undo_as_other_user(line) else { return };
        seen += &format!("$ undo {line}\n{output}");
    }
    assert_data_eq!(
        seen,
        str![[r#"
$ undo status
---- stderr ----
error: cannot stat `[ROOT]/work/.undo/format`: permission denied
hint: the repository belongs to `root`: run the command as that user
[exit 77]
$ undo cat one:notes.txt
---- stderr ----
error: cannot stat `[ROOT]/work/.undo/format`: permission denied
hint: the repository belongs to `root`: run the command as that user
[exit 77]
$ undo commit
---- stderr ----
error: cannot stat `[ROOT]/work/.undo/format`: permission denied
hint: the repository belongs to `root`: run the command as that user
[exit 77]
$ undo checkout one
---- stderr ----
error: cannot stat `[ROOT]/work/.undo/format`: permission denied
hint: the repository belongs to `root`: run the command as that user
[exit 77]
$ undo 
---- stderr ----
error: cannot stat `[ROOT]/work/.undo/format`: permission denied
hint: the repository belongs to `root`: run the command as that user
[exit 77]

"#]]
    );
}

#[test]
fn unwritable_repository_is_read_only() {
    let env = history();
    env.shell("chmod -R a+rX .undo").ok();
    let before = Tree::read(&env.path());
    let Some(output) = env.undo_as_other_user("cat one:notes.txt") else { return };
    output.shows(str![[r#"
one

"#]]);
    env.undo_as_other_user("status").unwrap().shows(str![[r#"
on main at [ID], 4 minutes ago  two
no changes

"#]]);
    env.undo_as_other_user("log --oneline").unwrap().shows(str![[r#"
@ [ID] (main, two) two  +1 ~1 -0, [..] stored
* [ID] (one) one  +3 ~0 -0, [..] stored

"#]]);
    env.undo_as_other_user("commit --json").unwrap().shows(str![[r#"
---- stderr ----
{"type":"error","code":"permission","message":"cannot open `[ROOT]/work/.undo/lock`: permission denied","hint":"the repository belongs to `root`: run the command as that user","exit":77,"paths":[]}
[exit 77]

"#]]);
    env.undo_as_other_user("checkout one").unwrap().shows(str![[r#"
---- stderr ----
error: cannot open `[ROOT]/work/.undo/lock`: permission denied
hint: the repository belongs to `root`: run the command as that user
[exit 77]

"#]]);
    env.undo_as_other_user("tag new").unwrap().shows(str![[r#"
---- stderr ----
error: cannot open `[ROOT]/work/.undo/lock`: permission denied
hint: the repository belongs to `root`: run the command as that user
[exit 77]

"#]]);
    env.undo_as_other_user("config user.name x").unwrap().shows(str![[r#"
---- stderr ----
error: cannot create `[ROOT]/work/.undo/config.toml.[..].tmp`: permission denied
hint: the repository belongs to `root`: run the command as that user
[exit 77]

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
}

#[test]
fn init_in_unwritable_directory_fails() {
    let env = TestEnv::new();
    let Some(output) = env.undo_as_other_user("init") else { return };
    output.shows(str![[r#"
---- stderr ----
error: cannot make the directory `[ROOT]/work/.undo`: permission denied
hint: to see the permissions: ls -la [ROOT]/work
[exit 77]

"#]]);
    env.undo_as_other_user("commit --init").unwrap().shows(str![[r#"
---- stderr ----
error: cannot make the directory `[ROOT]/work/.undo`: permission denied
hint: to see the permissions: ls -la [ROOT]/work
[exit 77]

"#]]);
    env.undo_as_other_user("init sub").unwrap().shows(str![[r#"
---- stderr ----
error: cannot make the directory `[ROOT]/work/sub`: permission denied
hint: to see the permissions: ls -la [ROOT]/work
[exit 77]

"#]]);
    assert_eq!(std::fs::read_dir(env.path()).unwrap().count(), 0);
}

#[test]
fn unwritable_paths_are_listed_and_restored_later() {
    if !rustix::process::geteuid().is_root() {
        skip("only root can change owners");
        return;
    }
    let env = TestEnv::new();
    env.undo_as_user("init").ok();
    env.write("locked/file", "one\n");
    env.write("open", "one\n");
    env.undo_as_user("commit -m one").ok();
    let one = Tree::read(&env.path());
    env.write("locked/file", "two\n");
    env.write("locked/new", "two\n");
    env.write("open", "two\n");
    env.undo_as_user("commit -m two").ok();
    lchown(env.path().join("locked"), Some(0), Some(0)).unwrap();
    let output = env.undo_as_other_user("checkout @~").unwrap();
    output.shows(str![[r#"
main [ID] → [ID]  1 written, 0 deleted, 1 unchanged
unsaved changes are saved in [ID]
---- stderr ----
warning: not restored exactly
  locked  owner 65534:65534 (operation not permitted), mode 0755 (operation not permitted), time (operation not permitted)
  locked/file  permission denied
  locked/new  permission denied
hint: to undo: undo undo
[exit 3]

"#]]);
    assert_eq!((env.read("open"), env.read("locked/file")), (b"one\n".to_vec(), b"two\n".to_vec()));
    env.undo_as_user("checkout @").shows(str![[r#"
main [ID] → [ID]  1 written, 1 deleted, 2 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_same(&one, &Tree::read(&env.path()));
}

/// Creates a repository of another user, with the files `secret` and `open`; `None` without root.
fn secret_and_open() -> Option<TestEnv> {
    if !rustix::process::geteuid().is_root() {
        skip("root can read everything");
        return None;
    }
    let env = TestEnv::new();
    env.write("secret", "root only");
    env.write("open", "one\n");
    env.undo_as_user("init").ok();
    Some(env)
}

/// Only root can read the file from now on.
fn close_secret(env: &TestEnv) {
    lchown(env.path().join("secret"), Some(0), Some(0)).unwrap();
    allow(&env.path().join("secret"), 0o600);
}

#[test]
fn unreadable_paths_are_not_covered() {
    let Some(env) = secret_and_open() else { return };
    close_secret(&env);
    env.undo_as_other_user("commit -m one").unwrap().shows(str![[r#"
main [ID]  1 added, 0 modified, 0 deleted  (4 B read, [..] stored)
---- stderr ----
warning: not covered because it cannot be read
  secret  cannot be read
hint: to restore this state: undo checkout [ID]
[exit 3]

"#]]);
    env.undo_as_other_user("status").unwrap().shows(str![[r#"
on main at [ID], 60 seconds ago  one
no changes
---- stderr ----
warning: not covered because it cannot be read
  secret  cannot be read
[exit 3]

"#]]);
    env.undo_as_other_user("commit secret").unwrap().shows(str![[r#"
no changes since [ID]
---- stderr ----
warning: not covered because it cannot be read
  secret  cannot be read
[exit 3]

"#]]);
    env.undo_as_other_user("checkout @").unwrap().shows(str![[r#"
main [ID]  0 written, 0 deleted, 1 unchanged

"#]]);
    assert_eq!(env.read("secret"), b"root only");
}

/// An unreadable path is not a deletion.
#[test]
fn newly_unreadable_paths_are_reported_by_all_commands() {
    let Some(env) = secret_and_open() else { return };
    env.undo_as_other_user("commit -m one").unwrap().ok();
    close_secret(&env);
    for line in ["status --json", "diff --json", "commit -n --json"] {
        let report = env.undo_as_other_user(line).unwrap();
        assert!(!String::from_utf8_lossy(&report.stdout).contains("\"status\":\"deleted\""), "{line}: {report}");
    }
    let run = env.undo_as_other_user("run --rollback -- true").unwrap().fails(3);
    assert!(String::from_utf8_lossy(&run.stderr).contains("you have no permission to read it"), "{run}");
    env.write("open", "two\n");
    env.undo_as_other_user("commit -m two").unwrap().fails(3);
    let shown = env.undo_as_other_user("show @ --json").unwrap().json();
    assert_eq!(shown.last().unwrap()["deleted"], 0, "{shown:?}");
}

#[test]
fn a_path_that_could_not_be_read_is_listed_where_it_is_not_restored() {
    let Some(env) = secret_and_open() else { return };
    close_secret(&env);
    env.undo_as_other_user("commit -m one").unwrap().fails(3);
    allow(&env.path().join("secret"), 0o644);
    // Readable now, so it is recorded, but not replaced.
    for (line, done) in [("checkout @", "restored"), ("export @ ../exported", "exported")] {
        let output = env.undo_as_other_user(line).unwrap().fails(3).to_string();
        let expected = format!("not {done} exactly\n  secret  it could not be read when the commit was made\n");
        assert!(output.contains(&expected), "{output}");
    }
    assert_eq!(env.read("secret"), b"root only");
    std::fs::remove_file(env.path().join("secret")).unwrap();
    env.undo_as_other_user("checkout @").unwrap().fails(3);
}

#[test]
fn a_recorded_directory_of_another_user_stays_and_every_checkout_can_be_undone() {
    let Some(env) = secret_and_open() else { return };
    env.undo_as_other_user("commit -m one").unwrap().ok();
    env.write("theirs/file", "recorded by root");
    allow(&env.path().join("theirs"), 0o700);
    env.undo("commit -m two").ok();
    for line in ["checkout @~", "undo", "redo"] {
        let output = env.undo_as_other_user(line).unwrap().fails(3).to_string();
        let expected = "not restored exactly\n  theirs  you have no permission to read it\n";
        assert!(output.contains(expected), "{line}: {output}");
        assert_eq!(env.read("theirs/file"), b"recorded by root");
    }
    env.undo("checkout @").ok();
    assert!(!env.path().join("theirs").exists(), "root can remove it");
}

/// An append-only directory, until dropped.
struct AppendOnly<'p>(&'p Path);

impl<'p> AppendOnly<'p> {
    /// `None` if that is not possible here.
    fn new(path: &'p Path) -> Option<AppendOnly<'p>> {
        if !Command::new("chattr").arg("+a").arg(path).output().is_ok_and(|output| output.status.success()) {
            skip("append-only directories are not available (need root and a file system with this attribute)");
            return None;
        }
        Some(AppendOnly(path))
    }
}

impl Drop for AppendOnly<'_> {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg("-a").arg(self.0).output();
    }
}

#[test]
fn append_only_directory_is_not_used_for_staging() {
    let env = TestEnv::initialised();
    env.write("logs/a", "one\n");
    env.write("open", "one\n");
    env.undo("commit -m one").ok();
    let one = Tree::read(&env.path());
    env.write("logs/a", "two\n");
    env.write("open", "two\n");
    env.undo("commit -m two").ok();
    let logs = env.path().join("logs");
    let Some(append_only) = AppendOnly::new(&logs) else { return };
    env.undo("checkout @~").shows(str![[r#"
main [ID] → [ID]  1 written, 0 deleted, 1 unchanged
---- stderr ----
warning: not restored exactly
  logs/a  operation not permitted
hint: to undo: undo undo
[exit 3]

"#]]);
    drop(append_only);
    assert_eq!(std::fs::read_dir(&logs).unwrap().count(), 1);
    env.undo("checkout @").ok();
    assert_same(&one, &Tree::read(&env.path()));
}
