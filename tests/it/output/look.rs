//! Commands that read: differences, the log, contents of commits.

use rustix::process::Signal;
use snapbox::str;

use crate::env::TestEnv;
use crate::output::history;
use crate::run::signals::is_ignored_here;
use crate::skip::skip;

#[test]
fn diff_shows_lines_bytes_renames_and_metadata() {
    let env = history();
    env.undo("diff @~2 @~").shows(str![[r#"
diff --git a/data/table.bin b/data/table.bin
index ba944b1..04460e8 100644
Binary files a/data/table.bin and b/data/table.bin differ
# bytes 0x40..0x44 → 0x40..0x44  (4 B)
diff --git a/old.txt b/new.txt
similarity index 100%
rename from old.txt
rename to new.txt
diff --git a/notes.txt b/notes.txt
index 4cb29ea..50b3bd2 100644
--- a/notes.txt
+++ b/notes.txt
@@ -1,3 +1,3 @@
 one
-two
+two and a half
 three

"#]]);
    env.undo("diff --stat @~2..@~").shows(str![[r#"
 data/table.bin     256 B, 4 B differ in one place
 old.txt → new.txt  renamed
 notes.txt          2  +-
3 changes: 2 modified, 1 renamed; lines: +1 -1

"#]]);
    env.undo("diff --stat --json @~2 @~1 -- notes.txt data").shows(str![[r#"
{"type":"change","path":"data/table.bin","status":"modified","kind":"file","old_size":256,"size":256,"what":["content"],"ranges":1,"bytes_changed":4}
{"type":"change","path":"notes.txt","status":"modified","kind":"file","old_size":14,"size":25,"what":["content"],"lines_added":1,"lines_removed":1}
{"type":"summary","clean":false,"added":0,"modified":2,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0}

"#]]);
    env.undo("diff --name-status @~1 @").shows(str![[r#"
D	data
D	data/table.bin

"#]]);
    env.undo("diff --name-only @~2 @~").shows(str![[r#"
data/table.bin
new.txt
notes.txt

"#]]);
    env.undo("diff --exit-code").shows(str![""]);
    std::fs::remove_file(env.path().join("new.txt")).unwrap();
    std::os::unix::fs::symlink("notes.txt", env.path().join("new.txt")).unwrap();
    for style in ["", "--stat", "--name-only", "-- new.txt"] {
        env.undo(&format!("diff -q --exit-code {style}")).shows(str![[r#"
[exit 1]

"#]]);
    }
    env.undo("diff -q @~2 @~").shows(str![""]);
    env.undo("diff --exit-code").shows(str![[r#"
diff --git a/new.txt b/new.txt
deleted file mode 100644
index 36020f6..0000000
--- a/new.txt
+++ /dev/null
@@ -1,1 +0,0 @@
-the same in both places
diff --git a/new.txt b/new.txt
new file mode 120000
index 0000000..d669de9
--- /dev/null
+++ b/new.txt
@@ -0,0 +1,1 @@
+notes.txt
/ No newline at end of file
[exit 1]

"#]]);
}

#[test]
fn existing_path_is_accepted_in_place_of_revision() {
    let env = history();
    env.write("main", b"a file called as the branch\n");
    std::fs::remove_file(env.path().join("notes.txt")).unwrap();
    assert_eq!(env.undo("diff notes.txt").text(), env.undo("diff -- notes.txt").text());
    assert_eq!(env.undo("diff @~ notes.txt").text(), env.undo("diff @~ -- notes.txt").text());
    assert_eq!(env.undo("log --json notes.txt").text(), env.undo("log --json -- notes.txt").text());
    assert_eq!(env.undo("diff main").text(), env.undo("diff @").text());
    env.undo("diff nowhere.txt").shows(str![[r#"
---- stderr ----
error: `nowhere.txt` is neither a revision nor a path
hint: to list commits: undo log; to list paths: undo ls -R
[exit 2]

"#]]);
    env.undo("diff @ @~ main").shows(str![[r#"
---- stderr ----
error: `diff` compares at most two revisions, not 3
hint: undo diff A B -- PATH…
[exit 2]

"#]]);
}

#[test]
fn colors_only_add_to_the_text() {
    let env = history();
    let plain = env.undo("diff @~2 @~").ok().text();
    let colored = env.undo("diff --color always @~2 @~").ok().text();
    assert!(colored.contains("\x1b[31m"));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    env.set("NO_COLOR", "1");
    env.set("CLICOLOR_FORCE", "1");
    assert_eq!(env.undo("diff @~2 @~").ok().text(), plain);
}

#[test]
fn log_and_show_transcript() {
    let env = history();
    env.undo("log").shows(str![[r#"
@ [ID] (main)  2026-01-05 08:03:00 (60 seconds ago)  [USER]
│   +0 ~0 -2, [..] stored
│
* [ID]  2026-01-05 08:02:00 (2 minutes ago)  [USER]
│   second
│
│   with a body
│   +1 ~2 -1, [..] stored
│
* [ID]  2026-01-05 08:01:00 (3 minutes ago)  [USER]
    first
    +4 ~0 -0, [..] stored


"#]]);
    env.undo("log --oneline -n 2").shows(str![[r#"
@ [ID] (main)  +0 ~0 -2, [..] stored
* [ID] second  +1 ~2 -1, [..] stored

"#]]);
    env.undo("log --grep FIRST --json").shows(str![[r#"
{"type":"commit","id":"[ID]","parents":[],"forgotten":0,"branches":[],"tags":[],"current":false,"time":"2026-01-05T08:01:00.000000000Z","author":"[..]","host":"[..]","message":"first","automatic":false,"added":4,"modified":0,"deleted":0,"files":3,"bytes":294,"bytes_stored":[..],"uncovered":[],"torn":[],"suspicious":false,"alarms":[]}
{"type":"summary","count":1}

"#]]);
    env.undo("log --stat -- notes.txt").shows(str![[r#"
* [ID]  2026-01-05 08:02:00 (5 minutes ago)  [USER]
    second

    with a body
    +1 ~2 -1, [..] stored

 notes.txt  2  +-
1 change: 1 modified; lines: +1 -1

* [ID]  2026-01-05 08:01:00 (6 minutes ago)  [USER]
    first
    +4 ~0 -0, [..] stored

 notes.txt  3  +++
1 change: 1 added; lines: +3 -0

"#]]);
    env.undo("log --oneline @~2..@").shows(str![[r#"
@ [ID] (main)  +0 ~0 -2, [..] stored
* [ID] second  +1 ~2 -1, [..] stored

"#]]);
    env.undo("show @~").shows(str![[r#"
commit [ID]
parent [ID]
author [USER] on [HOST]
time   2026-01-05 08:02:00 (7 minutes ago)
holds  3 files, 305 B
change +1 ~2 -1, [..] stored

    second

    with a body

  modified  data/table.bin
  renamed   old.txt → new.txt
  modified  notes.txt
3 changes: 2 modified, 1 renamed

"#]]);
    env.undo("show @~2:notes.txt").shows(str![[r#"
one
two
three

"#]]);
}

#[test]
fn deep_directories_do_not_overflow_the_stack() {
    let env = TestEnv::new();
    env.undo("init").ok();
    env.shell(&format!("mkdir -p {}d && undo commit -m deep", "d/".repeat(999))).ok();
    let listed = env.shell("ulimit -s 512 && undo ls -R").ok().text();
    assert_eq!(listed.lines().count(), 1_000);
    assert!(listed.lines().zip(1..).all(|(line, depth)| line.len() == 2 * depth));
    let below = env.shell("ulimit -s 512 && undo ls -R @:d/d").ok().text();
    assert!(below.lines().zip(3..).all(|(line, depth)| line.len() == 2 * depth));
}

#[test]
fn history_commands_transcript() {
    let env = history();
    env.undo("ls @~2").shows(str![[r#"
data/
notes.txt
old.txt

"#]]);
    assert_eq!(env.undo("ls -R -z @~2").ok().text(), "data\0data/table.bin\0notes.txt\0old.txt\0");
    env.undo("ls --json @~2:data").shows(str![[r#"
{"type":"entry","path":"data/table.bin","kind":"file","mode":"0644","uid":[..],"gid":[..],"size":256,"mtime":"[TIME]","id":"[ID]"}
{"type":"summary","entries":1,"bytes":256}

"#]]);
    env.undo("cat @~2:old.txt").shows(str![[r#"
the same in both places

"#]]);
    env.undo("cat @~2:data").shows(str![[r#"
---- stderr ----
error: `[ID]:data` is a directory
hint: undo ls [ID]:data
[exit 2]

"#]]);
    env.undo("cat @:gone").shows(str![[r#"
---- stderr ----
error: `gone` does not exist in commit [ID]
hint: undo ls [ID]
[exit 2]

"#]]);
    env.undo("cat @").shows(str![[r#"
---- stderr ----
error: `@` has no path
hint: undo cat @:PATH
[exit 2]

"#]]);
}

#[test]
fn diff_is_a_patch_for_any_file_name() {
    use std::process::{Command, Stdio};
    if Command::new("patch").arg("--version").output().is_err() {
        return skip("patch is not installed");
    }
    let names = ["plain", "with space", "ünïcode ☃", "new\nline", "quo\"te", "back\\slash", "tab\there"];
    let env = TestEnv::initialised();
    names.iter().for_each(|name| env.write(name, "one\ntwo\nthree\n"));
    env.undo("commit -m one").ok();
    names.iter().for_each(|name| env.write(name, "one\n2\nthree\n"));
    env.undo("commit -m two").ok();
    let patch = env.undo("diff @~ @").ok().stdout;
    env.undo("export @~ ../one").ok();
    let mut command = Command::new("patch");
    command.args(["-p1", "-s"]).current_dir(env.root().join("one")).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &patch).unwrap();
    assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(&patch));
    for name in names {
        assert_eq!(std::fs::read(env.root().join("one").join(name)).unwrap(), b"one\n2\nthree\n", "{name:?}");
    }
}

#[test]
fn numeric_option_is_a_limit() {
    let env = history();
    let lines = |line: &str| env.undo(line).ok().text().lines().count();
    for (line, count) in [("log --oneline -1", 1), ("log -2 --oneline @", 2), ("log --oneline -2 -1", 1)] {
        assert_eq!(lines(line), count, "{line}");
    }
    assert_eq!(env.undo("log --oneline -n 3 -1").ok().text().lines().count(), 3);
    env.undo("log -x").fails(2);
}

/// Runs `undo log` at a terminal with this pager; returns output and exit status.
fn paged(env: &TestEnv, pager: &str) -> Option<(String, i32)> {
    let line = format!("PAGER='{pager}' undo log --oneline -1");
    let output = env.shell(&format!("command -v script > /dev/null || exit 99; script -qec \"{line}\" /dev/null"));
    (output.code != 99).then(|| (String::from_utf8_lossy(&output.stdout).replace('\r', ""), output.code))
}

#[test]
fn log_is_shown_when_pager_fails_to_start() {
    let env = history();
    let Some((plain, 0)) = paged(&env, "cat") else {
        skip("`script`, which creates a terminal, is not installed");
        return;
    };
    assert!(plain.contains("+0 ~0 -2"), "{plain}");
    assert_eq!(paged(&env, "cat -").unwrap(), (plain.clone(), 0));
    for pager in ["/nonexistent", "no-such-pager -R"] {
        let (text, code) = paged(&env, pager).unwrap();
        assert_eq!(code, 0, "{text}");
        assert!(text.starts_with(&format!("warning: cannot run `{}`", pager.split(' ').next().unwrap())), "{text}");
        assert!(text.contains("hint: ") && text.ends_with(&plain), "{text}");
    }
    // The shell detects the failure only after the log has started.
    let (text, code) = paged(&env, "no-such-pager 2>&1 | tee /dev/null; exit 127").unwrap();
    assert_eq!(code, 74, "{text}");
    assert!(text.contains("error: the pager") && text.contains("hint: "), "{text}");
}

#[test]
fn pager_variables_and_option_have_precedence() {
    let env = history();
    let at_terminal = |line: &str| {
        let output = env.shell(&format!("command -v script > /dev/null || exit 99; script -qec \"{line}\" /dev/null"));
        (output.code != 99).then(|| output.text().contains("PAGED"))
    };
    let Some(is_paged) = at_terminal("PAGER='sed s/^/PAGED/' undo log") else {
        return skip("`script`, which creates a terminal, is not installed");
    };
    assert!(is_paged);
    for (line, is_paged) in [
        ("UNDO_PAGER='sed s/^/PAGED/' PAGER=cat undo log", true),
        ("UNDO_PAGER= PAGER='sed s/^/PAGED/' undo log", false),
        ("UNDO_PAGER=cat PAGER='sed s/^/PAGED/' undo log", false),
        ("PAGER='sed s/^/PAGED/' undo log --no-pager", false),
        ("PAGER='sed s/^/PAGED/' undo --no-pager log", false),
    ] {
        assert_eq!(at_terminal(line), Some(is_paged), "{line}");
    }
}

/// The interrupt goes to both processes, as from a terminal.
#[test]
fn interrupt_ends_undo_after_its_pager() {
    if is_ignored_here(Signal::INT) {
        return;
    }
    let env = history();
    // The pager ignores the interrupt like `less`, and ends when the user quits it.
    let pager = "trap : INT; cat >shown; while ! [ -e quit ]; do sleep 0.01; done; echo quit >>order";
    let script = format!(
        "command -v script >/dev/null || exit 99
         cat >pager <<'END'\n{pager}\nEND
         cat >session <<'END'
         set -m
         PAGER='sh ./pager' undo log &
         until [ -s shown ]; do sleep 0.01; done
         kill -INT -- -$!
         sleep 0.3
         kill -0 $! && echo alive >>order
         touch quit
         wait $!
         echo \"ended $?\" >>order
END
         script -qec 'bash ./session' /dev/null; cat order"
    );
    let output = env.shell(&script);
    if output.code == 99 {
        return skip("`script`, which creates a terminal, is not installed");
    }
    let order: Vec<String> = output.text().lines().map(str::to_owned).collect();
    assert!(order.ends_with(&["alive", "quit", "ended 130"].map(str::to_owned)), "{output}");
}

#[test]
fn option_values_may_begin_with_a_hyphen() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m '- text'").ok();
    assert!(env.undo("log --oneline --grep '- t'").ok().text().contains("- text"));
    env.undo("log --grep -x --since -1d").ok();
    env.undo("run -m -5 -- true").ok();
}

#[test]
fn repeated_directories_are_relative_to_each_other() {
    let env = history();
    env.write("a/b/file", "1");
    for line in ["-C a -C b commit -m x file -n", "-C a commit -m x file -C b -n", "commit -m x file -C a -C b -n"] {
        assert!(env.undo(line).ok().text().contains(" added"), "{line}");
    }
    env.undo("-C b -C a status").fails(2);
}
