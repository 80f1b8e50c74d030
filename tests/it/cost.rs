//! Counts system calls; never measures time. Needs `strace`.

mod amounts;
mod frames;
mod growth;
#[cfg(feature = "targets")]
mod targets;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::env::TestEnv;
use crate::skip::skip;

/// One system call.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    /// Path of its first file descriptor.
    pub path: String,
    /// Return value; for reads and writes, the number of bytes.
    pub result: i64,
    /// The whole line.
    pub line: String,
}

/// Runs `undo` under strace.
pub fn trace(env: &TestEnv, calls: &str, arguments: &[&str]) -> Option<Vec<Call>> {
    trace_by(env, env.command("strace"), calls, arguments)
}

/// Runs `undo` under strace with the clock of the system, so that it starts processes in the background.
pub fn trace_with_clock(env: &TestEnv, calls: &str, arguments: &[&str]) -> Option<Vec<Call>> {
    let mut strace = env.command("strace");
    strace.env_remove("UNDO_TIME");
    trace_by(env, strace, calls, arguments)
}

/// Runs `undo` under strace with a file as its stdin.
pub fn trace_with_input(env: &TestEnv, calls: &str, arguments: &[&str], input: &Path) -> Option<Vec<Call>> {
    let mut strace = env.command("strace");
    strace.stdin(std::fs::File::open(input).unwrap());
    trace_by(env, strace, calls, arguments)
}

fn trace_by(env: &TestEnv, mut strace: Command, calls: &str, arguments: &[&str]) -> Option<Vec<Call>> {
    if Command::new("strace").arg("-V").output().is_err() {
        skip("strace is not installed");
        return None;
    }
    let log = env.root().join("trace");
    let filter = format!("trace={calls}");
    strace.args(["-f", "-y", "-qq", "-e", &filter, "-o"]).arg(&log).arg(env!("CARGO_BIN_EXE_undo")).args(arguments);
    let output = strace.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    Some(join_interrupted_lines(&text).iter().filter_map(|line| parse(line)).collect())
}

/// Returns the lines without thread ids, joining calls that were interrupted by another thread.
fn join_interrupted_lines(text: &str) -> Vec<String> {
    let (mut begun, mut lines) = (BTreeMap::new(), Vec::new());
    for (thread, report) in text.lines().filter_map(|line| line.split_once(' ')) {
        let report = report.trim_start();
        if let Some(start) = report.strip_suffix("<unfinished ...>") {
            begun.insert(thread, start);
            continue;
        }
        let end = report.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>"));
        lines.push(end.map_or(report.to_owned(), |(_, end)| begun.remove(thread).unwrap_or_default().to_owned() + end));
    }
    lines
}

/// `read(5</some/file>, ...) = 7` → `read`, `/some/file`, 7.
fn parse(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let path = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path);
    let result = rest.rsplit_once(" = ").and_then(|(_, result)| result.split(' ').next()?.parse().ok());
    let (name, path, line) = (name.to_owned(), path.to_owned(), line.to_owned());
    Some(Call { name, path, result: result.unwrap_or_default(), line })
}

/// Lists the calls that access files of the worktree outside the repository.
fn on_worktree<'t>(env: &TestEnv, trace: &'t [Call]) -> Vec<&'t Call> {
    let (root, repository) = (env.path(), env.path().join(".undo"));
    let is_content = |path: &str| Path::new(path).starts_with(&root) && !Path::new(path).starts_with(&repository);
    trace.iter().filter(|call| is_content(&call.path)).collect()
}

fn many_files(env: &TestEnv) {
    for n in 0..300 {
        env.write(&format!("folder-{}/file-{n}", n % 7), format!("content {n}").as_bytes());
    }
    env.write("large", vec![3; 3 << 20]);
}

pub const READS: &str = "read,pread64,readv,preadv,preadv2,mmap,copy_file_range,sendfile";

#[test]
fn status_after_checkout_reads_no_content() {
    let env = TestEnv::new();
    many_files(&env);
    env.undo("commit --init -m one").ok();
    many_files(&env);
    for n in 0..100 {
        env.write(&format!("folder-{}/file-{n}", n % 7), b"other");
    }
    env.write("large", vec![4; 4 << 20]);
    env.undo("commit -m two").ok();
    env.undo("checkout @~").ok();
    let Some(trace) = trace(&env, READS, &["status"]) else { return };
    assert_eq!(on_worktree(&env, &trace), Vec::<&Call>::new());
}

