//! How new the copies are: `status`, the overview and `target list`.

use std::fs;

use snapbox::str;

use super::copies::with_history;
use crate::cost::trace;
use crate::env::TestEnv;

/// Sets the clock of the next commands to a day of January 2026.
fn on_day(env: &TestEnv, day: u32) {
    env.set("UNDO_TIME", format!("2026-01-{day:02}T12:00:00Z"));
}

/// A repository with a target on a disk, to which nothing was pushed.
fn with_target() -> TestEnv {
    let env = with_history();
    on_day(&env, 6);
    env.undo("target add disk ../disk").ok();
    env
}

/// Adds a target whose copy is like the one on the disk.
fn add_like(env: &TestEnv, name: &str, table: &str) {
    let config = env.path().join(".undo/config.toml");
    let text = fs::read_to_string(&config).unwrap() + &format!("\n[target.{name}]\n{table}\n");
    fs::write(config, text).unwrap();
    let folder = env.path().join(".undo/targets");
    fs::copy(folder.join("disk"), folder.join(name)).unwrap();
}

#[test]
fn status_and_overview_tell_how_new_the_last_copy_is() {
    let env = with_target();
    env.undo("status").ok().shows(str![[r#"
on main at [ID], 27 hours ago  second
no copy elsewhere: the whole history was never pushed to disk
no changes
---- stderr ----
hint: to copy the history there: undo push disk

"#]]);
    env.undo("").ok().shows(str![[r#"
on main at [ID], 27 hours ago  second
no copy elsewhere: the whole history was never pushed to disk
clean

  undo show                           show the last commit
  undo log                            list commits
  undo help                           list all commands
---- stderr ----
hint: to copy the history there: undo push disk

"#]]);
    env.undo("status --short").ok().shows(str![""]);
    env.undo("status --json").ok().shows(str![[r#"
{"type":"summary","clean":true,"added":0,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0,"copies":[{"target":"disk","overdue":false,"drill_overdue":false}]}

"#]]);
    env.undo("push").ok();
    env.undo("status").ok().shows(str![[r#"
on main at [ID], 27 hours ago  second
last copy elsewhere: just now on disk, up to date
no changes

"#]]);
    on_day(&env, 8);
    env.write("new", "new");
    env.undo("commit -m third").ok();
    env.undo("status").ok().shows(str![[r#"
on main at [ID], just now  third
last copy elsewhere: 2 days ago on disk, 1 commit behind
no changes

"#]]);
    env.undo("").ok().shows(str![[r#"
on main at [ID], just now  third
last copy elsewhere: 2 days ago on disk, 1 commit behind
clean

  undo show                           show the last commit
  undo log                            list commits
  undo help                           list all commands

"#]]);
    env.undo("status --json").ok().shows(str![[r#"
{"type":"summary","clean":true,"added":0,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0,"copies":[{"target":"disk","pushed":"[TIME]","behind":1,"overdue":false,"drill_overdue":false}]}

"#]]);
    env.undo("--json").ok().shows(str![[r#"
{"type":"home","repository":true,"branch":"main","id":"[ID]","clean":true,"changes":0,"copies":[{"target":"disk","pushed":"[TIME]","behind":1,"overdue":false,"drill_overdue":false}],"next":["undo show","undo log","undo help"]}

"#]]);
    assert!(!env.undo("status --short").ok().to_string().contains("behind"));
    // Another command, with other lists of changes, tells nothing of copies.
    assert!(!env.undo("diff --json @~ @").ok().to_string().contains("copies"));
}

#[test]
fn a_copy_without_the_newest_commits_is_overdue_after_a_week() {
    let env = with_target();
    env.undo("push").ok();
    env.write("new", "new");
    env.undo("commit -m third").ok();
    on_day(&env, 13);
    assert!(!env.undo("status").ok().to_string().contains("warning"));
    on_day(&env, 14);
    env.undo("status").ok().shows(str![[r#"
on main at [ID], 8 days ago  third
last copy elsewhere: 8 days ago on disk, 1 commit behind
no changes
---- stderr ----
warning: the copy on disk is 1 commit behind; the last complete push was 8 days ago
hint: to copy the history there: undo push disk

"#]]);
    env.undo("").ok().shows(str![[r#"
on main at [ID], 8 days ago  third
last copy elsewhere: 8 days ago on disk, 1 commit behind
clean

  undo show                           show the last commit
  undo log                            list commits
  undo help                           list all commands
---- stderr ----
warning: the copy on disk is 1 commit behind; the last complete push was 8 days ago
hint: to copy the history there: undo push disk

"#]]);
    env.undo("status --json").ok().shows(str![[r#"
{"type":"summary","clean":true,"added":0,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0,"copies":[{"target":"disk","pushed":"[TIME]","behind":1,"overdue":true,"drill_overdue":false}]}
---- stderr ----
{"type":"warning","message":"the copy on disk is 1 commit behind; the last complete push was 8 days ago","paths":[]}

"#]]);
    env.undo("config target.max_age 30d").ok();
    assert!(!env.undo("status").ok().to_string().contains("warning"));
    env.undo("config target.max_age none").ok();
    on_day(&env, 31);
    assert!(!env.undo("status").ok().to_string().contains("warning"));
    env.undo("config --unset target.max_age").ok();
    // A push of some commits does not make the copy complete, unless the target then lacks no other.
    env.write("new", "newer");
    env.undo("commit -m fourth").ok();
    env.undo("push disk @").ok();
    env.undo("status").ok().shows(str![[r#"
on main at [ID], just now  fourth
last copy elsewhere: 3 weeks ago on disk, 2 commits behind
no changes
---- stderr ----
warning: the copy on disk is 2 commits behind; the last complete push was 3 weeks ago
hint: to copy the history there: undo push disk

"#]]);
    env.undo("push disk @~").ok();
    env.undo("status").ok().shows(str![[r#"
on main at [ID], just now  fourth
last copy elsewhere: just now on disk, up to date
no changes

"#]]);
    // However old it is, a copy that lacks nothing needs no push.
    env.set("UNDO_TIME", "2026-12-01T12:00:00Z");
    env.undo("status").ok().shows(str![[r#"
on main at [ID], 10 months ago  fourth
last copy elsewhere: 10 months ago on disk, up to date
no changes

"#]]);
}

#[test]
fn the_newest_of_several_copies_is_shown_and_each_old_one_is_warned_about() {
    let env = with_target();
    env.undo("push").ok();
    add_like(&env, "nas", "url = \"sftp://me@nas/backups\"");
    env.undo("target add spare ../spare").ok();
    env.write("new", "new");
    env.undo("commit -m third").ok();
    on_day(&env, 20);
    env.undo("push disk").ok();
    on_day(&env, 21);
    env.undo("status").ok().shows(str![[r#"
on main at [ID], 2 weeks ago  third
last copy elsewhere: 24 hours ago on disk, up to date; the whole history was never pushed to spare
no changes
---- stderr ----
warning: the copy on nas is 1 commit behind; the last complete push was 2 weeks ago
hint: to copy the history there: undo push nas

"#]]);
    env.undo("target list").ok().shows(str![[r#"
disk         [ROOT]/disk  up to date, pushed 24 hours ago
nas          sftp://me@nas/backups  1 commit behind, pushed 2 weeks ago
spare        [ROOT]/spare  the whole history was never pushed
3-2-1 rule not met: 2 of 3 copies, 1 of 2 media, 0 of 1 elsewhere; nas is behind; spare has no complete copy yet

"#]]);
}

#[test]
fn a_missing_drill_is_warned_about_if_the_settings_ask_for_drills() {
    let env = with_target();
    env.undo("config drill.max_age 10d").ok();
    assert!(!env.undo("status").ok().to_string().contains("warning"));
    env.undo("push").ok();
    env.undo("status").ok().shows(str![[r#"
on main at [ID], 27 hours ago  second
last copy elsewhere: just now on disk, up to date
no changes
---- stderr ----
warning: no drill has shown yet that the copy on disk can be restored
hint: to restore the copy into a temporary directory and compare it: undo drill disk

"#]]);
    env.undo("drill").ok();
    assert!(!env.undo("status").ok().to_string().contains("warning"));
    on_day(&env, 17);
    env.undo("status").ok().shows(str![[r#"
on main at [ID], 12 days ago  second
last copy elsewhere: 11 days ago on disk, up to date
no changes
---- stderr ----
warning: the last drill of disk was 11 days ago
hint: to restore the copy into a temporary directory and compare it: undo drill disk

"#]]);
    env.undo("status --json").ok().shows(str![[r#"
{"type":"summary","clean":true,"added":0,"modified":0,"deleted":0,"renamed":0,"retyped":0,"metadata":0,"ignored":0,"copies":[{"target":"disk","pushed":"[TIME]","behind":0,"overdue":false,"drilled":"[TIME]","drill_overdue":true}]}
---- stderr ----
{"type":"warning","message":"the last drill of disk was 11 days ago","paths":[]}

"#]]);
    env.undo("config drill.max_age none").ok();
    assert!(!env.undo("status").ok().to_string().contains("warning"));
}

#[test]
fn list_tells_whether_the_3_2_1_rule_is_met() {
    let env = with_target();
    env.undo("target list").ok().shows(str![[r#"
disk         [ROOT]/disk  the whole history was never pushed
3-2-1 rule not met: 1 of 3 copies, 1 of 2 media, 0 of 1 elsewhere; disk has no complete copy yet

"#]]);
    env.undo("target list --json").ok().shows(str![[r#"
{"type":"target","name":"disk","url":"[ROOT]/disk","overdue":false,"drill_overdue":false}
{"type":"summary","count":1,"copies":1,"media":1,"elsewhere":0,"sufficient":false,"uncounted":[{"target":"disk","reason":"has no complete copy yet"}]}

"#]]);
    env.undo("push").ok();
    // The disk is a folder of the same file system.
    env.undo("target list").ok().shows(str![[r#"
disk         [ROOT]/disk  up to date, pushed just now
3-2-1 rule not met: 2 of 3 copies, 1 of 2 media, 0 of 1 elsewhere

"#]]);
    add_like(&env, "nas", "url = \"sftp://me@nas/backups\"");
    env.undo("target list").ok().shows(str![[r#"
disk         [ROOT]/disk  up to date, pushed just now
nas          sftp://me@nas/backups  up to date, pushed just now
3-2-1 rule met: 3 copies, 2 media, 1 elsewhere

"#]]);
    env.undo("target list --json").ok().shows(str![[r#"
{"type":"target","name":"disk","url":"[ROOT]/disk","pushed":"[TIME]","behind":0,"overdue":false,"drill_overdue":false}
{"type":"target","name":"nas","url":"sftp://me@nas/backups","pushed":"[TIME]","behind":0,"overdue":false,"drill_overdue":false}
{"type":"summary","count":2,"copies":3,"media":2,"elsewhere":1,"sufficient":true,"uncounted":[]}

"#]]);
    add_like(&env, "near", "url = \"s3://bucket\"\nendpoint = \"http://localhost:8333\"");
    add_like(&env, "same", "url = \"sftp://me@nas/backups\"");
    env.undo("target list").ok().shows(str![[r#"
disk         [ROOT]/disk  up to date, pushed just now
nas          sftp://me@nas/backups  up to date, pushed just now
near         s3://bucket  up to date, pushed just now
same         sftp://me@nas/backups  up to date, pushed just now
3-2-1 rule met: 4 copies, 2 media, 1 elsewhere

"#]]);
    // A disk that is not mounted.
    fs::rename(env.root().join("disk"), env.root().join("gone")).unwrap();
    env.undo("target list").ok().shows(str![[r#"
disk         [ROOT]/disk  up to date, pushed just now
nas          sftp://me@nas/backups  up to date, pushed just now
near         s3://bucket  up to date, pushed just now
same         sftp://me@nas/backups  up to date, pushed just now
3-2-1 rule met: 3 copies, 2 media, 1 elsewhere

"#]]);
    fs::create_dir(env.root().join("disk")).unwrap();
    env.undo("target list").ok().shows(str![[r#"
disk         [ROOT]/disk  up to date, pushed just now
nas          sftp://me@nas/backups  up to date, pushed just now
near         s3://bucket  up to date, pushed just now
same         sftp://me@nas/backups  up to date, pushed just now
3-2-1 rule met: 3 copies, 2 media, 1 elsewhere

"#]]);
    env.write("new", "new");
    env.undo("commit -m third").ok();
    env.undo("target list").ok().shows(str![[r#"
disk         [ROOT]/disk  1 commit behind, pushed just now
nas          sftp://me@nas/backups  1 commit behind, pushed just now
near         s3://bucket  1 commit behind, pushed just now
same         sftp://me@nas/backups  1 commit behind, pushed just now
3-2-1 rule not met: 1 of 3 copies, 1 of 2 media, 0 of 1 elsewhere; disk is behind; nas is behind; near is behind; same is behind

"#]]);
    assert_eq!(env.undo("target list -z").ok().text(), "disk\0nas\0near\0same\0");
}

#[test]
fn without_targets_nothing_is_read_of_targets() {
    let env = with_history();
    env.undo("target list").ok().shows(str![[r#"
3-2-1 rule not met: 1 of 3 copies, 1 of 2 media, 0 of 1 elsewhere

"#]]);
    let calls = "openat,openat2,newfstatat,statx,faccessat2,connect,socket";
    let Some(status) = trace(&env, calls, &["status"]) else { return };
    assert!(status.iter().all(|call| !call.line.contains("targets")), "{status:?}");
    env.undo("target add disk ../disk").ok();
    env.undo("push").ok();
    // One file is opened and read for a target, which is not asked.
    let Some(status) = trace(&env, calls, &["status"]) else { return };
    let opened: Vec<_> =
        status.iter().filter(|call| call.line.contains("targets") || call.line.contains("/disk")).collect();
    assert!(opened.iter().all(|call| call.line.contains("/targets/disk")) && opened.len() == 2, "{opened:?}");
    assert!(status.iter().all(|call| call.name != "connect" && call.name != "socket"), "{status:?}");
}
