//! Ignore rules: their files are recorded, and their effect is reported.

mod against_git;

use std::os::unix::fs::{PermissionsExt, symlink};

use snapbox::str;

use crate::env::TestEnv;
use crate::run::run_object;

#[test]
fn undoignore_is_recorded_even_if_ignored() {
    let env = TestEnv::initialised();
    env.write("data", "data");
    env.write("sub/data", "data");
    env.undo("commit -m base").ok();
    env.write(".undoignore", "*\n");
    env.undo("checkout @").ok();
    assert!(!env.path().join(".undoignore").exists());
    assert_eq!(env.undo("status --json").ok().json().len(), 1, "more than the summary");
    env.undo("undo").ok();
    assert_eq!(env.read(".undoignore"), b"*\n");
    // An ignored directory is not entered.
    env.write("sub/.undoignore", "!data\n");
    env.write("more/.undoignore", ".undoignore\n");
    env.write(".undoignore", "*\n!more\n");
    env.undo("commit -m rules").ok();
    assert_eq!(env.undo("ls -R").ok().stdout, b".undoignore\nmore/\nmore/.undoignore\n");
    assert_eq!(env.undo("check-ignore .undoignore more/.undoignore").code, 1);
    env.undo("check-ignore data sub/.undoignore").ok();
}

/// Records a folder of 60 files and a file beside it.
fn recorded() -> TestEnv {
    let env = TestEnv::initialised();
    for n in 0..60 {
        env.write(&format!("logs/{n}"), n.to_string());
    }
    env.write("a.log", "a");
    env.write("a", "a");
    env.undo("commit -m base").ok();
    env
}

