//! Signals go to the command, and `undo` finishes its work after it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use std::os::unix::process::CommandExt;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::{create_repository, run_object};
use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Starts a run in a new process group, and waits until its command has started.
fn start_run(env: &TestEnv, options: &[&str], script: &str) -> Child {
    let mut command = env.command(env!("CARGO_BIN_EXE_undo"));
    command.arg("run").args(options).args(["--", "sh", "-c", script]).process_group(0);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    child
}

#[test]
fn killed_command_is_recorded_with_its_signal() {
    let env = create_repository();
    for (signal, exit) in [("KILL", 137), ("TERM", 143), ("SEGV", 139)] {
        let output = env.undo(&format!("run --json -- sh -c 'echo x >> log; kill -{signal} $$'")).fails(exit);
        assert_eq!(run_object(&output)["exit"], exit);
        assert_eq!(env.undo("log -n 1 --json").ok().json()[0]["run"]["exit"], exit);
    }
}

#[test]
fn ctrl_c_ends_command_and_changes_are_recorded() {
    let env = create_repository();
    for (signal, code) in [(Signal::INT, 130), (Signal::QUIT, 131)] {
        if is_ignored_here(signal) {
            continue;
        }
        let mut child = start_run(&env, &[], "echo half > half; ulimit -c 0; echo begun; exec sleep 60");
        kill_process_group(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(env.undo("log -n 1 --json").ok().json()[0]["run"]["exit"], code);
        env.undo("undo").ok();
        assert!(!env.path().join("half").exists());
    }
    if is_ignored_here(Signal::INT) {
        return;
    }
    let mut child = start_run(&env, &["--on-fail", "rollback"], "echo half > half; echo begun; exec sleep 60");
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!env.path().join("half").exists());
}

#[test]
fn command_can_survive_ctrl_c() {
    if is_ignored_here(Signal::INT) {
        return;
    }
    let env = create_repository();
    let script = "trap 'echo caught > caught; exit 5' INT; echo begun; while :; do sleep 0.1; done";
    let mut child = start_run(&env, &[], script);
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(env.read("caught"), b"caught\n");
    env.undo("status --json").ok();
    assert_eq!(env.undo("status --json").ok().json().pop().unwrap()["clean"], true);
}

#[test]
fn sigterm_is_forwarded_to_command() {
    let env = create_repository();
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        if is_ignored_here(signal) {
            continue;
        }
        let mut child = start_run(&env, &[], "echo x >> log; echo begun; exec sleep 60");
        // Sent to this process only, not to its group.
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(env.undo("log -n 1 --json").ok().json()[0]["run"]["exit"], code);
    }
}

#[test]
fn command_inherits_ignored_signals() {
    let env = create_repository();
    let ignored = |script: &str| mask(&env.shell(script).text());
    let all = bit(Signal::INT) | bit(Signal::QUIT) | bit(Signal::TERM) | bit(Signal::HUP) | bit(Signal::PIPE);
    let here = ignored_here() & all & !bit(Signal::PIPE);
    assert_eq!(ignored("undo run -q -- cat /proc/self/status") & all, here);
    assert_eq!(
        ignored("trap '' HUP INT; undo run -q -- cat /proc/self/status") & all,
        here | bit(Signal::HUP) | bit(Signal::INT)
    );
}

/// Returns whether the test process ignores a signal, as background scripts ignore `SIGINT`. Reports a skip.
pub fn is_ignored_here(signal: Signal) -> bool {
    let is_ignored = ignored_here() & bit(signal) != 0;
    if is_ignored {
        skip(format_args!("the test process ignores {signal:?}"));
    }
    is_ignored
}

/// Returns the ignored signals of the test process, which its children inherit.
pub fn ignored_here() -> u64 {
    mask(&std::fs::read_to_string("/proc/self/status").unwrap())
}

/// Reads a field of `/proc/PID/status`.
fn mask(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    u64::from_str_radix(mask.unwrap_or_else(|| panic!("{status}")), 16).unwrap()
}

pub fn bit(signal: Signal) -> u64 {
    1 << (signal.as_raw() - 1)
}

#[test]
fn undo_does_not_pass_over_a_killed_run() {
    let env = create_repository();
    let before = Tree::read(&env.path());
    for (prepare, is_unsaved) in [("true", true), ("undo commit -qm saved", false), ("undo commit -q --auto", false)] {
        env.shell(prepare).ok();
        assert_ne!(env.shell("undo run -- sh -c 'rm notes.txt; kill -9 $PPID'").code, 0);
        // As a hook does.
        env.undo("commit -q --auto").ok();
        let refused = String::from_utf8(env.undo("undo").fails(4).stderr).unwrap();
        assert!(refused.contains("the changes of the last `undo run` are not recorded"), "{refused}");
        let hint = refused.lines().find_map(|line| line.strip_prefix("hint: to restore the state before that run: "));
        env.shell(hint.expect("a hint")).ok();
        assert_same(&before, &Tree::read(&env.path()));
        if is_unsaved {
            env.undo("undo").ok();
            env.undo("redo").ok();
            assert_same(&before, &Tree::read(&env.path()));
        }
    }
    // A run that has ended is not in the way, and neither is one that runs.
    env.undo("run -- true").ok();
    env.write("notes.txt", "other");
    env.undo("undo -n").ok();
    env.undo(
        "run -- sh -c 'rm notes.txt; \"$0\" undo -n' [UNDO]".replace("[UNDO]", env!("CARGO_BIN_EXE_undo")).as_str(),
    )
    .ok();
}
