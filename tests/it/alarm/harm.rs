//! Accidents and attacks.

use std::fs;

use super::{create_repository, findings, note, png, random, status_text, text};
use crate::env::TestEnv;
use crate::skip::skip;

#[test]
fn mass_deletion_raises_alarm() {
    let env = create_repository(60);
    fs::remove_dir_all(env.path().join("notes")).unwrap();
    env.undo("status").ok().shows(snapbox::str![[r#"
on main at [ID], 60 seconds ago  before
  deleted   notes/  (65 entries)
66 changes: 66 deleted
---- stderr ----
warning: 60 of 120 files were deleted, such as `notes/0/note-0.txt`, `notes/2/note-32.txt`, `notes/4/note-9.txt`
hint: if this was not intended: see the changes with `undo diff --stat`

"#]]);
    env.undo("commit").ok().shows(snapbox::str![[r#"
main [ID]  0 added, 0 modified, 66 deleted  (0 B read, [..] stored)
---- stderr ----
warning: 60 of 120 files were deleted, such as `notes/0/note-0.txt`, `notes/2/note-32.txt`, `notes/4/note-9.txt`
hint: if this was not intended: see the changes with `undo show --stat`, undo them with `undo checkout @~`

"#]]);
    env.undo("log -n 1").ok().shows(snapbox::str![[r#"
@ [ID] (main)  2026-01-05 08:02:00 (60 seconds ago)  [USER]
│   +0 ~0 -66, 443 B stored (suspicious)
│

"#]]);
    env.undo("show --stat --json").ok();
    env.undo("show").ok().shows(snapbox::str![[r#"
commit [ID] (main)
parent [ID]
author [USER] on [HOST]
time   2026-01-05 08:02:00 (3 minutes ago)
holds  60 files, 118 KiB
change +0 ~0 -66, 443 B stored (suspicious)
alarm  deleted: 60 of 120 files

  deleted   notes/  (65 entries)
66 changes: 66 deleted

"#]]);
    let shown = env.undo("show --json").ok().json();
    assert_eq!(shown[0]["suspicious"], true);
    assert_eq!(shown[0]["alarms"], serde_json::json!([{"kind": "deleted", "count": 60, "of": 120}]));
    let log = env.undo("log --json").ok().json();
    assert_eq!((&log[0]["suspicious"], &log[1]["suspicious"]), (&true.into(), &false.into()));
    // The hinted command.
    env.undo("checkout @~").ok();
    assert_eq!(env.read(&note(7)), text(7));
}

#[test]
fn dry_run_raises_same_alarm() {
    let env = create_repository(60);
    fs::remove_dir_all(env.path().join("notes")).unwrap();
    env.undo("commit -n").ok().shows(snapbox::str![[r#"
would record 66 changes: 66 deleted  (0 B read)
---- stderr ----
warning: 60 of 120 files were deleted, such as `notes/0/note-0.txt`, `notes/2/note-32.txt`, `notes/4/note-9.txt`
hint: if this was not intended: see the changes with `undo diff --stat`

"#]]);
    env.undo("commit -n --strict -q").fails(6);
    env.undo("commit -n --strict pictures").ok();
    let types = |output: crate::env::Output| -> Vec<_> { output.json().iter().map(|it| it["type"].clone()).collect() };
    assert_eq!(types(env.undo("commit -n --json").ok()), ["alarm", "summary"]);
}

#[test]
fn empty_worktree_raises_alarm() {
    let env = create_repository(10);
    fs::remove_dir_all(env.path().join("notes")).unwrap();
    fs::remove_dir_all(env.path().join("pictures")).unwrap();
    assert_eq!(findings(&env), ["alarm deleted"]);
}

#[test]
fn strict_exits_6_after_recording() {
    let env = create_repository(60);
    fs::remove_dir_all(env.path().join("pictures")).unwrap();
    env.undo("commit --strict").fails(6).shows(snapbox::str![[r#"
main [ID]  0 added, 0 modified, 61 deleted  (0 B read, [..] stored)
---- stderr ----
warning: 60 of 120 files were deleted, such as `pictures/0.png`, `pictures/35.png`, `pictures/9.png`
hint: if this was not intended: see the changes with `undo show --stat`, undo them with `undo checkout @~`
[exit 6]

"#]]);
    env.undo("commit --strict").ok().shows(snapbox::str![[r#"
no changes since [ID]

"#]]);
    env.undo("diff --exit-code").ok();
    env.write("one", b"more");
    env.undo("commit --strict").ok();
    assert_eq!(env.undo("log --json").ok().json()[0]["suspicious"], false);
}

#[test]
fn alarm_json_is_complete() {
    let env = create_repository(60);
    (0..40).for_each(|n| env.write(&note(n), b""));
    let values = env.undo("commit --json").ok().json();
    let expected = serde_json::json!({
        "type": "alarm", "kind": "truncated", "count": 40, "of": 120, "share": 0.3333, "estimated": false,
        "paths": [{"path": "notes/0/note-0.txt"}, {"path": "notes/2/note-22.txt"}, {"path": "notes/4/note-9.txt"}],
    });
    assert_eq!(values[0], expected);
    assert_eq!((&values[1]["type"], &values[1]["suspicious"]), (&"commit".into(), &true.into()));
    assert_eq!(values.len(), 2);
}

#[test]
fn encryption_in_place_raises_alarm() {
    let env = create_repository(60);
    for n in 0..30 {
        env.write(&note(n), random(1000 + n, 1900));
        env.write(&format!("pictures/{n}.png"), random(2000 + n, 1900));
    }
    assert_eq!(
        status_text(&env),
        [
            "warning: 60 of 120 files now look encrypted, such as `notes/0/note-0.txt`, `notes/4/note-9.txt`, `pictures/9.png`",
            "hint: if this was not intended: see the changes with `undo diff --stat`",
        ]
    );
    assert_eq!(findings(&env), ["alarm encrypted"]);
}

#[test]
fn encryption_by_tool_raises_alarm() {
    let env = create_repository(40);
    let script =
        "for f in notes/*/*; do openssl enc -aes-256-ctr -pass pass:x -in $f -out $f.e 2>/dev/null && mv $f.e $f; done";
    if env.shell("openssl version").code != 0 {
        return skip("openssl is not installed");
    }
    env.shell(script).ok();
    // Such files start with `Salted__`, which is not a known type.
    assert_eq!(findings(&env), ["alarm encrypted"]);
}

#[test]
fn encryption_with_renames_raises_alarm() {
    let env = create_repository(60);
    for n in 0..60 {
        let path = env.path().join(note(n));
        fs::remove_file(&path).unwrap();
        fs::write(path.with_extension(format!("txt.[id-{n:04X}].Locked")), random(n, 1900)).unwrap();
    }
    assert_eq!(
        status_text(&env),
        [
            "warning: 60 of 120 files became `*.Locked` and now look encrypted, such as `notes/0/note-0.txt.[id-0000].Locked`, `notes/2/note-32.txt.[id-0020].Locked`, `notes/4/note-9.txt.[id-0009].Locked`",
            "hint: if this was not intended: see the changes with `undo diff --stat`",
        ]
    );
    assert_eq!(findings(&env), ["alarm renamed-suffix"]);
}

#[test]
fn wrong_file_types_raise_alarm() {
    let env = create_repository(60);
    (0..20).for_each(|n| env.write(&format!("pictures/{n}.png"), text(n)));
    assert_eq!(findings(&env), ["alarm type"]);
    // Already reported; a mismatch that persists is not a change.
    (0..20).for_each(|n| env.write(&format!("pictures/{n}.png"), text(n + 100)));
    assert_eq!(findings(&env), [""; 0]);
}

#[test]
fn zeroed_files_raise_alarm() {
    let env = create_repository(60);
    (0..30).for_each(|n| env.write(&note(n), vec![0; text(n).len()]));
    assert_eq!(findings(&env), ["alarm type"]);
}

#[test]
fn automatic_commits_are_marked_too() {
    let env = create_repository(60);
    fs::remove_dir_all(env.path().join("notes")).unwrap();
    env.undo("checkout @").ok();
    let log = env.undo("log --json").ok().json();
    let saved = log.iter().find(|commit| commit["automatic"] == true).unwrap();
    assert_eq!(saved["suspicious"], true);
}

#[test]
fn many_files_are_judged_by_a_sample() {
    let env = create_repository(0);
    for n in 0..500 {
        env.write(&note(n), text(n));
    }
    env.undo("commit -m many").ok();
    for n in 0..500 {
        env.write(&note(n), if n % 5 == 0 { text(n + 1) } else { random(n, 900) });
    }
    let output = env.undo("status --json").ok();
    assert!(output.text().lines().last().unwrap().contains("summary"), "{output}");
    let values = output.json();
    let alarm = values.iter().find(|value| value["type"] == "alarm").unwrap();
    assert_eq!((&alarm["kind"], &alarm["estimated"], &alarm["of"]), (&"encrypted".into(), &true.into(), &500.into()));
    assert!((300..=500).contains(&alarm["count"].as_u64().unwrap()), "{alarm}");
}

#[test]
fn usual_changes_stop_raising_alarms() {
    let env = TestEnv::initialised();
    let fill = |round: usize| {
        (0..40).for_each(|n| env.write(&format!("spool/{round}-{n}.job"), text(n)));
        env.undo("commit -m full").ok();
        fs::remove_dir_all(env.path().join("spool")).unwrap();
    };
    for round in 0..4 {
        fill(round);
        let expected: &[&str] = if round < 3 { &["alarm deleted"] } else { &[] };
        assert_eq!(findings(&env), expected, "round {round}");
    }
}

#[test]
fn alarm_escapes_control_characters() {
    let env = TestEnv::initialised();
    (0..20).for_each(|n| env.write(&format!("{n}\u{1b}[31m.txt"), text(n)));
    env.undo("commit").ok();
    (0..20).for_each(|n| fs::remove_file(env.path().join(format!("{n}\u{1b}[31m.txt"))).unwrap());
    let output = env.undo("status").ok();
    let report = String::from_utf8(output.stderr).unwrap();
    assert!(report.contains("20 of 20 files were deleted") && !report.contains('\u{1b}'), "{report}");
}

#[test]
fn unreadable_folder_is_not_a_deletion() {
    let env = create_repository(60);
    env.write("pictures/more.png", png(1));
    env.shell("chmod 0 notes").ok();
    let values = env.undo_as_user("status --json").fails(3).json();
    assert!(values.iter().all(|value| value["type"] != "alarm"), "{values:?}");
    env.shell("chmod 755 notes").ok();
}
