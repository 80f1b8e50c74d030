//! Locations: deleted folders, external and missing stores, other file systems.

use std::fs;
use std::path::Path;
use std::process::Command;

use snapbox::str;

use super::{operations, precious, visit_all_states};
use crate::crash::has_strace;
use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

#[test]
fn recreated_worktree_keeps_history_of_external_store() {
    let env = TestEnv::new();
    // On another file system.
    let elsewhere = tempfile::tempdir_in("/dev/shm").ok();
    let store = elsewhere.as_ref().map_or(env.root().join("store"), |folder| folder.path().join("store"));
    let attach = format!("init --store '{}'", store.display());
    env.undo(&attach).ok();
    env.write("d/file", "one");
    env.undo("commit -m one").ok();
    let one = Tree::read(&env.path());
    env.write("d/file", "two");
    env.write("new", vec![3; 3 << 20]);
    env.undo("commit -m two").ok();
    env.undo("checkout @~").ok();
    env.undo("undo").ok();
    let two = Tree::read(&env.path());
    let log = env.undo("log --json").ok().stdout;
    let done = operations(&env);
    for _ in 0..2 {
        fs::remove_dir_all(env.path()).unwrap();
        fs::create_dir(env.path()).unwrap();
        env.undo(&attach).ok();
        // Reading changes nothing.
        env.undo("status").ok();
        env.undo("checkout latest").ok();
        assert_same(&two, &Tree::read(&env.path()));
    }
    assert_eq!(env.undo("log --json").ok().stdout, log, "an empty folder must not be recorded");
    let now = operations(&env);
    assert!(now.ends_with(&done), "{now:?}\n{done:?}");
    env.undo("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
    env.undo("undo").ok();
    assert_same(&two, &Tree::read(&env.path()));
    // Deliberately emptied folders are restored.
    for name in ["d", "new"] {
        let path = env.path().join(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    env.undo("status").ok();
    env.undo("checkout @").ok();
    assert_same(&two, &Tree::read(&env.path()));
    env.undo("undo").ok();
    assert_eq!(fs::read_dir(env.path()).unwrap().count(), 1, "more than `.undo`");
}

/// `.undo` names a store: if it is missing or wrong, no other one is created.
#[test]
fn missing_external_store_is_an_error() {
    let env = TestEnv::new();
    let store = env.root().join("store");
    env.undo(&format!("init --store '{}'", store.display())).ok();
    env.write("a", "1");
    env.undo("commit -m one").ok();
    let marker = fs::read(env.path().join(".undo")).unwrap();
    fs::rename(&store, env.root().join("moved")).unwrap();
    env.undo("status").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/store` that `[ROOT]/work/.undo` names does not exist
hint: mount its disk, or if the store was moved, update the path in that file; if it is lost, remove that file: rm [ROOT]/work/.undo
[exit 10]

"#]]);
    env.undo("commit --init").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/store` that `[ROOT]/work/.undo` names does not exist
hint: mount its disk, or if the store was moved, update the path in that file; if it is lost, remove that file: rm [ROOT]/work/.undo
[exit 10]

"#]]);
    env.undo("init").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/store` that `[ROOT]/work/.undo` names does not exist
hint: mount its disk, or if the store was moved, update the path in that file; if it is lost, remove that file: rm [ROOT]/work/.undo
[exit 10]

"#]]);
    assert!(!store.exists());
    // Without `.undo`, the directory has no repository, and the old one can be attached again.
    fs::remove_file(env.path().join(".undo")).unwrap();
    env.undo("undo").shows(str![[r#"
---- stderr ----
error: no repository in `[ROOT]/work` or above it
hint: create one here with `undo init`
[exit 10]

"#]]);
    env.undo(&format!("init --store '{}'", env.root().join("moved").display())).ok();
    env.undo("status").ok();
    // It names a folder that is not a store.
    fs::create_dir(&store).unwrap();
    fs::write(env.path().join(".undo"), &marker).unwrap();
    env.undo("status").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/store` that `[ROOT]/work/.undo` names does not exist
hint: mount its disk, or if the store was moved, update the path in that file; if it is lost, remove that file: rm [ROOT]/work/.undo
[exit 10]

"#]]);
    env.undo("checkout @").shows(str![[r#"
---- stderr ----
error: the store `[ROOT]/store` that `[ROOT]/work/.undo` names does not exist
hint: mount its disk, or if the store was moved, update the path in that file; if it is lost, remove that file: rm [ROOT]/work/.undo
[exit 10]

"#]]);
    assert_eq!(fs::read_dir(&store).unwrap().count(), 0);
}

#[test]
fn nested_file_system_is_not_covered() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.write("below/file", "recorded");
    env.undo("commit -m one").ok();
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "tmpfs"], &env.path().join("below")) else {
        return skip("only root can mount a file system");
    };
    env.write("below/file", "precious");
    env.write("a", "2");
    let status = env.undo("status").fails(3);
    assert!(status.to_string().contains("something is mounted over it\n  below\n"), "{status}");
    env.undo("commit -m two").fails(3);
    assert_eq!(env.undo("cat @:below/file").code, 2);
    // Paths outside the mount are restored.
    env.undo("checkout -n @~").fails(3);
    let output = env.undo("checkout @~").fails(3);
    assert!(output.to_string().contains("below  something is mounted there"), "{output}");
    assert_eq!((env.read("a"), env.read("below/file")), (b"1".to_vec(), b"precious".to_vec()));
    env.undo("checkout --force @~0").fails(3);
    env.undo("undo").ok();
    assert_eq!((env.read("a"), env.read("below/file")), (b"2".to_vec(), b"precious".to_vec()));
    visit_all_states(&env, &precious(&env, "below/file"));
}

/// Like `/etc/resolv.conf` in containers.
#[test]
fn a_mount_over_what_a_checkout_would_remove_is_listed() {
    let env = TestEnv::initialised();
    env.write("file", "1");
    env.undo("commit -m one").ok();
    env.write("below/file", "2");
    env.undo("commit -m two").ok();
    let Some(mounted) = Mounted::new(&["-t", "tmpfs", "tmpfs"], &env.path().join("below")) else {
        return skip("only root can mount a file system");
    };
    for line in ["checkout -n @~", "restore -n --from @~ .", "checkout @~", "undo"] {
        let output = env.undo(line).fails(3);
        assert!(output.to_string().contains("below  something is mounted there"), "{line}: {output}");
    }
    env.undo("restore --from @~ file").ok();
    drop(mounted);
    assert_eq!(env.read("below/file"), b"2");
}

#[test]
fn checkout_restores_files_around_mounts() {
    let env = TestEnv::initialised();
    env.write("etc/hosts", "recorded");
    env.write("etc/other", "1");
    env.undo("commit -m one").ok();
    env.write("etc/other", "2");
    fs::write(env.root().join("outside"), "mounted").unwrap();
    let outside = env.root().join("outside");
    let Some(mounted) = Mounted::new(&["--bind", outside.to_str().unwrap()], &env.path().join("etc/hosts")) else {
        return skip("only root can mount a file");
    };
    let status = env.undo("status").fails(3);
    assert!(status.to_string().contains("something is mounted over it\n  etc/hosts\n"), "{status}");
    env.undo("checkout @").fails(3);
    assert_eq!((env.read("etc/hosts"), env.read("etc/other")), (b"mounted".to_vec(), b"1".to_vec()));
    drop(mounted);
    assert_eq!(env.read("etc/hosts"), b"recorded");
    env.undo("checkout @").ok();
}

#[test]
fn checkout_flushes_nested_file_systems() {
    if !has_strace() {
        return;
    }
    let env = TestEnv::initialised();
    env.undo("config worktree.cross_mounts true").ok();
    std::fs::create_dir(env.path().join("below")).unwrap();
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "tmpfs"], &env.path().join("below")) else {
        return skip("only root can mount a file system");
    };
    for n in 0..40 {
        env.write(&format!("below/{n}"), "one");
    }
    env.undo("commit -m one").ok();
    std::fs::remove_dir_all(env.path().join("below")).unwrap_err();
    let log = env.root().join("trace");
    let mut strace = env.command("strace");
    strace.args(["-f", "-y", "-qq", "-e", "trace=syncfs", "-o"]).arg(&log);
    let output = strace.arg(env!("CARGO_BIN_EXE_undo")).args(["checkout", "-q", "@"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(env.read("below/7"), b"one");
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.lines().any(|line| line.contains("/below>")), "{log}");
}

/// Some calls require paths through `/proc`; if `/proc` is missing, they must not report files as deleted.
#[test]
fn missing_proc_does_not_cause_deletions() {
    let env = TestEnv::initialised();
    env.write("d/file", "one");
    std::os::unix::fs::symlink("file", env.path().join("d/link")).unwrap();
    env.undo("commit -m one").ok();
    let one = env.undo("rev-parse @").ok().stdout;
    env.write("d/new", "two");
    let mut command = env.command("unshare");
    command.args(["--mount", "sh", "-c", "umount -l /proc && exec \"$0\" commit -m two"]);
    let output = command.arg(env!("CARGO_BIN_EXE_undo")).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if stderr.contains("unshare") || stderr.contains("umount") {
        return skip("only root can hide `/proc`");
    }
    assert!(output.status.code() == Some(74) && stderr.contains("/proc/self/fd"), "{output:?}");
    assert_eq!(env.undo("rev-parse @").ok().stdout, one);
    let status = env.undo("status --json").ok().json();
    assert_eq!((&status[0]["path"], &status[0]["status"]), (&"d/new".into(), &"added".into()));
}

/// Unmounts on drop.
pub struct Mounted(std::path::PathBuf);

impl Mounted {
    pub fn new(arguments: &[&str], place: &Path) -> Option<Mounted> {
        let is_root = rustix::process::geteuid().is_root();
        let mounted =
            is_root && Command::new("mount").args(arguments).arg(place).output().is_ok_and(|it| it.status.success());
        mounted.then(|| Mounted(place.to_owned()))
    }

    /// Takes over a mount of a FUSE program.
    pub fn adopt(place: std::path::PathBuf) -> Mounted {
        Mounted(place)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
