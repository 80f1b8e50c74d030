//! Costs are tested by counting system calls, never by a clock. Needs `strace`; says so and passes where it is not there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::env::TestEnv;

/// Runs `undo` under strace; for each line of the trace, the call and the path of its first descriptor.
fn trace(env: &TestEnv, calls: &str, arguments: &[&str]) -> Option<Vec<(String, String)>> {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: strace is not installed");
        return None;
    }
    let log = env.root().join("trace");
    let filter = format!("trace={calls}");
    let mut strace = env.command("strace");
    strace.args(["-f", "-y", "-qq", "-e", &filter, "-o"]).arg(&log).arg(env!("CARGO_BIN_EXE_undo")).args(arguments);
    let output = strace.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    Some(text.lines().filter_map(parse).collect())
}

/// `123 read(5</some/file>, ...` → (`read`, `/some/file`).
fn parse(line: &str) -> Option<(String, String)> {
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let (call, rest) = line.split_once('(')?;
    let path = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path);
    Some((call.to_owned(), path.to_owned()))
}

/// Calls on content of the worktree: below its root, and not in the repository.
fn on_worktree<'t>(env: &TestEnv, trace: &'t [(String, String)]) -> Vec<&'t (String, String)> {
    let (root, repository) = (env.path(), env.path().join(".undo"));
    let is_content = |path: &str| Path::new(path).starts_with(&root) && !Path::new(path).starts_with(&repository);
    trace.iter().filter(|(_, path)| is_content(path)).collect()
}

fn many_files(env: &TestEnv) {
    for n in 0..300 {
        env.write(&format!("folder-{}/file-{n}", n % 7), format!("content {n}").as_bytes());
    }
    env.write("large", vec![3; 3 << 20]);
}

const READS: &str = "read,pread64,readv,preadv,preadv2,mmap,copy_file_range,sendfile";

#[test]
fn a_status_after_a_checkout_reads_no_content() {
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
    assert_eq!(on_worktree(&env, &trace), Vec::<&(String, String)>::new());
}

#[test]
fn a_commit_of_nothing_new_reads_no_content_and_flushes_nothing() {
    let env = TestEnv::new();
    many_files(&env);
    std::thread::sleep(std::time::Duration::from_millis(20));
    env.undo("commit --init -m one").ok();
    env.undo("commit -m settled").ok();
    let Some(trace) = trace(&env, &format!("{READS},fsync,fdatasync,syncfs"), &["commit", "-m", "again"]) else {
        return;
    };
    assert_eq!(on_worktree(&env, &trace), Vec::<&(String, String)>::new());
    let flushes = trace.iter().filter(|(call, _)| call.contains("sync")).count();
    assert_eq!(flushes, 0);
}

#[test]
fn a_commit_never_writes_to_the_worktree() {
    let env = TestEnv::new();
    many_files(&env);
    env.undo("init").ok();
    let calls = "write,pwrite64,ftruncate,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,fchmod,fchmodat,fchown,\
                 fchownat,utimensat,setxattr,lsetxattr,fsetxattr,link,linkat,symlinkat,fallocate";
    let Some(trace) = trace(&env, calls, &["commit", "-m", "one"]) else { return };
    assert!(!trace.is_empty());
    // A call on names has the folder as its first descriptor; the root itself must not be one.
    assert_eq!(on_worktree(&env, &trace), Vec::<&(String, String)>::new());
}

#[test]
fn a_small_commit_flushes_a_few_files_only() {
    let env = TestEnv::new();
    many_files(&env);
    env.undo("commit --init -m one").ok();
    env.write("folder-1/new", b"new");
    let Some(trace) = trace(&env, "fsync,fdatasync,syncfs", &["commit", "-m", "two"]) else { return };
    let mut by_file = BTreeMap::<&str, u32>::new();
    trace.iter().for_each(|(_, path)| *by_file.entry(path).or_default() += 1);
    // Two packs at most with their folders, the journal, and no more.
    assert!(trace.len() <= 6, "{by_file:?}");
}

#[test]
fn an_alarm_looks_into_a_few_files_and_only_if_many_were_replaced() {
    let env = TestEnv::new();
    many_files(&env);
    env.undo("commit --init -m one").ok();
    // Of 301 files a tenth is 31.
    for (changed, looked_at) in [(30, 0), (300, 64)] {
        std::thread::sleep(std::time::Duration::from_millis(20));
        for n in 0..changed {
            env.write(&format!("folder-{}/file-{n}", n % 7), format!("content {n} of {changed}").as_bytes());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        let Some(trace) = trace(&env, READS, &["commit", "-m", "two"]) else { return };
        let reads = on_worktree(&env, &trace).len();
        // A short file is read once for its content, and to see its end once more where it is looked at.
        assert!((changed..=changed + 2 * looked_at).contains(&reads), "{reads} for {changed}");
        assert!(looked_at == 0 || reads > changed, "{reads}: not looked at");
    }
    // What was only added or deleted is never looked into.
    std::fs::remove_dir_all(env.path().join("folder-3")).unwrap();
    env.write("folder-9/new", b"new");
    let Some(trace) = trace(&env, READS, &["commit", "-m", "three"]) else { return };
    assert_eq!(on_worktree(&env, &trace).len(), 1);
}

#[test]
fn a_small_file_is_read_with_one_call() {
    let env = TestEnv::new();
    for n in 0..100 {
        env.write(&format!("file-{n}"), format!("content {n}").as_bytes());
    }
    env.undo("init").ok();
    let Some(trace) = trace(&env, READS, &["commit", "-m", "one"]) else { return };
    assert_eq!(on_worktree(&env, &trace).len(), 100);
}