/// Creates folders with few files each, so that folders dominate the queue.
#[test]
fn walks_of_many_folders_use_several_threads() {
    if std::thread::available_parallelism().unwrap().get() < 2 {
        return skip("this machine has one processor");
    }
    for (folders, threads) in [(40, 1), (4, 0)] {
        let env = TestEnv::new();
        for n in 0..folders * 30 {
            env.write(&format!("folder-{}/file-{n}", n % folders), b"the same");
        }
        env.undo("commit --init -m one").ok();
        let Some(trace) = trace(&env, "clone,clone3", &["status"]) else { return };
        assert_eq!(trace.len(), threads, "{folders} folders: {trace:?}");
    }
}

#[test]
fn empty_commit_reads_no_content_and_flushes_nothing() {
    let env = TestEnv::new();
    many_files(&env);
    std::thread::sleep(std::time::Duration::from_millis(20));
    env.undo("commit --init -m one").ok();
    env.undo("commit -m settled").ok();
    let Some(trace) = trace(&env, &format!("{READS},fsync,fdatasync,syncfs"), &["commit", "-m", "again"]) else {
        return;
    };
    assert_eq!(on_worktree(&env, &trace), Vec::<&Call>::new());
    let flushes = trace.iter().filter(|call| call.name.contains("sync")).count();
    assert_eq!(flushes, 0);
}

#[test]
fn commit_makes_no_worktree_writes() {
    let env = TestEnv::new();
    many_files(&env);
    env.undo("init").ok();
    let calls = "write,pwrite64,pwritev2,ftruncate,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,fchmod,fchmodat,fchown,\
                 fchownat,utimensat,setxattr,lsetxattr,fsetxattr,link,linkat,symlinkat,fallocate";
    let Some(trace) = trace(&env, calls, &["commit", "-m", "one"]) else { return };
    assert!(!trace.is_empty());
    // Calls on names have the folder as their first descriptor, which must not be the root.
    assert_eq!(on_worktree(&env, &trace), Vec::<&Call>::new());
}

#[test]
fn small_commit_flushes_few_files() {
    let env = TestEnv::new();
    many_files(&env);
    env.undo("commit --init -m one").ok();
    env.write("folder-1/new", b"new");
    let Some(trace) = trace(&env, "fsync,fdatasync,syncfs", &["commit", "-m", "two"]) else { return };
    let mut by_file = BTreeMap::<&str, u32>::new();
    trace.iter().for_each(|call| *by_file.entry(&call.path).or_default() += 1);
    // At most two packs with their folders, and the journal.
    assert!(trace.len() <= 6, "{by_file:?}");
}

#[test]
fn alarm_reads_few_files_and_only_after_many_replacements() {
    let env = TestEnv::new();
    many_files(&env);
    env.undo("commit --init -m one").ok();
    // A tenth of 301 files is 31.
    for (changed, looked_at) in [(30, 0), (300, 64)] {
        std::thread::sleep(std::time::Duration::from_millis(20));
        for n in 0..changed {
            env.write(&format!("folder-{}/file-{n}", n % 7), format!("content {n} of {changed}").as_bytes());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        let Some(trace) = trace(&env, READS, &["commit", "-m", "two"]) else { return };
        let reads = on_worktree(&env, &trace).len();
        // A short file takes one read for its content and, if sampled, one for its end.
        assert!((changed..=changed + 2 * looked_at).contains(&reads), "{reads} for {changed}");
        assert!(looked_at == 0 || reads > changed, "{reads} reads: no file was sampled");
    }
    // Files that were only added or deleted are never sampled.
    std::fs::remove_dir_all(env.path().join("folder-3")).unwrap();
    env.write("folder-9/new", b"new");
    let Some(trace) = trace(&env, READS, &["commit", "-m", "three"]) else { return };
    assert_eq!(on_worktree(&env, &trace).len(), 1);
}

#[test]
fn small_file_is_read_with_one_call() {
    let env = TestEnv::new();
    for n in 0..100 {
        env.write(&format!("file-{n}"), format!("content {n}").as_bytes());
    }
    env.undo("init").ok();
    let Some(trace) = trace(&env, READS, &["commit", "-m", "one"]) else { return };
    assert_eq!(on_worktree(&env, &trace).len(), 100);
}
