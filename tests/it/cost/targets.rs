//! Targets cost nothing until they are used.

use std::collections::BTreeMap;

use super::{many_files, trace};
use crate::env::TestEnv;
use crate::targets::copies::noise;
use crate::tree::{Tree, assert_same};

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

/// A clone writes the files of the current commit while it fetches them, and reads no content from the packs that it has written.
#[test]
fn a_clone_handles_content_once() {
    let env = TestEnv::initialised();
    env.set("UNDO_PASSWORD", "correct horse");
    for n in 0..40 {
        env.write(&format!("d{}/small-{n}", n % 3), noise(n, 50_000 + n as usize));
    }
    env.write("large", noise(99, 9 << 20));
    env.undo("commit -m first").ok();
    env.write("large", [noise(99, 5 << 20), b"edited".to_vec(), noise(98, 4 << 20)].concat());
    env.write("d0/small-0", noise(77, 70_000));
    std::fs::hard_link(env.path().join("large"), env.path().join("linked")).unwrap();
    std::fs::set_permissions(env.path().join("d0"), std::os::unix::fs::PermissionsExt::from_mode(0o555)).unwrap();
    env.undo("commit -m second").ok();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let Some(calls) = trace(&env, "pread64,preadv2,pwrite64,pwritev2", &["clone", "../target", "../clone"]) else {
        return;
    };
    let bytes = |name: &str, folder: &str| -> i64 {
        let of_content = calls.iter().filter(|call| call.name.starts_with(name) && call.path.contains(folder));
        of_content.map(|call| call.result.max(0)).sum()
    };
    let size = (9 << 20) + 40 * 50_000;
    assert!(bytes("pwrite", "/clone/.undo/fetched.tmp/") > size);
    let read = bytes("pread", "/clone/.undo/packs/");
    assert!(read < size / 10, "{read} of {size} bytes were read again");
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("clone")));
    assert!(!env.root().join("clone/.undo/fetched.tmp").exists());
    env.undo("-C ../clone verify").ok();
}
