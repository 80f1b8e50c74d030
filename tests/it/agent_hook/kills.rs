//! Kills the hook at its system calls: what was recorded stays, and the next event is recorded.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use super::{hook, payload, shop};
use crate::crash::{CALLS, for_each_kill, has_strace};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Runs the hook and kills it before its `n`-th call of this name. Returns whether it was killed.
fn killed_at(env: &TestEnv, call: &str, n: usize, payload: &str) -> bool {
    let file = env.root().join("payload");
    fs::write(&file, payload).unwrap();
    let mut strace = env.command("strace");
    strace.args(["-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=SIGKILL:when={n}")]);
    strace.arg(env!("CARGO_BIN_EXE_undo")).args(["agent", "hook", "claude"]);
    let output = strace.stdin(fs::File::open(file).unwrap()).output().expect("strace is installed");
    let is_killed = output.status.signal() == Some(9);
    assert!(is_killed || output.stdout == b"{}\n", "{call} {n}: {output:?}");
    is_killed
}

#[test]
fn killed_hook_loses_nothing_and_the_next_one_records() {
    if !has_strace() {
        return;
    }
    let calls: Vec<&str> = CALLS.into_iter().chain(["poll", "read", "flock", "lseek"]).collect();
    for_each_kill(&calls, |call, n| {
        let env = shop();
        env.write("etl/load.py", "first edit\n");
        let first = Tree::read(&env.path());
        hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
        env.write("etl/load.py", "second edit\n");
        env.write("etl/large", vec![7; 100_000]);
        let second = Tree::read(&env.path());
        let killed = killed_at(&env, call, n, &payload(&env, "claude/PreToolUse-Bash"));
        assert_same(&Tree::read(&env.path()), &second);
        env.undo("verify").ok();
        // The answer of the killed hook was not read, so the agent runs the tool anyway.
        env.shell("rm -rf data etl").ok();
        hook(&env, "claude", payload(&env, "claude/Stop"));
        env.undo("checkout -q @{prompt}").ok();
        assert_same(&Tree::read(&env.path()), &first);
        let steps = env.undo("agent log --json").ok().json();
        let step = steps.iter().find(|step| step["event"] == "step");
        assert!(step.is_some() || killed, "{call} {n}: a finished hook has recorded its step");
        if step.is_some() {
            env.undo("checkout -q @{step}").ok();
            assert_same(&Tree::read(&env.path()), &second);
        }
        killed
    });
}
