//! Clocks that run fast or are set back: commits are dated by the clock, and history stays in order.

use crate::env::TestEnv;

/// Output of `log`, newest first: the message and the year of each commit.
fn log(env: &TestEnv, arguments: &str) -> Vec<String> {
    let output = env.undo(&format!("log --json {arguments}")).ok();
    let commits = output.json().into_iter().filter(|value| value["type"] == "commit");
    commits.map(|it| format!("{} {}", it["message"].as_str().unwrap(), &it["time"].as_str().unwrap()[..4])).collect()
}

#[test]
fn commit_time_is_the_clock_even_before_its_parent() {
    let env = TestEnv::initialised();
    let commit = |time: &str, message: &str| {
        env.set("UNDO_TIME", time);
        env.write("file", message);
        env.undo(&format!("commit -m {message}")).ok()
    };
    commit("2026-01-01T00:00:00Z", "one");
    commit("2031-01-01T00:00:00Z", "fast");
    let report = commit("2026-01-02T00:00:00Z", "three");
    assert!(report.to_string().contains("in the future"), "{report}");
    let report = commit("2026-01-03T00:00:00Z", "four");
    assert!(!report.to_string().contains("in the future"), "{report}");
    assert_eq!(log(&env, ""), ["four 2026", "three 2026", "fast 2031", "one 2026"]);
    assert_eq!(log(&env, "--until 2026-12-31"), ["four 2026", "three 2026", "one 2026"]);
    assert_eq!(log(&env, "--since 2026-01-02T12:00:00Z"), ["four 2026", "fast 2031"]);
    assert_eq!(log(&env, "-n 1"), ["four 2026"]);
    env.undo("verify").ok();
}

/// Branches with different clocks. Sorting by time alone would list parents before their children here.
#[test]
fn log_lists_children_before_parents_despite_clock_skew() {
    let env = TestEnv::initialised();
    let commit = |time: &str, message: &str| {
        env.set("UNDO_TIME", time);
        env.write("file", message);
        env.undo(&format!("commit -m {message}")).ok();
    };
    commit("2040-01-01T00:00:00Z", "base");
    commit("2026-01-01T00:00:00Z", "a1");
    env.undo("branch a").ok();
    env.undo("checkout @~").ok();
    commit("2020-01-01T00:00:00Z", "b1");
    commit("2030-01-01T00:00:00Z", "b2");
    env.undo("branch b").ok();
    env.undo("checkout @~2").ok();
    commit("2035-01-01T00:00:00Z", "c1");
    commit("2019-01-01T00:00:00Z", "c2");
    let log = log(&env, "");
    let at = |message: &str| log.iter().position(|line| line.starts_with(message)).unwrap_or_else(|| panic!("{log:?}"));
    for (child, parent) in [("a1", "base"), ("b1", "base"), ("b2", "b1"), ("c1", "base"), ("c2", "c1")] {
        assert!(at(child) < at(parent), "{child} {parent}: {log:?}");
    }
}
