//! Kills commands at any system call: every acknowledged commit is complete, and the same command succeeds when
//! repeated.
//!
//! `strace` kills the program before its N-th call of a family. A sample of N runs with the other tests;
//! `UNDO_TEST_SWEEP=1` tries every N.

mod automatic;
mod forget;
pub mod recovery;
mod runs;

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Calls that modify the disk.
pub const CALLS: [&str; 17] = [
    "openat",
    "write",
    "pwrite64",
    "pwritev2",
    "fsync",
    "fdatasync",
    "syncfs",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "ftruncate",
    "fallocate",
    "utimensat",
];

/// Runs `undo` and kills it before its `n`-th call of this name (or of any of several names). Returns whether it was
/// killed. Traces only `undo` and its threads, not the programs that it runs.
pub fn killed_at(env: &TestEnv, call: &str, n: usize, arguments: &[&str]) -> bool {
    let mut strace = env.command("strace");
    strace.args(["-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:signal=SIGKILL:when={n}")]);
    strace.arg(env!("CARGO_BIN_EXE_undo")).args(arguments);
    // `strace` exits with the status of the program.
    strace.output().expect("strace is installed").status.signal() == Some(9)
}

/// Lists the calls of a family made by `undo` and its threads, each with its number per name and thread, as `strace`
/// counts them. The command must end with this exit status.
pub fn calls(env: &TestEnv, family: &str, arguments: &[&str], exit: i32) -> Vec<(String, usize)> {
    let log = env.root().join("calls");
    let mut strace = env.command("strace");
    strace.args(["-f", "-b", "execve", "-qq", "-e", "signal=none", "-e", &format!("trace={family}"), "-o"]).arg(&log);
    let output = strace.arg(env!("CARGO_BIN_EXE_undo")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    let (mut counts, mut calls) = (HashMap::new(), Vec::new());
    for line in std::fs::read_to_string(log).unwrap().lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        // "<... fsync resumed>" is already counted.
        let Some((name, _)) = rest.trim_start().split_once('(').filter(|(name, _)| !name.contains(' ')) else {
            continue;
        };
        let count = counts.entry((thread.to_owned(), name.to_owned())).or_insert(0);
        *count += 1;
        let call = (name.to_owned(), *count);
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls
}

fn is_sweep() -> bool {
    std::env::var_os("UNDO_TEST_SWEEP").is_some()
}

/// Selects the calls to try: all of them in a sweep, else one in the first and one in the second half, chosen by
/// `salt`.
pub fn selected(calls: Vec<(String, usize)>, salt: usize) -> Vec<(String, usize)> {
    let length = calls.len();
    match is_sweep() {
        true => calls,
        false => (0..length.min(2)).map(|half| calls[(half * length + salt % length) / 2].clone()).collect(),
    }
}

pub fn has_strace() -> bool {
    let found = Command::new("strace").arg("-V").output().is_ok();
    if !found {
        skip("strace is not installed");
    }
    found
}

/// Calls `run` with a kill at each call of these names, in order, until `run` returns that it was not killed.
pub fn for_each_kill(calls: &[&str], run: impl Fn(&str, usize) -> bool) {
    for call in calls {
        let mut n = 1;
        while run(call, n) {
            n = next_n(n);
        }
    }
}

/// Returns the next N: every number in a sweep, else growing steps.
fn next_n(n: usize) -> usize {
    if is_sweep() { n + 1 } else { n + 1 + n / 3 }
}

fn first_state(env: &TestEnv) {
    for n in 0..12 {
        env.write(&format!("folder-{}/file-{n}", n % 3), format!("content {n}").as_bytes());
    }
    env.write("large", vec![9; (1 << 20) + 5]);
}

fn second_state(env: &TestEnv) {
    std::fs::remove_dir_all(env.path().join("folder-0")).unwrap();
    env.write("folder-1/file-1", b"changed");
    env.write("folder-0", b"a file now");
    env.write("new/deep/file", b"new");
    for (from, to) in [("folder-2/file-2", "moved"), ("folder-2/file-5", "new/moved"), ("folder-2/file-8", "over")] {
        std::fs::rename(env.path().join(from), env.path().join(to)).unwrap();
    }
    // With another mode and an occupied old path, such a move takes two steps.
    std::fs::set_permissions(env.path().join("moved"), std::fs::Permissions::from_mode(0o600)).unwrap();
    env.write("folder-2/file-8", b"something else");
    env.write("large", vec![8; (1 << 20) + 9]);
    // A file as recent as the file system's clock would be racy, and not moved back.
    std::thread::sleep(std::time::Duration::from_millis(20));
}

#[test]
fn commit_killed_at_any_call_is_complete_or_absent() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let env = TestEnv::new();
        first_state(&env);
        env.undo("commit --init -m one").ok();
        let one = Tree::read(&env.path());
        second_state(&env);
        let two = Tree::read(&env.path());
        let killed = killed_at(&env, call, n, &["commit", "-m", "two"]);
        assert_same(&two, &Tree::read(&env.path()));
        let commits = commits(&env);
        assert!(commits == 1 || commits == 2, "{call} {n}: {commits} commits");
        assert!(killed || commits == 2, "{call} {n}");
        env.undo("commit -m again").ok();
        env.undo("checkout @~").ok();
        assert_same(&one, &Tree::read(&env.path()));
        env.undo("checkout latest").ok();
        assert_same(&two, &Tree::read(&env.path()));
        killed
    });
}

