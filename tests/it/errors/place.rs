//! Working directories: missing, removed, or occupied.

use snapbox::str;

use super::history;
use crate::env::TestEnv;

#[test]
fn missing_directory_is_an_error() {
    let env = history();
    env.undo("-C ../nowhere status").shows(str![[r#"
---- stderr ----
error: cannot enter `../nowhere`: no such file or directory
[exit 2]

"#]]);
    env.undo("-C notes.txt status").shows(str![[r#"
---- stderr ----
error: cannot enter `notes.txt`: not a directory
[exit 2]

"#]]);
    env.undo("-C ../home status").shows(str![[r#"
---- stderr ----
error: no repository in `[ROOT]/home` or above it
hint: create one here with `undo init`
[exit 10]

"#]]);
}

#[test]
fn init_does_not_replace_a_repository() {
    let env = history();
    env.undo("init").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work` already has a repository
hint: to look at it: undo status
[exit 2]

"#]]);
    env.undo("init . --store ../store").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work` already has a repository
hint: to look at it: undo status
[exit 2]

"#]]);
    env.undo("commit --init").shows(str![[r#"
no changes since [ID]

"#]]);
    assert!(!env.root().join("store").exists());
}

#[test]
fn init_creates_the_given_directory() {
    let env = TestEnv::new();
    env.undo("init new").shows(str![[r#"
created the repository [ROOT]/work/new/.undo
---- stderr ----
hint: to record the directory: undo commit -m "as it was"

"#]]);
    std::fs::create_dir(env.path().join("old")).unwrap();
    env.undo("init old").shows(str![[r#"
created the repository [ROOT]/work/old/.undo
---- stderr ----
hint: to record the directory: undo commit -m "as it was"

"#]]);
    env.write("file", "");
    env.undo("init file").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/file` already exists and is not a directory
hint: name a directory, or a new one
[exit 2]

"#]]);
    env.undo("init --store . ").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/work` and the worktree `[ROOT]/work` overlap: one is inside the other
hint: choose a folder outside, on another disk if there is one: undo init --store DIR
[exit 2]

"#]]);
    env.undo("init --store ../home/../work/new").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/work/../home/../work/new` and the worktree `[ROOT]/work` overlap: one is inside the other
hint: choose a folder outside, on another disk if there is one: undo init --store DIR
[exit 2]

"#]]);
}

#[test]
fn init_creates_nothing_for_mistyped_path_or_missing_store() {
    let env = TestEnv::new();
    env.undo("commit --init nothing").shows(str![[r#"
---- stderr ----
error: no `nothing` here
hint: name existing paths, or none to record everything
[exit 2]

"#]]);
    env.undo("commit --init ../home").shows(str![[r#"
---- stderr ----
error: `../home` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]

"#]]);
    assert!(!env.path().join(".undo").exists());
    env.undo("init --store ../store").ok();
    std::fs::rename(env.root().join("store"), env.root().join("away")).unwrap();
    env.undo("commit --init").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/store` that `[ROOT]/work/.undo` names does not exist
hint: mount its disk, or if the store was moved, update the path in that file; if it is lost, remove that file: rm [ROOT]/work/.undo
[exit 10]

"#]]);
    env.undo("init").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/store` that `[ROOT]/work/.undo` names does not exist
hint: mount its disk, or if the store was moved, update the path in that file; if it is lost, remove that file: rm [ROOT]/work/.undo
[exit 10]

"#]]);
    assert!(!env.root().join("store").exists());
    env.write(".undo", "garbage");
    env.undo("status").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo`: neither a repository nor the path of one
hint: remove that file, then attach the store again: undo init --store DIR
[exit 5]

"#]]);
    env.undo("commit --init").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo`: neither a repository nor the path of one
hint: remove that file, then attach the store again: undo init --store DIR
[exit 5]

"#]]);
}

#[test]
fn checkout_can_remove_current_directory() {
    let env = TestEnv::initialised();
    env.write("notes.txt", "one\n");
    env.undo("commit -m one").ok();
    env.write("deep/er/file", "two\n");
    env.undo("commit -m two").ok();
    env.shell("cd deep/er && undo checkout @~").shows(str![[r#"
main [ID] → [ID]  0 written, 3 deleted, 1 unchanged
---- stderr ----
hint: to undo: undo undo
warning: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work

"#]]);
    env.undo("checkout -").ok();
    // Hinted commands work from the removed directory; only relative paths do not.
    env.shell("cd deep/er && undo checkout -q @~ && undo status").shows(str![[r#"
on main at [ID], 4 minutes ago  one
no changes
---- stderr ----
warning: the current directory of this shell was removed
warning: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work

"#]]);
    env.undo("checkout -").ok();
    env.shell("cd deep/er && undo checkout -q @~ 2>&1 && undo restore file").shows(str![[r#"
warning: the current directory of this shell was removed
---- stderr ----
warning: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work
error: `file` does not exist: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work
[exit 2]

"#]]);
    env.undo("checkout -").ok();
    env.shell("cd deep/er && undo checkout -q @~ 2>&1 && undo init").shows(str![[r#"
warning: the current directory of this shell was removed
---- stderr ----
error: `.` does not exist: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work
[exit 2]

"#]]);
    env.undo("checkout -").ok();
    env.shell("cd deep/er && undo checkout -q @~ 2>&1 && undo export @ here").shows(str![[r#"
warning: the current directory of this shell was removed
---- stderr ----
warning: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work
error: `here` does not exist: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work
[exit 2]

"#]]);
    env.undo("checkout -").ok();
    env.shell("cd deep/er && undo checkout -q @~ 2>&1 && undo checkout -").shows(str![[r#"
warning: the current directory of this shell was removed
main [ID] → [ID]  3 written, 0 deleted, 1 unchanged
---- stderr ----
warning: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work
hint: to undo: undo undo

"#]]);
    assert_eq!(env.read("deep/er/file"), b"two\n");
    env.shell("cd deep/er && undo -C ../.. checkout @~").shows(str![[r#"
main [ID] → [ID]  0 written, 3 deleted, 1 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.shell("mkdir ../gone; cd ../gone; rmdir ../gone; undo help revisions | head -n 1; undo log").shows(str![[r#"
Revisions:
---- stderr ----
warning: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]
error: no repository in `[ROOT]` or above it
hint: create one here with `undo init`
[exit 10]

"#]]);
}

#[test]
fn folder_replaced_by_file_is_deleted() {
    let env = TestEnv::initialised();
    env.write("x", "a file\n");
    env.undo("commit -m file").ok();
    std::fs::remove_file(env.path().join("x")).unwrap();
    env.write("x/y", "in a folder\n");
    env.undo("commit -m folder").ok();
    env.shell("cd x && undo checkout @~ && undo status").shows(str![[r#"
main [ID] → [ID]  1 written, 1 deleted, 0 unchanged
on main at [ID], 2 minutes ago  file
no changes
---- stderr ----
hint: to undo: undo undo
warning: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work
warning: the current directory of this shell was removed
hint: change to an existing directory: cd [ROOT]/work

"#]]);
}
