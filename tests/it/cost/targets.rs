//! Targets cost nothing until they are used.

use std::collections::BTreeMap;

use super::{many_files, trace};
use crate::env::TestEnv;

/// The system calls of a command by name.
fn calls(env: &TestEnv, arguments: &[&str]) -> Option<BTreeMap<String, usize>> {
    // Debug builds check each file descriptor that they close; addresses of memory differ from run to run.
    let mut counts = BTreeMap::new();
    for call in trace(env, "!fcntl,mmap,munmap,mprotect,brk,madvise,mremap,futex", arguments)? {
        *counts.entry(call.name).or_default() += 1;
    }
    Some(counts)
}

#[test]
fn commands_without_a_target_do_not_pay_for_it() {
    let env = TestEnv::new();
    many_files(&env);
    env.set("UNDO_PASSWORD", "correct horse");
    env.undo("commit --init -m one").ok();
    env.undo("commit --init -m settled").ok();
    env.undo("config target.max_age 7d").ok();
    // A commit examines each name in the repository.
    std::fs::create_dir(env.path().join(".undo/targets")).unwrap();
    let commands: [&[&str]; 5] = [&["log"], &["diff"], &["ls", "@"], &["commit", "-m", "nothing"], &["checkout", "@"]];
    let Some(before) = commands.iter().map(|command| calls(&env, command)).collect::<Option<Vec<_>>>() else { return };
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    for (command, before) in commands.iter().zip(before) {
        let after = calls(&env, command).unwrap();
        assert_eq!(after, before, "{command:?}");
        assert!(!after.contains_key("socket") && !after.contains_key("connect"), "{after:?}");
    }
}
