//! Automatic pushes after commits.

use std::fs::{self, File};
use std::process::Output;
use std::time::{Duration, Instant};

use super::copies::with_history;
use crate::cost::{Call, trace_with_clock};
use crate::env::TestEnv;

/// A repository whose target is pushed to automatically, at once.
fn automatic() -> TestEnv {
    let env = with_history();
    env.undo("target add disk ../disk").ok();
    env.undo("push").ok();
    env.undo("config target.disk.auto commit").ok();
    env.set("UNDO_PUSH_DELAY", "0");
    env
}

/// Runs a command with a running clock: with a fixed one, nothing starts in the background.
fn run(env: &TestEnv, arguments: &[&str]) -> Output {
    let mut command = env.command(env!("CARGO_BIN_EXE_undo"));
    let output = command.args(arguments).env_remove("UNDO_TIME").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn commit(env: &TestEnv, content: &str) -> Output {
    env.write("new", content);
    run(env, &["commit", "-m", content])
}

/// Number of commits that the target lacks, as `status` tells.
fn behind(env: &TestEnv) -> u64 {
    env.undo("status --json").ok().json().last().unwrap()["copies"][0]["behind"].as_u64().unwrap()
}

fn entries(env: &TestEnv) -> usize {
    fs::read_dir(env.root().join("disk/log")).unwrap().count()
}

/// Takes a lock as another process does.
fn hold(env: &TestEnv, name: &str) -> File {
    let path = env.path().join(".undo").join(name);
    let file = File::options().create(true).append(true).open(path).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn commands_that_record_push_in_the_background() {
    let env = automatic();
    for arguments in [
        &["commit", "-m", "more"][..],
        &["commit", "--auto"],
        &["shell-hook", "bash", "--before", "rm -r *"],
        &["run", "-q", "--", "touch", "touched"],
        &["checkout", "-q", "@~"],
    ] {
        env.write("new", arguments.join(" "));
        let before = entries(&env);
        run(&env, arguments);
        let started = Instant::now();
        while (behind(&env) > 0 || entries(&env) == before) && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(behind(&env), 0, "{arguments:?}");
    }
    env.undo("verify --target disk").ok();
}

#[test]
fn one_process_waits_and_pushes() {
    let env = automatic();
    let entries_before = entries(&env);
    // The test is the process that waits.
    let waiting = hold(&env, "push.lock");
    for n in 0..3 {
        commit(&env, &n.to_string());
        run(&env, &["push", "--auto"]);
    }
    assert_eq!((behind(&env), entries(&env)), (3, entries_before));
    let processes = trace_with_clock(&env, "execve", &["commit", "-m", "unchanged"]);
    assert!(processes.is_none_or(|calls| calls.len() == 1), "a second process was started");
    drop(waiting);
    run(&env, &["push", "--auto"]);
    assert_eq!((behind(&env), entries(&env)), (0, entries_before + 1));
    // With nothing to push, the target is not asked.
    fs::rename(env.root().join("disk"), env.root().join("gone")).unwrap();
    run(&env, &["push", "--auto"]);
    run(&env, &["commit"]);
}

#[test]
fn an_automatic_push_fails_silently_and_is_repeated() {
    let env = automatic();
    fs::rename(env.root().join("disk"), env.root().join("gone")).unwrap();
    let waiting = hold(&env, "push.lock");
    let output = commit(&env, "one");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("disk"));
    drop(waiting);
    let output = run(&env, &["push", "--auto"]);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(behind(&env), 1);
    fs::rename(env.root().join("gone"), env.root().join("disk")).unwrap();
    run(&env, &["push", "--auto"]);
    assert_eq!(behind(&env), 0);
}

#[test]
fn a_target_whose_state_cannot_be_read_keeps_no_other_one_from_being_pushed() {
    let env = automatic();
    env.undo("target add broken ../broken").ok();
    env.undo("config target.broken.auto commit").ok();
    // It is read like a file with a read error. A damaged file counts as missing.
    fs::create_dir(env.path().join(".undo/targets/broken")).unwrap();
    env.write("new", "more");
    env.undo("commit -m more").ok();
    let before = entries(&env);
    run(&env, &["push", "--auto"]);
    assert_eq!(entries(&env), before + 1);
}

#[test]
fn an_automatic_push_never_asks_for_a_password() {
    let env = automatic();
    let waiting = hold(&env, "push.lock");
    commit(&env, "one");
    drop(waiting);
    // Neither keys nor a password.
    env.set("HOME", env.root().join("other"));
    env.set("UNDO_PASSWORD", "");
    run(&env, &["push", "--auto"]);
    assert_eq!(behind(&env), 1);
    let settings = env.root().join("other/.config/undo/config.toml");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(settings, "[target]\npassword_command = \"echo correct horse\"\n").unwrap();
    run(&env, &["push", "--auto"]);
    assert_eq!(behind(&env), 1, "the first push from a machine is not automatic");
    env.undo("push").ok();
    // Otherwise the push that the commit starts in the background may still hold the lock.
    let waiting = hold(&env, "push.lock");
    commit(&env, "two");
    drop(waiting);
    run(&env, &["push", "--auto"]);
    assert_eq!(behind(&env), 0);
}

#[test]
fn pushes_to_one_target_wait_for_each_other() {
    let env = automatic();
    env.undo("config target.disk.auto none").ok();
    commit(&env, "one");
    let pushing = hold(&env, "targets/disk.lock");
    let error = env.undo("push --wait 0").fails(11).to_string();
    assert!(error.contains("/work/.undo/targets/disk.lock`"), "{error}");
    drop(pushing);
    env.undo("push").ok();
    assert_eq!(behind(&env), 0);
}

#[test]
fn a_drill_changes_what_is_known_of_a_target_only_while_no_push_does() {
    let env = automatic();
    let Some(calls) = trace_with_clock(&env, "openat,flock", &["drill"]) else { return };
    let position = |name: &str, text: &str| {
        calls.iter().rposition(|call| call.name == name && call.line.contains(text)).expect(text)
    };
    let (locked, read) = (position("flock", "/targets/disk.lock"), position("openat", "/targets/disk\""));
    assert!(locked < read, "{locked} {read}");
}

#[test]
fn commit_costs_nothing_more_with_targets_that_are_not_automatic() {
    let env = with_history();
    env.undo("target add disk ../disk").ok();
    env.undo("push").ok();
    // Of the calls that open, lock or run a file: those for targets and their locks, and programs.
    let calls = |arguments: &[&str]| {
        let calls = trace_with_clock(&env, "openat,openat2,flock,execve", arguments)?;
        let is_extra = |call: &Call| call.line.contains("/targets") || call.line.contains("push.lock");
        let programs = calls.iter().filter(|call| call.name == "execve").count();
        Some((calls.into_iter().filter(is_extra).map(|call| call.line).collect::<Vec<_>>(), programs))
    };
    env.write("new", "new");
    let Some(plain) = calls(&["commit", "-m", "three"]) else { return };
    assert_eq!(plain, (Vec::new(), 1));
    // One file is read, and one lock is looked at: opened, tried, and read.
    env.undo("config target.disk.auto commit").ok();
    let _waiting = hold(&env, "push.lock");
    env.write("new", "newer");
    let Some((automatic, programs)) = calls(&["commit", "-m", "four"]) else { return };
    assert!((2..=4).contains(&automatic.len()) && programs == 1, "{automatic:?}");
}

#[test]
fn a_repository_from_elsewhere_connects_to_nothing() {
    let env = automatic();
    // Another user has a copy of the repository, and no keys.
    env.set("HOME", env.root().join("other"));
    let before = entries(&env);
    env.write("new", "more");
    let processes = trace_with_clock(&env, "execve", &["commit", "-m", "more"]);
    assert!(processes.is_none_or(|calls| calls.len() == 1), "a second process was started");
    run(&env, &["push", "--auto"]);
    assert_eq!((behind(&env), entries(&env)), (1, before));
}
