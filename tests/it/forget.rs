//! `forget` and `recall`: commits leave the history and return.

use snapbox::str;

use crate::env::{Output, TestEnv};

mod space;
mod swept;
mod thinning;

/// A repository with these commits on `main`, a minute apart.
fn commits(messages: &[&str]) -> TestEnv {
    let env = TestEnv::initialised();
    for message in messages {
        env.write("file", message);
        env.undo(&format!("commit -m {message}")).ok();
    }
    env
}

/// Messages in `log`, newest first, each with the number of forgotten commits behind it.
fn log(env: &TestEnv, arguments: &str) -> Vec<String> {
    let output = env.undo(&format!("log --json {arguments}")).ok();
    let commits = output.json().into_iter().filter(|value| value["type"] == "commit");
    let described = commits.map(|value| match value["forgotten"].as_u64().unwrap() {
        0 => value["message"].as_str().unwrap().to_owned(),
        count => format!("{} -{count}", value["message"].as_str().unwrap()),
    });
    described.collect()
}

/// Id of the commit with this message, forgotten or not.
fn id(env: &TestEnv, message: &str) -> String {
    let of = |output: Output, field: &str| {
        output
            .json()
            .into_iter()
            .find(|value| value[field] == message)
            .map(|value| value["id"].as_str().unwrap().to_owned())
    };
    let kept = of(env.undo("log --json").ok(), "message");
    kept.or_else(|| of(env.undo("recall --json").ok(), "message")).unwrap_or_else(|| panic!("no commit {message}"))
}

