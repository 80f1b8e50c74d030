//! Damaged and newer `format` files.

use snapbox::{assert_data_eq, str};

use super::history;

#[test]
fn damaged_or_missing_format_shows_a_remedy() {
    let env = history();
    let good = env.read(".undo/format");
    let cut = "undo format 1\nread:\nwrite:\nchunk: whole=1048576 target=131072\n";
    let mut seen = String::new();
    for text in ["", "undo", cut, "nonsense\n"] {
        env.write(".undo/format", text);
        seen += &format!("{text:?}\n{}", env.undo("status"));
    }
    assert_data_eq!(
        seen,
        str![[r#"
""
---- stderr ----
error: `[ROOT]/work/.undo/format`: invalid repository format: no version
hint: copy that file from any backup of this repository, however old: the file never changes
[exit 5]
"undo"
---- stderr ----
error: `[ROOT]/work/.undo/format`: invalid repository format: no version
hint: copy that file from any backup of this repository, however old: the file never changes
[exit 5]
"undo format 1/nread:/nwrite:/nchunk: whole=1048576 target=131072/n"
---- stderr ----
error: `[ROOT]/work/.undo/format`: invalid repository format: truncated
hint: copy that file from any backup of this repository, however old: the file never changes
[exit 5]
"nonsense/n"
---- stderr ----
error: `[ROOT]/work/.undo/format`: invalid repository format: no version
hint: copy that file from any backup of this repository, however old: the file never changes
[exit 5]

"#]]
    );
    std::fs::remove_file(env.path().join(".undo/format")).unwrap();
    env.undo("commit --init").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo/format` is missing
hint: copy that file from any backup of this repository, however old: the file never changes
[exit 5]

"#]]);
    env.undo("init").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo` holds history, but its file `format` is missing
hint: copy `format` from a backup of this repository
[exit 5]

"#]]);
    env.write(".undo/format", good);
    env.undo("status").shows(str![[r#"
on main at [ID], 8 minutes ago  two
no changes

"#]]);
}

#[test]
fn repositories_of_development_versions_are_refused() {
    let env = history();
    let good = String::from_utf8(env.read(".undo/format")).unwrap();
    env.write(".undo/format", good.replace("undo format 1", "undo 1"));
    for command in ["log", "commit", "verify"] {
        env.undo(command).shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo/format`: repository of a development version, from before format 1 was final; this version cannot read it
hint: to start a new history: rename the folder `.undo`, then run `undo init`
[exit 14]

"#]]);
    }
}

#[test]
fn newer_format_is_refused_and_newer_write_feature_blocks_writing() {
    let env = history();
    let good = String::from_utf8(env.read(".undo/format")).unwrap();
    env.write(".undo/format", good.replace("undo format 1", "undo format 2"));
    env.undo("log").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo/format`: repository written by a newer version of undo: format 2
hint: update undo, then run the command again
[exit 14]

"#]]);
    env.undo("commit --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"unsupported","message":"`[ROOT]/work/.undo/format`: repository written by a newer version of undo: format 2","hint":"update undo, then run the command again","exit":14,"paths":[]}
[exit 14]

"#]]);
    env.write(".undo/format", good.replace("read:", "read: sealed"));
    env.undo("cat one:notes.txt").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/.undo/format`: repository written by a newer version of undo: feature `sealed`
hint: update undo, then run the command again
[exit 14]

"#]]);
    env.write(".undo/format", good.replace("write:", "write: quick"));
    env.write("notes.txt", "three\n");
    env.undo("cat one:notes.txt").shows(str![[r#"
one

"#]]);
    env.undo("status").shows(str![[r#"
on main at [ID], 6 minutes ago  two
  modified  notes.txt
1 change: 1 modified

"#]]);
    env.undo("export one ../copy").shows(str![[r#"
[ID] → ../copy  3 entries, 8 B

"#]]);
    env.undo("commit").shows(str![[r#"
---- stderr ----
error: repository written by a newer version of undo: feature `quick`, which this version can read, but not write
hint: update undo, then run the command again
[exit 14]

"#]]);
    env.undo("checkout one").shows(str![[r#"
---- stderr ----
error: repository written by a newer version of undo: feature `quick`, which this version can read, but not write
hint: update undo, then run the command again
[exit 14]

"#]]);
    env.undo("tag new").shows(str![[r#"
---- stderr ----
error: repository written by a newer version of undo: feature `quick`, which this version can read, but not write
hint: update undo, then run the command again
[exit 14]

"#]]);
    assert_eq!(env.read("notes.txt"), b"three\n");
}
