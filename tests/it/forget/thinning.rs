//! Automatic commits are thinned as they age.

use snapbox::str;

use super::log;
use crate::env::TestEnv;

/// Sets the clock of all later commands: hours since the start of Monday, 2026-01-05.
fn set_hours(env: &TestEnv, hours: i64) {
    let start: jiff::Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
    env.set("UNDO_TIME", (start + jiff::SignedDuration::from_hours(hours)).to_string());
}

/// Makes an automatic commit, and discards its change.
fn automatic(env: &TestEnv, content: &str) {
    env.write("file", content);
    env.undo("checkout @").ok();
}

fn commit(env: &TestEnv, content: &str) {
    env.write("file", content);
    env.undo(&format!("commit -m {content}")).ok();
}

/// A commit, and an automatic one in each of the next six hours.
fn six_automatic_commits() -> TestEnv {
    let env = TestEnv::initialised();
    set_hours(&env, 0);
    commit(&env, "first");
    for n in 1..=6 {
        set_hours(&env, n);
        automatic(&env, &format!("a{n}"));
    }
    env
}

/// Number of commits in the history, and of those the automatic ones.
fn counts(env: &TestEnv) -> (usize, usize) {
    let output = env.undo("log --json").ok().json();
    let commits: Vec<_> = output.iter().filter(|value| value["type"] == "commit").collect();
    (commits.len(), commits.iter().filter(|value| value["automatic"] == true).count())
}

#[test]
fn automatic_commits_stay_a_week_then_one_a_day_then_one_a_week() {
    let env = TestEnv::initialised();
    set_hours(&env, 0);
    commit(&env, "first");
    // Three a day for two weeks.
    for n in 1..=42 {
        set_hours(&env, 8 * n);
        automatic(&env, &format!("a{n}"));
    }
    commit(&env, "second");
    let (_, automatic_commits) = counts(&env);
    // Those of a week, and one for each day before.
    assert!((28..=30).contains(&automatic_commits), "{automatic_commits}");
    let operations = env.undo("op log -n 1").ok().to_string();
    assert!(operations.contains("commit: main"), "{operations}");
    // The thinning is not an operation: undo takes back the commit alone, and thins nothing else.
    env.undo("undo").ok();
    assert_eq!(counts(&env).1, automatic_commits);
    // A command a day: all that is older than 90 days is thinned to one a week.
    for day in 14..=130 {
        set_hours(&env, 24 * day + 20);
        commit(&env, &format!("day{day}"));
    }
    let (_, automatic_commits) = counts(&env);
    assert!((2..=4).contains(&automatic_commits), "{automatic_commits}");
    env.undo("verify").ok();
}

#[test]
fn commits_beside_the_branch_are_thinned_too() {
    let env = TestEnv::initialised();
    set_hours(&env, 0);
    commit(&env, "first");
    for n in 1..=42 {
        set_hours(&env, 8 * n);
        env.write("file", format!("a{n}"));
        env.undo(&format!("commit --auto -m a{n}")).ok();
        if n % 10 == 0 {
            commit(&env, &format!("m{n}"));
        }
    }
    let all = env.undo("log --all --json").ok().json();
    let automatic_commits = all.iter().filter(|value| value["automatic"] == true).count();
    assert!((24..=30).contains(&automatic_commits), "{automatic_commits}");
    let environment = undo::environment::Environment::from_process();
    let repository = undo::internals::repo::Repository::discover(&env.path(), environment).unwrap();
    assert_eq!(repository.view().heads.len(), 1);
    env.undo("undo 3").ok();
    assert_eq!(env.read("file"), b"a40", "the last event, the commit before it, and the event before that");
}

