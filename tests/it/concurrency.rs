//! Concurrent commands in one directory: writers are serialized, readers are not blocked, and nothing is lost.

mod eight;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use undo::environment::Environment;
use undo::internals::compare::{Comparison, Side, scan_worktree};
use undo::internals::diff::Body;
use undo::internals::object::Objects;
use undo::internals::repo::Repository;
use undo::internals::worktree::Worktree;
use undo::progress::Silent;

use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::Tree;

/// Commands that only read and take no lock.
const READING: [&str; 9] = ["status", "log", "diff", "op log", "branch", "ls -R @", "log --ops", "show @", "verify"];

/// Builds an `undo` command that uses the system clock; callable from any thread.
fn undo(env: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_undo"));
    prepare(&mut command, env);
    command.args(line.split(' '));
    command
}

fn prepare(command: &mut Command, root: &Path) {
    command.current_dir(root.join("work")).env_clear().stdin(Stdio::null());
    command.envs([("HOME", root.join("home")), ("PATH", "/usr/bin:/bin".into()), ("TZ", "UTC".into())]);
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[track_caller]
fn ends_with(env: &TestEnv, line: &str, code: i32) -> String {
    let output = undo(env.root(), line).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "undo {line}: {}", said(&output));
    said(&output)
}

/// A command that is stopped while it holds the lock.
pub struct StoppedCommand {
    strace: Child,
    pid: Pid,
}

impl StoppedCommand {
    /// Stops the command at its first call of this name; `None` if that is not possible here.
    pub fn at(env: &TestEnv, call: &str, line: &str) -> Option<StoppedCommand> {
        if Command::new("strace").arg("-V").output().is_err() {
            skip("strace is not installed");
            return None;
        }
        let mut command = Command::new("strace");
        prepare(&mut command, env.root());
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        command.args(["-e", &format!("inject={call}:signal=SIGSTOP:when=1")]);
        command.arg(env!("CARGO_BIN_EXE_undo")).args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut strace = command.spawn().unwrap();
        let started = Instant::now();
        loop {
            if let Some(pid) = lock_holder(env).filter(|pid| stays_stopped(*pid)) {
                return Some(StoppedCommand { strace, pid });
            }
            assert!(strace.try_wait().unwrap().is_none(), "`{line}` ended without a call of `{call}`");
            assert!(started.elapsed() < Duration::from_secs(60), "`{line}` was not stopped");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Resumes the command and waits for its end.
    pub fn resume(self) -> Output {
        kill_process(self.pid, Signal::CONT).unwrap();
        self.strace.wait_with_output().unwrap()
    }

    fn kill(mut self) {
        kill_process(self.pid, Signal::KILL).unwrap();
        self.strace.wait().unwrap();
    }
}

/// Returns the lock holder named in the lock file.
fn lock_holder(env: &TestEnv) -> Option<Pid> {
    let text = fs::read_to_string(env.path().join(".undo/lock")).ok()?;
    let pid = text.lines().find_map(|line| line.strip_prefix("pid "))?;
    Pid::from_raw(pid.parse().ok()?)
}

/// Returns whether the command stays stopped; a traced process stops briefly now and then.
fn stays_stopped(pid: Pid) -> bool {
    (0..20).all(|_| {
        std::thread::sleep(Duration::from_millis(10));
        is_stopped(pid)
    })
}

/// The state follows the process name, which is in parentheses.
fn is_stopped(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['t', 'T']))
}

/// Creates two commits, tagged `one` and `two`.
fn history() -> TestEnv {
    let env = TestEnv::new();
    for n in 0..20 {
        env.write(&format!("folder/{n}"), format!("one {n}"));
    }
    ends_with(&env, "commit --init -m one", 0);
    ends_with(&env, "tag one", 0);
    for n in 0..20 {
        env.write(&format!("folder/{n}"), format!("two {n}"));
    }
    ends_with(&env, "commit -m two", 0);
    ends_with(&env, "tag two", 0);
    env
}

/// Checks that a second writer's error names the lock holder and the time.
fn assert_second_writer_waits(env: &TestEnv, line: &str, held: &StoppedCommand, command: &str) {
    let started = Instant::now();
    let text = ends_with(env, line, 11);
    assert!(started.elapsed() >= Duration::from_secs(4), "the second writer did not wait");
    let who = format!("`undo {command}` (process {}) has held the lock", held.pid.as_raw_nonzero());
    assert!(text.contains(&who) && text.contains(" s, since 20"), "{text}");
}

#[test]
fn concurrent_first_commits_create_one_repository() {
    let env = TestEnv::new();
    env.write("file", "one");
    let Some(held) = StoppedCommand::at(&env, "rename", "commit --init -m one") else { return };
    let other = undo(env.root(), "commit --init -m two").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let first = held.resume();
    let second = other.wait_with_output().unwrap();
    assert!(first.status.success() && second.status.success(), "{}\n{}", said(&first), said(&second));
    // The worktree has only one state, so only the first command records it.
    let log = ends_with(&env, "log --oneline", 0);
    assert_eq!(log.lines().count(), 1, "{log}");
    let report = [said(&first), said(&second)].concat();
    let id = log.split(' ').nth(1).unwrap();
    assert!(report.contains(id), "{report}{log}");
    ends_with(&env, "verify", 0);
}

