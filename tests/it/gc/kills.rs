//! Kills `gc` at system calls: kept commits stay exact, and the next `gc` completes the work.

use crate::crash::{calls, has_strace, killed_at};
use crate::env::TestEnv;

use super::{check, commits, ids, is_on_disk, noise};

/// Calls that modify the disk.
const FAMILY: &str = "openat,write,pwrite64,pwritev2,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,\
    mkdirat,ftruncate,fallocate,utimensat";

fn restore(env: &TestEnv) {
    env.shell("rm -rf .undo && cp -a ../saved .undo").ok();
}

/// Kills `gc` before one of its calls, and checks the repository then and after another `gc`.
fn kill_and_check(env: &TestEnv, call: &str, n: usize, kept: &[String]) {
    restore(env);
    let killed = killed_at(env, call, n, &["gc", "--now"]);
    let found: Vec<String> = ids(env).into_values().collect();
    assert_eq!(found, kept, "{call} {n} {killed}");
    check(env);
    env.undo("gc --now").ok();
    check(env);
    let again = env.undo("gc --now --json").ok().json();
    let summary = again.last().unwrap();
    assert_eq!((summary["objects"].as_u64(), summary["commits"].as_u64()), (Some(0), Some(0)), "{call} {n}");
    assert_eq!(env.undo("recall --json").ok().json().last().unwrap()["count"], 0);
}

#[test]
fn killed_gc_loses_nothing_and_the_next_one_completes_it() {
    if !has_strace() {
        return;
    }
    let env = commits(0..5);
    env.undo("forget @~ @~3").ok();
    let kept: Vec<String> = ids(&env).into_values().collect();
    env.shell("cp -a .undo ../saved").ok();
    let all = calls(&env, FAMILY, &["gc", "--now"], 0);
    let (sweep, step) = (std::env::var_os("UNDO_TEST_SWEEP").is_some(), all.len() / 12);
    let chosen: Vec<_> = all.iter().enumerate().filter(|(n, _)| sweep || n % step == 0).map(|(_, call)| call).collect();
    for (call, n) in chosen {
        kill_and_check(&env, call, *n, &kept);
    }
    for gone in [1, 3] {
        assert!(!is_on_disk(&env.path().join(".undo"), &noise(gone, 50_000)));
    }
}
