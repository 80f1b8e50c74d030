//! Two concurrent commands: the second one waits briefly, then names the lock holder. Readers do not wait.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use snapbox::str;

use super::history;
use crate::crash::has_strace;
use crate::env::TestEnv;

/// Holds the lock of the repository until dropped, in a separate process.
pub struct LockHolder(Child);

impl LockHolder {
    pub fn of(env: &TestEnv, text: &str) -> LockHolder {
        let lock = env.path().join(".undo/lock");
        let script = format!("exec 9<>\"$1\"; flock 9; printf '{text}' > \"$1\"; echo held; read -r");
        let mut command = Command::new("bash");
        command.args(["-c", &script, "bash"]).arg(lock).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        LockHolder(child)
    }
}

impl Drop for LockHolder {
    fn drop(&mut self) {
        // The process ends with its input.
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[test]
fn second_writer_waits_five_seconds_and_names_the_holder() {
    let env = history();
    let holder = LockHolder::of(&env, "pid 4242\\nsince 2026-01-05T08:00:00Z\\ncommand undo commit -m long\\n");
    env.write("notes.txt", "three\n");
    let started = Instant::now();
    env.undo("commit").shows(str![[r#"
---- stderr ----
waiting: `undo commit -m long` (process 4242) has held the lock `[ROOT]/work/.undo/lock` for [..] min, since 2026-01-05 08:00:00
error: `undo commit -m long` (process 4242) has held the lock `[ROOT]/work/.undo/lock` for [..] min, since 2026-01-05 08:00:00
hint: to wait until it has ended, add: --wait forever
[exit 11]

"#]]);
    let waited = started.elapsed();
    assert!(waited >= Duration::from_secs(4) && waited < Duration::from_secs(30), "{waited:?}");
    env.undo("checkout one --json").shows(str![[r#"
---- stderr ----
{"type":"warning","message":"waiting: `undo commit -m long` (process 4242) has held the lock `[ROOT]/work/.undo/lock` for [..] min, since 2026-01-05 08:00:00","paths":[]}
{"type":"error","code":"locked","message":"`undo commit -m long` (process 4242) has held the lock `[ROOT]/work/.undo/lock` for [..] min, since 2026-01-05 08:00:00","hint":"to wait until it has ended, add: --wait forever","exit":11,"paths":[]}
[exit 11]

"#]]);
    // Readers do not wait.
    let started = Instant::now();
    env.undo("status").ok();
    env.undo("log").ok();
    env.undo("cat one:notes.txt").ok();
    env.undo("checkout one -n").ok();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(env.read("notes.txt"), b"three\n");
    drop(holder);
    env.undo("commit -m three").ok();
}

#[test]
fn writers_wait_as_long_as_the_option_says() {
    let env = history();
    let holder = LockHolder::of(&env, "");
    let started = Instant::now();
    env.undo("tag new --wait 0").fails(11);
    env.undo("tag new --wait 100ms -q").fails(11);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    env.undo("tag new --wait soon").shows(str![[r#"
---- stderr ----
error: invalid value `soon` for `--wait <DURATION>`: give a duration like `[DURATION]` or `5min`, or `forever`
hint: undo help tag
[exit 2]

"#]]);
    let mut waiting = env.command(env!("CARGO_BIN_EXE_undo"));
    let mut waiting = waiting.args(["tag", "new", "--wait", "forever"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(waiting.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("waiting: another process holds the lock"), "{line}");
    drop(holder);
    assert!(waiting.wait().unwrap().success());
    env.undo("tag -d new").ok();
}

#[test]
fn lock_holder_without_name_is_another_process() {
    let env = history();
    let _holder = LockHolder::of(&env, "");
    env.undo("tag new").shows(str![[r#"
---- stderr ----
waiting: another process holds the lock `[ROOT]/work/.undo/lock`
error: another process holds the lock `[ROOT]/work/.undo/lock`
hint: to wait until it has ended, add: --wait forever
[exit 11]

"#]]);
}

#[test]
fn concurrent_commands_are_serialized() {
    let env = history();
    let output = env.shell("for n in 1 2 3 4 5 6; do undo tag t$n & done; wait; undo tag");
    assert_eq!(output.stderr, b"");
    assert_eq!(env.undo("tag --json").ok().json().len(), 2 + 6 + 1);
}

/// System calls of a commit before which it pauses, while another command removes the lock file and commits.
const PAUSES: [(&str, &str); 2] = [("fdatasync", "delay_enter"), ("rename", "delay_exit")];

#[test]
fn commit_without_its_lock_writes_nothing() {
    if !has_strace() {
        return println!("skipped: strace is not installed");
    }
    for (call, delay) in PAUSES {
        let env = history();
        let lock = env.path().join(".undo/lock");
        env.write("notes.txt", "late\n");
        let mut strace = env.command("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={call}:{delay}=1000000:when=1")]);
        strace.arg(env!("CARGO_BIN_EXE_undo")).args(["commit", "-m", "late"]).stderr(Stdio::piped());
        let late = strace.spawn().unwrap();
        while !std::fs::read_to_string(&lock).is_ok_and(|text| text.contains("undo commit -m late")) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        std::fs::remove_file(&lock).unwrap();
        env.undo("commit -m quick").ok();
        let late = late.wait_with_output().unwrap();
        let message = String::from_utf8_lossy(&late.stderr).into_owned();
        assert_eq!(late.status.code(), Some(11), "{call}: {message}");
        assert!(message.contains("while this command was running") || message.contains("another command"), "{message}");
        env.undo("verify").ok();
        let log = env.undo("log").ok().text();
        assert!(log.contains("quick") && !log.contains("late"), "{call}:\n{log}");
        env.write("notes.txt", "later\n");
        env.undo("commit -m again").ok();
        assert!(env.undo("status").ok().text().contains("no changes"));
    }
}