/// Records both states, tags the first one `one`, and returns it. The worktree has the second one.
fn two_commits(env: &TestEnv) -> Tree {
    first_state(env);
    env.undo("commit --init -m one").ok();
    env.undo("tag one").ok();
    let one = Tree::read(&env.path());
    second_state(env);
    env.undo("commit -m two").ok();
    one
}

#[test]
fn checkout_killed_at_any_call_succeeds_when_repeated() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let env = TestEnv::new();
        let one = two_commits(&env);
        env.undo("tag two").ok();
        let two = Tree::read(&env.path());
        env.write("unsaved", b"unsaved");
        let killed = killed_at(&env, call, n, &["checkout", "one"]);
        env.undo("checkout one").ok();
        assert_same(&one, &Tree::read(&env.path()));
        env.undo("checkout two").ok();
        assert_same(&two, &Tree::read(&env.path()));
        let kept = env
            .undo("log --json")
            .ok()
            .json()
            .iter()
            .any(|line| line["id"].as_str().is_some_and(|id| env.undo(&format!("cat {id}:unsaved")).code == 0));
        assert!(kept, "{call} {n}: no commit has the unsaved changes");
        killed
    });
}

/// The commit of unsaved changes and the intent are one write: before it, `@` is unchanged; after it, the output
/// reports that `@` has moved.
#[test]
fn repeated_checkout_of_current_commit_does_not_resurrect_changes() {
    if !has_strace() {
        return;
    }
    for_each_kill(&["write", "pwrite64", "fdatasync", "renameat2", "unlinkat"], |call, n| {
        let env = TestEnv::new();
        first_state(&env);
        env.undo("commit --init -m one").ok();
        let one = Tree::read(&env.path());
        second_state(&env);
        let killed = killed_at(&env, call, n, &["checkout", "@"]);
        let again = env.undo("checkout @");
        if again.code == 4 {
            assert!(String::from_utf8_lossy(&again.stderr).contains("undo checkout --continue"), "{again}");
            env.undo("checkout --continue").ok();
        }
        assert!([0, 4].contains(&again.code), "{again}");
        assert_same(&one, &Tree::read(&env.path()));
        killed
    });
}

/// Simulates a stop during a swap: a staged name holds a file that was just changed.
pub fn stopped(worktree: &Path) -> undo::id::CommitId {
    let mut repository =
        undo::internals::repo::Repository::discover(worktree, undo::environment::Environment::from_process()).unwrap();
    let (from, to) = (repository.view().at(), repository.view().tags["one"]);
    let (time, paths) = (repository.environment.now(), Vec::new());
    let verb = "checkout".into();
    let (edits, switch, undo_position, before) = (Vec::new(), None, None, repository.operation());
    let worktree = worktree.as_os_str().as_encoded_bytes().to_vec();
    let intent = undo::internals::object::operation::Intent {
        token: 7,
        verb,
        time,
        from,
        to,
        paths,
        edits,
        switch,
        undo_position,
        before,
        worktree,
    };
    repository.begin().unwrap().intend(intent).unwrap();
    to
}

#[test]
fn staged_files_of_unfinished_checkout_are_not_recorded_or_lost() {
    let env = TestEnv::new();
    let one = two_commits(&env);
    stopped(&env.path());
    let staged = ["folder-1/.undo-0000000000000007-0", ".undo-0000000000000007-1"];
    env.write(staged[0], b"changed in that instant");
    env.write(staged[1], b"changed");
    env.write("more", b"more");
    env.undo("commit -m half").shows(snapbox::str![[r#"
---- stderr ----
error: an unfinished checkout of [ID] has left the directory half old, half new
hint: finish it with `undo checkout --continue`, or undo it with `undo undo`; `--force` records the directory
[exit 4]

"#]]);
    env.undo("commit --force -m half").ok();
    let listed = env.undo("ls -R --json").ok().text();
    assert!(listed.contains("more") && !listed.contains(".undo-"), "{listed}");
    assert_eq!(env.read(staged[0]), b"changed in that instant");
    let shown = env.undo("checkout --continue").ok();
    assert!(String::from_utf8_lossy(&shown.stderr).contains(staged[0]), "{shown}");
    assert_eq!(env.read(staged[0]), b"changed in that instant");
    assert!(!env.path().join(staged[1]).exists(), "the staged file is still there although a commit has its content");
    assert_eq!(env.undo("cat latest:more").ok().stdout, b"more");
    // Now it is an ordinary file.
    env.undo("commit -m left").ok();
    env.undo("checkout one").ok();
    assert_same(&one, &Tree::read(&env.path()));
}

#[test]
fn restore_of_paths_is_refused_while_checkout_is_unfinished() {
    let env = TestEnv::new();
    let one = two_commits(&env);
    stopped(&env.path());
    for line in ["restore large", "restore -n large", "checkout one -- large"] {
        let shown = env.undo(line).fails(4);
        assert!(String::from_utf8_lossy(&shown.stderr).contains("undo checkout --continue"), "{shown}");
    }
    env.undo("checkout --continue").ok();
    assert_same(&one, &Tree::read(&env.path()));
    env.undo("restore --from @ large").ok();
}

fn commits(env: &TestEnv) -> usize {
    env.undo("log --json").ok().json().iter().filter(|line| line["type"] == "commit").count()
}

#[test]
fn checkout_that_ends_an_unfinished_one_gives_no_advice_about_it() {
    let env = TestEnv::new();
    let one = two_commits(&env);
    stopped(&env.path());
    let warning = "has left the directory half old, half new";
    assert!(env.undo("checkout -n one").to_string().contains(warning));
    let ended = env.undo("checkout one").ok().to_string();
    assert!(!ended.contains(warning), "{ended}");
    assert_same(&one, &Tree::read(&env.path()));
}
