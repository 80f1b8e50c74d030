//! Two commands at once: one waits a little, then says who is in the way. Reading waits for nobody.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use snapbox::str;

use super::history;
use crate::env::TestEnv;

/// Holds the lock of the repository until it is dropped, as a process of its own.
struct Holder(Child);

impl Holder {
    fn of(env: &TestEnv, text: &str) -> Holder {
        let lock = env.path().join(".undo/lock");
        let script = format!("exec 9<>\"$1\"; flock 9; printf '{text}' > \"$1\"; echo held; read -r");
        let mut command = Command::new("bash");
        command.args(["-c", &script, "bash"]).arg(lock).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Holder(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // The end of its input lets it go.
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

#[test]
fn a_second_writer_waits_five_seconds_and_names_the_first() {
    let env = history();
    let holder = Holder::of(&env, "pid 4242\\nsince 2026-01-05T08:00:00Z\\ncommand undo commit -m long\\n");
    env.write("notes.txt", "three\n");
    let started = Instant::now();
    env.undo("commit").shows(str![[r#"
---- stderr ----
error: `undo commit -m long` (process 4242) has held the lock `[ROOT]/work/.undo/lock` for [..] min, since 2026-01-05 08:00:00
hint: wait until it has ended, then run the command again
[exit 11]

"#]]);
    let waited = started.elapsed();
    assert!(waited >= Duration::from_secs(4) && waited < Duration::from_secs(30), "{waited:?}");
    env.undo("checkout one --json").shows(str![[r#"
---- stderr ----
{"type":"error","code":"locked","message":"`undo commit -m long` (process 4242) has held the lock `[ROOT]/work/.undo/lock` for [..] min, since 2026-01-05 08:00:00","hint":"wait until it has ended, then run the command again","exit":11,"paths":[]}
[exit 11]

"#]]);
    // Whoever only reads is not held up.
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
fn a_holder_that_has_not_said_who_it_is_is_another_process() {
    let env = history();
    let _holder = Holder::of(&env, "");
    env.undo("tag new").shows(str![[r#"
---- stderr ----
error: another process holds the lock `[ROOT]/work/.undo/lock`
hint: wait until it has ended, then run the command again
[exit 11]

"#]]);
}

#[test]
fn commands_at_the_same_time_are_done_one_after_the_other() {
    let env = history();
    let output = env.shell("for n in 1 2 3 4 5 6; do undo tag t$n & done; wait; undo tag");
    assert_eq!(output.stderr, b"");
    assert_eq!(env.undo("tag --json").ok().json().len(), 2 + 6 + 1);
}
