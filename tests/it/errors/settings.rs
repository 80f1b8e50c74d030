//! Invalid settings and ignore rules.

use snapbox::str;

use super::history;
use crate::env::TestEnv;

#[test]
fn unknown_setting_or_value_lists_valid_ones() {
    let env = history();
    env.undo("config store.colour").shows(str![[r#"
---- stderr ----
error: no setting `store.colour`
hint: valid settings: agent.deadline, agent.prompts, agent.strict, drill.max_age, gc.auto, gc.grace, history.keep, history.max_size, history.min_free, shell.guard, shell.strict, store.compression, store.reflink, store.shared, target.max_age, target.password_command, user.name, worktree.cross_mounts
[exit 2]

"#]]);
    env.undo("config store.compression lz4").shows(str![[r#"
---- stderr ----
error: invalid value `lz4` for `store.compression`
hint: valid values: stored, deflate:1 to deflate:9, zstd:1 to zstd:19
[exit 2]

"#]]);
    env.undo("config store.compression zstd:20").shows(str![[r#"
---- stderr ----
error: invalid value `zstd:20` for `store.compression`
hint: valid values: stored, deflate:1 to deflate:9, zstd:1 to zstd:19
[exit 2]

"#]]);
    env.undo("config worktree.cross_mounts maybe").shows(str![[r#"
---- stderr ----
error: invalid value `maybe` for `worktree.cross_mounts`
hint: valid values: true, false
[exit 2]

"#]]);
    env.undo("config user.name 'a\nb'").shows(str![[r#"
---- stderr ----
error: invalid value `a/nb` for `user.name`
hint: valid values: text
[exit 2]

"#]]);
    env.undo("config --global agent.deadline 51s").shows(str![[r#"
---- stderr ----
error: invalid value `[DURATION]` for `agent.deadline`
hint: valid values: a duration of at most [DURATION], such as [DURATION] or [..]
[exit 2]

"#]]);
    env.undo("config --unset nothing").shows(str![[r#"
---- stderr ----
error: no setting `nothing`
hint: valid settings: agent.deadline, agent.prompts, agent.strict, drill.max_age, gc.auto, gc.grace, history.keep, history.max_size, history.min_free, shell.guard, shell.strict, store.compression, store.reflink, store.shared, target.max_age, target.password_command, user.name, worktree.cross_mounts
[exit 2]

"#]]);
    env.undo("config --unset").shows(str![[r#"
---- stderr ----
error: the following required arguments were not provided: <KEY>
hint: usage: undo config --unset <KEY> [VALUE]
[exit 2]

"#]]);
}

#[test]
fn invalid_settings_are_reported_and_ignored() {
    let env = history();
    env.write(".undo/config.toml", "[store]\ncompression = \"lz4\"\nnewer = 1\n[user]\nname = \"Ann\"\n");
    env.write("notes.txt", "three\n");
    env.undo("cat one:notes.txt").shows(str![[r#"
one
---- stderr ----
warning: a setting of the repository is ignored: `[ROOT]/work/.undo/config.toml` line 2: invalid value `lz4` for `store.compression`
warning: a setting of the repository is ignored: `[ROOT]/work/.undo/config.toml` line 3: no setting `store.newer`

"#]]);
    env.undo("commit -m three").ok();
    // The other settings are in force.
    assert!(env.undo("show").ok().text().contains("Ann"));
    env.undo("checkout one -q").ok();
    env.undo("undo -q").ok();
    env.undo("redo -q").ok();
    env.undo("restore --from two notes.txt -q").ok();
    env.undo("run -q -- true").ok();
    env.undo("commit --auto -q").ok();
    env.undo("repair -q").ok();
    env.undo("gc").shows(str![[r#"
---- stderr ----
warning: a setting of the repository is ignored: `[ROOT]/work/.undo/config.toml` line 2: invalid value `lz4` for `store.compression`
warning: a setting of the repository is ignored: `[ROOT]/work/.undo/config.toml` line 3: no setting `store.newer`
error: nothing is removed while settings of the repository are ignored, which may say what to keep
hint: correct the file with a text editor: [ROOT]/work/.undo/config.toml
[exit 4]

"#]]);
    // One invalid setting does not prevent correcting another one.
    env.undo("config store.compression stored").shows(str![[r#"
store.compression = stored (repository)
    compression of new content; stored content does not change
---- stderr ----
warning: a setting of the repository is ignored: `[ROOT]/work/.undo/config.toml` line 2: invalid value `lz4` for `store.compression`
warning: a setting of the repository is ignored: `[ROOT]/work/.undo/config.toml` line 3: no setting `store.newer`

"#]]);
    let text = std::fs::read_to_string(env.path().join(".undo/config.toml")).unwrap();
    assert_eq!(text, "[store]\ncompression = \"stored\"\nnewer = 1\n[user]\nname = \"Ann\"\n");
}

#[test]
fn invalid_settings_files_are_reported_and_ignored() {
    let env = history();
    env.write(".undo/config.toml", "user.name = Ann\n");
    env.undo("checkout one").shows(str![[r#"
main [ID] → [ID]  1 written, 1 deleted, 2 unchanged
---- stderr ----
warning: the repository's settings are ignored: `[ROOT]/work/.undo/config.toml` line 1: not TOML: [..]
hint: to undo: undo undo

"#]]);
    env.undo("config --unset user.name").shows(str![[r#"
---- stderr ----
warning: the repository's settings are ignored: `[ROOT]/work/.undo/config.toml` line 1: not TOML: [..]
error: `[ROOT]/work/.undo/config.toml` is not TOML, so its settings cannot be changed
hint: correct the file with a text editor
[exit 2]

"#]]);
    env.write(".undo/config.toml", b"\xff");
    env.undo("tag v1 --json").ok().shows(str![[r#"
{[..]}
---- stderr ----
{"type":"warning","message":"the repository's settings are ignored: `[ROOT]/work/.undo/config.toml` is not UTF-8","paths":[]}

"#]]);
}

#[test]
fn invalid_ignore_patterns_are_reported_and_ignore_nothing() {
    let env = history();
    env.write(".undoignore", "# caches\n*.tmp\n[a,b\n");
    env.write("a.tmp", "");
    env.undo("status").shows(str![[r#"
on main at [ID], 2 minutes ago  two
  added     .undoignore
1 change: 1 added
---- stderr ----
warning: this line is not a valid pattern and is ignored
  .undoignore  line 3: `[` has no closing `]`; for a literal bracket write `/[`

"#]]);
    env.undo("status --json").shows(str![[r#"
{"type":"change","path":".undoignore","status":"added","kind":"file","size":20,"what":[]}
{"type":"summary","clean":false,"added":1,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0}
---- stderr ----
{"type":"warning","message":"this line is not a valid pattern and is ignored","paths":[{"path":".undoignore","reason":"line 3: `[` has no closing `]`; for a literal bracket write `//[`"}]}

"#]]);
    env.undo("commit -m rules").shows(str![[r#"
main [ID]  1 added, 0 modified, 0 deleted  ([..])
---- stderr ----
warning: this line is not a valid pattern and is ignored
  .undoignore  line 3: `[` has no closing `]`; for a literal bracket write `/[`
hint: to restore this state: undo checkout [ID]

"#]]);
    env.undo("").shows(str![[r#"
on main at [ID], 60 seconds ago  rules
clean

  undo show                           show the last commit
  undo log                            list commits
  undo help                           list all commands
---- stderr ----
warning: this line is not a valid pattern and is ignored
  .undoignore  line 3: `[` has no closing `]`; for a literal bracket write `/[`

"#]]);
    env.undo("checkout one").shows(str![[r#"
main [ID] → [ID]  1 written, 2 deleted, 2 unchanged
---- stderr ----
warning: this line is not a valid pattern and is ignored
  .undoignore  line 3: `[` has no closing `]`; for a literal bracket write `/[`
hint: to undo: undo undo

"#]]);
    env.undo("undo -n").shows(str![[r#"
@ [ID]  2026-01-05 08:09:00 (60 seconds ago)  checkout: main [ID] → [ID], 1 written, 2 deleted
  create   .undoignore
  create   later
  replace  notes.txt
3 changes, 2 unchanged; unsaved changes would be recorded first

"#]]);
    env.write(".undoignore", "*.tmp\n![[:name:]]\n*.bak\n");
    env.write("data/.undoignore", "a\\\n");
    env.write("b.bak", "");
    env.undo("commit -m two").shows(str![[r#"
main [ID]  2 added, 0 modified, 0 deleted  ([..])
---- stderr ----
warning: these lines are not valid patterns and are ignored
  .undoignore  line 2: unknown character class in `[[:…:]]`
  data/.undoignore  line 1: `/` at the end escapes nothing; for a literal backslash write `//`
hint: to restore this state: undo checkout [ID]

"#]]);
    assert!(!env.undo("ls").text().contains("a.tmp") && !env.undo("ls").text().contains("b.bak"));
    env.write("data/.undoignore", b"# caf\xe9\n");
    env.undo("run -- sh -c 'echo > new'").shows(str![[r#"
---- stderr ----
warning: this line is not a valid pattern and is ignored
  .undoignore  line 2: unknown character class in `[[:…:]]`
sh -c 'echo > new': exit 0 after [DURATION]
[ID]  1 added, 0 modified, 0 deleted  (39 B → 40 B)
hint: to undo: undo undo

"#]]);
    env.undo("ls-files -o").shows(str![[r#"
---- stderr ----
warning: this line is not a valid pattern and is ignored
  .undoignore  line 2: unknown character class in `[[:…:]]`

"#]]);
    env.undo("write-tree --prefix data").shows(str![[r#"
[ID]
---- stderr ----
warning: this line is not a valid pattern and is ignored
  .undoignore  line 2: unknown character class in `[[:…:]]`

"#]]);
    // Rules are only read if there is something to record.
    env.undo("cat one:notes.txt").shows("one\n");
    env.undo("log -n 1").ok();
}

#[test]
fn non_utf8_names_are_matched() {
    let env = TestEnv::initialised();
    env.write(".undoignore", b"caf\xe9\n*.log\n");
    env.shell(r"touch $(printf 'caf\351') $(printf 'caf\351.log')").ok();
    env.undo("commit -m base").ok();
    assert_eq!(env.undo("ls -z").ok().stdout, b".undoignore\0");
}
