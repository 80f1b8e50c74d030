//! A user owns the directory and another user owns files in it: metadata cannot be changed in place, but files can be replaced.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use rustix::fs::XattrFlags;

use super::{ADA, MultiUserEnv};
use crate::tree::{Tree, assert_same};

fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, Permissions::from_mode(bits)).unwrap();
}

fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Recreates these files as root, so that root owns them.
fn recreate(env: &crate::env::TestEnv, bits: u32) {
    let at = |name: &str| env.path().join(name);
    for name in ["file", "sgid", "sgid-too", "pipe", "link", "d/deep"] {
        let _ = fs::remove_file(at(name));
    }
    for name in ["file", "sgid", "d/deep"] {
        env.write(name, name);
        mode(&at(name), bits);
    }
    fs::hard_link(at("sgid"), at("sgid-too")).unwrap();
    fifo(&at("pipe"));
    symlink("file", at("link")).unwrap();
}

#[test]
fn root_owned_files_in_user_directory_are_replaced() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    let at = |name: &str| users.env.path().join(name);
    recreate(&users.env, 0o640);
    for name in ["", "d", "file", "sgid", "pipe", "link", "d/deep"] {
        lchown(at(name), Some(ADA.id), Some(ADA.id)).unwrap();
    }
    mode(&at("sgid"), 0o2750);
    users.done(ADA, "commit --init -m one");
    let one = Tree::read(&users.env.path());
    std::thread::sleep(std::time::Duration::from_millis(5));
    recreate(&users.env, 0o604);
    users.done(ADA, "checkout @");
    assert_same(&one, &Tree::read(&users.env.path()));
    let inode = |name: &str| fs::metadata(at(name)).unwrap().ino();
    assert_eq!(inode("sgid"), inode("sgid-too"));
    // Root's files were recorded, but only root can create them: everything else is restored, and they are listed.
    let (code, text) = users.undo(ADA, "undo");
    assert_eq!((code, text.contains("owner 0:0")), (3, true), "{text}");
    assert_eq!(fs::metadata(at("file")).unwrap().mode() & 0o7777, 0o604);
    users.done(ADA, "checkout @");
    assert_same(&one, &Tree::read(&users.env.path()));
    // Unchanged files are not replaced.
    let before = inode("file");
    users.done(ADA, "checkout @");
    assert_eq!(inode("file"), before);
}

#[test]
fn moved_file_now_owned_by_root_is_rewritten() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    let at = |name: &str| users.env.path().join(name);
    users.write(ADA, "old", "content");
    users.done(ADA, "commit --init -m one");
    let one = Tree::read(&users.env.path());
    fs::rename(at("old"), at("new")).unwrap();
    chown(at("new"), Some(0), Some(0)).unwrap();
    users.done(ADA, "checkout @");
    assert_same(&one, &Tree::read(&users.env.path()));
}

#[test]
fn file_with_capability_is_replaced() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    let file = users.env.path().join("file");
    users.write(ADA, "file", "content");
    users.done(ADA, "commit --init -m one");
    let one = Tree::read(&users.env.path());
    // cap_net_raw, as `setcap` would set it.
    let capability = [&0x0200_0001_u32.to_le_bytes()[..], &(1_u32 << 13).to_le_bytes(), &[0; 12]].concat();
    if rustix::fs::setxattr(&file, "security.capability", &capability, XattrFlags::empty()).is_err() {
        return crate::skip::skip("this file system does not support capabilities");
    }
    users.done(ADA, "checkout @");
    assert_same(&one, &Tree::read(&users.env.path()));
}

/// In a sticky directory, only the owner of a file may replace it.
#[test]
fn root_owned_files_in_sticky_directory_are_kept_and_listed() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    let at = |name: &str| users.env.path().join(name);
    users.write(ADA, "tmp/file", "content");
    users.write(ADA, "own", "content");
    mode(&at("tmp"), 0o1777);
    users.done(ADA, "commit --init -m one");
    for name in ["tmp/file", "own"] {
        chown(at(name), Some(0), Some(0)).unwrap();
    }
    let inode = fs::metadata(at("tmp/file")).unwrap().ino();
    let (code, text) = users.undo(ADA, "checkout @");
    assert_eq!((code, text.contains("tmp/file  owner")), (3, true), "{text}");
    let uid = |name: &str| fs::metadata(at(name)).unwrap().uid();
    assert_eq!((fs::metadata(at("tmp/file")).unwrap().ino(), uid("tmp/file"), uid("own")), (inode, 0, ADA.id));
    assert!(!super::everything(&at("tmp")).iter().any(|path| path.to_string_lossy().contains(".undo-")));
}
