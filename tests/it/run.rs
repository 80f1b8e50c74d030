//! `undo run`: reports and records the changes of a command, and reverts them.

mod alone;
mod nested;
pub mod signals;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use serde_json::Value;
use snapbox::str;

use crate::env::{Output, TestEnv};
use crate::tree::{Tree, assert_same};

/// Creates a repository with a commit and unsaved changes.
fn create_repository() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("notes.txt", "one\n");
    env.write("data/table.bin", [7; 3000]);
    env.write("data/old.csv", "a,b\n");
    env.undo("commit -m first").ok();
    env.write("unsaved.txt", "not recorded\n");
    env
}

/// Returns the final `run` object.
#[track_caller]
pub fn run_object(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = text.lines().last().unwrap_or_else(|| panic!("no output"));
    let value: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(value["type"], "run", "{text}");
    value
}

/// Lists the verbs of all actions, newest first.
fn verbs(env: &TestEnv) -> Vec<String> {
    let lines = env.undo("op log --json").ok().json();
    lines.iter().filter_map(|line| line["verb"].as_str().map(str::to_owned)).collect()
}

#[test]
fn run_reports_alarms() {
    let env = create_repository();
    (0..60).for_each(|n| env.write(&format!("photos/{n:02}.txt"), format!("{n}\n")));
    env.undo("commit -m photos").ok();
    let output = env.undo("run -- rm -r photos").ok();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("warning: 60 of 64 files were deleted"), "{text}");
    env.undo("undo").ok();
    let output = env.undo("--json run -- sh -c 'rm -r photos; echo of the child'").ok();
    assert_eq!(output.text(), "of the child\n");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(r#"{"type":"alarm","kind":"deleted","count":60"#), "{text}");
    run_object(&output);
    assert!(env.undo("log -n 1").text().contains("suspicious"));
}

#[test]
fn a_run_without_changes_says_that_unsaved_ones_are_recorded() {
    let env = create_repository();
    let ran = env.undo("run -- true").ok();
    let text = String::from_utf8_lossy(&ran.stderr);
    let id = env.undo("rev-parse --short @").ok().text();
    assert!(text.contains(&format!("nothing changed; the unsaved changes before it are recorded in {id}")), "{ran}");
    let again = env.undo("run -- true").ok().to_string();
    assert!(again.contains("nothing changed, nothing recorded"), "{again}");
}

#[test]
fn run_reports_notes() {
    let env = create_repository();
    (0..40).for_each(|n| env.write(&format!("notes/{n:02}.txt"), format!("{n}: a note\n").repeat(20)));
    env.undo("commit -m notes").ok();
    let output = env.undo("run -- gzip -r notes").ok();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("note: 40 files were compressed"), "{text}");
    env.undo("undo").ok();
    let output = env.undo("--json run -- gzip -r notes").ok();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("{\"type\":\"note\",\"kind\":\"compressed\",\"count\":40}\n"), "{text}");
    run_object(&output);
}

#[test]
fn unsaved_changes_before_run_are_recorded_once() {
    let env = create_repository();
    env.undo("run -- rm notes.txt").ok();
    let commits = || env.undo("log --json").ok().json().len();
    let mut recorded = commits();
    for line in ["undo", "redo", "undo", "redo", "undo", "checkout @", "undo", "run -- rm notes.txt -f", "undo", "redo"]
    {
        env.undo(line).ok();
        recorded += usize::from(line.starts_with("run"));
        assert_eq!(commits(), recorded, "{line}\n{}", env.undo("log --oneline"));
        assert!(env.path().join("unsaved.txt").exists() || line == "checkout @", "{line}");
    }
}

