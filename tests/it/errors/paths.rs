//! Missing, outside and conflicting paths.

use snapbox::{assert_data_eq, str};

use super::{each, history};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

#[test]
fn paths_outside_worktree_are_refused() {
    let env = history();
    let lines = ["commit ../x", "status ../x", "restore ../x", "diff -- ../x", "log -- ../x", "checkout one -- ../x"];
    assert_data_eq!(
        each(&env, &lines),
        str![[r#"
$ undo commit ../x
---- stderr ----
error: `../x` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]
$ undo status ../x
---- stderr ----
error: `../x` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]
$ undo restore ../x
---- stderr ----
error: `../x` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]
$ undo diff -- ../x
---- stderr ----
error: `../x` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]
$ undo log -- ../x
---- stderr ----
error: `../x` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]
$ undo checkout one -- ../x
---- stderr ----
error: `../x` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]

"#]]
    );
    env.undo("restore /etc/passwd").shows(str![[r#"
---- stderr ----
error: `/etc/passwd` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]

"#]]);
    env.undo("restore .undo/format").shows(str![[r#"
---- stderr ----
error: `.undo/format` belongs to the repository, not to the worktree
hint: to list the commands that read the repository: undo help plumbing
[exit 2]

"#]]);
    env.undo("commit .undo").shows(str![[r#"
---- stderr ----
error: `.undo` belongs to the repository, not to the worktree
hint: to list the commands that read the repository: undo help plumbing
[exit 2]

"#]]);
    env.undo("restore ''").shows(str![[r#"
---- stderr ----
error: a value is required for `<PATH>...` but none was supplied
hint: undo help restore
[exit 2]

"#]]);
}

#[test]
fn path_missing_in_commit_hints_at_ls() {
    let env = history();
    env.undo("cat one:later").shows(str![[r#"
---- stderr ----
error: `later` does not exist in commit [ID]
hint: it was last in [ID]: undo cat [ID]:later
[exit 2]

"#]]);
    env.undo("show one:later").shows(str![[r#"
---- stderr ----
error: `later` does not exist in commit [ID]
hint: it was last in [ID]: undo cat [ID]:later
[exit 2]

"#]]);
    env.undo("ls one:later").shows(str![[r#"
---- stderr ----
error: `later` does not exist in commit [ID]
hint: it was last in [ID]: undo ls [ID]:later
[exit 2]

"#]]);
    env.undo("cat @:notes.txt/deeper").shows(str![[r#"
---- stderr ----
error: `notes.txt/deeper` does not exist in commit [ID]
hint: undo ls [ID]
[exit 2]

"#]]);
    env.undo("restore gone").shows(str![[r#"
---- stderr ----
error: `gone` is neither in commit [ID] nor here
hint: to list the commit: undo ls -R [ID]
[exit 2]

"#]]);
    env.undo("restore --from one gone").shows(str![[r#"
---- stderr ----
error: `gone` is neither in commit [ID] nor here
hint: to list the commit: undo ls -R [ID]
[exit 2]

"#]]);
    env.undo("checkout one -- gone").shows(str![[r#"
---- stderr ----
error: `gone` is neither in commit [ID] nor here
hint: to list the commit: undo ls -R [ID]
[exit 2]

"#]]);
    env.undo("commit gone").shows(str![[r#"
---- stderr ----
error: `gone` is neither in the worktree nor in the last commit
hint: to list changed paths: undo status; to give a message: undo commit -m gone
[exit 2]

"#]]);
    // Absent in the target: saved and removed.
    env.undo("restore --from one later").shows(str![[r#"
restored from [ID]  0 written, 1 deleted, 3 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
}

#[test]
fn cat_of_non_file_is_an_error() {
    let env = history();
    rustix::fs::mknodat(rustix::fs::CWD, env.path().join("pipe"), rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    env.undo("commit").ok();
    env.undo("cat @:data").shows(str![[r#"
---- stderr ----
error: `[ID]:data` is a directory
hint: undo ls [ID]:data
[exit 2]

"#]]);
    env.undo("cat @:").shows(str![[r#"
---- stderr ----
error: `[ID]:` is a directory
hint: undo ls [ID]:
[exit 2]

"#]]);
    env.undo("show @:data/").shows(str![[r#"
---- stderr ----
error: `[ID]:data` is a directory
hint: undo ls [ID]:data
[exit 2]

"#]]);
    env.undo("cat @:pipe").shows(str![[r#"
---- stderr ----
error: `[ID]:pipe` has no content: it is a fifo
[exit 2]

"#]]);
    env.undo("cat @").shows(str![[r#"
---- stderr ----
error: `@` has no path
hint: undo cat @:PATH
[exit 2]

"#]]);
    env.undo("cat @:../x").shows(str![[r#"
---- stderr ----
error: `../x` is not a valid path in a commit
hint: write it from the root of the worktree, as in `@:folder/file`, or relative, as in `@:./file`
[exit 2]

"#]]);
    env.undo("cat @:/etc/passwd").shows(str![[r#"
---- stderr ----
error: `/etc/passwd` is not a valid path in a commit
hint: write it from the root of the worktree, as in `@:folder/file`, or relative, as in `@:./file`
[exit 2]

"#]]);
    env.undo("cat @:data//table").shows(str![[r#"
---- stderr ----
error: `data//table` is not a valid path in a commit
hint: write it from the root of the worktree, as in `@:folder/file`, or relative, as in `@:./file`
[exit 2]

"#]]);
}

#[test]
fn ignored_obstacle_is_refused_and_saved_with_force() {
    let env = TestEnv::initialised();
    env.write("cache/a", "recorded a");
    env.write("cache/b", "recorded b");
    env.write("model", "recorded model");
    env.undo("commit -m all").ok();
    std::fs::remove_dir_all(env.path().join("cache")).unwrap();
    env.write(".undoignore", "cache\nmodel\n");
    env.write("cache/a", "precious a");
    env.write("cache/only here", "precious");
    env.write("model", "precious model");
    env.undo("commit -m less").ok();
    env.write("unsaved", "unsaved");
    let before = Tree::read(&env.path());
    env.undo("checkout @~").shows(str![[r#"
---- stderr ----
error: `cache/a` and 1 more would be replaced, but no commit has this content
  cache/a
  model
hint: move them away, or use `--force` to save them first
[exit 4]

"#]]);
    env.undo("checkout @~ -n").shows(str![[r#"
  remove   .undoignore
  create   cache/b
  remove   unsaved
3 changes, 1 unchanged; unsaved changes would be recorded first
---- stderr ----
error: `cache/a` and 1 more would be replaced, but no commit has this content
  cache/a
  model
hint: move them away, or use `--force` to save them first
[exit 4]

"#]]);
    env.undo("restore --from @~ cache --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"refused","message":"`cache/a` would be replaced, but no commit has this content","hint":"move it away, or use `--force` to save it first","exit":4,"paths":[{"path":"cache/a"}]}
[exit 4]

"#]]);
    env.undo("restore --from @~ nowhere").shows(str![[r#"
---- stderr ----
error: `nowhere` is neither in commit [ID] nor here
hint: to list the commit: undo ls -R [ID]
[exit 2]

"#]]);
    // Nothing has changed, not even the history: `@~` is the same.
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("log --oneline").shows(str![[r#"
@ [ID] (main) less  +1 ~0 -0, [..] stored
* [ID] all  +4 ~0 -0, [..] stored

"#]]);
    env.undo("checkout --force @~").shows(str![[r#"
main [ID] → [ID]  3 written, 2 deleted, 1 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(env.read("cache/a"), b"recorded a");
    assert_eq!(env.read("model"), b"recorded model");
    assert_eq!(env.read("cache/only here"), b"precious");
    env.undo("checkout -").ok();
    assert_eq!(env.read("cache/a"), b"precious a");
    assert_eq!(env.read("model"), b"precious model");
    // The target ignores the later files, so they stay.
    std::fs::remove_file(env.path().join("cache/b")).unwrap();
    env.undo("status").shows(str![[r#"
on main at [ID], 2 minutes ago  before checkout [ID]
  ignored   cache/  (1 entry)
  ignored   model
3 changes: 3 no longer recorded (now ignored)

"#]]);
    assert_eq!(env.read("unsaved"), b"unsaved");
}

#[test]
fn commit_of_ignored_path_records_nothing() {
    let env = history();
    env.write(".undoignore", "*.tmp\n");
    env.write("a.tmp", "x");
    env.undo("commit a.tmp").shows(str![[r#"
---- stderr ----
error: `a.tmp` is ignored by the rules of the worktree
hint: to record it, add this line to the `.undoignore` of the root: !/a.tmp
[exit 2]

"#]]);
}

#[test]
fn export_replaces_nothing() {
    let env = history();
    env.write("../there", "a file");
    env.write("../full/x", "not empty");
    env.undo("export @ ../there").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/../there` already exists and is not a directory
hint: name a new directory
[exit 4]

"#]]);
    env.undo("export @ ../full").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/../full` is not empty
hint: name a new directory
[exit 4]

"#]]);
    env.undo("export @ .undo/copy").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo/copy` is in the repository
hint: choose a place outside `.undo`
[exit 4]

"#]]);
    env.undo("export @ ../a.tar").ok();
    env.undo("export @ ../a.tar").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/../a.tar` already exists
hint: name a new file
[exit 4]

"#]]);
    env.undo("export nonsense ../b").shows(str![[r#"
---- stderr ----
error: revision `nonsense` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("export @:notes.txt ../b").shows(str![[r#"
---- stderr ----
error: `notes.txt` is a file, not a directory
hint: undo cat [ID]:notes.txt > FILE
[exit 2]

"#]]);
    assert!(!env.path().join(".undo/copy").exists() && !env.root().join("b").exists());
}

#[test]
fn unknown_and_ignored_paths_are_not_reported_clean() {
    let env = history();
    env.write(".undoignore", "*.log\n");
    env.write("cache.log", "");
    env.undo("status ontes.txt").shows(str![[r#"
on main at [ID], 2 minutes ago  two
no changes
---- stderr ----
warning: nothing to compare
  ontes.txt  on neither side

"#]]);
    env.undo("status --json ontes.txt notes.txt").shows(str![[r#"
{"type":"summary","clean":true,"added":0,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0}
---- stderr ----
{"type":"warning","message":"nothing to compare","paths":[{"path":"ontes.txt","reason":"on neither side"}]}

"#]]);
    env.undo("status cache.log").shows(str![[r#"
on main at [ID], 4 minutes ago  two
no changes
---- stderr ----
warning: nothing to compare
  cache.log  ignored

"#]]);
    env.undo("diff --stat -- 'n*' notes.txt").shows(str![[r#"
no changes

"#]]);
    env.undo("diff @~ @ -- nowhere").shows(str![[r#"
---- stderr ----
warning: nothing to compare
  nowhere  on neither side

"#]]);
    env.undo("log --oneline -- ontes.txt").shows(str![[r#"
---- stderr ----
no commit changes this path

"#]]);
    env.undo("log --oneline -- 'n*' x").ok();
    for line in ["restore 'x*'", "commit 'x*'", "checkout one -- 'x*'"] {
        let report = env.undo(line).fails(2).stderr;
        assert!(String::from_utf8_lossy(&report).contains("no path matches `x*`"), "{line}");
    }
    // Paths that are only in the old commit exist.
    std::fs::remove_file(env.path().join("notes.txt")).unwrap();
    env.undo("status notes.txt").shows(str![[r#"
on main at [ID], 12 minutes ago  two
  deleted   notes.txt
1 change: 1 deleted

"#]]);
}
