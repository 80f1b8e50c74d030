//! Failing flushes: the command fails, acknowledged data stays, and the same command succeeds when repeated.
//!
//! `strace` makes each flush in turn fail with an I/O error.

use std::process::Output;

use super::{ids, noise};
use crate::crash::{calls, has_strace, killed_at};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Calls that flush data.
const FLUSHES: &str = "fsync,fdatasync,syncfs,sync_file_range";

/// Commands under test; the worktree has unsaved changes except for `undo`.
const LINES: [&str; 5] = ["commit -m three", "checkout one", "checkout many", "restore --from one .", "undo"];

/// Runs `undo` with these options of `strace`; returns its exit status and its calls.
fn traced(env: &TestEnv, options: &[&str], line: &str) -> (Output, String) {
    let log = env.root().join("calls");
    let mut strace = env.command("strace");
    strace.args(["-f", "-qq", "-y", "-e", "signal=none"]).args(options).arg("-o").arg(&log);
    let output = strace.arg(env!("CARGO_BIN_EXE_undo")).args(line.split(' ')).output().unwrap();
    (output, std::fs::read_to_string(log).unwrap())
}

/// A worktree, its original tree, and its tree after the command.
struct Scenario {
    env: TestEnv,
    before: Tree,
    after: Tree,
    /// Ids of tags and commits.
    known: (String, Vec<String>),
}

fn tags(env: &TestEnv) -> String {
    env.undo("show-ref --tags").ok().text()
}

impl Scenario {
    /// Creates states tagged `one`, with few differences from the next one, and `many`, with more than are flushed
    /// individually.
    fn new(line: &str) -> Scenario {
        let env = TestEnv::initialised();
        (0..20).for_each(|n| env.write(&format!("many-{}/file-{n}", n % 3), noise(n, 900)));
        env.write("few/file", "many");
        env.undo("commit -m many").ok();
        env.undo("tag many").ok();
        let many = Tree::read(&env.path());
        (0..3).for_each(|n| std::fs::remove_dir_all(env.path().join(format!("many-{n}"))).unwrap());
        env.write("few/file", "one");
        env.write("gone/deep", "one");
        env.undo("commit -m one").ok();
        env.undo("tag one").ok();
        let one = Tree::read(&env.path());
        std::fs::remove_dir_all(env.path().join("gone")).unwrap();
        env.write("few/file", "two");
        env.undo("commit -m two").ok();
        let two = Tree::read(&env.path());
        if line == "undo" {
            env.undo("checkout one").ok();
        } else {
            env.write("unsaved", noise(2, if line.starts_with("commit") { 6 << 20 } else { 6000 }));
        }
        let before = Tree::read(&env.path());
        let after = match line {
            "checkout many" => many,
            "undo" => two,
            line if line.starts_with("commit") => before.clone(),
            _ => one,
        };
        let known = (tags(&env), ids(&env));
        Scenario { env, before, after, known }
    }

    /// Repeats the failed command.
    fn check(&self, line: &str, output: &Output) {
        let env = &self.env;
        assert_eq!(output.status.code(), Some(74), "{output:?}");
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(report.contains("cannot flush") && report.contains("input/output error"), "{report}");
        // All acknowledged data is intact.
        env.undo("verify").ok();
        assert_eq!(self.known.0, tags(env));
        assert!(self.known.1.iter().all(|id| ids(env).contains(id)));
        if !self.is_open() {
            assert_same(&self.before, &Tree::read(&env.path()));
        }
        // Another `undo` would revert an interrupted one, and restoring paths is refused while a checkout is
        // unfinished.
        let again = if self.is_open() && !line.starts_with("checkout") { "checkout --continue" } else { line };
        env.undo(again).ok();
        assert_same(&self.after, &Tree::read(&env.path()));
        assert!(!self.is_open());
        env.undo("verify").ok();
        if line.starts_with("commit") {
            assert_eq!(env.undo("log -n 1 --json").ok().json()[0]["message"], "three");
            return;
        }
        env.undo(if line == "undo" { "redo" } else { "undo" }).ok();
        assert_same(&self.before, &Tree::read(&env.path()));
    }

    fn is_open(&self) -> bool {
        String::from_utf8_lossy(&self.env.undo("status").ok().stderr).contains("unfinished")
    }
}

#[test]
fn command_fails_when_flush_fails_and_can_be_repeated() {
    if !has_strace() {
        return;
    }
    for line in LINES {
        let arguments: Vec<&str> = line.split(' ').collect();
        let flushes = calls(&Scenario::new(line).env, FLUSHES, &arguments, 0);
        // The pack, its folder (and parents, unless they exist already: one time in a hundred), the journal.
        assert!(flushes.len() >= 3, "{line}: {flushes:?}");
        let mut failed = 0;
        for (call, n) in flushes {
            let scene = Scenario::new(line);
            let inject = format!("inject={call}:error=EIO:when={n}");
            let (output, log) = traced(&scene.env, &["-e", &format!("trace={FLUSHES}"), "-e", &inject], line);
            // The number of new pack folders varies.
            if log.contains("(INJECTED)") {
                println!("{line}\n{log}");
                failed += 1;
                scene.check(line, &output);
            } else {
                assert_eq!(output.status.code(), Some(0), "{output:?}");
            }
        }
        println!("{line}: {failed} flushes failed");
        assert!(failed >= 3, "{line}: {failed}");
    }
}

/// Data written before a kill may be only in memory; the command that ends the checkout must flush it.
#[test]
fn continue_flushes_all_written_files() {
    if !has_strace() {
        return;
    }
    // In the middle, and when everything is in place but not flushed.
    for (call, n) in [("renameat2", 1), ("fsync", 5)] {
        for line in ["checkout --continue", "checkout one", "undo"] {
            let scene = Scenario::new("checkout one");
            assert!(killed_at(&scene.env, call, n, &["checkout", "one"]));
            assert!(scene.is_open());
            let (output, log) = traced(&scene.env, &["-e", "trace=syncfs,fdatasync"], line);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            let (before, after) = log.split_once("syncfs(").unwrap_or_else(|| panic!("{line} after {call} {n}: {log}"));
            assert!(after.contains("/journal/"), "not flushed before it was recorded: {before}");
        }
    }
}

/// After a failed flush the kernel treats the cached data as clean. Only reading from the disk shows whether it was
/// written.
#[test]
fn unflushed_pack_is_not_read_from_cache() {
    if !has_strace() {
        return;
    }
    // Up to three flushes are of pack folders, at least seven of written files.
    let one = ("checkout one", "fsync", 5, ["few/file", "gone/deep"]);
    let many = ("checkout many", "syncfs", 1, ["few/file", "many-0/file-3"]);
    for (line, call, n, files) in [one, many] {
        let scene = Scenario::new(line);
        let inject = format!("inject={call}:error=EIO:when={n}");
        let (output, log) = traced(&scene.env, &["-e", &format!("trace={call},fadvise64"), "-e", &inject], line);
        assert_eq!(output.status.code(), Some(74), "{output:?}");
        let failed = log.split_once("(INJECTED)").unwrap().1;
        for file in files {
            let is_forgotten = |line: &str| line.contains(&format!("work/{file}>, 0, 0, POSIX_FADV_DONTNEED"));
            assert!(failed.lines().any(is_forgotten), "{file}: {log}");
        }
    }
}
