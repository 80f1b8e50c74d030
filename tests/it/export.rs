//! Exports: an archive gets its name only when it is complete, and losses are listed.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
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

#[test]
fn a_directory_of_a_commit_is_exported_with_its_hard_links() {
    let env = TestEnv::new();
    env.write("data/deep/one", "1");
    env.write("data/two", "2");
    env.write("other/three", "3");
    fs::hard_link(env.path().join("data/deep/one"), env.path().join("data/same")).unwrap();
    fs::hard_link(env.path().join("data/two"), env.path().join("other/outside")).unwrap();
    env.undo("commit --init -m one").ok();
    env.undo("export @:data ../out").shows(str![[r#"
[ID] → ../out  4 entries, 2 B

"#]]);
    let out = env.root().join("out");
    let inode = |name: &str| fs::metadata(out.join(name)).unwrap().ino();
    assert_eq!(inode("deep/one"), inode("same"));
    assert_eq!((fs::read(out.join("two")).unwrap(), out.join("three").exists()), (b"2".to_vec(), false));
    env.undo("-C data export @:./deep ../../deep.tar").ok();
    let listed = env.command("tar").args(["-tf", "../deep.tar"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "./\none\n");
    env.undo("export @:data/two ../file").shows(str![[r#"
---- stderr ----
error: `data/two` is a file, not a directory
hint: undo cat [ID]:data/two > FILE
[exit 2]

"#]]);
    env.undo("export @:gone ../file").shows(str![[r#"
---- stderr ----
error: `gone` does not exist in commit [ID]
hint: undo ls [ID]
[exit 2]

"#]]);
    env.undo("export data ../file").shows(str![[r#"
[ID] → ../file  4 entries, 2 B

"#]]);
    env.undo("export @:data ../json --json").shows(str![[r#"
{"type":"export","id":"[ID]","destination":"../json","entries":4,"bytes":2,"inexact":[],"damaged":[],"purged":[],"torn":[]}

"#]]);
}

#[test]
fn selected_paths_of_a_commit_are_exported() {
    let env = TestEnv::new();
    for path in ["a.csv", "a.txt", "data/b.csv", "data/raw/c.csv", "data/raw/c.txt", "other/d.csv"] {
        env.write(path, path);
    }
    fs::hard_link(env.path().join("data/b.csv"), env.path().join("data/same.csv")).unwrap();
    env.undo("commit --init -m one").ok();
    env.undo("export @ ../out '*.csv' ':!other'").shows(str![[r#"
[ID] → ../out  6 entries, 29 B

"#]]);
    let out = env.root().join("out");
    let exists = |path: &str| out.join(path).exists();
    assert!(exists("a.csv") && exists("data/raw/c.csv") && !exists("a.txt") && !exists("data/raw/c.txt"));
    assert!(!exists("other"));
    assert_eq!(fs::metadata(out.join("data/same.csv")).unwrap().nlink(), 2);
    env.undo("-C data export @:data ../../below raw").ok();
    assert_eq!(fs::read(env.root().join("below/raw/c.txt")).unwrap(), b"data/raw/c.txt");
    assert!(!env.root().join("below/b.csv").exists());
    env.undo("export @ ../all.tar data/raw/c.csv").ok();
    let listed = env.command("tar").args(["-tf", "../all.tar"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "./\ndata/\ndata/raw/\ndata/raw/c.csv\n");
    env.undo("export @ ../none '*.x'").shows(str![[r#"
---- stderr ----
error: no path matches `*.x`
hint: to list paths: undo ls -R
[exit 2]

"#]]);
    env.undo("export @ ../none gone").shows(str![[r#"
---- stderr ----
error: `gone` does not exist in commit [ID]
hint: undo ls [ID]
[exit 2]

"#]]);
    env.undo("export @:other ../none data").shows(str![[r#"
---- stderr ----
error: `other` contains none of the selected paths
hint: paths are relative to the current directory, or begin with `:/`
[exit 2]

"#]]);
    assert!(!env.root().join("none").exists());
}
