//! Root works in another user's repository.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::process::Command;

use super::{ADA, MultiUserEnv, all_belongs_to};

#[test]
fn files_written_by_root_belong_to_repository_owner() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    users.write(ADA, "notes", "one");
    users.done(ADA, "commit --init -m one");
    let repository = users.env.path().join(".undo");
    // Missing caches and staging folders are created again.
    let lines = [
        "status",
        "commit -m two",
        "tag new",
        "config user.name Ada",
        "checkout @~",
        "undo",
        "run -- touch made",
        "verify",
    ];
    for line in lines {
        users.write(ADA, "notes", line);
        for cache in ["index", "catalog", "tmp/clock", ".gitignore", "reserve"] {
            let _ = fs::remove_file(repository.join(cache));
        }
        users.env.undo(line).ok();
        all_belongs_to(&repository, (ADA.id, ADA.id));
    }
    // Enough packs to be merged.
    for n in 0..40 {
        users.write(ADA, "notes", &format!("{n}"));
        users.env.undo("commit -q -m more").ok();
    }
    all_belongs_to(&repository, (ADA.id, ADA.id));
    users.write(ADA, "notes", "last");
    users.done(ADA, "commit -m last");
    users.done(ADA, "checkout @~3");
    users.done(ADA, "verify");
}

#[test]
fn files_written_by_root_in_external_store_belong_to_its_owner() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    users.write(ADA, "notes", "one");
    let output = users.env.undo("init --store ../stores/new/data").ok();
    assert!(output.text().contains(&format!("the repository belongs to `{}`", ADA.id)), "{output}");
    users.env.undo("commit -m one").ok();
    all_belongs_to(&users.env.root().join("stores"), (ADA.id, ADA.id));
    all_belongs_to(&users.env.path(), (ADA.id, ADA.id));
    users.write(ADA, "notes", "two");
    users.done(ADA, "commit -m two");
}

#[test]
fn init_by_root_gives_repository_to_directory_owner() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    users.write(ADA, "notes", "one");
    let output = users.env.undo("init --json").ok();
    assert_eq!(output.json()[0]["owner"], ADA.id.to_string());
    all_belongs_to(&users.env.path(), (ADA.id, ADA.id));
    assert_eq!(users.env.path().join(".undo").metadata().unwrap().mode() & 0o7777, 0o700);
    users.done(ADA, "commit -m one");
    // In root's own directory, the owner is not reported.
    let output = users.env.undo("init ../other").ok();
    assert!(!output.text().contains("belongs"), "{output}");
}

#[test]
fn permission_error_shows_chown_command() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    users.write(ADA, "notes", "one");
    users.done(ADA, "commit --init -m one");
    for spoiled in ["packs", "journal", "lock"] {
        let path = users.env.path().join(".undo").join(spoiled);
        for path in super::everything(&path).into_iter().filter(|path| path.is_file()) {
            chown(&path, Some(0), Some(0)).unwrap();
        }
        users.write(ADA, "notes", spoiled);
        let (code, text) = users.undo(ADA, "commit -m two");
        assert_eq!(code, 77, "{spoiled}: {text}");
        let hint = text.lines().find_map(|line| line.split_once("to return them: sudo ")).map(|(_, command)| command);
        let hint = hint.unwrap_or_else(|| panic!("{spoiled}: {text}"));
        assert_eq!(users.env.shell(hint).code, 0, "{hint}");
        users.done(ADA, "commit -m two");
    }
}

#[test]
fn author_is_the_sudo_user() {
    let Some(users) = MultiUserEnv::new() else { return };
    users.env.set("SUDO_UID", "65534");
    users.env.set("SUDO_USER", "someone");
    users.env.write("a", "1");
    users.env.undo("commit --init -m one").ok();
    assert_eq!(users.env.undo("show --json").ok().json()[0]["author"], "nobody");
    users.env.set("SUDO_UID", "52003");
    users.env.write("a", "2");
    users.env.undo("commit -m two").ok();
    assert_eq!(users.env.undo("show --json").ok().json()[0]["author"], "someone");
    assert_eq!(users.env.undo("op log --json").ok().json()[0]["user"], "someone");
}

