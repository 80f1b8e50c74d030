//! A kill of `forget`, of `recall`, and of a commit that thins history: either nothing has happened or all of it.

use super::{CALLS, for_each_kill, has_strace, killed_at};
use crate::env::TestEnv;

/// Messages in `log`, newest first, each with the number of forgotten commits behind it.
fn log(env: &TestEnv) -> Vec<(String, u64)> {
    let output = env.undo("log --json").ok().json();
    let commits = output.iter().filter(|value| value["type"] == "commit");
    commits.map(|one| (one["message"].as_str().unwrap().to_owned(), one["forgotten"].as_u64().unwrap())).collect()
}

fn four_commits() -> TestEnv {
    let env = TestEnv::initialised();
    for message in ["one", "two", "three", "four"] {
        env.write("file", message);
        env.undo(&format!("commit -m {message}")).ok();
    }
    env
}

#[test]
fn forget_and_recall_killed_at_any_call_are_complete_or_absent() {
    if !has_strace() {
        return;
    }
    let env = four_commits();
    let whole = log(&env);
    env.undo("tag two @~2").ok();
    let two = env.undo("rev-parse two").ok().text().trim().to_owned();
    env.undo("tag -d two").ok();
    for_each_kill(&CALLS, |call, n| {
        let killed = killed_at(&env, call, n, &["forget", "@~2..@~", &two]);
        let (found, what) = (log(&env), format!("forget {call} {n}"));
        let is_forgotten = found == [("four".to_owned(), 2), ("one".to_owned(), 0)];
        assert!(is_forgotten || killed && found == whole, "{what}: {found:?}");
        env.undo("verify").ok();
        if !is_forgotten {
            env.undo(&format!("forget @~2..@~ {two}")).ok();
        }
        let gap = log(&env);
        let recall_killed = killed_at(&env, call, n, &["recall", &two]);
        let found = log(&env);
        let is_recalled = found.len() == 3;
        assert!(is_recalled || recall_killed && found == gap, "recall {call} {n}: {found:?}");
        if is_recalled {
            env.undo("undo").ok();
        }
        assert_eq!(log(&env), gap, "{what}");
        env.undo("undo").ok();
        assert_eq!(log(&env), whole, "{what}");
        killed || recall_killed
    });
}

#[test]
fn a_commit_that_thins_is_killed_as_a_whole() {
    if !has_strace() {
        return;
    }
    for_each_kill(&["pwrite64", "fdatasync", "openat"], |call, n| {
        let env = TestEnv::initialised();
        for hour in 0..6 {
            env.set("UNDO_TIME", format!("2026-01-05T0{hour}:00:00Z"));
            env.write("file", hour.to_string());
            env.undo(if hour == 0 { "commit -m first" } else { "checkout @" }).ok();
        }
        env.set("UNDO_TIME", "2026-01-12T12:00:00Z");
        env.undo("tag near").ok();
        env.set("UNDO_TIME", "2026-01-13T12:00:00Z");
        env.write("file", "new");
        let before = log(&env).len();
        let killed = killed_at(&env, call, n, &["commit", "-m", "new"]);
        let after = log(&env);
        let is_recorded = after[0].0 == "new";
        // The first of the automatic commits and four more are of the same day.
        assert_eq!(after.len(), if is_recorded { before + 1 - 4 } else { before }, "{call} {n}: {after:?}");
        assert!(is_recorded || killed, "{call} {n}");
        env.undo("verify").ok();
        killed
    });
}