#[test]
fn a_setting_turns_thinning_off() {
    let env = TestEnv::initialised();
    env.undo("config history.keep all").ok();
    set_hours(&env, 0);
    commit(&env, "first");
    for n in 1..=20 {
        set_hours(&env, 12 * n);
        automatic(&env, &format!("a{n}"));
    }
    assert_eq!(counts(&env), (21, 20));
    env.undo("config history.keep 'within 1d'").ok();
    // The next day.
    set_hours(&env, 12 * 21);
    automatic(&env, "x");
    assert!(counts(&env).1 <= 4, "{:?}", counts(&env));
    env.undo("config history.keep 'last 3'").shows(str![[r#"
---- stderr ----
error: invalid value `last 3` for `history.keep`
hint: valid values: all, or rules such as: within 7d, daily within 90d, weekly
[exit 2]

"#]]);
}

#[test]
fn recalled_commits_stay_until_the_next_age() {
    let env = TestEnv::initialised();
    set_hours(&env, 0);
    commit(&env, "first");
    for n in 1..=12 {
        set_hours(&env, n);
        automatic(&env, &format!("a{n}"));
    }
    for day in 1..=9 {
        set_hours(&env, 24 * day + 12);
        commit(&env, &format!("day{day}"));
    }
    assert_eq!(counts(&env).1, 1);
    let forgotten = env.undo("recall --json").ok().json();
    let id = forgotten[3]["id"].as_str().unwrap();
    env.undo(&format!("recall {id}")).ok();
    for day in 10..=20 {
        set_hours(&env, 24 * day + 12);
        commit(&env, &format!("day{day}"));
    }
    assert_eq!(counts(&env).1, 2);
}

#[test]
fn a_clock_that_is_far_ahead_thins_nothing() {
    let env = six_automatic_commits();
    set_hours(&env, 24 * 400);
    commit(&env, "far");
    assert_eq!(counts(&env).1, 6);
    // The newest record now has that time, so the clock is no longer ahead.
    set_hours(&env, 24 * 400 + 1);
    commit(&env, "farther");
    assert_eq!(counts(&env).1, 1);
    env.undo("undo").ok();
    assert_eq!(counts(&env).1, 1);
}

#[test]
fn a_record_in_the_future_thins_nothing() {
    let env = six_automatic_commits();
    set_hours(&env, 24 * 400);
    env.undo("tag far").ok();
    set_hours(&env, 8);
    commit(&env, "corrected");
    assert_eq!(counts(&env).1, 6);
}

#[test]
fn tagged_automatic_commits_and_heads_of_branches_stay() {
    let env = TestEnv::initialised();
    set_hours(&env, 0);
    commit(&env, "first");
    for n in 1..=4 {
        set_hours(&env, n);
        automatic(&env, &format!("a{n}"));
    }
    let ids: Vec<String> = env
        .undo("log --json")
        .ok()
        .json()
        .into_iter()
        .filter(|value| value["automatic"] == true)
        .map(|value| value["id"].as_str().unwrap().to_owned())
        .collect();
    env.undo(&format!("tag kept {}", ids[2])).ok();
    env.undo(&format!("branch side {}", ids[3])).ok();
    for day in 1..=9 {
        set_hours(&env, 24 * day + 12);
        commit(&env, &format!("day{day}"));
    }
    assert_eq!(counts(&env).1, 3);
    assert_eq!(log(&env, "side").len(), 2);
}

#[test]
fn a_commit_in_the_future_does_not_age_the_others() {
    let env = TestEnv::initialised();
    set_hours(&env, 0);
    commit(&env, "old");
    for day in 100..=110 {
        set_hours(&env, 24 * day);
        commit(&env, &format!("day{day}"));
    }
    set_hours(&env, 24 * 9000);
    commit(&env, "future");
    set_hours(&env, 24 * 111);
    env.undo("forget --keep-within 30d").ok();
    assert_eq!(counts(&env).0, 12, "{:?}", log(&env, ""));
}

#[test]
fn nothing_is_thinned_while_settings_are_invalid() {
    let env = TestEnv::initialised();
    set_hours(&env, 0);
    commit(&env, "first");
    env.write(".undo/config.toml", "user.name = Ann\n");
    for n in 1..=42 {
        set_hours(&env, 8 * n);
        automatic(&env, &format!("a{n}"));
    }
    assert_eq!(counts(&env).1, 42);
    env.write(".undo/config.toml", "");
    set_hours(&env, 8 * 43);
    commit(&env, "second");
    assert!(counts(&env).1 < 42, "{:?}", counts(&env));
}