/// A link in place of the lock would let a user make root truncate any file.
#[test]
fn lock_is_not_opened_through_symlink() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    users.write(ADA, "notes", "one");
    users.done(ADA, "commit --init -m one");
    let victim = users.env.root().join("victim");
    fs::write(&victim, "precious").unwrap();
    let lock = users.env.path().join(".undo/lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(&victim, &lock).unwrap();
    users.write(ADA, "notes", "two");
    assert_ne!(users.env.undo("commit -m two").code, 0);
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

/// A root-owned set-user-id file, recorded in a user namespace in which Ada is root; a directory, a device and a
/// capability.
fn recorded_traps() -> Option<MultiUserEnv> {
    let users = MultiUserEnv::of(ADA)?;
    let env = &users.env;
    users.write(ADA, "shell", "#!/bin/sh\nid\n");
    fs::create_dir(env.path().join("folder")).unwrap();
    users.write(ADA, "folder/plain", "plain");
    let shell = env.path().join("shell");
    fs::set_permissions(&shell, Permissions::from_mode(0o4755)).unwrap();
    let program = env.root().join("undo");
    let in_namespace = ["-r", program.to_str().unwrap(), "commit", "--init", "-m", "one"];
    let (code, text) = users.runs(ADA, "unshare", &in_namespace);
    if code != 0 {
        crate::skip::skip(format!("no user namespaces here: {}", text.trim()));
        return None;
    }
    fs::remove_file(&shell).unwrap();
    Some(users)
}

fn owner_and_mode(users: &MultiUserEnv, path: &str) -> (u32, u32) {
    let metadata = users.env.path().join(path).symlink_metadata().unwrap();
    (metadata.uid(), metadata.mode() & 0o7777)
}

#[test]
fn root_does_not_restore_root_owned_files_from_user_repository() {
    let Some(users) = recorded_traps() else { return };
    let env = &users.env;
    let output = env.undo("checkout @").fails(3);
    let text = output.to_string();
    assert!(text.contains("owner 0:0 (recorded in a repository of"), "{text}");
    assert!(text.contains("mode 4755 (recorded in a repository of"), "{text}");
    assert_eq!(owner_and_mode(&users, "shell"), (ADA.id, 0o755));
    assert_eq!(owner_and_mode(&users, "folder/plain").0, ADA.id);
    // A second time, and for a single path.
    fs::remove_file(env.path().join("shell")).unwrap();
    env.undo("restore shell").fails(3);
    assert_eq!(owner_and_mode(&users, "shell"), (ADA.id, 0o755));
    for (n, line) in ["export @ ../out", "checkout-tree ../out2 @"].into_iter().enumerate() {
        env.undo(line).fails(3);
        let metadata = env.root().join(["out", "out2"][n]).join("shell").metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (ADA.id, 0o755), "{line}");
    }
    env.undo("checkout --trust-owner @").ok();
    assert_eq!(owner_and_mode(&users, "shell"), (0, 0o4755));
}

#[test]
fn root_restores_devices_and_capabilities_only_with_trust_owner() {
    let Some(users) = MultiUserEnv::of(ADA) else { return };
    let env = &users.env;
    users.write(ADA, "tool", "#!/bin/sh\n");
    users.done(ADA, "init");
    let device = env.path().join("device");
    let made = Command::new("mknod").arg(&device).args(["c", "1", "3"]).status().unwrap().success();
    let capability = Command::new("setfattr")
        .args(["-n", "security.capability", "-v", "0x0100000200040000000000000000000000000000"])
        .arg(env.path().join("tool"))
        .status()
        .is_ok_and(|status| status.success());
    if !made || !capability {
        return crate::skip::skip("this file system does not support devices or capabilities");
    }
    env.undo("commit -m one").ok();
    fs::remove_file(&device).unwrap();
    fs::remove_file(env.path().join("tool")).unwrap();
    let text = env.undo("checkout @").fails(3).to_string();
    assert!(!device.exists(), "{text}");
    assert!(text.contains("security.capability (recorded") && text.contains("char-device (recorded"), "{text}");
    let has_capability = || {
        let listed = Command::new("getfattr").args(["-m", "-"]).arg(env.path().join("tool")).output().unwrap();
        String::from_utf8_lossy(&listed.stdout).contains("security.capability")
    };
    assert!(!has_capability());
    env.undo("checkout --trust-owner @").ok();
    assert!(has_capability() && device.metadata().unwrap().file_type().is_char_device());
}
