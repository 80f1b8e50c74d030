//! One run at a time per worktree; other commands work during the run, which waits for them at its end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::create_repository;
use super::signals::is_ignored_here;
use crate::env::TestEnv;

#[test]
fn second_run_fails_and_names_the_first() {
    let env = create_repository();
    let mut command: Command = env.command(env!("CARGO_BIN_EXE_undo"));
    command.args(["run", "--", "sh", "-c", "echo begun; read -r line; echo 1 > first"]);
    let mut first = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(first.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = env.undo("run --json -- touch second").fails(11);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let holder = format!("`undo run -- sh -c echo begun; read -r line; echo 1 > first` (process {})", first.id());
    assert!(text.contains(&holder) && text.contains("\"code\":\"locked\""), "{text}");
    // Other commands work.
    env.write("beside", "written beside it");
    env.undo("commit -m beside").ok();
    env.undo("checkout -n @~").ok();
    drop(first.stdin.take());
    assert_eq!(first.wait().unwrap().code(), Some(0));
    env.undo("run -- touch second").ok();
    // Commits made during the run are separate actions.
    assert_eq!(super::verbs(&env), ["run", "run", "commit", "run", "commit"]);
    assert_eq!(env.undo("cat @:first").ok().text(), "1\n");
    assert_eq!(env.undo("cat @:beside").ok().text(), "written beside it");
}

#[test]
fn worktrees_of_one_store_can_run_in_parallel() {
    let env = create_repository();
    env.shell(
        "mkdir ../one ../two && undo -C ../one init -q --store ../store && undo -C ../two init -q --store ../store --branch two && \
         undo -C ../one run -q -- undo -C ../two run -q -- touch here && test -e ../two/here && \
         ! undo -C ../one run -q -- env -u UNDO_RUN undo -C ../one run -q -- touch here",
    )
    .ok();
}

#[test]
fn killed_run_does_not_block_commands() {
    let env = create_repository();
    // In practice the child dies with its terminal; here it is stopped.
    env.shell("undo run -- sh -c 'echo half > half; kill -9 $PPID'").fails(137);
    assert_eq!(super::verbs(&env), ["run", "commit"], "the unsaved changes were not recorded before the run");
    env.undo("run -- true").ok();
    assert_eq!(env.read("half"), b"half\n");
    env.undo("checkout @~ -q").ok();
    env.undo("status").ok();
}

/// Holds the lock of the repository in this process until dropped.
fn hold_lock(env: &TestEnv) -> std::fs::File {
    let lock = std::fs::OpenOptions::new().read(true).write(true).open(env.path().join(".undo/lock")).unwrap();
    lock.lock().unwrap();
    std::fs::write(env.path().join(".undo/lock"), "pid 4242\nsince 2026-01-05T08:00:00Z\ncommand undo gc\n").unwrap();
    lock
}

/// Runs a command until the lock is held, and returns the output while `undo` waits for the lock.
fn run_until_waiting(env: &TestEnv) -> (Child, BufReader<ChildStderr>, std::fs::File, String) {
    let mut command: Command = env.command(env!("CARGO_BIN_EXE_undo"));
    command.args(["run", "--", "sh", "-c", "echo begun; read -r line; echo 1 > done"]);
    let mut run = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(run.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let lock = hold_lock(env);
    drop(run.stdin.take());
    let mut report = BufReader::new(run.stderr.take().unwrap());
    line.clear();
    report.read_line(&mut line).unwrap();
    (run, report, lock, line)
}

#[test]
fn run_waits_for_the_lock_to_record() {
    let env = create_repository();
    let (mut run, mut report, lock, line) = run_until_waiting(&env);
    let start = "warning: waiting to record the changes of `sh -c 'echo begun; read -r line; echo 1 > done'`: \
                 `undo gc` (process 4242) has held the lock";
    assert!(line.starts_with(start) && line.ends_with("since 2026-01-05 08:00:00\n"), "{line}");
    // Longer than other commands wait.
    std::thread::sleep(Duration::from_secs(6));
    assert!(run.try_wait().unwrap().is_none());
    drop(lock);
    let mut rest = String::new();
    report.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("waiting"), "reported twice: {rest}");
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(env.undo("cat @:done").ok().text(), "1\n");
    assert_eq!(super::verbs(&env)[0], "run");
}

#[test]
fn ctrl_c_while_waiting_for_lock_reports_unrecorded_changes() {
    if is_ignored_here(Signal::INT) {
        return;
    }
    let env = create_repository();
    let (mut run, mut report, lock, _) = run_until_waiting(&env);
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    let mut rest = String::new();
    report.read_to_string(&mut rest).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.starts_with("error: after `sh -c") && rest.contains("interrupted while waiting"), "{rest}");
    assert!(
        rest.contains("hint: its changes are in the directory but not recorded; to record them: undo commit"),
        "{rest}"
    );
    drop(lock);
    assert_eq!(env.read("done"), b"1\n");
    env.undo("commit -m by-hand").ok();
    assert_eq!(env.undo("cat @:done").ok().text(), "1\n");
}
