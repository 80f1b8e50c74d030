//! What root does in the repository of another user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::process::Command;

use super::{ADA, Office, all_belongs_to};

#[test]
fn what_root_writes_belongs_to_the_owner_of_the_repository() {
    let Some(office) = Office::of(ADA) else { return };
    office.write(ADA, "notes", "one");
    office.done(ADA, "commit --init -m one");
    let repository = office.env.path().join(".undo");
    // Caches and staging that are not there are made again.
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
        office.write(ADA, "notes", line);
        for cache in ["index", "catalog", "tmp/clock", ".gitignore", "reserve"] {
            let _ = fs::remove_file(repository.join(cache));
        }
        office.env.undo(line).ok();
        all_belongs_to(&repository, (ADA.id, ADA.id));
    }
    // Enough packs to be merged.
    for n in 0..40 {
        office.write(ADA, "notes", &format!("{n}"));
        office.env.undo("commit -q -m more").ok();
    }
    all_belongs_to(&repository, (ADA.id, ADA.id));
    office.write(ADA, "notes", "last");
    office.done(ADA, "commit -m last");
    office.done(ADA, "checkout @~3");
    office.done(ADA, "verify");
}

#[test]
fn with_a_store_elsewhere_too() {
    let Some(office) = Office::of(ADA) else { return };
    office.write(ADA, "notes", "one");
    let told = office.env.undo("init --store ../stores/new/data").ok();
    assert!(told.text().contains(&format!("it belongs to `{}`", ADA.id)), "{told}");
    office.env.undo("commit -m one").ok();
    all_belongs_to(&office.env.root().join("stores"), (ADA.id, ADA.id));
    all_belongs_to(&office.env.path(), (ADA.id, ADA.id));
    office.write(ADA, "notes", "two");
    office.done(ADA, "commit -m two");
}

#[test]
fn a_repository_that_root_makes_in_the_directory_of_a_user_is_that_users() {
    let Some(office) = Office::of(ADA) else { return };
    office.write(ADA, "notes", "one");
    let told = office.env.undo("init --json").ok();
    assert_eq!(told.json()[0]["owner"], ADA.id.to_string());
    all_belongs_to(&office.env.path(), (ADA.id, ADA.id));
    assert_eq!(office.env.path().join(".undo").metadata().unwrap().mode() & 0o7777, 0o700);
    office.done(ADA, "commit -m one");
    // In a directory of its own root says nothing of it.
    let told = office.env.undo("init ../other").ok();
    assert!(!told.text().contains("belongs"), "{told}");
}

#[test]
fn files_that_root_left_are_explained_with_the_command_that_gives_them_back() {
    let Some(office) = Office::of(ADA) else { return };
    office.write(ADA, "notes", "one");
    office.done(ADA, "commit --init -m one");
    for spoiled in ["packs", "journal", "lock"] {
        let path = office.env.path().join(".undo").join(spoiled);
        for path in super::everything(&path).into_iter().filter(|path| path.is_file()) {
            chown(&path, Some(0), Some(0)).unwrap();
        }
        office.write(ADA, "notes", spoiled);
        let (code, text) = office.undo(ADA, "commit -m two");
        assert_eq!(code, 77, "{spoiled}: {text}");
        let hint = text.lines().find_map(|line| line.split_once("give them back: sudo ")).map(|(_, command)| command);
        let hint = hint.unwrap_or_else(|| panic!("{spoiled}: {text}"));
        assert_eq!(office.env.shell(hint).code, 0, "{hint}");
        office.done(ADA, "commit -m two");
    }
}

#[test]
fn who_ran_sudo_is_the_author() {
    let Some(office) = Office::new() else { return };
    office.env.set("SUDO_UID", "65534");
    office.env.set("SUDO_USER", "somebody");
    office.env.write("a", "1");
    office.env.undo("commit --init -m one").ok();
    assert_eq!(office.env.undo("show --json").ok().json()[0]["author"], "nobody");
    office.env.set("SUDO_UID", "52003");
    office.env.write("a", "2");
    office.env.undo("commit -m two").ok();
    assert_eq!(office.env.undo("show --json").ok().json()[0]["author"], "somebody");
    assert_eq!(office.env.undo("op log --json").ok().json()[0]["user"], "somebody");
}

