//! Automatic commits: what hooks, agents and cron jobs record beside the branch.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use snapbox::str;

use crate::cost::trace;
use crate::env::TestEnv;
use crate::random::Random;

#[test]
fn an_automatic_commit_leaves_everything_else_as_it_is() {
    let env = TestEnv::new();
    env.undo("init").ok();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    env.write("a", "2");
    let before = [env.undo("status --json").text(), env.undo("branch --json").text(), env.undo("diff").text()];
    env.undo("commit --auto -m 'before: make'").ok();
    let after = [env.undo("status --json").text(), env.undo("branch --json").text(), env.undo("diff").text()];
    assert_eq!(before, after);
    assert_eq!(env.undo("commit -m second --json").json()[0]["created"], true, "its message is not dropped");
    assert_eq!(env.undo("log --json @~1 -n 1").json()[0]["message"], "first");
}

#[test]
fn settings_of_hooks_in_the_file_of_a_repository_are_ignored_with_a_warning() {
    let env = TestEnv::new();
    env.undo("init").ok();
    fs::write(env.path().join(".undo/config.toml"), "[shell]\nguard = \"\"\n[user]\nname = \"Ann\"\n").unwrap();
    env.undo("config shell.strict true").shows(str![[r#"
---- stderr ----
warning: `[ROOT]/work/.undo/config.toml` line 2: a setting of the repository is ignored: `shell.guard` can only be set in the user's settings
error: `shell.strict` can only be set in the user's settings
hint: to set it: undo config --global shell.strict VALUE
[exit 2]

"#]]);
    env.write("a", "1");
    env.undo("commit").shows(str![[r#"
main [ID]  1 added, 0 modified, 0 deleted  (1 B read, 12.0 KiB stored)
---- stderr ----
warning: `[ROOT]/work/.undo/config.toml` line 2: a setting of the repository is ignored: `shell.guard` can only be set in the user's settings
hint: to restore this state: undo checkout [ID]

"#]]);
    assert_eq!(env.undo("log --json").json()[0]["author"], "Ann", "the other settings are in force");
}

/// Every file below the directory, with its content.
fn content(env: &TestEnv) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(env.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn undo_takes_back_what_followed_an_automatic_commit() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.write("b", "1");
    env.undo("commit -m first").ok();
    env.undo("commit --auto -m 'before: rm b'").ok();
    fs::remove_file(env.path().join("b")).unwrap();
    env.undo("undo").shows(str![[r#"
undid the changes after `before: rm b` (operation [ID])
main [ID]  1 written, 0 deleted, 1 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to redo: undo redo

"#]]);
    assert_eq!(content(&env), [("a".into(), b"1".to_vec()), ("b".into(), b"1".to_vec())]);
    env.undo("redo").shows(str![[r#"
redid the changes after `before: rm b` (operation [ID])
main [ID]  0 written, 1 deleted, 1 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(content(&env), [("a".into(), b"1".to_vec())]);
    env.undo("redo").fails(2);
    env.undo("undo -n").shows(str![[r#"
  [ID]  2026-01-05 08:02:00 (4 minutes ago)  automatic commit: before: rm b
  create   b
1 change, 1 unchanged; unsaved changes would be recorded first

"#]]);
    env.undo("undo").ok();
    assert_eq!(content(&env).len(), 2);
    env.undo("undo").shows(str![[r#"
undid [ID]  commit: main [ID]: 2 added
main has no commits now; the directory is unchanged
---- stderr ----
hint: to redo: undo redo
hint: to restore the directory as recorded then: undo checkout [ID]

"#]]);
    assert_eq!(env.undo("log --all --json").json().len(), 3, "two commits and the summary");
}

#[test]
fn the_default_message_is_listed_once() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit --auto").ok();
    env.undo("op log --all -n 1").shows(str![[r#"
  [ID]  2026-01-05 08:01:00 (60 seconds ago)  automatic commit

"#]]);
}

#[test]
fn undo_restores_the_mode_of_the_root() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    env.undo("commit --auto").ok();
    let mode = || fs::metadata(env.path()).unwrap().permissions().mode() & 0o7777;
    let before = mode();
    fs::set_permissions(env.path(), Permissions::from_mode(0o700)).unwrap();
    env.undo("undo").ok();
    assert_eq!(mode(), before);
    env.undo("redo").ok();
    assert_eq!(mode(), 0o700);
    // A new mtime of the root alone is not a change.
    fs::write(env.path().join("b"), "").unwrap();
    fs::remove_file(env.path().join("b")).unwrap();
    env.undo("undo").ok();
    assert_eq!(mode(), before);
}

#[test]
fn steps_along_automatic_commits_are_described_without_a_move_of_the_branch() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    for content in ["2", "3"] {
        env.write("a", content);
        env.undo("commit --auto -m event").ok();
    }
    env.write("a", "4");
    for command in ["undo", "undo", "redo", "redo"] {
        env.undo(command).ok();
    }
    let log = env.undo("op log --json").ok().json();
    let is_step = |line: &&Value| ["undo", "redo"].contains(&line["verb"].as_str().unwrap_or_default());
    let described: Vec<&str> = log.iter().filter(is_step).map(|line| line["description"].as_str().unwrap()).collect();
    assert_eq!(described.len(), 4);
    for description in described {
        assert!(
            description.contains("main at ") && description.contains(", unsaved changes kept in "),
            "{description}"
        );
    }
}

#[test]
fn a_log_of_automatic_commits_alone_is_not_empty() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit --auto -m one").ok();
    env.undo("log").shows(str![[r#"
⋮ 1 automatic commit


"#]]);
}

#[test]
fn random_histories_match_copies_of_the_directory() {
    for seed in 1..4u64 {
        let mut random = Random::new(seed);
        let mut below = |end: usize| random.below(end);
        let env = TestEnv::initialised();
        env.write("a", "first");
        env.undo("commit -m first").ok();
        // What undo leads back to, and what redo leads forward to, nearest last. `None` is an action that leaves the
        // directory as it is.
        let (mut back, mut ahead): (Vec<Option<Vec<_>>>, Vec<Option<Vec<_>>>) = (vec![None], Vec::new());
        for step in 0..40 {
            let context = format!("seed {seed}, step {step}");
            match below(8) {
                0 | 1 => env.write(["a", "b", "c"][below(3)], format!("{step}")),
                2 => drop(fs::remove_file(env.path().join(["a", "b", "c"][below(3)]))),
                3 => {
                    env.write("d", format!("{step}"));
                    env.undo("commit -m action").ok();
                    back.push(None);
                    ahead.clear();
                }
                4 | 5 => {
                    env.undo("commit --auto -m event").ok();
                    back.push(Some(content(&env)));
                }
                which => {
                    let is_back = which == 6;
                    let here = content(&env);
                    let (from, to) = if is_back { (&mut back, &mut ahead) } else { (&mut ahead, &mut back) };
                    if from.last().is_some_and(Option::is_some) {
                        // The step records the directory first.
                        if is_back { from.push(Some(here.clone())) } else { to.push(Some(here.clone())) }
                    }
                    while from.last().is_some_and(|state| state.as_ref() == Some(&here)) {
                        to.extend(from.pop());
                    }
                    let expected = match from.last().cloned() {
                        None => None,
                        Some(state) => {
                            if state.is_none() || !is_back {
                                to.extend(from.pop());
                            }
                            Some(state.unwrap_or(here))
                        }
                    };
                    let output = env.undo(if is_back { "undo" } else { "redo" });
                    match expected {
                        Some(expected) => {
                            output.ok();
                            assert_eq!(content(&env), expected, "{context}");
                        }
                        None => drop(output.fails(2)),
                    }
                }
            }
        }
    }
}

#[test]
fn log_counts_automatic_commits() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    for n in 2..5 {
        env.write("a", format!("{n}"));
        env.undo(&format!("commit --auto -m 'before: step {n}'")).ok();
    }
    env.undo("commit -m second").ok();
    env.write("a", "5");
    env.undo("commit --auto").ok();
    env.undo("log").shows(str![[r#"
⋮ 1 automatic commit

@ [ID] (main)  2026-01-05 08:05:00 (2 minutes ago)  [USER]
│   second
│   +0 ~1 -0, 316 B stored
│
│ ⋮ 3 automatic commits
│
* [ID]  2026-01-05 08:01:00 (6 minutes ago)  [USER]
    first
    +1 ~0 -0, 482 B stored


"#]]);
    env.undo("log --oneline -n 1").shows(str![[r#"
⋮ 1 automatic commit
@ [ID] (main) second  +0 ~1 -0, 316 B stored

"#]]);
    env.undo("log --all --oneline").shows(str![[r#"
*   [ID] automatic commit  +0 ~1 -0, 542 B stored (automatic)
├─┐
@ │ [ID] (main) second  +0 ~1 -0, 316 B stored
│ * [ID] before: step 4  +0 ~1 -0, 508 B stored (automatic)
│ * [ID] before: step 3  +0 ~1 -0, 508 B stored (automatic)
│ * [ID] before: step 2  +0 ~1 -0, 508 B stored (automatic)
├─┘
* [ID] first  +1 ~0 -0, 482 B stored

"#]]);
    let log = env.undo("log --json").json();
    let types: Vec<_> = log.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["automatic", "commit", "automatic", "commit", "summary"]);
    assert_eq!((&log[2]["count"], &log[4]["count"]), (&3.into(), &2.into()));
    env.undo("log --format %s").shows(str![[r#"
second
first

"#]]);
    assert_eq!(env.undo("op log --json").json().len(), 3, "events are not actions");
    assert_eq!(env.undo("op log --all --json").json().len(), 7);
    assert_eq!(env.undo("log latest --format %s -n 1").text(), "second\n");
    env.undo("commit --amend -m reworded").ok();
    assert_eq!(env.undo("log --format %s").text(), "reworded\nfirst\n");
}

#[test]
fn latest_is_an_automatic_commit_if_there_are_no_others() {
    let env = TestEnv::initialised();
    for content in ["1", "2"] {
        env.write("a", content);
        env.undo("commit --auto").ok();
    }
    assert_eq!(env.undo("cat latest:a").ok().text(), "2");
    env.undo("show @").shows(str![[r#"
---- stderr ----
error: `main` has no commits now
hint: to list all commits: undo log --all
[exit 2]

"#]]);
    env.undo("commit -m manual").ok();
    env.write("a", "3");
    env.undo("commit --auto").ok();
    assert_eq!(env.undo("cat latest:a").ok().text(), "2");
}

#[test]
fn waiting_for_the_lock_counts() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    let lock = fs::File::open(env.path().join(".undo/lock")).unwrap();
    lock.lock().unwrap();
    for line in ["commit --deadline 50ms", "commit --auto --deadline 50ms"] {
        let output = env.undo(line).fails(9).to_string();
        assert!(output.contains("error: could not record within "), "{output}");
    }
    drop(lock);
    env.undo("commit --deadline 10min").ok();
    env.undo("commit --deadline 0s").fails(2);
}

#[test]
fn an_interrupted_checkout_and_a_run_stop_automatic_commits() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    env.undo("tag one").ok();
    env.undo(&format!("run -- sh -c 'echo 2 > a; {} commit --auto -m inside'", env!("CARGO_BIN_EXE_undo"))).ok();
    let log = env.undo("log --all --json").json();
    assert!(log.iter().all(|line| line["message"] != "inside"), "{log:?}");
    crate::crash::stopped(&env.path());
    env.undo("commit --auto").fails(4);
}

#[test]
fn a_directory_has_one_head_beside_its_branch() {
    let env = TestEnv::initialised();
    for n in 0..12 {
        env.write("a", format!("{n}"));
        env.undo(["commit -m manual", "commit --auto -m hook", "commit --auto -m hook"][n % 3]).ok();
    }
    let environment = undo::environment::Environment::from_process();
    let repository = undo::internals::repo::Repository::discover(&env.path(), environment).unwrap();
    assert_eq!(repository.view().heads.len(), 1, "the last automatic commit continues all others");
}

/// Bytes of all files in the repository, except its caches.
fn on_disk(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => on_disk(&entry.path()),
            false if ["catalog", "index", "reserve"].iter().any(|name| entry.file_name() == *name) => 0,
            false => entry.metadata().unwrap().len(),
        })
        .sum()
}

#[test]
fn a_hundred_steps_of_three_edits_cost_little() {
    let env = TestEnv::initialised();
    let mut state = 1u64;
    let mut noise = |length: usize| -> Vec<u8> {
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        })
        .take(length)
        .collect()
    };
    env.write("database", noise(8 << 20));
    for n in 0..300 {
        env.write(&format!("source/module-{}/file-{n}", n % 10), format!("line {n}\n").repeat(40));
    }
    env.undo("commit -m first").ok();
    let before = on_disk(&env.path().join(".undo"));
    for step in 0..100 {
        for edit in 0..3 {
            let n = (step * 7 + edit * 31) % 300;
            let path = format!("source/module-{}/file-{n}", n % 10);
            let text = String::from_utf8(env.read(&path)).unwrap();
            env.write(&path, text.replacen("line", &format!("line {step}.{edit}"), 1));
        }
        env.undo("commit --auto -m step").ok();
    }
    let grown = on_disk(&env.path().join(".undo")) - before;
    assert!(grown <= 2_500_000, "{grown} bytes before gc");
    env.undo("gc").ok();
    let grown = on_disk(&env.path().join(".undo")) - before;
    assert!(grown <= 400_000, "{grown} bytes after gc");
}

#[test]
fn nothing_new_costs_no_more_than_a_commit() {
    let env = TestEnv::initialised();
    for n in 0..500 {
        env.write(&format!("folder-{}/file-{n}", n % 20), "content");
    }
    env.undo("commit -m first").ok();
    env.undo("commit").ok();
    env.undo("commit --auto").ok();
    let Some(commit) = trace(&env, "all", &["commit"]) else { return };
    let automatic = trace(&env, "all", &["commit", "--auto"]).unwrap();
    let flushes = automatic.iter().filter(|call| call.name.contains("sync")).count();
    assert_eq!(flushes, 0);
    assert!(automatic.len() <= commit.len() + 60, "{} calls instead of {}", automatic.len(), commit.len());
}

#[test]
fn op_restore_leads_to_the_state_of_an_event() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    env.write("a", "2");
    env.undo("commit --auto -m event").shows(str![[r#"
beside main [ID]  0 added, 1 modified, 0 deleted  (1 B read, 8.00 KiB stored)

"#]]);
    env.write("a", "3");
    env.undo("commit -m second").ok();
    let operations = env.undo("op log --all --json").json();
    let event = operations.iter().find(|line| line["verb"] == "automatic commit").unwrap();
    let id = event["id"].as_str().unwrap();
    assert!(env.undo(&format!("op show {id}")).text().contains("automatic commit: event"));
    env.undo(&format!("op restore {id}")).ok();
    assert_eq!(env.read("a"), b"2");
    assert_eq!(env.undo("log @ --format %s").text(), "first\n");
    env.undo("undo").ok();
    assert_eq!(env.read("a"), b"3");
}