#[test]
fn run_reports_and_records_changes() {
    let env = create_repository();
    env.undo("run -- sh -c 'rm -r data; : > notes.txt; mkdir new; mv unsaved.txt new/saved.txt'").ok().shows(str![[
        r#"
---- stderr ----
sh -c 'rm -r data; : > notes.txt; mkdir new; mv unsaved.txt new/saved.txt': exit 0 after [DURATION]
[ID]  2 added, 1 modified, 4 deleted (1 renamed)  (2.95 KiB → 13 B)
  deleted  data/ and 2 paths in it  (2.93 KiB)
  emptied  notes.txt
hint: to undo: undo undo

"#
    ]]);
    env.undo("run -m 'second try' -- sh -c 'rm notes.txt; ln -s new notes.txt; exit 3'").fails(3).shows(str![[r#"
---- stderr ----
sh -c 'rm notes.txt; ln -s new notes.txt; exit 3': exit 3 after [DURATION]
[ID]  0 added, 1 modified, 0 deleted  (13 B → 13 B)
  type     notes.txt  file → symlink
hint: to undo: undo undo
[exit 3]

"#]]);
    env.undo("log").shows(str![[r#"
@ [ID] (main)  2026-01-05 08:03:00 (60 seconds ago)  [USER]
│   second try
│   $ sh -c 'rm notes.txt; ln -s new notes.txt; exit 3': exit 3 after [DURATION]
│   +0 ~1 -0, [..] stored
│
* [ID]  2026-01-05 08:02:00 (2 minutes ago)  [USER]
│   sh -c 'rm -r data; : > notes.txt; mkdir new; mv unsaved.txt new/saved.txt'
│   exit 0 after [DURATION]
│   +2 ~1 -4, [..] stored
│
* [ID]  2026-01-05 08:02:00 (2 minutes ago)  [USER]
│   before run sh -c 'rm -r data; : > notes.txt; mkdir new; mv unsaved.txt new/saved.txt'
│   +1 ~0 -0, [..] stored (automatic)
│
* [ID]  2026-01-05 08:01:00 (3 minutes ago)  [USER]
    first
    +4 ~0 -0, [..] stored


"#]]);
    env.undo("show --name-only").shows(str![[r#"
commit [ID] (main)
parent [ID]
author [USER] on [HOST]
time   2026-01-05 08:03:00 (2 minutes ago)
holds  1 file, 13 B
change +0 ~1 -0, [..] stored
run    sh -c 'rm notes.txt; ln -s new notes.txt; exit 3': exit 3 after [DURATION]

    second try

notes.txt

"#]]);
    let commit = &env.undo("log -n 1 --json").ok().json()[0]["run"];
    assert_eq!(commit["command"], serde_json::json!(["sh", "-c", "rm notes.txt; ln -s new notes.txt; exit 3"]));
    assert_eq!(commit["exit"], 3);
    env.undo("op log").shows(str![[r#"
@ [ID]  2026-01-05 08:03:00 (4 minutes ago)  run: sh -c 'rm notes.txt; ln -s new notes.txt; exit 3' ended with 3, main [ID]: 1 modified
  [ID]  2026-01-05 08:02:00 (5 minutes ago)  run: sh -c 'rm -r data; : > notes.txt; mkdir new; mv unsaved.txt new/saved.txt' ended with 0, main [ID]: 2 added, 1 modified, 4 deleted
  [ID]  2026-01-05 08:01:00 (6 minutes ago)  commit: main [ID]: 4 added

"#]]);
}

#[test]
fn run_json_is_complete() {
    let env = create_repository();
    let output = env.undo("run --json --guard 'deleted<2' -- sh -c 'echo out; rm -r data; exit 4'").fails(6);
    assert_eq!(output.text(), "out\n");
    let run = run_object(&output);
    assert_eq!(run["command"], serde_json::json!(["sh", "-c", "echo out; rm -r data; exit 4"]));
    for (key, value) in [("exit", 4), ("changed", 3), ("added", 0), ("modified", 0), ("deleted", 3)] {
        assert_eq!(run[key], value, "{key}");
    }
    assert_eq!((&run["bytes_before"], &run["bytes_after"]), (&3021.into(), &17.into()));
    assert_eq!(run["lost"], serde_json::json!([{"path": "data", "whole": true, "paths": 2, "bytes": 3004}]));
    assert_eq!(run["guards"], serde_json::json!(["deleted<2"]));
    assert_eq!(run["rolled_back"], true);
    let commits = env.undo("log --json").ok().json();
    let ids: Vec<_> = commits.iter().filter_map(|commit| commit.get("id")).collect();
    assert!(ids.contains(&&run["before"]) && ids.contains(&&run["after"]) && run["before"] != run["after"]);
    let run = run_object(&env.undo("run --json -- true").ok());
    assert_eq!((&run["changed"], run["before"] == run["after"]), (&0.into(), true));
}

#[test]
fn run_without_changes_records_nothing() {
    let env = create_repository();
    env.undo("commit -q").ok();
    let before = env.undo("op log").ok().text().lines().count();
    env.undo("run -- true").shows(str![[r#"
---- stderr ----
true: exit 0 after [DURATION]; nothing changed, nothing recorded

"#]]);
    env.undo("run --rollback -- sh -c 'exit 5'").fails(5);
    env.undo("run -- sh -c 'echo x > y; rm y; exit 9'").fails(9);
    assert_eq!(env.undo("op log").ok().text().lines().count(), before);
}

#[test]
fn run_exits_with_status_of_command() {
    let env = create_repository();
    for code in [0, 1, 2, 77, 126, 127, 255] {
        env.undo(&format!("run -- sh -c 'exit {code}'")).fails(code);
    }
    env.undo("run -- no-such-command").shows(str![[r#"
---- stderr ----
error: cannot run `no-such-command`: no such file or directory
[exit 127]

"#]]);
    env.undo("run -- ./notes.txt").shows(str![[r#"
---- stderr ----
error: cannot run `./notes.txt`: permission denied
hint: check that the file is an executable program: ls -l
[exit 126]

"#]]);
    fs::set_permissions(env.path().join("notes.txt"), fs::Permissions::from_mode(0o755)).unwrap();
    env.undo("run -- ./notes.txt").fails(126);
    env.undo("run").fails(2);
    for guard in ["deleted", "deleted>5", "shrunk<5", "deleted<5K", "grown<x"] {
        env.undo(&format!("run --guard '{guard}' -- touch ran")).fails(2);
    }
    assert!(!env.path().join("ran").exists());
    let outside = TestEnv::new();
    outside.undo("run --json -- touch ran").shows(str![[r#"
---- stderr ----
{"type":"error","code":"no-repository","message":"no repository in `[ROOT]/work` or above it","hint":"create one here with `undo init`","exit":125,"paths":[]}
[exit 125]

"#]]);
    assert!(!outside.path().join("ran").exists());
}

#[test]
fn run_passes_input_and_output_through() {
    let env = create_repository();
    let bytes: Vec<u8> = (0..200_000u32).flat_map(|n| [(n % 251) as u8, b'\n', 0xff]).collect();
    env.write("input", &bytes);
    let mut command = env.command(env!("CARGO_BIN_EXE_undo"));
    command.args(["run", "--", "cat", "-"]).stdin(fs::File::open(env.path().join("input")).unwrap());
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success() && output.stdout == bytes);
    let output = env.undo("run --json -- sh -c 'printf \"a\\000b\" && printf err >&2'").ok();
    assert_eq!(output.stdout, b"a\0b");
    assert!(output.stderr.starts_with(b"err{\"type\":\"run\""), "{output}");
}

#[test]
fn run_can_be_undone_and_redone() {
    let env = create_repository();
    symlink("nowhere", env.path().join("link")).unwrap();
    fs::hard_link(env.path().join("notes.txt"), env.path().join("same")).unwrap();
    let (status, before) = (env.undo("status").ok().text(), Tree::read(&env.path()));
    env.undo("run -- sh -c 'rm -r data link; echo two >> notes.txt; mkdir more; cp notes.txt more'").ok();
    let after = Tree::read(&env.path());
    assert_eq!(verbs(&env), ["run", "commit"], "the run is not one action");
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    // The unsaved changes are unsaved again.
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&env.undo("status").ok().text()), lines(&status));
    env.undo("redo").ok();
    assert_same(&after, &Tree::read(&env.path()));
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
}

#[test]
fn run_rollback_reverts_changes() {
    let env = create_repository();
    let before = Tree::read(&env.path());
    env.undo("run --rollback -- sh -c 'rm notes.txt; echo new > new'").shows(str![[r#"
---- stderr ----
sh -c 'rm notes.txt; echo new > new': exit 0 after [DURATION]
[ID]  1 added, 0 modified, 1 deleted  (2.95 KiB → 2.95 KiB)
  deleted  notes.txt  (4 B)
rolled back: 1 written, 1 deleted; the changes are kept in [ID]
hint: to redo the changes: undo redo

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("redo").ok();
    assert!(env.path().join("new").exists() && !env.path().join("notes.txt").exists());
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    // A changed mtime alone is not recorded, but restored all the same.
    env.undo("run --rollback -- touch notes.txt").ok();
    assert_same(&before, &Tree::read(&env.path()));
}

#[test]
fn on_fail_keeps_or_reverts_changes() {
    let env = create_repository();
    let before = Tree::read(&env.path());
    env.undo("run --on-fail rollback -- sh -c 'rm notes.txt; exit 3'").fails(3);
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("run --on-fail rollback -- sh -c 'echo two >> notes.txt'").ok();
    assert_eq!(env.read("notes.txt"), b"one\ntwo\n");
    env.undo("run --on-fail keep -- sh -c 'echo three >> notes.txt; exit 3'").fails(3);
    assert_eq!(env.read("notes.txt"), b"one\ntwo\nthree\n");
    // Without a terminal, `undo` cannot ask.
    let output = env.undo("run --on-fail ask -- sh -c 'rm notes.txt; exit 3'").fails(3);
    assert!(String::from_utf8_lossy(&output.stderr).contains("to undo: undo undo"), "{output}");
    assert!(!env.path().join("notes.txt").exists());
}

#[test]
fn on_fail_asks_at_a_terminal() {
    for (answers, stays) in [("r\\n", false), ("k\\n", true), ("yes\\n\\nR\\n", false), ("", true)] {
        let env = create_repository();
        let script = format!(
            "printf '{answers}' | script -qec \"undo run -- sh -c 'rm notes.txt; exit 3'\" /dev/null; ls notes.txt"
        );
        let output = env.shell(&script);
        assert!(output.text().contains("keep its changes or roll back? [k/r]"), "{output}");
        assert_eq!(output.code != 0, stays, "{output}");
    }
}

#[test]
fn exceeded_guard_reverts_changes() {
    let env = create_repository();
    env.undo("commit -q").ok();
    let before = Tree::read(&env.path());
    env.undo("run --guard 'deleted<3' --guard 'grown<1K' --guard 'changed<50%' -- sh -c 'rm -r data; head -c 9000 /dev/zero > big'")
        .fails(6)
        .shows(str![[r#"
---- stderr ----
sh -c 'rm -r data; head -c 9000 /dev/zero > big': exit 0 after [DURATION]
[ID]  1 added, 0 modified, 3 deleted  (2.95 KiB → 8.81 KiB)
  deleted  data/ and 2 paths in it  (2.93 KiB)
warning: guard `deleted<3` exceeded: 3 of 5 paths deleted
warning: guard `grown<1K` exceeded: 5.86 KiB more than 2.95 KiB
warning: guard `changed<50%` exceeded: 4 of 5 paths changed
rolled back: 3 written, 1 deleted; the changes are kept in [ID]
hint: to redo the changes: undo redo
[exit 6]

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("run --guard 'deleted<4' --guard 'grown<6K' --guard 'changed<81%' -- sh -c 'rm -r data; head -c 9000 /dev/zero > big'")
        .ok();
    assert!(env.path().join("big").exists());
}

#[test]
fn rollback_keeps_unrecorded_files() {
    let env = create_repository();
    let script = "echo /notes.txt > .undoignore; echo precious > notes.txt";
    let output = env.undo(&format!("run --rollback -- sh -c '{script}'")).fails(125);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&format!("error: after `sh -c '{script}'`: its changes are recorded but not undone: `no")));
    assert!(text.ends_with("hint: to save the files in the way and undo the changes: undo undo --force\n"), "{text}");
    assert_eq!(env.read("notes.txt"), b"precious\n");
    env.undo("undo --force").ok();
    assert_eq!(env.read("notes.txt"), b"one\n");
    assert_eq!(env.undo("cat latest:notes.txt").ok().text(), "precious\n");
}

#[test]
fn rollback_restores_ten_thousand_files() {
    let env = TestEnv::initialised();
    for n in 0..10_000 {
        env.write(&format!("photos/{:02}/{n:05}.jpg", n % 20), format!("picture {n}"));
    }
    env.write("keep", "this");
    let before = Tree::read(&env.path());
    env.undo("run --guard 'deleted<100' -- rm -r photos").fails(6).shows(str![[r#"
---- stderr ----
rm -r photos: exit 0 after [DURATION]
[ID]  0 added, 0 modified, 10,021 deleted  (116 KiB → 4 B)
  deleted  photos/ and 10,020 paths in it  (116 KiB)
warning: 10,000 of 10,001 files were deleted, such as `photos/00/00000.jpg`, `photos/09/07289.jpg`, `photos/19/09699.jpg`
warning: guard `deleted<100` exceeded: 10,021 of 10,022 paths deleted
rolled back: 10,021 written, 0 deleted; the changes are kept in [ID]
hint: to redo the changes: undo redo
[exit 6]

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
}

#[test]
fn run_with_unreadable_files_exits_3() {
    let env = create_repository();
    env.write("secret", "no one reads this");
    fs::set_permissions(env.path().join("secret"), fs::Permissions::from_mode(0o000)).unwrap();
    let output = env.undo_as_user("run -- touch new").fails(3);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text.matches("cannot be read").count(), 2, "not listed once with its reason: {text}");
    env.undo_as_user("run -- sh -c 'exit 7'").fails(7);
}

#[test]
fn rollback_keeps_its_promise_whatever_the_command_forgets() {
    for forget in ["forget -q --keep-last 2", "forget -q @~3", "forget -q @~2"] {
        let env = TestEnv::initialised();
        env.write("a", "1");
        env.undo("commit -m 1").ok();
        env.undo("tag -q first").ok();
        env.write("a", "unsaved");
        let inner = format!(
            "echo broken > a; undo commit -q -m inner; undo tag -d first -q; echo more > a; undo commit -q -m inner2; \
             undo {forget}; undo gc -q --now"
        );
        let output = env.shell(&format!("undo run --rollback -- sh -c '{inner}'")).ok().to_string();
        assert_eq!(output.contains("before a running command"), forget.contains('@'), "{output}");
        assert_eq!(env.read("a"), b"unsaved", "{forget}");
        env.undo("verify").ok();
        env.undo("show first").ok();
        env.undo("log -p").ok();
    }
}

#[test]
fn forget_names_the_running_command() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m 1").ok();
    env.write("a", "unsaved");
    let script = "echo 2 > a; undo commit -q -m 2; undo forget --keep-last 1 -n; undo forget @~";
    let output = env.shell(&format!("undo run -- sh -c '{script}'"));
    assert_eq!(output.code, 4, "{output}");
    assert!(output.text().contains("before a running command"), "{output}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("cannot be forgotten: before a running command"),
        "{output}"
    );
    // The command has ended.
    env.undo("forget @~").ok();
}

#[test]
fn run_warns_of_files_with_purged_content_first() {
    let env = TestEnv::initialised();
    env.write("secret", "hunter2");
    env.write("other", "1");
    env.undo("commit -m 1").ok();
    env.undo("purge secret").ok();
    let output = env.undo("run --rollback -- sh -c 'echo started >&2; rm secret; echo 2 > other'");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let (warned, started) = (text.find("its content was purged"), text.find("started"));
    assert!(warned.is_some() && warned < started, "{text}");
    assert_eq!(env.read("other"), b"1");
}
