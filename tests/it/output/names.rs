//! Branches, tags, files with odd names, settings, export destinations.

use snapbox::str;
use unicode_width::UnicodeWidthStr;

use crate::env::TestEnv;
use crate::output::history;
use crate::skip::skip;

#[test]
fn branch_and_tag_transcript() {
    let env = history();
    env.undo("branch trial @~").shows(str![[r#"
created branch trial at [ID]
---- stderr ----
hint: to switch to it: undo checkout trial

"#]]);
    env.undo("checkout trial").shows(str![[r#"
trial [ID] → [ID]  2 written, 0 deleted, 2 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("branch").shows(str![[r#"
  main                 [ID]  2026-01-05 08:03:00 (3 minutes ago)
@ trial                [ID]  2026-01-05 08:02:00 (4 minutes ago)  second

"#]]);
    env.undo("branch --json").shows(str![[r#"
{"type":"ref","kind":"branch","name":"main","id":"[ID]","current":false,"time":"2026-01-05T08:03:00.000000000Z","message":""}
{"type":"ref","kind":"branch","name":"trial","id":"[ID]","current":true,"time":"2026-01-05T08:02:00.000000000Z","message":"second/n/nwith a body"}
{"type":"summary","count":2}

"#]]);
    env.undo("checkout -").shows(str![[r#"
main [ID] → [ID]  0 written, 2 deleted, 2 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("branch -m trial kept").shows(str![[r#"
renamed branch kept at [ID]
---- stderr ----
hint: to undo: undo branch -m kept trial

"#]]);
    env.undo("branch -d main").shows(str![[r#"
---- stderr ----
error: `main` is the current branch
hint: switch to another branch first: undo checkout BRANCH
[exit 4]

"#]]);
    env.undo("branch -d kept").shows(str![[r#"
deleted branch kept at [ID]
---- stderr ----
hint: to restore it: undo branch kept [ID]

"#]]);
    env.undo("branch main").shows(str![[r#"
---- stderr ----
error: branch `main` already exists, at [ID]
hint: undo branch
[exit 2]

"#]]);
    env.undo("tag v1").shows(str![[r#"
created tag v1 at [ID]

"#]]);
    env.undo("tag --json").shows(str![[r#"
{"type":"ref","kind":"tag","name":"v1","id":"[ID]","current":false,"time":"2026-01-05T08:03:00.000000000Z","message":""}
{"type":"summary","count":1}

"#]]);
    env.undo("tag -d v2").shows(str![[r#"
---- stderr ----
error: no tag `v2`
hint: undo tag
[exit 2]

"#]]);
    env.undo("branch 'bad name'").shows(str![[r#"
---- stderr ----
error: `bad name` is not a valid branch or tag name: it contains a space
hint: use letters, digits, `-`, `_`, `.` and `/`, as in `before-cleanup`
[exit 2]

"#]]);
}

#[test]
fn names_are_escaped_for_terminals_and_exact_in_json() {
    use std::os::unix::ffi::OsStrExt;
    let env = TestEnv::initialised();
    let name = std::ffi::OsStr::from_bytes(b"red\x1b[31m\xff");
    std::fs::write(env.path().join(name), "x").unwrap();
    env.undo("commit -m 'a \x1b[31mred message'").ok();
    env.undo("ls").shows(str![[r#"
$'red/033[31m/377'

"#]]);
    env.undo("log --oneline").shows(str![[r#"
@ [ID] (main) a /x1b[31mred message  +1 ~0 -0, [..] stored

"#]]);
    let json = env.undo("ls --json").ok().json();
    assert_eq!(json[0]["path_bytes"], "cmVkG1szMW3/");
    assert_eq!(env.undo("ls -z").ok().stdout, b"red\x1b[31m\xff\0");
    for (command, report) in [("cat", &b"x"[..]), ("show", b"x"), ("ls", b"$'red\\033[31m\\377'\n")] {
        let mut undo = env.command(env!("CARGO_BIN_EXE_undo"));
        let output = undo.arg(command).arg([std::ffi::OsStr::new("@:"), name].join("".as_ref())).output().unwrap();
        assert_eq!(output.stdout, report, "{command}");
    }
}

#[test]
fn export_and_config_transcript() {
    let env = history();
    env.undo("export @~ ../copy").shows(str![[r#"
[ID] → ../copy  4 entries, 305 B

"#]]);
    env.undo("export @~ ../copy").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/../copy` is not empty
hint: name a new directory
[exit 4]

"#]]);
    env.undo("export --json @ ../a.tar.zst").shows(str![[r#"
{"type":"export","id":"[ID]","destination":"../a.tar.zst","entries":2,"bytes":49,"inexact":[],"damaged":[],"purged":[],"torn":[]}

"#]]);
    assert!(env.undo("export @ -").ok().stdout.len() > 1024);
    env.undo("config").shows(str![[r#"
agent.deadline = [DURATION] (default)
    how long a hook of an agent may take to record the directory
agent.prompts = false (default)
    also record the text of the prompts that an agent announces
agent.strict = false (default)
    block a tool of an agent if the directory could not be recorded before it
drill.max_age = none (default)
    age after which `undo status` warns that a target had no successful drill
gc.auto = true (default)
    collect garbage in the background after a commit if a quarter of the store is waste
gc.grace = 7d (default)
    how long forgotten commits and purged content can be taken back
history.keep = within 7d, daily within 90d, weekly (default)
    automatic commits to keep; the others are forgotten
history.max_size = none (default)
    size of the repository above which `undo gc` forgets old commits, automatic ones first
history.min_free = none (default)
    free space below which `undo gc` forgets old commits, automatic ones first
shell.guard = default (default)
    commands before which the shell hook records the directory
shell.strict = false (default)
    refuse a guarded command if the directory could not be recorded before it
store.compression = zstd:1 (default)
    compression of new content; stored content does not change
store.reflink = true (default)
    share disk blocks between large files and the store instead of copying, if the file system supports it
store.shared = owner (default)
    who can use the repository: its owner only, or also the members of the directory's group
target.max_age = 7d (default)
    age after which `undo status` warns about a copy that lacks commits
target.password_command = (default)
    command that prints the password of the target $UNDO_TARGET; if empty, undo asks for the password
user.name = (default)
    author of commits; if empty, the login name
worktree.cross_mounts = false (default)
    also record file systems and bind mounts inside the worktree

"#]]);
    env.undo("config store.compression deflate:6").shows(str![[r#"
store.compression = deflate:6 (repository)
    compression of new content; stored content does not change

"#]]);
    env.undo("config store.compression").shows(str![[r#"
deflate:6

"#]]);
    env.undo("config --unset store.compression --json").shows(str![[r#"
{"type":"setting","key":"store.compression","value":"zstd:1","default":true,"source":"default"}

"#]]);
    env.undo("config store.compression lzma").shows(str![[r#"
---- stderr ----
error: invalid value `lzma` for `store.compression`
hint: valid values: stored, deflate:1 to deflate:9, zstd:1 to zstd:19
[exit 2]

"#]]);
}

#[test]
fn wide_names_align() {
    let env = TestEnv::initialised();
    let paths = ["a.txt", "ファイル.txt", "🎉/x"];
    paths.iter().for_each(|path| env.write(path, "one\n"));
    env.undo("commit -m '表計算 🎉'").ok();
    for name in ["表", "🎉party"] {
        env.undo(&format!("branch {name}")).ok();
        env.undo(&format!("tag v{name}")).ok();
    }
    paths.iter().for_each(|path| env.write(path, "two\n"));
    let column = |line: &str, mark: &str| line.find(mark).map(|at| line[..at].width());
    let id = env.undo("rev-parse --short @").text();
    for (command, marks) in [
        ("branch", vec![id.trim()]),
        ("tag", vec![id.trim()]),
        ("diff --stat", vec!["+-"]),
        ("log --stat", vec!["1  +"]),
        ("status", paths.to_vec()),
        ("ls -l -R", paths.to_vec()),
    ] {
        let text = env.undo(command).text();
        let lines = text.lines().filter(|line| !line.contains("lines:"));
        let columns: Vec<usize> = lines.filter_map(|line| marks.iter().find_map(|mark| column(line, mark))).collect();
        assert!(columns.len() >= 2 && columns.windows(2).all(|two| two[0] == two[1]), "{command}: {columns:?}\n{text}");
    }
}

/// Data of the user that would control a terminal reaches it only escaped, from every command.
#[test]
fn text_of_the_user_is_never_printed_raw() {
    let env = TestEnv::initialised();
    let evil = "\x1b]0;title\x07\u{9b}31m\u{fdd1}\r";
    env.write(&format!("{evil}/{evil}"), "one\n");
    env.write(".undoignore", "[\x1b[31mz-a]\n[[:\x1b[31m:]]\n");
    env.set("USER", evil);
    let message = format!("commit -m '{evil}' --author '{evil}'");
    env.undo(&message).ok();
    env.undo("tag v1").ok();
    env.write(&format!("{evil}/{evil}"), "two\n\x1b[31m");
    env.undo(&format!("run -- sh -c 'echo > \"$0\"' '{evil}2'")).ok();
    for line in [
        "status",
        "log",
        "log -p",
        "show",
        "show --stat",
        "diff @~",
        "ls -Rl",
        "op log",
        "op show @",
        "checkout @~ -n",
        "undo -n",
        "tag",
        "branch",
        "verify",
        "ls-files",
        "ls-tree -r @",
        "cat-file -p @",
        "rev-list --all",
        "show-ref",
        "restore -n .",
        "diff nowhere\x1b[31m",
        "cat @:\u{9b}",
        "tag a\x1bb",
        "\x1b[31m",
        "config \x1b[31m",
        "export v1 .\x1b/x/..",
    ] {
        let output = env.shell(&format!(
            "command -v script >/dev/null || exit 99; script -qec \"undo --no-pager {line}\" /dev/null"
        ));
        if output.code == 99 {
            return skip("`script`, which creates a terminal, is not installed");
        }
        let text = anstream::adapter::strip_str(&String::from_utf8_lossy(&output.stdout)).to_string();
        assert!(!text.is_empty(), "{line}");
        let raw =
            text.chars().find(|letter| letter.is_control() && !"\r\n\t".contains(*letter) || *letter == '\u{fdd1}');
        assert_eq!(raw, None, "{line}: {text:?}");
        assert!(!output.stdout.windows(2).any(|two| two == b"\x1b]"), "{line}: {output}");
    }
}