#[test]
fn newly_ignored_paths_are_not_deletions() {
    let env = recorded();
    env.write(".undoignore", "/logs/\n*.log\n");
    env.undo("status").shows(str![[r#"
on main at [ID], 60 seconds ago  base
  added     .undoignore
  ignored   a.log
  ignored   logs/  (60 entries)
63 changes: 1 added, 62 no longer recorded (now ignored)

"#]]);
    env.undo("diff --stat").shows(str![[r#"
 .undoignore  2  ++
 a.log        ignored
 logs         ignored
63 changes: 1 added, 62 no longer recorded (now ignored); lines: +2 -0

"#]]);
    env.undo("diff a.log logs").shows(str![[r#"
# a.log: no longer recorded (now ignored)
# logs: no longer recorded (now ignored)

"#]]);
    env.undo("diff --name-status a.log").shows(str![[r#"
I	a.log

"#]]);
    let json = env.undo("status --json a.log").ok().json();
    assert_eq!(
        (&json[0]["status"], &json[1]["ignored"], &json[1]["deleted"]),
        (&"ignored".into(), &1.into(), &0.into())
    );
    env.undo("commit -n").shows(str![[r#"
would record 63 changes: 1 added, 62 no longer recorded (now ignored)  ([..] read)

"#]]);
    env.undo("commit -m rules --strict").shows(str![[r#"
main [ID]  1 added, 0 modified, 0 deleted, 62 no longer recorded (now ignored)  ([..] read, [..] stored)
---- stderr ----
hint: to restore this state: undo checkout [ID]

"#]]);
    let commit = env.undo("show --json @").ok().json();
    assert_eq!((&commit[0]["suspicious"], &commit[0]["deleted"]), (&false.into(), &0.into()));
    assert_eq!(commit[0]["files"], 2, "the totals match the tree");
    assert_eq!(env.undo("cat @:a.log").code, 2);
    env.undo("status --json").ok();
    env.undo("checkout @~").ok();
    assert_eq!(env.read("logs/7"), b"7");
}

#[test]
fn missing_ignored_paths_are_deletions() {
    let env = recorded();
    std::fs::remove_dir_all(env.path().join("logs")).unwrap();
    env.write(".undoignore", "/logs/\n*.log\n");
    let report = env.undo("status --json").ok().json();
    let summary = report.iter().find(|record| record["type"] == "summary").unwrap();
    assert_eq!((&summary["deleted"], &summary["ignored"]), (&61.into(), &1.into()));
    assert!(report.iter().any(|record| record["type"] == "alarm"));
    assert_eq!(env.undo("commit --strict").code, 6);
}

#[test]
fn guard_does_not_count_newly_ignored_paths() {
    let env = recorded();
    let output = env.undo("run --json --guard 'deleted<5' -- sh -c 'echo /logs/ > .undoignore; rm a'").ok();
    let record = run_object(&output);
    assert_eq!((&record["ignored"], &record["deleted"], &record["changed"]), (&61.into(), &1.into(), &2.into()));
    assert_eq!(record["lost"][0]["path"], "a");
    env.undo("undo").ok();
    env.undo("run --guard 'deleted<5' -- rm -r logs").fails(6);
}

#[test]
fn restore_of_ignored_unrecorded_path_is_explained() {
    let env = recorded();
    env.write(".undoignore", "*.log\n/cache/\n");
    env.write("b.log", "b");
    env.write("cache/x", "x");
    env.undo("restore b.log").shows(str![[r#"
---- stderr ----
error: `b.log` is not in commit [ID], and here it is ignored
hint: to list the commit: undo ls -R [ID]
[exit 2]

"#]]);
    env.undo("restore cache/x").shows(str![[r#"
---- stderr ----
error: `cache/x` is not in commit [ID], and here `cache` is ignored
hint: to list the commit: undo ls -R [ID]
[exit 2]

"#]]);
}

#[test]
fn unusable_undoignore_files_are_reported() {
    let env = TestEnv::initialised();
    env.write("rules", "*.tmp\n");
    for folder in ["link", "fifo", "folder/.undoignore", "large", "good"] {
        env.write(&format!("{folder}/a.tmp"), "a");
    }
    symlink("../rules", env.path().join("link/.undoignore")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(env.path().join("fifo/.undoignore")).status().unwrap().success());
    env.write("large/.undoignore", [b"*.tmp\n".repeat(1 << 19), b"*.tmp\n".repeat(1 << 18)].concat());
    env.write("good/.undoignore", "*.tmp\n");
    env.undo("commit -m one").shows(str![[r#"
main [ID]  15 added, 0 modified, 0 deleted  ([..])
---- stderr ----
warning: the ignore rules of these files are not applied
  fifo/.undoignore  not a file: fifo
  folder/.undoignore  not a file: directory
  large/.undoignore  larger than 4 MiB
  link/.undoignore  a symbolic link, which is not followed
hint: to restore this state: undo checkout [ID]

"#]]);
    env.undo("ls -R @").shows(str![[r#"
fifo/
fifo/.undoignore
fifo/a.tmp
folder/
folder/.undoignore/
folder/.undoignore/a.tmp
good/
good/.undoignore
large/
large/.undoignore
large/a.tmp
link/
link/.undoignore
link/a.tmp
rules

"#]]);
    let status = env.undo("status --json").ok();
    let warning: serde_json::Value = serde_json::from_slice(&status.stderr).unwrap();
    assert_eq!((&warning["type"], warning["paths"].as_array().unwrap().len()), (&"warning".into(), 4));
    assert_eq!(warning["paths"][3]["reason"], "a symbolic link, which is not followed");
    env.undo("check-ignore link/a.tmp").shows(str![[r#"
---- stderr ----
warning: the ignore rules of this file are not applied
  link/.undoignore  a symbolic link, which is not followed
[exit 1]

"#]]);
}

#[test]
fn folder_with_unreadable_rules_is_recorded() {
    let env = TestEnv::new();
    env.write("d/.undoignore", "*.tmp\n");
    env.write("d/a", "a");
    env.undo_as_user("init -q").ok();
    std::fs::set_permissions(env.path().join("d/.undoignore"), std::fs::Permissions::from_mode(0o000)).unwrap();
    env.undo_as_user("commit -m one").shows(str![[r#"
main [ID]  2 added, 0 modified, 0 deleted  ([..])
---- stderr ----
warning: the ignore rules of this file are not applied
  d/.undoignore  cannot be read: permission denied
warning: not covered because it cannot be read
  d/.undoignore  cannot be read
hint: to restore this state: undo checkout [ID]
[exit 3]

"#]]);
    env.undo_as_user("ls -R @").shows(str![[r#"
d/
d/a

"#]]);
}
