//! Output of `undo`, `redo` and `op`.

use snapbox::str;

use crate::env::TestEnv;
use crate::output::history;

/// Returns the id of the N-th newest operation; 0 is the newest.
fn operation(env: &TestEnv, back: usize) -> String {
    let lines = env.undo("op log --json").ok().json();
    lines[back]["id"].as_str().expect("an operation has an id").to_owned()
}

#[test]
fn undo_and_redo_report_their_effect() {
    let env = history();
    env.write("notes.txt", "unsaved\n");
    env.undo("checkout @~2").ok();
    env.undo("undo -n").shows(str![[r#"
@ [ID]  2026-01-05 08:04:00 (60 seconds ago)  checkout: main [ID] → [ID], 4 written, 1 deleted, 1 unsaved change kept in [ID]
  remove   data
  remove   data/table.bin
  create   new.txt
  replace  notes.txt
  remove   old.txt
5 changes, 0 unchanged

"#]]);
    env.undo("undo").shows(str![[r#"
undid [ID]  checkout: main [ID] → [ID], 4 written, 1 deleted, 1 unsaved change kept in [ID]
main [ID]  2 written, 3 deleted, 0 unchanged
---- stderr ----
hint: to redo: undo redo

"#]]);
    assert_eq!(env.read("notes.txt"), b"unsaved\n");
    env.undo("status").shows(str![[r#"
on main at [ID], 4 minutes ago
  modified  notes.txt
1 change: 1 modified

"#]]);
    env.undo("undo -n 2").shows(str![[r#"
@ [ID]  2026-01-05 08:03:00 (5 minutes ago)  commit: main [ID]: 2 deleted
  [ID]  2026-01-05 08:02:00 (6 minutes ago)  commit: main [ID]: 1 added, 2 modified, 1 deleted
the directory would stay unchanged

"#]]);
    env.undo("undo").shows(str![[r#"
undid [ID]  commit: main [ID]: 2 deleted
main [ID]  the directory is unchanged
---- stderr ----
hint: to redo: undo redo
hint: to restore the directory as recorded then: undo checkout [ID]

"#]]);
    env.undo("undo 2").shows(str![[r#"
undid [ID]  commit: main [ID]: 1 added, 2 modified, 1 deleted
undid [ID]  commit: main [ID]: 4 added
main has no commits now; the directory is unchanged
---- stderr ----
hint: to redo: undo redo
hint: to restore the directory as recorded then: undo checkout [ID]

"#]]);
    env.undo("op log").shows(str![[r#"
  [ID]  2026-01-05 08:10:00 (60 seconds ago)  undo: commit and 1 more undone, main [ID] → (no commits)
  [ID]  2026-01-05 08:09:00 (2 minutes ago)  undo: commit undone, main [ID] → [ID]
  [ID]  2026-01-05 08:06:00 (5 minutes ago)  undo: checkout undone, main [ID] → [ID], 2 written, 3 deleted
  [ID]  2026-01-05 08:04:00 (7 minutes ago)  checkout: main [ID] → [ID], 4 written, 1 deleted, 1 unsaved change kept in [ID]  (undone)
  [ID]  2026-01-05 08:03:00 (8 minutes ago)  commit: main [ID]: 2 deleted  (undone)
  [ID]  2026-01-05 08:02:00 (9 minutes ago)  commit: main [ID]: 1 added, 2 modified, 1 deleted  (undone)
  [ID]  2026-01-05 08:01:00 (10 minutes ago)  commit: main [ID]: 4 added  (undone)

"#]]);
    env.undo("redo").shows(str![[r#"
redid [ID]  commit: main [ID]: 4 added
main [ID]  the directory is unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("redo -n 2").shows(str![[r#"
  [ID]  2026-01-05 08:02:00 (11 minutes ago)  commit: main [ID]: 1 added, 2 modified, 1 deleted  (undone)
  [ID]  2026-01-05 08:03:00 (10 minutes ago)  commit: main [ID]: 2 deleted  (undone)
the directory would stay unchanged

"#]]);
    env.undo("redo 3").shows(str![[r#"
redid [ID]  commit: main [ID]: 1 added, 2 modified, 1 deleted
redid [ID]  commit: main [ID]: 2 deleted
redid [ID]  checkout: main [ID] → [ID], 4 written, 1 deleted, 1 unsaved change kept in [ID]
main [ID]  4 written, 1 deleted, 0 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("redo").shows(str![[r#"
---- stderr ----
error: there is nothing to redo
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("op log -n 3").shows(str![[r#"
  [ID]  2026-01-05 08:14:00 (2 minutes ago)  redo: commit and 2 more redone, main at [ID], 4 written, 1 deleted, 5 unsaved changes kept in [ID]
  [ID]  2026-01-05 08:12:00 (4 minutes ago)  redo: commit redone, main (no commits) → [ID]
  [ID]  2026-01-05 08:10:00 (6 minutes ago)  undo: commit and 1 more undone, main [ID] → (no commits)

"#]]);
    env.undo("log --ops -n 2").shows(str![[r#"
  [ID]  2026-01-05 08:14:00 (3 minutes ago)  redo: commit and 2 more redone, main at [ID], 4 written, 1 deleted, 5 unsaved changes kept in [ID]
  [ID]  2026-01-05 08:12:00 (5 minutes ago)  redo: commit redone, main (no commits) → [ID]

"#]]);
}

#[test]
fn checkout_of_current_commit_is_an_operation() {
    let env = history();
    let at = || env.undo("rev-parse @").ok().text();
    let newest = at();
    // The mtime of a directory alone is not a change, but is restored.
    let time = std::time::SystemTime::UNIX_EPOCH;
    std::fs::File::open(env.path()).unwrap().set_modified(time).unwrap();
    env.undo("checkout @").ok();
    env.undo("undo").shows(str![[r#"
undid [ID]  checkout: main at [ID], 0 written, 0 deleted
main [ID]  0 written, 0 deleted, 2 unchanged
---- stderr ----
hint: to redo: undo redo

"#]]);
    env.undo("undo").ok();
    assert_ne!(at(), newest, "the commit was not undone");
    env.undo("redo").ok();
    assert_eq!(at(), newest);
    env.undo("redo").ok();
    env.undo("redo").fails(2);
    // A run without changes records no operation.
    env.undo("run --rollback -- true").ok();
    assert_eq!(env.undo("op log -n 1 --json").ok().json()[0]["verb"], "redo");
}

#[test]
fn undo_and_redo_json_is_complete() {
    let env = history();
    env.undo("checkout @~").ok();
    env.undo("undo -n --json").shows(str![[r#"
{"type":"operation","id":"[ID]","verb":"checkout","description":"main [ID] → [ID], 2 written, 0 deleted","command":["[UNDO]","checkout","@~"],"time":"2026-01-05T08:04:00.000000000Z","duration":0,"user":"[USER]","host":"[HOST]","current":true,"taken_back":false,"refs":[{"kind":"branch","name":"main","old":"[ID]","new":"[ID]"}],"worktree":{"before":"[ID]","after":"[ID]"},"commits":[],"forgotten":[],"recalled":[],"bytes_read":0,"bytes_stored":0}
{"type":"action","action":"remove","path":"data"}
{"type":"action","action":"remove","path":"data/table.bin"}
{"type":"summary","actions":2,"unchanged":2,"unsaved":false,"conflicts":[],"in_use":[],"closed":[]}

"#]]);
    env.undo("undo --json").shows(str![[r#"
{"type":"checkout","from":"[ID]","to":"[ID]","saved":"","branch":"main","written":0,"deleted":2,"unchanged":2,"inexact":[],"damaged":[],"purged":[],"changed":[],"in_use":[],"aside":"","uncovered":[],"kept":[],"torn":[],"journals":[],"left_journals":[],"other_names":[],"id":"[ID]","operations":[{"id":"[ID]","verb":"checkout","description":"main [ID] → [ID], 2 written, 0 deleted"}],"passed":[],"skipped":0,"gone":0}

"#]]);
    env.undo("undo --json").shows(str![[r#"
{"type":"checkout","from":"[ID]","to":"[ID]","saved":"","branch":"main","written":0,"deleted":0,"unchanged":0,"inexact":[],"damaged":[],"purged":[],"changed":[],"in_use":[],"aside":"","uncovered":[],"kept":[],"torn":[],"journals":[],"left_journals":[],"other_names":[],"id":"[ID]","operations":[{"id":"[ID]","verb":"commit","description":"main [ID]: 2 deleted"}],"passed":[],"skipped":0,"gone":0}

"#]]);
    env.undo("redo 2 --json").shows(str![[r#"
{"type":"checkout","from":"[ID]","to":"[ID]","saved":"[ID]","branch":"main","written":2,"deleted":0,"unchanged":2,"inexact":[],"damaged":[],"purged":[],"changed":[],"in_use":[],"aside":"","uncovered":[],"kept":[],"torn":[],"journals":[],"left_journals":[],"other_names":[],"id":"[ID]","operations":[{"id":"[ID]","verb":"commit","description":"main [ID]: 2 deleted"},{"id":"[ID]","verb":"checkout","description":"main [ID] → [ID], 2 written, 0 deleted"}],"passed":[],"skipped":0,"gone":0}

"#]]);
    env.undo("op log -n 1 --json").shows(str![[r#"
{"type":"operation","id":"[ID]","verb":"redo","description":"commit and 1 more redone, main at [ID], 2 written, 0 deleted, 2 unsaved changes kept in [ID]","command":["[UNDO]","redo","2","--json"],"time":"2026-01-05T08:08:00.000000000Z","duration":0,"user":"[USER]","host":"[HOST]","current":false,"taken_back":false,"refs":[],"worktree":{"before":"[ID]","after":"[ID]"},"commits":[],"forgotten":[],"recalled":[],"bytes_read":0,"bytes_stored":0}
{"type":"summary","count":1}

"#]]);
    env.undo("op show --json").shows(str![[r#"
{"type":"operation","id":"[ID]","verb":"redo","description":"commit and 1 more redone, main at [ID], 2 written, 0 deleted, 2 unsaved changes kept in [ID]","command":["[UNDO]","redo","2","--json"],"time":"2026-01-05T08:08:00.000000000Z","duration":0,"user":"[USER]","host":"[HOST]","current":false,"taken_back":false,"refs":[],"worktree":{"before":"[ID]","after":"[ID]"},"commits":[],"forgotten":[],"recalled":[],"bytes_read":0,"bytes_stored":0}

"#]]);
    env.undo("undo 9 --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"not-found","message":"there are only 4 operations to undo","hint":"to list operations: undo op log","exit":2,"paths":[]}
[exit 2]

"#]]);
}

#[test]
fn impossible_undo_is_an_error() {
    let env = TestEnv::initialised();
    env.undo("undo").shows(str![[r#"
---- stderr ----
error: there is nothing to undo
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("redo").shows(str![[r#"
---- stderr ----
error: there is nothing to redo
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("op log").shows(str![]);
    env.undo("op show").shows(str![[r#"
---- stderr ----
error: no operation `@`
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.write("a", "1");
    env.undo("commit -m one").ok();
    env.undo("undo 0").shows(str![[r#"
---- stderr ----
error: `0` is not a number of steps: give 1 or more
hint: undo help undo
[exit 2]

"#]]);
    env.undo("undo x").shows(str![[r#"
---- stderr ----
error: `x` is not a number of steps: give 1 or more
hint: undo help undo
[exit 2]

"#]]);
    env.undo("undo 2").shows(str![[r#"
---- stderr ----
error: there is only 1 operation to undo
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("redo 2").shows(str![[r#"
---- stderr ----
error: there is nothing to redo
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("op show nothing").shows(str![[r#"
---- stderr ----
error: no operation `nothing`
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("op restore 01234567").shows(str![[r#"
---- stderr ----
error: no operation `[ID]`
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("op restore ''").shows(str![[r#"
---- stderr ----
error: no operation ``
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("op").shows(str![[r#"
List operations and restore the state after any of them

Every command that changes something is an operation. `undo undo` undoes them
one by one.

Usage: undo op [OPTIONS] <COMMAND>

Commands:
  log      List operations, newest first
  show     Show the details of an operation
  restore  Restore branches, tags and the directory to their state after an operation

Global options:
  -C <DIR>               Run as if started in DIR; each further DIR is relative to the one before
  -q, --quiet            Print no status and no hints
  -v, --verbose          Print more
      --json             Print JSON, one object per line
  -z, --null             End records with NUL, and print names unquoted
      --color <WHEN>     When to use colours: auto, always or never
      --no-pager         Do not show long output in a pager
      --progress <WHEN>  When to show progress: auto, always or never
      --wait <DURATION>  How long to wait for another command: `[DURATION]`, `5min` or `forever` [default:
                         [DURATION]]
      --no-sync          Unsafe: do not wait for the disk; a power failure may lose commits
  -h, --help             Print help

Examples:
  undo op log -n 5
  undo op show @              the last operation
  undo op restore 3f2a        restore the state after that operation

"#]]);
    // The first commit can be undone: the directory stays, unrecorded.
    env.undo("undo").shows(str![[r#"
undid [ID]  commit: main [ID]: 1 added
main has no commits now; the directory is unchanged
---- stderr ----
hint: to redo: undo redo
hint: to restore the directory as recorded then: undo checkout [ID]

"#]]);
    assert_eq!(env.read("a"), b"1");
    env.undo("status").shows(str![[r#"
on main, no commits yet
  added     a
1 change: 1 added

"#]]);
    env.undo("undo").shows(str![[r#"
---- stderr ----
error: there is nothing to undo
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("redo").shows(str![[r#"
redid [ID]  commit: main [ID]: 1 added
main [ID]  the directory is unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
}

#[test]
fn op_show_and_op_restore_work() {
    let env = history();
    env.undo("branch trial").ok();
    env.undo("tag keep").ok();
    env.undo("checkout trial").ok();
    env.write("notes.txt", "on trial\n");
    env.undo("commit -m 'on trial'").ok();
    let newest = operation(&env, 0);
    env.undo("op show").shows(str![[r#"
operation [ID]
  commit: trial [ID]: 1 modified
  2026-01-05 08:07:00 (2 minutes ago)  [USER]@[HOST]  [DURATION]
  $ undo commit -m 'on trial'
  branch trial  [ID] → [ID]

"#]]);
    env.undo("checkout main").shows(str![[r#"
main [ID] → [ID]  1 written, 0 deleted, 1 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("op show").shows(str![[r#"
operation [ID]
  checkout: main [ID] → [ID], 1 written, 0 deleted
  2026-01-05 08:10:00 (60 seconds ago)  [USER]@[HOST]  [DURATION]
  $ undo checkout main
  current branch  trial → main
  directory  [ID] → [ID]

"#]]);
    env.undo("tag --delete keep").ok();
    env.undo("op log").shows(str![[r#"
@ [ID]  2026-01-05 08:12:00 (60 seconds ago)  tag: delete tag keep
  [ID]  2026-01-05 08:10:00 (3 minutes ago)  checkout: main [ID] → [ID], 1 written, 0 deleted
  [ID]  2026-01-05 08:07:00 (6 minutes ago)  commit: trial [ID]: 1 modified
  [ID]  2026-01-05 08:06:00 (7 minutes ago)  checkout: trial at [ID], 0 written, 0 deleted
  [ID]  2026-01-05 08:05:00 (8 minutes ago)  tag: tag keep at [ID]
  [ID]  2026-01-05 08:04:00 (9 minutes ago)  branch: branch trial at [ID]
  [ID]  2026-01-05 08:03:00 (10 minutes ago)  commit: main [ID]: 2 deleted
  [ID]  2026-01-05 08:02:00 (11 minutes ago)  commit: main [ID]: 1 added, 2 modified, 1 deleted
  [ID]  2026-01-05 08:01:00 (12 minutes ago)  commit: main [ID]: 4 added

"#]]);
    env.undo(&format!("op restore -n {newest}")).shows(str![[r#"
@ [ID]  2026-01-05 08:12:00 (2 minutes ago)  tag: delete tag keep
  [ID]  2026-01-05 08:10:00 (4 minutes ago)  checkout: main [ID] → [ID], 1 written, 0 deleted
  replace  notes.txt
1 change, 1 unchanged

"#]]);
    env.undo(&format!("op restore {newest}")).shows(str![[r#"
trial [ID]  1 written, 0 deleted, 1 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(env.read("notes.txt"), b"on trial\n");
    env.undo("branch").shows(str![[r#"
  main                 [ID]  2026-01-05 08:03:00 (13 minutes ago)
@ trial                [ID]  2026-01-05 08:07:00 (9 minutes ago)  on trial

"#]]);
    env.undo("undo").shows(str![[r#"
undid [ID]  op restore: trial [ID] → [ID], 1 written, 0 deleted
main [ID]  1 written, 0 deleted, 1 unchanged
---- stderr ----
hint: to redo: undo redo

"#]]);
    env.undo("op restore @").shows(str![[r#"
main [ID]  the directory is unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
}

/// After another operation, the undone one can no longer be redone, but is not lost.
#[test]
fn new_operations_after_undo_keep_old_ones_reachable() {
    let env = history();
    let left = operation(&env, 0);
    env.undo("undo").ok();
    env.undo("tag here").ok();
    env.undo("redo").shows(str![[r#"
---- stderr ----
error: there is nothing to redo
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("op log -n 4").shows(str![[r#"
@ [ID]  2026-01-05 08:06:00 (2 minutes ago)  tag: tag here at [ID]
  [ID]  2026-01-05 08:05:00 (3 minutes ago)  undo: commit undone, main [ID] → [ID]
  [ID]  2026-01-05 08:03:00 (5 minutes ago)  commit: main [ID]: 2 deleted
  [ID]  2026-01-05 08:02:00 (6 minutes ago)  commit: main [ID]: 1 added, 2 modified, 1 deleted

"#]]);
    env.undo(&format!("op restore {}", &left[..8])).shows(str![[r#"
main [ID]  the directory is unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("log --oneline").shows(str![[r#"
@ [ID] (main)  +0 ~0 -2, [..] stored
* [ID] second  +1 ~2 -1, [..] stored
* [ID] first  +4 ~0 -0, [..] stored

"#]]);
}

/// `undo` does not overwrite ignored obstacles either.
#[test]
fn undo_refuses_obstacles() {
    let env = TestEnv::initialised();
    env.write("cache", "recorded");
    env.undo("commit -m one").ok();
    std::fs::remove_file(env.path().join("cache")).unwrap();
    env.undo("checkout @ -q").ok();
    std::fs::remove_file(env.path().join("cache")).unwrap();
    env.write(".undoignore", "cache\n");
    env.undo("commit -m two").ok();
    env.undo("checkout @~ -q").ok();
    env.undo("undo -q").ok();
    env.write("cache", "precious");
    env.undo("redo").shows(str![[r#"
---- stderr ----
error: `cache` would be replaced, but no commit has this content
hint: move it away, or use `--force` to save it first
[exit 4]

"#]]);
    env.undo("redo -n").shows(str![[r#"
  [ID]  2026-01-05 08:04:00 (3 minutes ago)  checkout: main [ID] → [ID], 1 written, 1 deleted  (undone)
  remove   .undoignore
1 change, 0 unchanged
---- stderr ----
error: `cache` would be replaced, but no commit has this content
hint: move it away, or use `--force` to save it first
[exit 4]

"#]]);
    assert_eq!(env.read("cache"), b"precious");
    env.undo("redo --force").shows(str![[r#"
redid [ID]  checkout: main [ID] → [ID], 1 written, 1 deleted
main [ID]  1 written, 1 deleted, 0 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(env.read("cache"), b"recorded");
    env.undo("undo").ok();
    assert_eq!(env.read("cache"), b"precious");
}

#[test]
fn dry_run_describes_operations_like_op_log() {
    let env = history();
    env.undo("undo").ok();
    for (line, forward) in [("undo -n --json", false), ("redo -n --json", true)] {
        let step = env.undo(line).ok().json().remove(0);
        let log = env.undo("op log --json").ok().json();
        let logged = log.iter().find(|it| it["id"] == step["id"]).unwrap();
        assert_eq!(&step, logged);
        assert_eq!((&step["current"], &step["taken_back"]), (&(!forward).into(), &forward.into()));
    }
}
