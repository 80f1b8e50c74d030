//! Costs of steps, counted: system calls, and bytes on disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{bash, hook, payload, set};
use crate::cost::{Call, READS, trace, trace_with_input};
use crate::crash::has_strace;
use crate::env::TestEnv;

const FLUSHES: &str = "fsync,fdatasync,syncfs,sync_file_range";

fn trace_hook(env: &TestEnv, calls: &str) -> Vec<Call> {
    let file = env.root().join("payload");
    fs::write(&file, payload(env, "claude/PreToolUse-Bash")).unwrap();
    trace_with_input(env, calls, &["agent", "hook", "claude"], &file).expect("strace is installed")
}

fn count(calls: &[Call], name: &str) -> usize {
    calls.iter().filter(|call| call.name == name).count()
}

/// Allocated bytes of a directory and everything in it.
fn allocated(path: &Path) -> u64 {
    let metadata = fs::symlink_metadata(path).unwrap();
    let entries = if metadata.is_dir() { Some(fs::read_dir(path).unwrap()) } else { None };
    let below: u64 = entries.into_iter().flatten().map(|entry| allocated(&entry.unwrap().path())).sum();
    metadata.blocks() * 512 + below
}

#[test]
fn a_step_with_nothing_new_examines_each_file_once_and_flushes_nothing() {
    const FILES: usize = 20_000;
    if !has_strace() {
        return;
    }
    let env = TestEnv::new();
    set(&env, "agent.deadline", "50s");
    for n in 0..FILES {
        env.write(&format!("{}/{n}", n % 200), n.to_string());
    }
    env.undo("commit --init -m start").ok();
    std::thread::sleep(std::time::Duration::from_millis(20));
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    let worktree = env.path();
    let calls = trace_hook(&env, &format!("statx,newfstatat,openat,openat2,write,pwrite64,pwritev2,{READS},{FLUSHES}"));
    let flushes: Vec<&Call> = calls.iter().filter(|call| call.name.contains("sync")).collect();
    assert!(flushes.is_empty(), "{flushes:?}");
    let stats = count(&calls, "statx") + count(&calls, "newfstatat");
    assert!((FILES..FILES + 800).contains(&stats), "{stats}");
    let opened = count(&calls, "openat") + count(&calls, "openat2");
    assert!(opened < 800, "{opened} files and directories were opened");
    let is_content =
        |call: &&Call| READS.split(',').any(|name| name == call.name) && Path::new(&call.path).starts_with(&worktree);
    let content: Vec<&Call> = calls.iter().filter(is_content).filter(|call| !call.path.contains("/.undo/")).collect();
    assert!(content.is_empty(), "{content:?}");
    let written: i64 = calls.iter().filter(|call| call.name.contains("write")).map(|call| call.result).sum();
    assert!(written < 2000, "{written} bytes were written");
}

#[test]
fn a_hundred_steps_beside_a_large_database_take_little_space() {
    let env = TestEnv::new();
    set(&env, "agent.deadline", "50s");
    for n in 0..2000 {
        env.write(&format!("src/{}/{n}.py", n % 40), format!("print({n})\n").repeat(20));
    }
    let database = fs::File::create(env.path().join("orders.db")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&database, &crate::errors::noise(1, 8 << 20), 1 << 30).unwrap();
    database.set_len(5 << 30).unwrap();
    env.undo("commit --init -m start").ok();
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    let repository = env.path().join(".undo");
    let before = allocated(&repository);
    for n in 0..100 {
        hook(&env, "claude", bash(&env, "s", &format!("./edit {n}")));
        for file in 0..3 {
            let n = (n * 37 + file * 611) % 2000;
            let path = format!("src/{}/{n}.py", n % 40);
            let text = String::from_utf8(env.read(&path)).unwrap();
            env.write(&path, format!("{text}# step {n}\n"));
        }
    }
    hook(&env, "claude", payload(&env, "claude/Stop"));
    let grown = allocated(&repository) - before;
    assert!(grown <= 2_500_000, "{grown} bytes before gc");
    env.undo("gc --now").ok();
    // The catalog is a cache, which is written once there are enough objects and does not grow with each step.
    let grown = allocated(&repository) - allocated(&repository.join("catalog")) - before;
    assert!(grown <= 400_000, "{grown} bytes after gc");
    assert_eq!(env.undo("agent log --json").ok().json().last().unwrap()["steps"], 100);
}