#[test]
fn named_commits_leave_the_history_and_undo_takes_it_back() {
    let env = commits(&["one", "two", "three", "four"]);
    env.undo("forget @~ @~2").shows(str![[r#"
2 commits forgotten
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(log(&env, ""), ["four -2", "one"]);
    env.undo("log").shows(str![[r#"
@ [ID] (main)  2026-01-05 08:04:00 (3 minutes ago)  [USER]
│   four
│   +0 ~1 -0, [..] stored
│
│ ⋮ 2 commits forgotten
│
* [ID]  2026-01-05 08:01:00 (6 minutes ago)  [USER]
    one
    +1 ~0 -0, [..] stored


"#]]);
    env.undo("log --oneline").shows(str![[r#"
@ [ID] (main) four  +0 ~1 -0, [..] stored
│ ⋮ 2 commits forgotten
* [ID] one  +1 ~0 -0, [..] stored

"#]]);
    env.undo("show --json @ -q").ok();
    env.undo("undo").shows(str![[r#"
undid [ID]  forget: 2 commits
main [ID]  the directory is unchanged
---- stderr ----
hint: to redo: undo redo

"#]]);
    assert_eq!(log(&env, ""), ["four", "three", "two", "one"]);
    env.undo("redo").shows(str![[r#"
redid [ID]  forget: 2 commits
main [ID]  the directory is unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(log(&env, ""), ["four -2", "one"]);
    env.undo("op log -n 4").shows(str![[r#"
  [ID]  2026-01-05 08:12:00 (2 minutes ago)  redo: forget redone, main at [ID]
  [ID]  2026-01-05 08:10:00 (4 minutes ago)  undo: forget undone, main at [ID]
@ [ID]  2026-01-05 08:05:00 (9 minutes ago)  forget: 2 commits
  [ID]  2026-01-05 08:04:00 (10 minutes ago)  commit: main [ID]: 1 modified

"#]]);
    env.undo("op show").shows(str![[r#"
operation [ID]
  redo: forget redone, main at [ID]
  2026-01-05 08:12:00 (3 minutes ago)  [USER]@[HOST]  [DURATION]
  $ undo redo
  forgotten  2 commits

"#]]);
    env.undo("verify").ok();
}

#[test]
fn the_log_marks_the_gap_in_ascii_without_utf_8() {
    let env = commits(&["one", "two", "three"]);
    env.undo("forget @~").ok();
    env.set("LANG", "C");
    env.undo("log").shows(str![[r#"
@ [ID] (main)  2026-01-05 08:03:00 (2 minutes ago)  [USER]
|   three
|   +0 ~1 -0, [..] stored
|
| ... 1 commit forgotten
|
* [ID]  2026-01-05 08:01:00 (4 minutes ago)  [USER]
    one
    +1 ~0 -0, [..] stored


"#]]);
}

#[test]
fn commits_are_compared_with_the_nearest_kept_parent() {
    let env = TestEnv::initialised();
    for name in ["a", "b", "c"] {
        env.write(name, name);
        env.undo(&format!("commit -m {name}")).ok();
    }
    env.undo("forget @~").ok();
    env.undo("show").shows(str![[r#"
commit [ID] (main)
parent [ID]
gap    1 commit forgotten
author [USER] on [HOST]
time   2026-01-05 08:03:00 (2 minutes ago)
holds  3 files, 3 B
change +1 ~0 -0, [..] stored

    c

  added     b
  added     c
2 changes: 2 added

"#]]);
    env.undo("diff @~ @").shows(str![[r#"
diff --git a/b b/b
new file mode 100644
index 0000000..63d8dbd
--- /dev/null
+++ b/b
@@ -0,0 +1,1 @@
+b
/ No newline at end of file
diff --git a/c b/c
new file mode 100644
index 0000000..3410062
--- /dev/null
+++ b/c
@@ -0,0 +1,1 @@
+c
/ No newline at end of file

"#]]);
    env.undo("checkout @~").ok();
    assert!(!env.path().join("b").exists());
}

#[test]
fn recall_lists_and_returns_commits() {
    TestEnv::initialised().undo("forget main").shows(str![[r#"
---- stderr ----
error: branch `main` has no commits yet
hint: create one with `undo commit`
[exit 2]

"#]]);
    let env = commits(&["one", "two", "three", "four"]);
    env.undo("recall").shows(str![[r#"
---- stderr ----
no forgotten commits

"#]]);
    env.undo("forget @~3..@~").ok();
    env.undo("recall").shows(str![[r#"
[ID]  2026-01-05 08:03:00 (4 minutes ago)  forgotten 60 seconds ago  three
[ID]  2026-01-05 08:02:00 (5 minutes ago)  forgotten 60 seconds ago  two

"#]]);
    let two = id(&env, "two");
    env.undo(&format!("recall {two}")).shows(str![[r#"
1 commit recalled: [ID]

"#]]);
    assert_eq!(log(&env, ""), ["four -1", "two", "one"]);
    env.undo(&format!("recall {two}")).shows(str![[r#"
nothing to recall

"#]]);
    env.undo("recall nosuch").shows(str![[r#"
---- stderr ----
error: revision `nosuch` does not exist
hint: to list forgotten commits: undo recall
[exit 2]

"#]]);
    env.undo("undo").ok();
    assert_eq!(log(&env, ""), ["four -2", "one"]);
    env.undo("undo").ok();
    assert_eq!(log(&env, ""), ["four", "three", "two", "one"]);
    env.undo("redo 2").ok();
    assert_eq!(log(&env, ""), ["four -1", "two", "one"]);
}

#[test]
fn a_policy_shows_what_stays_and_why() {
    let env = TestEnv::initialised();
    for (time, message) in [
        ("2025-11-03T10:00:00Z", "november"),
        ("2025-12-24T10:00:00Z", "eve"),
        ("2025-12-24T18:00:00Z", "evening"),
        ("2026-01-04T10:00:00Z", "sunday"),
        ("2026-01-05T10:00:00Z", "monday"),
        ("2026-01-05T11:00:00Z", "later"),
    ] {
        env.set("UNDO_TIME", time);
        env.write("file", message);
        env.undo(&format!("commit -m {message}")).ok();
    }
    env.undo("tag first @~5").ok();
    env.undo("forget --keep-last 1 --keep-daily 2 --keep-weekly 2 -n").shows(str![[r#"
keep    [ID]  2026-01-05 11:00:00 (just now)  branch main, last 1, daily 2, weekly 2  later
forget  [ID]  2026-01-05 10:00:00 (60 minutes ago)  monday
keep    [ID]  [TIME] (25 hours ago)  daily 2, weekly 2  sunday
forget  [ID]  [TIME] (11 days ago)  evening
forget  [ID]  [TIME] (12 days ago)  eve
keep    [ID]  [TIME] (2 months ago)  tag first  november
3 commits would be forgotten, 3 kept
frees 0 B now, 578 B with `undo gc` after the grace period

"#]]);
    assert_eq!(log(&env, "").len(), 6);
    env.undo("forget --keep-last 1 --keep-daily 2 --keep-weekly 2 --json -n").shows(str![[r#"
{"type":"judged","id":"[ID]","time":"2026-01-05T11:00:00.000000000Z","message":"later","automatic":false,"kept":true,"reasons":["branch main","last 1","daily 2","weekly 2"]}
{"type":"judged","id":"[ID]","time":"2026-01-05T10:00:00.000000000Z","message":"monday","automatic":false,"kept":false,"reasons":[]}
{"type":"judged","id":"[ID]","time":"[TIME]","message":"sunday","automatic":false,"kept":true,"reasons":["daily 2","weekly 2"]}
{"type":"judged","id":"[ID]","time":"[TIME]","message":"evening","automatic":false,"kept":false,"reasons":[]}
{"type":"judged","id":"[ID]","time":"[TIME]","message":"eve","automatic":false,"kept":false,"reasons":[]}
{"type":"judged","id":"[ID]","time":"[TIME]","message":"november","automatic":false,"kept":true,"reasons":["tag first"]}
{"type":"summary","forgotten":3,"kept":3,"dry_run":true,"bytes":578}

"#]]);
    env.undo("forget --keep-last 1 --keep-daily 2 --keep-weekly 2").shows(str![[r#"
3 commits forgotten, 3 kept
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(log(&env, ""), ["later -1", "sunday -2", "november"]);
    env.undo("forget --keep-within 1y").shows(str![[r#"
nothing to forget, 3 kept

"#]]);
}

#[test]
fn refusals_name_the_reason() {
    let env = commits(&["one", "two", "three"]);
    env.undo("tag v1 @~2").ok();
    env.undo("forget @").shows(str![[r#"
---- stderr ----
error: [ID] cannot be forgotten: branch main
hint: the commit of a branch stays, and so does the current commit
[exit 4]

"#]]);
    env.undo("forget v1").shows(str![[r#"
---- stderr ----
error: [ID] cannot be forgotten: tag v1
hint: to delete the tag: undo tag -d v1
[exit 4]

"#]]);
    env.undo("tag -d v1").ok();
    env.undo("forget --keep-last 0").shows(str![[r#"
---- stderr ----
error: this policy would forget every commit but the current one
hint: keep more, for example: undo forget --keep-daily 7 --keep-monthly 12 -n
[exit 4]

"#]]);
    env.undo("forget --keep-last 1").shows(str![[r#"
---- stderr ----
error: this policy would forget every commit but the current one
hint: keep more, for example: undo forget --keep-daily 7 --keep-monthly 12 -n
[exit 4]

"#]]);
    env.undo("forget --keep-tag 'v*'").shows(str![[r#"
---- stderr ----
error: no tag matches `v*`
hint: to list tags: undo tag
[exit 2]

"#]]);
    env.undo("forget").shows(str![[r#"
---- stderr ----
error: no commits and no rules given
hint: name commits, or what to keep: undo forget --keep-daily 7 --keep-monthly 12 -n
[exit 2]

"#]]);
    env.undo("forget --only-automatic").shows(str![[r#"
---- stderr ----
error: no commits and no rules given
hint: name commits, or what to keep: undo forget --keep-daily 7 --keep-monthly 12 -n
[exit 2]

"#]]);
    env.undo("forget --keep-within 3x").shows(str![[r#"
---- stderr ----
error: invalid value `3x` for `--keep-within <AGE>`: not an age such as `30d`, `6w` or `1y6m`
hint: undo help forget
[exit 2]

"#]]);
    env.undo("forget nothing").shows(str![[r#"
---- stderr ----
error: revision `nothing` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("forget @ --keep-last 3").shows(str![[r#"
---- stderr ----
error: the argument `[REV]...` cannot be used with `--keep-last <N>`
hint: undo help forget
[exit 2]

"#]]);
    assert_eq!(log(&env, "").len(), 3);
}

#[test]
fn tags_that_match_a_pattern_stay() {
    let env = commits(&["one", "two", "three", "four"]);
    env.undo("tag v1 @~3").ok();
    env.undo("forget --keep-tag 'v*' -n").shows(str![[r#"
keep    [ID]  2026-01-05 08:04:00 (2 minutes ago)  branch main  four
forget  [ID]  2026-01-05 08:03:00 (3 minutes ago)  three
forget  [ID]  2026-01-05 08:02:00 (4 minutes ago)  two
keep    [ID]  2026-01-05 08:01:00 (5 minutes ago)  tag v1  one
2 commits would be forgotten, 2 kept
frees 0 B now, 380 B with `undo gc` after the grace period

"#]]);
    env.undo("forget --keep-tag 'v*'").ok();
    assert_eq!(log(&env, ""), ["four -2", "one"]);
}

#[test]
fn only_automatic_commits_go_if_asked() {
    let env = commits(&["one"]);
    for content in ["x", "y", "z"] {
        env.write("file", content);
        env.undo("checkout @").ok();
    }
    env.write("file", "two");
    env.undo("commit -m two").ok();
    assert_eq!(log(&env, "").len(), 5);
    env.undo("forget --only-automatic --keep-last 1").shows(str![[r#"
2 commits forgotten, 3 kept
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(log(&env, "").len(), 3);
    env.undo("undo").ok();
    env.undo("forget --only-automatic --keep-last 0").ok();
    assert_eq!(log(&env, ""), ["two", "one"]);
}

#[test]
fn naming_a_forgotten_commit_recalls_it() {
    let names: [(&str, &[&str]); 4] = [
        ("tag old ID", &["three -1", "one"]),
        ("branch old ID", &["three -1", "one"]),
        ("checkout ID", &["three -1", "one"]),
        ("update-ref refs/heads/side ID", &["three -1", "one"]),
    ];
    for (command, _) in names {
        let env = commits(&["one", "two", "three", "four"]);
        env.undo("forget @~ @~2").ok();
        assert_eq!(log(&env, ""), ["four -2", "one"]);
        let two = id(&env, "two");
        env.undo(&command.replace("ID", &two)).ok();
        assert_eq!(log(&env, ""), ["four -1", "two", "one"], "{command}");
        env.undo("undo").ok();
        assert_eq!(log(&env, ""), ["four -2", "one"], "{command}");
        env.undo("redo").ok();
        assert_eq!(log(&env, ""), ["four -1", "two", "one"], "{command}");
        env.undo("verify").ok();
    }
}

#[test]
fn a_new_commit_recalls_its_parents() {
    let env = commits(&["one", "two", "three"]);
    env.undo("forget @~").ok();
    let two = id(&env, "two");
    let made = env.undo(&format!("commit-tree @: -p {two} -m child")).ok();
    let child = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    env.undo(&format!("update-ref refs/heads/side {child}")).ok();
    assert_eq!(log(&env, "side"), ["child", "two", "one"]);
    assert_eq!(log(&env, "main"), ["three", "two", "one"]);
}

#[test]
fn ids_of_forgotten_commits_resolve() {
    let env = commits(&["one", "two", "three"]);
    let two = id(&env, "two");
    env.undo("forget @~").ok();
    for command in ["show", "ls", "diff", "cat-file -p"] {
        env.undo(&format!("{command} {}", &two[..8])).ok();
    }
    env.undo(&format!("cat {}:file", &two[..8])).ok();
    env.undo(&format!("log --json {two}")).ok();
    assert_eq!(log(&env, &two), ["two", "one"]);
    assert_eq!(log(&env, &format!("{two}..@")), ["three -1"]);
}

#[test]
fn forgotten_tips_are_no_longer_heads() {
    let env = commits(&["one", "two"]);
    env.undo("checkout @~").ok();
    env.write("file", "other");
    env.undo("commit -m other").ok();
    assert_eq!(log(&env, ""), ["other", "two", "one"]);
    let two = id(&env, "two");
    env.undo(&format!("forget {two}")).ok();
    assert_eq!(log(&env, ""), ["other", "one"]);
    env.undo("undo").ok();
    assert_eq!(log(&env, ""), ["other", "two", "one"]);
}

#[test]
fn the_commit_before_an_alarm_stays() {
    let env = TestEnv::initialised();
    for n in 0..200 {
        env.write(&format!("data/{n}"), format!("content {n}"));
    }
    env.undo("commit -m full").ok();
    std::fs::remove_dir_all(env.path().join("data")).unwrap();
    env.undo("commit -m emptied").ok();
    env.write("file", "later");
    env.undo("commit -m later").ok();
    let full = id(&env, "full");
    env.undo(&format!("forget {full}")).shows(str![[r#"
---- stderr ----
error: [ID] cannot be forgotten: before an alarm
hint: see the alarm: undo log
[exit 4]

"#]]);
    env.undo("forget --keep-last 2").ok();
    assert_eq!(log(&env, ""), ["later", "emptied", "full"]);
    env.set("UNDO_TIME", "2026-04-05T13:00:00Z");
    env.undo("forget --keep-last 2").ok();
    assert_eq!(log(&env, ""), ["later", "emptied -1"]);
}