/// A link in place of the lock would let root empty any file.
#[test]
fn the_lock_is_not_opened_through_a_link() {
    let Some(office) = Office::of(ADA) else { return };
    office.write(ADA, "notes", "one");
    office.done(ADA, "commit --init -m one");
    let victim = office.env.root().join("victim");
    fs::write(&victim, "precious").unwrap();
    let lock = office.env.path().join(".undo/lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(&victim, &lock).unwrap();
    office.write(ADA, "notes", "two");
    assert_ne!(office.env.undo("commit -m two").code, 0);
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

/// A set-user-id file of root's, recorded in a user namespace where Ada is root; a directory, a device and a capability.
fn recorded_traps() -> Option<Office> {
    let office = Office::of(ADA)?;
    let env = &office.env;
    office.write(ADA, "shell", "#!/bin/sh\nid\n");
    fs::create_dir(env.path().join("folder")).unwrap();
    office.write(ADA, "folder/plain", "plain");
    let shell = env.path().join("shell");
    fs::set_permissions(&shell, Permissions::from_mode(0o4755)).unwrap();
    let program = env.root().join("undo");
    let in_namespace = ["-r", program.to_str().unwrap(), "commit", "--init", "-m", "one"];
    let (code, text) = office.runs(ADA, "unshare", &in_namespace);
    if code != 0 {
        crate::skip::skip(format!("no user namespaces here: {}", text.trim()));
        return None;
    }
    fs::remove_file(&shell).unwrap();
    Some(office)
}

fn owner_and_mode(office: &Office, path: &str) -> (u32, u32) {
    let metadata = office.env.path().join(path).symlink_metadata().unwrap();
    (metadata.uid(), metadata.mode() & 0o7777)
}

#[test]
fn root_restores_no_files_of_its_own_from_the_repository_of_a_user() {
    let Some(office) = recorded_traps() else { return };
    let env = &office.env;
    let told = env.undo("checkout @").fails(3);
    let text = told.to_string();
    assert!(text.contains("owner 0:0 (recorded in a repository of"), "{text}");
    assert!(text.contains("mode 4755 (recorded in a repository of"), "{text}");
    assert_eq!(owner_and_mode(&office, "shell"), (ADA.id, 0o755));
    assert_eq!(owner_and_mode(&office, "folder/plain").0, ADA.id);
    // A second time, and one path alone.
    fs::remove_file(env.path().join("shell")).unwrap();
    env.undo("restore shell").fails(3);
    assert_eq!(owner_and_mode(&office, "shell"), (ADA.id, 0o755));
    for (n, line) in ["export @ ../out", "checkout-tree ../out2 @"].into_iter().enumerate() {
        env.undo(line).fails(3);
        let metadata = env.root().join(["out", "out2"][n]).join("shell").metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (ADA.id, 0o755), "{line}");
    }
    env.undo("checkout --trust-owner @").ok();
    assert_eq!(owner_and_mode(&office, "shell"), (0, 0o4755));
}

#[test]
fn root_restores_devices_and_capabilities_only_from_an_owner_that_it_trusts() {
    let Some(office) = Office::of(ADA) else { return };
    let env = &office.env;
    office.write(ADA, "tool", "#!/bin/sh\n");
    office.done(ADA, "init");
    let device = env.path().join("device");
    let made = Command::new("mknod").arg(&device).args(["c", "1", "3"]).status().unwrap().success();
    let capability = Command::new("setfattr")
        .args(["-n", "security.capability", "-v", "0x0100000200040000000000000000000000000000"])
        .arg(env.path().join("tool"))
        .status()
        .is_ok_and(|status| status.success());
    if !made || !capability {
        return crate::skip::skip("no devices or capabilities on this file system");
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
