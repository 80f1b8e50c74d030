//! Settings and ignore rules that make no sense.

use snapbox::str;

use super::history;

#[test]
fn a_setting_or_value_that_there_is_not_is_told_with_what_there_is() {
    let env = history();
    env.undo("config store.colour").shows(str![[r#"
---- stderr ----
error: no setting `store.colour`
hint: there are: store.compression, store.reflink, user.name, worktree.cross_mounts
[exit 2]

"#]]);
    env.undo("config store.compression lz4").shows(str![[r#"
---- stderr ----
error: `store.compression` cannot be `lz4`
hint: it can be: stored, deflate:1 to deflate:9, zstd:1 to zstd:19
[exit 2]

"#]]);
    env.undo("config store.compression zstd:20").shows(str![[r#"
---- stderr ----
error: `store.compression` cannot be `zstd:20`
hint: it can be: stored, deflate:1 to deflate:9, zstd:1 to zstd:19
[exit 2]

"#]]);
    env.undo("config worktree.cross_mounts maybe").shows(str![[r#"
---- stderr ----
error: `worktree.cross_mounts` cannot be `maybe`
hint: it can be: true, false
[exit 2]

"#]]);
    env.undo("config user.name 'a\nb'").shows(str![[r#"
---- stderr ----
error: `user.name` cannot be `a/nb`
hint: it can be: text
[exit 2]

"#]]);
    env.undo("config --unset nothing").shows(str![[r#"
---- stderr ----
error: no setting `nothing`
hint: there are: store.compression, store.reflink, user.name, worktree.cross_mounts
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
fn wrong_settings_stop_no_reading_and_all_writing() {
    let env = history();
    env.write(".undo/config.toml", "[store]\ncompression = \"lz4\"\n");
    env.write("notes.txt", "three\n");
    env.undo("cat one:notes.txt").shows(str![[r#"
one
---- stderr ----
warning: the default settings are in force: `[ROOT]/work/.undo/config.toml` line 2: `store.compression` cannot be `lz4`

"#]]);
    env.undo("status").shows(str![[r#"
on main at [ID], 3 minutes ago  two
  modified  notes.txt
1 change: 1 modified
---- stderr ----
warning: the default settings are in force: `[ROOT]/work/.undo/config.toml` line 2: `store.compression` cannot be `lz4`

"#]]);
    env.undo("commit").shows(str![[r#"
---- stderr ----
warning: the default settings are in force: `[ROOT]/work/.undo/config.toml` line 2: `store.compression` cannot be `lz4`
error: `[ROOT]/work/.undo/config.toml` line 2: `store.compression` cannot be `lz4`
hint: it can be: stored, deflate:1 to deflate:9, zstd:1 to zstd:19
[exit 2]

"#]]);
    env.undo("config store.compression stored").shows(str![[r#"
---- stderr ----
warning: the default settings are in force: `[ROOT]/work/.undo/config.toml` line 2: `store.compression` cannot be `lz4`
error: `[ROOT]/work/.undo/config.toml` line 2: `store.compression` cannot be `lz4`
hint: it can be: stored, deflate:1 to deflate:9, zstd:1 to zstd:19
[exit 2]

"#]]);
    env.write(".undo/config.toml", "not a setting\n");
    env.undo("log --oneline -q").shows(str![[r#"
@ [ID] (main, two) two  +1 ~1 -0, [..] stored
* [ID] (one) one  +3 ~0 -0, [..] stored
---- stderr ----
warning: the default settings are in force: `[ROOT]/work/.undo/config.toml` line 1: not TOML: key with no value, expected `=`

"#]]);
    env.undo("checkout one").shows(str![[r#"
---- stderr ----
warning: the default settings are in force: `[ROOT]/work/.undo/config.toml` line 1: not TOML: key with no value, expected `=`
error: `[ROOT]/work/.undo/config.toml` line 1: not TOML: key with no value, expected `=`
hint: correct it with a text editor
[exit 2]

"#]]);
    env.write(".undo/config.toml", b"\xff");
    env.undo("commit --json").shows(str![[r#"
---- stderr ----
{"type":"warning","message":"the default settings are in force: `[ROOT]/work/.undo/config.toml` is not UTF-8","paths":[]}
{"type":"error","code":"usage","message":"`[ROOT]/work/.undo/config.toml` is not UTF-8","hint":"","exit":2,"paths":[]}
[exit 2]

"#]]);
    env.write(".undo/config.toml", "");
    env.undo("commit -m three").ok();
}

#[test]
fn an_invalid_rule_is_told_with_its_file_and_line_and_nothing_is_recorded() {
    let env = history();
    env.write(".undoignore", "# caches\n*.tmp\n{a,b\n");
    env.undo("commit").shows(str![[r#"
---- stderr ----
error: invalid rule in `.undoignore`, line 3: error parsing glob '{a,b': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
hint: correct that line; a letter after `/` is taken as it is
[exit 2]

"#]]);
    env.undo("status --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"usage","message":"invalid rule in `.undoignore`, line 3: error parsing glob '{a,b': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)","hint":"correct that line; a letter after `//` is taken as it is","exit":2,"paths":[]}
[exit 2]

"#]]);
    env.undo("checkout one").shows(str![[r#"
---- stderr ----
error: invalid rule in `.undoignore`, line 3: error parsing glob '{a,b': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
hint: correct that line; a letter after `/` is taken as it is
[exit 2]

"#]]);
    assert_eq!(env.read("notes.txt"), b"two\n");
    env.write(".undoignore", b"caf\xe9\n");
    env.undo("commit").shows(str![[r#"
---- stderr ----
error: invalid rule in `.undoignore`, line 1: it is not UTF-8
hint: correct that line; a letter after `/` is taken as it is
[exit 2]

"#]]);
    env.write(".undoignore", "");
    env.write("data/.undoignore", "[z-a]\n");
    env.undo("commit").shows(str![[r#"
---- stderr ----
error: invalid rule in `data/.undoignore`, line 1: error parsing glob '[z-a]': invalid range; 'z' > 'a'
hint: correct that line; a letter after `/` is taken as it is
[exit 2]

"#]]);
    // Rules are only looked at where there is something to record.
    env.undo("cat one:notes.txt").ok();
    env.undo("log").ok();
}
