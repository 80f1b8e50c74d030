//! Kills automatic commits at any system call: the event is recorded or absent, and nothing else changes.

use crate::crash::{CALLS, first_state, for_each_kill, has_strace, killed_at, second_state};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

#[test]
fn automatic_commit_killed_at_any_call_is_complete_or_absent() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let env = TestEnv::new();
        first_state(&env);
        env.undo("commit --init -m one").ok();
        second_state(&env);
        let two = Tree::read(&env.path());
        let killed = killed_at(&env, call, n, &["commit", "--auto", "-m", "event"]);
        assert_same(&two, &Tree::read(&env.path()));
        let events = env.undo("op log --all --json").ok().json().len() - 2;
        assert!(events <= 1 && (killed || events == 1), "{call} {n}: {events} events");
        assert_eq!(env.undo("log --format %s").ok().text(), "one\n");
        env.undo("commit --auto -m again").ok();
        std::fs::remove_dir_all(env.path().join("new")).unwrap();
        env.undo("undo").ok();
        assert_same(&two, &Tree::read(&env.path()));
        if call.contains("sync") {
            env.undo("verify").ok();
        }
        killed
    });
}

/// A step back records the directory in an event, and restores the state of the event before.
#[test]
fn step_killed_at_any_call_is_finished_or_repeated_and_redone() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let env = TestEnv::new();
        first_state(&env);
        env.undo("commit --init -m one").ok();
        env.write("new-before", b"recorded by the event");
        env.undo("commit --auto -m event").ok();
        let event = Tree::read(&env.path());
        second_state(&env);
        let two = Tree::read(&env.path());
        let killed = killed_at(&env, call, n, &["undo"]);
        let is_finished = if env.undo("checkout --continue").code == 0 {
            assert_same(&event, &Tree::read(&env.path()));
            true
        } else {
            !Tree::read(&env.path()).differences(&two).is_empty()
        };
        if !is_finished {
            env.undo("undo").ok();
        }
        assert_same(&event, &Tree::read(&env.path()));
        env.undo("redo").ok();
        assert_same(&two, &Tree::read(&env.path()));
        env.undo("undo").ok();
        assert_same(&event, &Tree::read(&env.path()));
        killed
    });
}
