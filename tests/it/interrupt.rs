//! Ctrl-C at any system call: the reported state is true, and the exit status is that of the signal.

use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;
use snapbox::str;

use crate::crash::{calls, has_strace};
use crate::env::TestEnv;
use crate::run::signals::is_ignored_here;

/// Returns stderr if this signal arrives at the `n`-th call of this name; `None` if the command ends before.
fn stderr_when_interrupted(
    env: &TestEnv,
    (call, n): &(String, usize),
    signal: (&str, i32),
    arguments: &[&str],
) -> Option<String> {
    let mut strace = env.command("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal={}:when={n}", signal.0)]);
    let output = strace.arg(env!("CARGO_BIN_EXE_undo")).args(arguments).output().unwrap();
    let is_ended = output.status.signal() == Some(signal.1) || output.status.code() == Some(128 + signal.1);
    assert!(is_ended || output.status.success(), "{output:?}");
    is_ended.then(|| String::from_utf8(output.stderr).unwrap())
}

fn recorded() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("a", "one");
    env.write("b", "one");
    env.undo("commit -m one").ok();
    env.write("a", "two");
    std::fs::remove_file(env.path().join("b")).unwrap();
    env
}

#[test]
fn interrupted_commit_reports_whether_it_was_recorded() {
    if !has_strace() || is_ignored_here(Signal::INT) {
        return;
    }
    let arguments = ["commit", "-m", "two"];
    let mut seen = [false; 3];
    for call in calls(&recorded(), "fsync,fdatasync,pwrite64,pwritev2,renameat,renameat2,write", &arguments, 0) {
        let env = recorded();
        let Some(report) = stderr_when_interrupted(&env, &call, ("SIGINT", 2), &arguments) else { continue };
        let is_recorded = env.undo("op log --json").ok().json().len() == 3;
        let words = ["nothing was recorded, and the directory is unchanged", "already recorded", "was being recorded"];
        let which = words.iter().position(|words| report.contains(words));
        match which {
            Some(which) => seen[which] = true,
            None => assert!(report.is_empty() && !is_recorded, "{call:?}: {report}"),
        }
        assert!(which != Some(0) || !is_recorded, "{call:?}: {report}");
        assert!(which != Some(1) || is_recorded, "{call:?}: {report}");
        env.undo("undo -n").ok();
    }
    assert!(seen[0] && seen[2], "{seen:?}");
}

#[test]
fn interrupted_guard_reports_whether_the_state_is_recorded() {
    if !has_strace() || is_ignored_here(Signal::INT) {
        return;
    }
    let arguments = ["shell-hook", "bash", "--before", "rm -r a"];
    let mut seen = [false; 2];
    for call in calls(&recorded(), "fdatasync,pwrite64,pwritev2,renameat,renameat2", &arguments, 0) {
        let env = recorded();
        let Some(report) = stderr_when_interrupted(&env, &call, ("SIGINT", 2), &arguments) else { continue };
        let is_recorded = env.undo("log --all --json").ok().json().len() == 3;
        let texts = ["the state before this command was not recorded", "may be only partly recorded"];
        let which = texts.iter().position(|text| report.contains(text)).unwrap();
        assert!(which != 0 || !is_recorded, "{call:?}: {report}");
        seen[which] = true;
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn interrupted_checkout_hints_how_to_continue() {
    if !has_strace() {
        return;
    }
    let arguments = ["checkout", "@"];
    let mut seen = [false; 2];
    for call in calls(&recorded(), "mkdirat,renameat2,unlinkat,syncfs,utimensat,fdatasync,fsync", &arguments, 0) {
        let env = recorded();
        let Some(report) = stderr_when_interrupted(&env, &call, ("SIGTERM", 15), &arguments) else { continue };
        let is_halfway = env.undo("status").to_string().contains("unfinished");
        let (halfway, nothing) = (report.contains("half old, half new"), report.contains("the directory is unchanged"));
        seen = [seen[0] || halfway, seen[1] || nothing];
        assert!(!halfway || is_halfway, "{call:?}: {report}");
        assert!(!nothing || !is_halfway && env.read("a") == b"two", "{call:?}: {report}");
        if halfway {
            env.undo("undo").ok();
            assert_eq!(env.read("a"), b"two");
        }
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn signal_message_is_a_regular_error() {
    if !has_strace() {
        return;
    }
    let env = recorded();
    let report = |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        stderr_when_interrupted(&env, &("renameat2".to_owned(), 1), ("SIGHUP", 1), &arguments)
    };
    // Skipped if this process ignores the signal.
    let Some(text) = report("checkout @") else { return };
    snapbox::assert_data_eq!(
        text,
        str![[r#"
error: interrupted: the directory is half old, half new
hint: finish it with `undo checkout --continue`, or undo it with `undo undo`

"#]]
    );
    env.undo("undo").ok();
    snapbox::assert_data_eq!(
        report("checkout @ --json").unwrap(),
        str![[r#"
{"type":"error","code":"interrupted","message":"interrupted: the directory is half old, half new","hint":"finish it with `undo checkout --continue`, or undo it with `undo undo`","exit":129,"paths":[]}

"#]]
    );
}
