//! Paths as printed and as typed: relative to the current directory, and from the root of the worktree.

use std::fs;

use snapbox::str;

use crate::env::{Output, TestEnv};

/// Two commits that change files in three directories, and unrecorded changes. The name of every file ends with `.q`.
fn worktree() -> TestEnv {
    let env = TestEnv::initialised();
    for path in ["top.q", "sub/here.q", "sub/deep/below.q", "sub/deep/gone.q", "other/beside.q", "other/old.q"] {
        env.write(path, format!("{path}\nfirst\n"));
    }
    env.undo("commit -m first").ok();
    fs::remove_file(env.path().join("sub/deep/gone.q")).unwrap();
    fs::rename(env.path().join("other/old.q"), env.path().join("other/renamed.q")).unwrap();
    env.write("sub/here.q", "sub/here.q\nsecond\n");
    env.undo("commit -m second").ok();
    for path in ["top.q", "sub/here.q", "sub/deep/below.q", "other/beside.q"] {
        env.write(path, format!("{path}\nthird\n"));
    }
    env
}

/// The words of an output that name a file, except those in the headers of a patch, which start at the root as in git.
fn printed(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned();
    let is_header =
        |line: &str| ["---", "+++", "diff --git", "rename ", "copy "].iter().any(|word| line.starts_with(word));
    let is_content = |line: &str| line.starts_with(['+', '-', ' ']) && !line.starts_with("  ");
    let lines = text.lines().filter(|line| !is_header(line) && !is_content(line));
    let words = lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || "\0`,()'".contains(c)));
    words.filter(|word| word.ends_with(".q") && !word.starts_with('*')).map(str::to_owned).collect()
}

#[test]
fn printed_paths_can_be_pasted_in_any_directory() {
    for (directory, mut expected) in [
        ("sub", vec!["here.q", "deep/below.q", "deep/gone.q", "../top.q", "../other/beside.q", "../other/renamed.q"]),
        (
            "sub/deep",
            vec!["../here.q", "below.q", "gone.q", "../../top.q", "../../other/beside.q", "../../other/renamed.q"],
        ),
        (".", vec!["sub/here.q", "sub/deep/below.q", "sub/deep/gone.q", "top.q", "other/beside.q", "other/renamed.q"]),
    ] {
        let env = worktree();
        let mut all = Vec::new();
        for command in [
            "status",
            "status -z",
            "diff",
            "diff --stat",
            "diff --name-only @~",
            "diff --name-status @~ @",
            "show",
            "show -p",
            "show --stat @",
            "log --stat",
            "log -p",
            "log --name-status",
            "ls -R",
            "ls -lR @~",
            "checkout -n @~",
            "restore -n :/sub :/top.q :/other",
            "commit -n",
            "log -n 9 nothing.q",
            "restore nothing.q",
            "commit nothing.q",
            "status nothing.q",
            "diff -- nothing.q",
            "run -- find . -name *.q -delete",
        ] {
            let output = env.undo(&format!("-C {directory} {command}"));
            for word in printed(&output) {
                let known = env.undo(&format!("-C {directory} log --oneline -- {word}")).ok().text();
                assert!(!known.is_empty() || word == "nothing.q", "`{word}` of `{command}` in {directory}:\n{output}");
                all.push(word);
            }
        }
        all.sort();
        all.dedup();
        expected.retain(|path| !all.iter().any(|word| word == path));
        assert!(expected.is_empty(), "{expected:?} is not among {all:?}");
    }
}