#[test]
fn taking_back_a_step_that_changed_a_thousand_files_takes_few_calls_for_each() {
    if !has_strace() {
        return;
    }
    let env = TestEnv::new();
    set(&env, "agent.deadline", "50s");
    for n in 0..3000 {
        env.write(&format!("data/{}/{n}", n % 30), format!("row {n}\n"));
    }
    env.undo("commit --init -m start").ok();
    std::thread::sleep(std::time::Duration::from_millis(20));
    hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    for n in 0..1000 {
        env.write(&format!("data/{}/{n}", n % 30), format!("changed {n}\n"));
    }
    let Some(calls) = trace(&env, "all", &["checkout", "-q", "@{step}"]) else { return };
    let flushes = calls.iter().filter(|call| call.name.contains("sync") && call.name != "sync_file_range").count();
    assert!(flushes < 30, "{flushes} flushes");
    assert!(calls.len() < 36_000, "{} calls", calls.len());
    assert_eq!(env.read("data/7/7"), b"row 7\n");
}

#[test]
fn only_guarded_commands_list_the_directories_of_their_operands() {
    if !has_strace() {
        return;
    }
    let env = super::shop();
    fs::create_dir(env.root().join("beside")).unwrap();
    let listings = |command: &str| {
        let file = env.root().join("payload");
        fs::write(&file, bash(&env, "s", command)).unwrap();
        let calls = trace_with_input(&env, "getdents64", &["agent", "hook", "claude"], &file).unwrap();
        calls.iter().filter(|call| call.path.ends_with("/beside")).count()
    };
    assert_eq!(listings("ls ../beside"), 0);
    assert!(listings("rm -r ../beside") > 0);
}

#[test]
fn taking_back_the_last_step_scans_the_directory_once() {
    const FILES: usize = 8000;
    const CHANGED: usize = 100;
    if !has_strace() {
        return;
    }
    let env = TestEnv::new();
    set(&env, "agent.deadline", "50s");
    for n in 0..FILES {
        env.write(&format!("data/{}/{n}", n % 30), format!("row {n}\n"));
    }
    env.undo("commit --init -m start").ok();
    std::thread::sleep(std::time::Duration::from_millis(20));
    hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    for n in 0..CHANGED {
        env.write(&format!("data/{}/{n}", n % 30), format!("changed {n}\n"));
    }
    for (command, content) in [("undo", "row 7\n"), ("redo", "changed 7\n")] {
        // Then no file in the index was changed too recently to be trusted.
        std::thread::sleep(std::time::Duration::from_millis(20));
        hook(&env, "claude", payload(&env, "claude/Stop"));
        let size = fs::metadata(env.path().join(".undo/index")).unwrap().len() as i64;
        let calls = trace(&env, &format!("statx,newfstatat,{READS}"), &[command, "-q"]).expect("strace is installed");
        let stats = count(&calls, "statx") + count(&calls, "newfstatat");
        // Of a file that is replaced: before and after the exchange, the new one, and for the index.
        assert!((FILES..FILES + 6 * CHANGED + 400).contains(&stats), "{command}: {stats}");
        let of_index = calls.iter().filter(|call| call.name.contains("read") && call.path.ends_with(".undo/index"));
        let read: i64 = of_index.map(|call| call.result).sum();
        // The scan, the comparison with the current index, and the new index.
        assert!(read < 4 * size, "{command}: {read} bytes of the index, which has {size}");
        assert_eq!(env.read("data/7/7"), content.as_bytes());
    }
}
