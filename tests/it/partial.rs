//! Paths that cannot be read completely: they are listed, the command ends with 3, and everything else is recorded.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use rustix::fs::XattrFlags;

use crate::env::{Output, TestEnv};
use crate::skip::skip;
use crate::tree::{Tree, assert_same};
use crate::volumes::Volume;

/// Runs `undo` with a failing system call.
fn injected(env: &TestEnv, call: &str, failure: &str, arguments: &[&str]) -> Option<(i32, String)> {
    if Command::new("strace").arg("-V").output().is_err() {
        skip("strace is not installed");
        return None;
    }
    let log = env.root().join("trace");
    let inject = format!("inject={call}:{failure}");
    let mut strace = env.command("strace");
    strace.args(["-f", "-qq", "-e", &format!("trace={call}"), "-e", &inject, "-o"]).arg(log);
    let output = strace.arg(env!("CARGO_BIN_EXE_undo")).args(arguments).output().unwrap();
    Some((output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Files and folders on mounts that fail to list attributes.
#[test]
fn unreadable_attributes_are_left_out() {
    let env = TestEnv::initialised();
    env.write("folder/file", "content");
    for (failure, code) in [("error=EIO", 3), ("error=EACCES", 3), ("error=ENOKEY", 3), ("error=EOPNOTSUPP", 0)] {
        env.write("folder/file", failure);
        let Some((ended, report)) = injected(&env, "flistxattr", failure, &["commit", "-m", "one"]) else { return };
        assert_eq!(ended, code, "{failure}: {report}");
        assert_eq!(report.contains("recorded without extended attributes"), code == 3, "{failure}: {report}");
        assert_eq!(env.undo("cat @:folder/file").ok().text(), failure);
    }
    env.undo("commit -m two").ok();
    env.undo("verify").ok();
}

/// A failure that passes must not leave the attributes out for ever, nor a lasting one be reported only once.
#[test]
fn unreadable_attributes_are_read_again_by_the_next_commit() {
    let env = TestEnv::initialised();
    env.write("folder/file", "content");
    std::os::unix::fs::symlink("folder", env.path().join("link")).unwrap();
    for path in ["folder", "folder/file"] {
        if let Err(errno) = rustix::fs::setxattr(env.path().join(path), "user.key", b"value", XattrFlags::empty()) {
            return skip(format_args!("no extended attributes: {errno}"));
        }
    }
    let expected = Tree::read(&env.path());
    // Then the index would trust every record.
    std::thread::sleep(std::time::Duration::from_millis(20));
    for message in ["one", "two"] {
        let failure = "error=EIO";
        let Some((ended, report)) = injected(&env, "flistxattr,llistxattr", failure, &["commit", "-m", message]) else {
            return;
        };
        assert_eq!(ended, 3, "{report}");
        assert!(report.contains("recorded without extended attributes"), "{report}");
    }
    env.undo("commit -m three").ok();
    std::fs::remove_dir_all(env.path().join("folder")).unwrap();
    env.undo("checkout @").ok();
    assert_same(&expected, &Tree::read(&env.path()));
}

/// The kernel lists at most 64 KiB of names.
#[test]
fn file_with_too_many_attributes_is_recorded() {
    let Some(Volume { env, .. }) = Volume::new("btrfs").or_else(|| Volume::new("tmpfs")) else { return };
    env.write("file", "content");
    env.write("other", "content");
    let path = env.path().join("file");
    for n in 0..400 {
        let key = format!("user.{n:0>200}");
        if let Err(errno) = rustix::fs::setxattr(&path, key.as_str(), b"", XattrFlags::empty()) {
            return skip(format_args!("no file system with that many attributes: {errno}"));
        }
    }
    let output = env.undo("commit --init -m one --json").fails(3);
    assert_eq!(output.json()[0]["without_attributes"][0]["path"], "file");
    assert_eq!(env.undo("cat @:file").ok().text(), "content");
    env.write("other", "changed");
    env.undo("commit -m two").fails(3);
}

/// A symlink that has become another kind of file by the time it is read is visited again.
#[test]
fn entry_changing_kind_during_scan_is_reread() {
    let env = TestEnv::initialised();
    std::os::unix::fs::symlink("somewhere", env.path().join("link")).unwrap();
    let Some((ended, report)) = injected(&env, "readlinkat", "error=EINVAL:when=1", &["commit", "-m", "one"]) else {
        return;
    };
    assert_eq!(ended, 0, "{report}");
    assert_eq!(env.undo("ls @").ok().text(), "link\n");
}

/// The server of a FUSE mount has died: every access fails with `ENOTCONN`.
#[test]
fn dead_mount_does_not_fail_commit() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.write("z/file", "1");
    let (from, to) = (env.root().join("from"), env.path().join("mount"));
    fs::create_dir(&from).unwrap();
    fs::create_dir(&to).unwrap();
    let server = Command::new("bindfs").args(["-f"]).args([&from, &to]).stderr(Stdio::null()).spawn();
    let Ok(mut server) = server else { return skip("bindfs is not installed") };
    let is_mounted = || fs::read_to_string("/proc/self/mounts").unwrap().contains(to.to_str().unwrap());
    for _ in 0..100 {
        if is_mounted() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let was_mounted = is_mounted();
    server.kill().unwrap();
    server.wait().unwrap();
    let outputs: Vec<Output> = ["commit -m one", "status", "checkout @"].map(|line| env.undo(line)).into();
    let _ = Command::new("umount").arg("--lazy").arg(&to).status();
    if !was_mounted {
        return skip("no FUSE file system can be mounted");
    }
    assert_eq!(outputs.iter().map(|it| it.code).collect::<Vec<_>>(), [3, 3, 0], "{}{}", outputs[0], outputs[2]);
    assert!(outputs[0].to_string().contains("  mount"), "{}", outputs[0]);
    assert_eq!(env.undo("cat @:z/file").ok().text(), "1");
}

/// A socket, or an unreadable entry of another kind, proves that the recorded entry is gone.
#[test]
fn entry_replaced_by_uncovered_one_is_deleted() {
    let env = TestEnv::initialised();
    for path in ["file", "folder/a", "folder/b", "kept"] {
        env.write(path, path);
    }
    env.undo("commit -m one").ok();
    let one = Tree::read(&env.path());
    fs::remove_file(env.path().join("file")).unwrap();
    fs::remove_dir_all(env.path().join("folder")).unwrap();
    let sockets = ["file", "folder"].map(|name| UnixListener::bind(env.path().join(name)).unwrap());
    let status = env.undo("status --json");
    let report = status.json();
    assert_eq!(report.last().unwrap()["deleted"], 4, "{status}");
    env.undo("commit -m two").ok();
    assert_eq!(env.undo("ls @").ok().text(), "kept\n");
    let script = "import os, socket; os.remove('kept'); socket.socket(socket.AF_UNIX).bind('kept')";
    let ran = env.undo(&format!("run --json -- python3 -c \"{script}\""));
    let report = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.code == 127 || report.contains("\"deleted\":1"), "{report}");
    let _ = fs::remove_file(env.path().join("kept"));
    env.undo("undo").ok();
    drop(sockets);
    for name in ["file", "folder"] {
        fs::remove_file(env.path().join(name)).unwrap();
    }
    env.undo("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
    // An unreadable folder where a file was.
    fs::remove_file(env.path().join("file")).unwrap();
    fs::create_dir(env.path().join("file")).unwrap();
    fs::set_permissions(env.path().join("file"), Permissions::from_mode(0o000)).unwrap();
    let status = env.undo_as_user("status --json");
    if !rustix::process::geteuid().is_root() || status.code == 3 {
        assert_eq!(status.json().last().unwrap()["retyped"], 1, "{status}");
    }
    fs::set_permissions(env.path().join("file"), Permissions::from_mode(0o755)).unwrap();
}

/// XFS shows each ACL to root under a second name.
#[test]
fn xfs_acls_are_restored_and_recorded_once() {
    let Some(Volume { env, .. }) = Volume::new("xfs") else { return };
    for name in ["given", "taken"] {
        env.write(name, name);
    }
    let key = "system.posix_acl_access";
    let set =
        |name: &str| rustix::fs::setxattr(env.path().join(name), key, &crate::inodes::acl(6), XattrFlags::empty());
    set("given").unwrap();
    env.undo("commit --init -m one").ok();
    let one = Tree::read(&env.path());
    rustix::fs::removexattr(env.path().join("given"), key).unwrap();
    set("taken").unwrap();
    env.undo("commit -m two").ok();
    let two = Tree::read(&env.path());
    env.undo("checkout @~").ok();
    assert_same(&one, &Tree::read(&env.path()));
    env.undo("undo").ok();
    assert_same(&two, &Tree::read(&env.path()));
    let out = env.root().join("out");
    env.undo(&format!("export @ '{}'", out.display())).ok();
    let mut names = [0; 4096];
    let length = rustix::fs::listxattr(out.join("taken"), &mut names[..]).unwrap();
    assert_eq!(&names[..length], b"system.posix_acl_access\0");
}
