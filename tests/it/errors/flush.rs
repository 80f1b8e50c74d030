//! A flush that fails: the command fails, what was acknowledged stays, and the same command run again gets it done.
//!
//! `strace` makes one flush after the other fail with an error of the disk. Where it is not installed, tests say so and pass.

use std::process::Output;

use super::{ids, noise};
use crate::crash::{calls, has_strace, killed_at};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// All calls that ask for something to be durable.
const FLUSHES: &str = "fsync,fdatasync,syncfs,sync_file_range";

/// What happens to a worktree, in which something is unsaved unless it is `undo` that goes back.
const LINES: [&str; 5] = ["commit -m three", "checkout one", "checkout many", "restore --from one .", "undo"];

/// Runs `undo` with these options of `strace`: how it ended, and the calls that it made.
fn traced(env: &TestEnv, options: &[&str], line: &str) -> (Output, String) {
    let log = env.root().join("calls");
    let mut strace = env.command("strace");
    strace.args(["-f", "-qq", "-y", "-e", "signal=none"]).args(options).arg("-o").arg(&log);
    let output = strace.arg(env!("CARGO_BIN_EXE_undo")).args(line.split(' ')).output().unwrap();
    (output, std::fs::read_to_string(log).unwrap())
}

/// A worktree, what it was, and what the line makes of it.
struct Scene {
    env: TestEnv,
    before: Tree,
    after: Tree,
    /// Tags and commits.
    known: (String, Vec<String>),
}

fn tags(env: &TestEnv) -> String {
    env.undo("show-ref --tags").ok().text()
}

impl Scene {
    /// States tagged `one`, with few differences to the next one, and `many`, with more than are flushed one by one.
    fn new(line: &str) -> Scene {
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
        Scene { env, before, after, known }
    }

    /// It has failed, and is made again.
    fn check(&self, line: &str, output: &Output) {
        let env = &self.env;
        assert_eq!(output.status.code(), Some(74), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("cannot flush") && told.contains("input/output error"), "{told}");
        // Whatever was known is whole.
        env.undo("verify").ok();
        assert_eq!(self.known.0, tags(env));
        assert!(self.known.1.iter().all(|id| ids(env).contains(id)));
        if !self.is_open() {
            assert_same(&self.before, &Tree::read(&env.path()));
        }
        // An interrupted `undo` would be taken back by another one, and single paths wait for the end of all.
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
        String::from_utf8_lossy(&self.env.undo("status").ok().stderr).contains("did not end")
    }
}

#[test]
fn command_fails_when_flush_fails_and_can_be_repeated() {
    if !has_strace() {
        return;
    }
    for line in LINES {
        let arguments: Vec<&str> = line.split(' ').collect();
        let flushes = calls(&Scene::new(line).env, FLUSHES, &arguments, 0);
        // The pack, its folder (and those above it, unless it is there already: one time in a hundred), the journal.
        assert!(flushes.len() >= 3, "{line}: {flushes:?}");
        let mut failed = 0;
        for (call, n) in flushes {
            let scene = Scene::new(line);
            let inject = format!("inject={call}:error=EIO:when={n}");
            let (output, log) = traced(&scene.env, &["-e", &format!("trace={FLUSHES}"), "-e", &inject], line);
            // How many folders of packs are new is not the same each time.
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

/// What was written before a kill may be in memory alone: whoever ends the checkout answers for that too.
#[test]
fn continue_flushes_all_written_files() {
    if !has_strace() {
        return;
    }
    // In the middle, and when all is in place but not flushed.
    for (call, n) in [("renameat2", 1), ("fsync", 5)] {
        for line in ["checkout --continue", "checkout one", "undo"] {
            let scene = Scene::new("checkout one");
            assert!(killed_at(&scene.env, call, n, &["checkout", "one"]));
            assert!(scene.is_open());
            let (output, log) = traced(&scene.env, &["-e", "trace=syncfs,fdatasync"], line);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
            let (before, after) = log.split_once("syncfs(").unwrap_or_else(|| panic!("{line} after {call} {n}: {log}"));
            assert!(after.contains("/journal/"), "flushed before it is recorded: {before}");
        }
    }
}

/// After a failed flush the system thinks that what it has in memory is on the disk. Whether it is can only be seen when
/// it is read from there.
#[test]
fn unflushed_pack_is_not_read_from_cache() {
    if !has_strace() {
        return;
    }
    // Up to three are of folders of packs, at least seven of what was written.
    let one = ("checkout one", "fsync", 5, ["few/file", "gone/deep"]);
    let many = ("checkout many", "syncfs", 1, ["few/file", "many-0/file-3"]);
    for (line, call, n, files) in [one, many] {
        let scene = Scene::new(line);
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
