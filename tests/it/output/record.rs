//! Recording, from an empty directory to a history.

use std::os::unix::fs::PermissionsExt;

use snapbox::str;

use crate::env::TestEnv;
use crate::output::history;

#[test]
fn missing_repository_shows_how_to_create_one() {
    let env = TestEnv::new();
    env.undo("").shows(str![[r#"
no repository here ([ROOT]/work)

  undo init                           create a repository here
  undo commit --init -m "as it was"   record the current state
  undo help                           list all commands

"#]]);
    env.undo("status").shows(str![[r#"
---- stderr ----
error: no repository in `[ROOT]/work` or above it
hint: create one here with `undo init`
[exit 10]

"#]]);
    env.undo("status --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"no-repository","message":"no repository in `[ROOT]/work` or above it","hint":"create one here with `undo init`","exit":10,"paths":[]}
[exit 10]

"#]]);
    env.undo("commit --init -m 'as it was'").shows(str![[r#"
created the repository [ROOT]/work/.undo
main [ID]  0 added, 0 modified, 0 deleted  (0 B read, [..] stored)
---- stderr ----
hint: to restore this state: undo checkout [ID]

"#]]);
}

#[test]
fn first_session_transcript() {
    let env = TestEnv::new();
    env.undo("init").shows(str![[r#"
created the repository [ROOT]/work/.undo
---- stderr ----
hint: to record the directory: undo commit -m "as it was"

"#]]);
    env.undo("status").shows(str![[r#"
on main, no commits yet
no changes

"#]]);
    env.undo("log").shows(str![[r#"
---- stderr ----
no commits

"#]]);
    env.write("a.txt", "text\n");
    env.write("sub/b", "b");
    env.undo("").shows(str![[r#"
on main, no commits yet
3 changes: 3 added

  undo commit -m "as it was"          record the current state
  undo status                         show changes
  undo help                           list all commands

"#]]);
    env.undo("commit -n").shows(str![[r#"
would record 3 changes: 3 added  (6 B read)

"#]]);
    env.undo("commit -m 'it begins'").shows(str![[r#"
main [ID]  3 added, 0 modified, 0 deleted  (6 B read, [..] stored)
---- stderr ----
hint: to restore this state: undo checkout [ID]

"#]]);
    env.undo("commit").shows(str![[r#"
no changes since [ID]

"#]]);
    env.undo("commit -q").shows(str![""]);
    env.undo("").shows(str![[r#"
on main at [ID], 3 minutes ago  it begins
clean

  undo show                           show the last commit
  undo log                            list commits
  undo help                           list all commands

"#]]);
    env.write("a.txt", "more text\n");
    env.undo("").shows(str![[r#"
on main at [ID], 4 minutes ago  it begins
1 change: 1 modified

  undo diff                           show changed content
  undo commit                         record the current state
  undo log                            list commits

"#]]);
}

#[test]
fn status_folds_new_directories_and_lists_metadata() {
    let env = history();
    env.write("fresh/one", "1");
    env.write("fresh/two", "2");
    std::fs::set_permissions(env.path().join("notes.txt"), std::fs::Permissions::from_mode(0o600)).unwrap();
    env.undo("status").shows(str![[r#"
on main at [ID], 60 seconds ago
  added     fresh/  (2 entries)
  metadata  notes.txt  (mode)
4 changes: 3 added, 1 metadata only

"#]]);
    env.undo("status -v fresh").shows(str![[r#"
on main at [ID], 2 minutes ago
  added     fresh/
  added     fresh/one
  added     fresh/two
3 changes: 3 added

"#]]);
    env.undo("st --json").shows(str![[r#"
{"type":"change","path":"fresh","status":"added","kind":"directory","what":[]}
{"type":"change","path":"fresh/one","status":"added","kind":"file","size":1,"what":[]}
{"type":"change","path":"fresh/two","status":"added","kind":"file","size":1,"what":[]}
{"type":"change","path":"notes.txt","status":"metadata","kind":"file","old_size":25,"size":25,"what":["mode"]}
{"type":"summary","clean":false,"added":3,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":1,"ignored":0}

"#]]);
    let raw = env.undo("status -z fresh").ok();
    assert_eq!(raw.text(), "added\0fresh\0added\0fresh/one\0added\0fresh/two\0");
}

#[test]
fn counts_have_thousands_separators() {
    let env = TestEnv::initialised();
    for n in 0..1200 {
        env.write(&format!("d/{n}"), "x");
    }
    env.undo("commit -m many").shows(str![[r#"
main [ID]  1,201 added, 0 modified, 0 deleted  (1.17 KiB read, [..] stored)
---- stderr ----
hint: to restore this state: undo checkout [ID]

"#]]);
    std::fs::remove_dir_all(env.path().join("d")).unwrap();
    env.undo("checkout @").shows(str![[r#"
main [ID] → [ID]  1,201 written, 0 deleted, 0 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    let log = env.undo("op log").ok().text();
    for text in ["1,201 added", "1,201 written", "1,201 unsaved changes kept"] {
        assert!(log.contains(text), "{log}");
    }
    let log = env.undo("log -1").ok().text();
    assert!(log.contains("+0 ~0 -1,201"), "{log}");
}