#[test]
fn relative_path_transcript() {
    let env = worktree();
    env.undo("-C sub status").shows(str![[r#"
on main at [ID], 60 seconds ago  second
  modified  ../other/beside.q
  modified  deep/below.q
  modified  here.q
  modified  ../top.q
4 changes: 4 modified

"#]]);
    env.undo("-C sub status --json").shows(str![[r#"
{"type":"change","path":"other/beside.q","status":"modified","kind":"file","old_size":21,"size":21,"what":["content"]}
{"type":"change","path":"sub/deep/below.q","status":"modified","kind":"file","old_size":23,"size":23,"what":["content"]}
{"type":"change","path":"sub/here.q","status":"modified","kind":"file","old_size":18,"size":17,"what":["content"]}
{"type":"change","path":"top.q","status":"modified","kind":"file","old_size":12,"size":12,"what":["content"]}
{"type":"summary","clean":false,"added":0,"modified":4,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0}

"#]]);
    env.undo("-C sub diff here.q :/top.q").shows(str![[r#"
diff --git a/sub/here.q b/sub/here.q
index dea216a..4d87b0d 100644
--- a/sub/here.q
+++ b/sub/here.q
@@ -1,2 +1,2 @@
 sub/here.q
-second
+third
diff --git a/top.q b/top.q
index 1cec651..1a6c25e 100644
--- a/top.q
+++ b/top.q
@@ -1,2 +1,2 @@
 top.q
-first
+third

"#]]);
    env.undo("-C sub restore ../top.q :/other").shows(str![[r#"
restored from [ID]  2 written, 0 deleted, 6 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to undo: undo undo

"#]]);
    env.undo("-C sub cat @:./here.q").shows(str![[r#"
sub/here.q
second

"#]]);
    env.undo("-C sub cat @:../top.q").shows(str![[r#"
top.q
first

"#]]);
    env.undo("-C sub cat :/top.q").shows(str![[r#"
top.q
first

"#]]);
    env.undo("-C sub cat @:top.q").shows(str![[r#"
top.q
first

"#]]);
    env.undo("-C sub cat here.q").shows(str![[r#"
sub/here.q
second

"#]]);
    env.undo("-C sub cat @:here.q").shows(str![[r#"
---- stderr ----
error: `../here.q` does not exist in commit [ID]
hint: the current directory has this path: undo cat [ID]:sub/here.q
[exit 2]

"#]]);
    env.undo("-C sub restore -n deep ../other --json").shows(str![[r#"
{"type":"action","action":"replace","path":"sub/deep/below.q"}
{"type":"summary","actions":1,"unchanged":7,"unsaved":true,"conflicts":[],"in_use":[],"closed":[]}

"#]]);
    env.undo("-C sub commit -n").shows(str![[r#"
would record 2 changes: 2 modified  (0 B read)

"#]]);
    env.undo("-C sub commit -n --json here.q").shows(str![[r#"
{"type":"summary","clean":false,"added":0,"modified":1,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0,"bytes_read":0}

"#]]);
    env.undo("commit 'my message'").shows(str![[r#"
---- stderr ----
error: `my message` is neither in the worktree nor in the last commit
hint: to give a message: undo commit -m 'my message'
[exit 2]

"#]]);
    env.undo("-C sub cat @:../../x").shows(str![[r#"
---- stderr ----
error: `../../x` is not a valid path in a commit
hint: write it from the root of the worktree, as in `@:folder/file`, or relative, as in `@:./file`
[exit 2]

"#]]);
    env.undo("-C sub ls @:./deep").shows(str![[r#"
deep/below.q

"#]]);
    env.undo("-C sub cat @:./deep").shows(str![[r#"
---- stderr ----
error: `[ID]:sub/deep` is a directory
hint: undo ls [ID]:sub/deep
[exit 2]

"#]]);
    env.undo("-C sub restore sub/here.q").shows(str![[r#"
---- stderr ----
error: `sub/here.q` is neither in commit [ID] nor here
hint: did you mean `here.q`?
[exit 2]

"#]]);
    env.undo("-C sub restore :/here.q").shows(str![[r#"
---- stderr ----
error: `../here.q` is neither in commit [ID] nor here
hint: the current directory has this path: undo restore --from [ID] here.q
[exit 2]

"#]]);
    env.undo("-C sub commit :/nothing").shows(str![[r#"
---- stderr ----
error: `../nothing` is neither in the worktree nor in the last commit
hint: undo status
[exit 2]

"#]]);
    env.undo("-C sub rev-parse @:./here.q").ok();
}

#[test]
fn a_separator_without_paths_is_an_error() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit").ok();
    env.write("a", "2");
    for command in [
        "checkout @ --",
        "restore --",
        "commit --",
        "status --",
        "diff --",
        "log --",
        "show --",
        "ls --",
        "op log --",
        "run --",
    ] {
        let output = env.undo(command).fails(2);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains("nothing follows `--`") || message.contains("not provided"), "{command}: {message}");
    }
    assert_eq!(env.read("a"), b"2");
    env.undo("checkout @ --").shows(str![[r#"
---- stderr ----
error: nothing follows `--`
hint: name paths after `--`, or leave it out
[exit 2]

"#]]);
    env.undo("--json checkout @ --").shows(str![[r#"
---- stderr ----
{"type":"error","code":"usage","message":"nothing follows `--`","hint":"name paths after `--`, or leave it out","exit":2,"paths":[]}
[exit 2]

"#]]);
    env.undo("checkout @ a b").shows(str![[r#"
---- stderr ----
error: unexpected argument `a`
hint: to restore only some paths: undo checkout @ -- a b
[exit 2]

"#]]);
    env.undo("-C . checkout @ 'a b' -n").shows(str![[r#"
---- stderr ----
error: unexpected argument `a b`
hint: to restore only some paths: undo -C . checkout @ -- 'a b' -n
[exit 2]

"#]]);
    env.undo("log -n x").shows(str![[r#"
---- stderr ----
error: `x` is not a number (`--max-count <N>`)
hint: undo help log
[exit 2]

"#]]);
    env.undo("log -n 99999999999999999999").shows(str![[r#"
---- stderr ----
error: `99999999999999999999` is too large (`--max-count <N>`)
hint: undo help log
[exit 2]

"#]]);
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
    env.undo("diff -U ''").shows(str![[r#"
---- stderr ----
error: `` is not a number (`--unified <N>`)
hint: undo help diff
[exit 2]

"#]]);
}

#[test]
fn a_path_with_dots_is_no_range() {
    let env = TestEnv::initialised();
    env.write("file", "1\n");
    env.write("sub/deep/x", "1\n");
    env.undo("commit -m first").ok();
    let undo = |arguments: &str| env.undo(&format!("-C sub {arguments}"));
    for path in ["../file", "../sub/deep/x", "deep/../../file"] {
        undo(&format!("cat {path}")).ok();
        for command in ["log --oneline", "diff --name-only", "show --name-only", "ls", "status", "commit"] {
            undo(&format!("{command} {path}")).ok();
        }
    }
    undo("log --oneline ../nothing").fails(2);
}

#[test]
fn an_exclusion_does_not_keep_other_directories_from_being_restored() {
    let env = TestEnv::initialised();
    env.write("kept/file", "1");
    env.write("kept/a.tmp", "1");
    std::fs::create_dir_all(env.path().join("empty/deep")).unwrap();
    env.undo("commit -qm one").ok();
    std::fs::remove_dir_all(env.path().join("empty")).unwrap();
    env.write("kept/file", "2");
    env.write("kept/a.tmp", "2");
    env.undo("restore . ':!*.tmp' -q").ok();
    assert!(env.path().join("empty/deep").is_dir());
    assert_eq!((env.read("kept/file"), env.read("kept/a.tmp")), (b"1".to_vec(), b"2".to_vec()));
    std::fs::create_dir(env.path().join("new")).unwrap();
    env.undo("commit -qm two . ':!*.tmp'").ok();
    assert!(env.undo("ls @").ok().text().contains("new/"));
    assert_eq!(env.undo("status -s").ok().text(), "M kept/a.tmp\n");
}
