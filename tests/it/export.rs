//! Exports: an archive has its name only when it is whole, and what could not be kept is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use snapbox::str;

use crate::bad::damage::packs;
use crate::bad::noise;
use crate::crash::has_strace;
use crate::env::TestEnv;

/// Names beside the worktree.
fn names(env: &TestEnv) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(env.root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn an_archive_that_failed_leaves_nothing_behind_and_the_next_one_is_made() {
    let env = TestEnv::new();
    for n in 0..3 {
        env.write(&format!("file-{n}"), noise(n, 200_000));
    }
    env.undo("commit --init -m one").ok();
    let pack = packs(&env).pop().unwrap();
    let whole = fs::read(&pack).unwrap();
    let mut damaged = whole.clone();
    damaged[300_000] ^= 1;
    fs::set_permissions(&pack, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&pack, &damaged).unwrap();
    let before = names(&env);
    for ending in ["tar", "tar.gz", "tar.zst"] {
        env.undo(&format!("export @ ../x.{ending}")).fails(5);
    }
    assert_eq!(names(&env), before);
    fs::write(&pack, &whole).unwrap();
    env.undo("export @ ../x.tar.zst").ok();
    assert_eq!(names(&env).len(), before.len() + 1);
    env.undo("export @ ../x.tar.zst").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work/../x.tar.zst` is there already
hint: name a file that is not there yet
[exit 4]

"#]]);
}

#[test]
fn a_killed_export_leaves_no_archive_of_that_name() {
    let env = TestEnv::new();
    env.write("file", noise(1, 3_000_000));
    env.undo("commit --init -m one").ok();
    if !has_strace() {
        return;
    }
    let mut strace = env.command("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e", "inject=write:signal=KILL:when=4"]);
    let ended = strace.arg(env!("CARGO_BIN_EXE_undo")).args(["export", "@", "../x.tar"]).status();
    assert!(!ended.unwrap().success());
    assert!(!env.root().join("x.tar").exists());
    env.undo("export @ ../x.tar").ok();
}