#[test]
fn running_commit_allows_reading_and_its_death_frees_the_lock() {
    let env = history();
    env.write("new", "new");
    let Some(held) = StoppedCommand::at(&env, "fdatasync", "commit -m held") else { return };
    for line in READING {
        ends_with(&env, line, 0);
    }
    ends_with(&env, "diff one two --exit-code", 1);
    assert_second_writer_waits(&env, "tag late", &held, "commit -m held");
    held.kill();
    let started = Instant::now();
    ends_with(&env, "commit -m after", 0);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(ends_with(&env, "cat @:new", 0), "new");
    ends_with(&env, "verify", 0);
}

#[test]
fn running_checkout_allows_reading() {
    let env = history();
    let two = Tree::read(&env.path());
    let Some(held) = StoppedCommand::at(&env, "renameat2", "checkout one") else { return };
    for line in READING {
        let text = ends_with(&env, line, 0);
        // The checkout is neither finished nor dead, so no command may finish it.
        assert!(!text.contains("--continue"), "{line}: {text}");
        assert!(text.contains(&format!("is in progress (process {})", held.pid.as_raw_nonzero())), "{line}: {text}");
    }
    assert_second_writer_waits(&env, "commit -m late", &held, "checkout one");
    // A writer that starts shortly before the lock is released gets it.
    let late = undo(env.root(), "commit -m late").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let output = held.resume();
    assert!(output.status.success(), "{}", said(&output));
    let output = late.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(env.read("folder/7"), b"one 7");
    ends_with(&env, "verify", 0);
    ends_with(&env, "checkout two", 0);
    crate::tree::assert_same(&two, &Tree::read(&env.path()));
}

#[test]
fn dead_checkout_is_reported() {
    let env = history();
    let Some(held) = StoppedCommand::at(&env, "renameat2", "checkout one") else { return };
    held.kill();
    let text = ends_with(&env, "status", 0);
    assert!(text.contains("unfinished") && text.contains("--continue"), "{text}");
    ends_with(&env, "checkout --continue", 0);
    assert_eq!(env.read("folder/7"), b"one 7");
    ends_with(&env, "verify", 0);
}

#[test]
fn concurrent_commits_succeed() {
    let env = history();
    for round in 0..8 {
        let names = [format!("a{round}"), format!("b{round}")];
        let children: Vec<Child> = names
            .iter()
            .map(|name| {
                env.write(name, name);
                undo(env.root(), "commit -m both").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", said(&output));
        }
        names.iter().for_each(|name| assert_eq!(ends_with(&env, &format!("cat @:{name}"), 0), **name));
    }
    ends_with(&env, "verify", 0);
}

#[test]
fn file_removed_during_diff_is_deleted() {
    let env = history();
    env.write("folder/7", "changed");
    env.write("new/file", "new");
    let repository = Repository::discover(&env.path(), Environment::from_process()).unwrap();
    let worktree = Worktree::open(env.path(), false).unwrap();
    let old = Side::Commit(Box::new(repository.store().commit(repository.view().at().unwrap()).unwrap()));
    let new = Side::Live(Box::new(scan_worktree(&repository, &worktree, &[], &Silent).unwrap()));
    let comparison = Comparison { repository: &repository, worktree: Some(&worktree), old: &old, new: &new };
    let bodies = || {
        let mut bodies = Vec::new();
        comparison
            .changes(&undo::internals::diff::Options::default(), None, &mut |change| {
                bodies.push((
                    change.path.display().to_string(),
                    comparison.body(&change, undo::workspace::TextOptions::exact(3))?,
                ));
                Ok(())
            })
            .unwrap();
        bodies.into_iter().collect::<BTreeMap<_, _>>()
    };
    let before = bodies();
    fs::remove_dir_all(env.path().join("new")).unwrap();
    fs::write(env.path().join("new"), "no folder any more").unwrap();
    fs::remove_file(env.path().join("folder/7")).unwrap();
    let after = bodies();
    let lines = |body: &Body| match body {
        Body::Text(hunks) => hunks.iter().map(|hunk| hunk.lines.len()).sum(),
        _ => 0,
    };
    let count = |bodies: &BTreeMap<String, Body>| [lines(&bodies["new/file"]), lines(&bodies["folder/7"])];
    assert_eq!((count(&before), count(&after)), ([1, 2], [0, 1]));
}

/// Sets a flag on drop.
struct SetOnDrop<'f>(&'f AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn reading_succeeds_during_compaction() {
    let env = history();
    let (root, is_over) = (env.root(), &AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Stops the others even if this one panics.
            let _end = SetOnDrop(is_over);
            for n in 0..50 {
                fs::write(root.join(format!("work/folder/{}", n % 20)), format!("three {n}")).unwrap();
                let output = undo(root, "commit -m three").output().unwrap();
                assert!(output.status.success(), "{}", said(&output));
            }
        });
        for line in ["log --stat", "diff one two", "cat two:folder/3", "verify"] {
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let output = undo(root, line).output().unwrap();
                    assert!(output.status.success(), "undo {line}: {}", said(&output));
                }
            });
        }
    });
    let counts = ends_with(&env, "count-objects -v", 0);
    let packs = counts.lines().find_map(|line| line.strip_prefix("packs: ")).unwrap();
    assert!(packs.parse::<u32>().unwrap() < 40, "no packs were merged: {counts}");
}
