//! Restoring, and its output.

use snapbox::str;
use undo::environment::Environment;

use crate::output::history;

#[test]
fn checkout_and_restore_hint_how_to_undo() {
    let env = history();
    env.write("notes.txt", "unsaved\n");
    env.undo("checkout @~2 -n").shows(str![[r#"
  create   data/
  create   data/table.bin
  remove   new.txt
  replace  notes.txt
  create   old.txt
5 changes, 0 unchanged; unsaved changes would be recorded first

"#]]);
    env.undo("checkout @~2").shows(str![[r#"
main [ID] → [ID]  4 written, 1 deleted, 0 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("log --oneline").shows(str![[r#"
* [ID] before checkout [ID]  +0 ~1 -0, [..] stored (automatic)
* [ID]  +0 ~0 -2, [..] stored
* [ID] second  +1 ~2 -1, [..] stored
@ [ID] (main) first  +4 ~0 -0, [..] stored

"#]]);
    env.undo("checkout -").shows(str![[r#"
main [ID] → [ID]  2 written, 3 deleted, 0 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(env.read("notes.txt"), b"unsaved\n");
    env.undo("checkout --json @").shows(str![[r#"
{"type":"checkout","from":"[ID]","to":"[ID]","saved":"","branch":"main","written":0,"deleted":0,"unchanged":2,"inexact":[],"damaged":[],"purged":[],"changed":[],"in_use":[],"aside":"","uncovered":[],"kept":[],"torn":[],"journals":[],"left_journals":[],"other_names":[]}

"#]]);
    env.write("notes.txt", "also unsaved\n");
    env.undo("restore notes.txt").shows(str![[r#"
restored from [ID]  1 written, 0 deleted, 1 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("status").shows(str![[r#"
on main at [ID], 5 minutes ago  before checkout [ID]
no changes

"#]]);
    env.undo("restore --from @~2 data nothing").shows(str![[r#"
---- stderr ----
error: `nothing` is neither in commit [ID] nor here
hint: to list the commit: undo ls -R [ID]
[exit 2]

"#]]);
    env.undo("checkout @~2 -- data").shows(str![[r#"
restored from [ID]  2 written, 0 deleted, 2 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("checkout --continue").shows(str![[r#"
---- stderr ----
error: no checkout was interrupted
hint: undo status
[exit 2]

"#]]);
}

/// Simulates a crash: the intent is in the journal, and half of the work is done.
#[test]
fn continue_finishes_interrupted_checkout() {
    use undo::internals::object::operation::Intent;
    let env = history();
    env.undo("branch trial @~").ok();
    let mut repository = undo::internals::repo::Repository::discover(&env.path(), Environment::from_process()).unwrap();
    let (from, to) = (repository.view().at(), repository.view().branches["trial"]);
    let intent = Intent {
        token: 7,
        verb: "checkout".into(),
        time: repository.environment.now(),
        from,
        to,
        paths: Vec::new(),
        edits: Vec::new(),
        switch: Some("trial".into()),
        undo_position: None,
        before: repository.operation(),
        worktree: env.path().as_os_str().as_encoded_bytes().to_vec(),
    };
    repository.begin().unwrap().intend(intent).unwrap();
    std::fs::create_dir(env.path().join("data")).unwrap();
    env.undo("branch").shows(str![[r#"
@ main                 [ID]  2026-01-05 08:03:00 (2 minutes ago)
  trial                [ID]  2026-01-05 08:02:00 (3 minutes ago)  second
---- stderr ----
warning: an unfinished checkout of [ID] has left the directory half old, half new; finish it with `undo checkout --continue`, or undo it with `undo undo`

"#]]);
    env.undo("checkout --continue").shows(str![[r#"
trial [ID] → [ID]  1 written, 0 deleted, 3 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("branch").shows(str![[r#"
  main                 [ID]  2026-01-05 08:03:00 (4 minutes ago)
@ trial                [ID]  2026-01-05 08:02:00 (5 minutes ago)  second

"#]]);
    env.undo("status").shows(str![[r#"
on trial at [ID], 6 minutes ago  second
no changes

"#]]);
}

#[test]
fn obstacles_are_refused_before_any_change() {
    let env = history();
    env.write("cache", "precious");
    env.undo("commit -m 'with cache'").ok();
    env.write(".undoignore", "cache\n");
    env.undo("commit -m 'without cache'").ok();
    env.write("cache", "newer");
    env.undo("checkout @~").shows(str![[r#"
---- stderr ----
error: `cache` would be replaced, but no commit has this content
hint: move it away, or use `--force` to save it first
[exit 4]

"#]]);
    assert_eq!(env.read("cache"), b"newer");
    env.undo("checkout --json @~").shows(str![[r#"
---- stderr ----
{"type":"error","code":"refused","message":"`cache` would be replaced, but no commit has this content","hint":"move it away, or use `--force` to save it first","exit":4,"paths":[{"path":"cache"}]}
[exit 4]

"#]]);
    env.undo("checkout --force @~").ok();
    assert_eq!(env.read("cache"), b"precious");
    assert_eq!(env.undo("cat latest:cache").ok().text(), "newer");
}

#[test]
fn restore_of_unchanged_or_missing_path_records_nothing() {
    let env = history();
    env.write("unsaved", vec![7; 3 << 20]);
    let state = || (env.undo("op log --json").ok().text(), env.undo("count-objects -v").ok().text());
    let before = state();
    env.undo("restore notes.txt").ok();
    assert_eq!(state(), before);
    env.undo("restore tpyo").fails(2);
    assert_eq!(state(), before);
    env.write("folder/file", "x");
    env.undo("-C folder restore notes.txt").shows(str![[r#"
---- stderr ----
error: `notes.txt` is neither in commit [ID] nor here
hint: did you mean `../notes.txt`?
[exit 2]

"#]]);
}
