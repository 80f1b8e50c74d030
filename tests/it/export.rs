//! Exports: an archive gets its name only when it is complete, and losses are listed.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use snapbox::str;

use crate::crash::has_strace;
use crate::env::TestEnv;
use crate::errors::damage::packs;
use crate::errors::noise;
use crate::safety::places::Mounted;
use crate::skip::skip;

/// Lists the names beside the worktree.
fn names(env: &TestEnv) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(env.root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn failed_archive_leaves_nothing_and_can_be_repeated() {
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
error: `[ROOT]/work/../x.tar.zst` already exists
hint: name a new file
[exit 4]

"#]]);
}

#[test]
fn killed_export_leaves_no_archive() {
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

#[test]
fn export_lists_what_the_file_system_cannot_keep() {
    let env = TestEnv::new();
    let image = env.root().join("image");
    File::create(&image).unwrap().set_len(8 << 20).unwrap();
    // Inodes of this size store only whole seconds.
    let made = Command::new("mkfs.ext4").args(["-q", "-I", "128"]).arg(&image).output();
    let out = env.root().join("out");
    fs::create_dir(&out).unwrap();
    let mounted = match made.is_ok_and(|output| output.status.success()) {
        true => Mounted::new(&["-o", "loop", image.to_str().unwrap()], &out),
        false => None,
    };
    if mounted.is_none() {
        skip("ext4 is not available (needs root, a loop device and mkfs.ext4)");
        return;
    }
    env.write("d/file", "1");
    env.write("plain", "2");
    let time = |nanoseconds| SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, nanoseconds);
    let set = |path: &str, nanoseconds| File::open(env.path().join(path)).unwrap().set_modified(time(nanoseconds));
    set("d/file", 5).unwrap();
    set("plain", 0).unwrap();
    set("d", 0).unwrap();
    env.undo("commit --init -m one").ok();
    env.undo(&format!("export @ {}", out.join("copy").display())).fails(3).shows(str![[r#"
[ID] → [ROOT]/out/copy  3 entries, 2 B
---- stderr ----
warning: not exported exactly
  .  time [TIME] became [TIME]
  d/file  time [TIME] became [TIME]
[exit 3]

"#]]);
}
