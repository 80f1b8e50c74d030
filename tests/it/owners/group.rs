//! A repository that a group of users shares.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use super::{MultiUserEnv, User, everything};

const TEAM: u32 = 53_000;
const ADA: User = User { id: 52_001, groups: &[TEAM] };
const BOB: User = User { id: 52_002, groups: &[TEAM] };
const EVE: User = User { id: 52_003, groups: &[] };

/// A team directory in which Ada has created a shared repository.
fn shared(store: &str) -> Option<MultiUserEnv> {
    let users = MultiUserEnv::new()?;
    let work = users.env.path();
    chown(&work, Some(ADA.id), Some(TEAM)).unwrap();
    fs::set_permissions(&work, Permissions::from_mode(0o2770)).unwrap();
    users.env.write("notes", "one");
    chown(work.join("notes"), Some(ADA.id), Some(TEAM)).unwrap();
    chown(users.env.root(), Some(ADA.id), Some(TEAM)).unwrap();
    users.done(ADA, &format!("init{store}"));
    users.done(ADA, "config store.shared group");
    Some(users)
}

fn change(users: &MultiUserEnv, text: &str) {
    // In place, so that owner and mode stay.
    fs::write(users.env.path().join("notes"), text).unwrap();
}

#[track_caller]
fn all_is_shared(users: &MultiUserEnv, folder: &str) {
    for path in everything(&users.env.root().join(folder)) {
        let metadata = path.symlink_metadata().unwrap();
        let mode = if metadata.is_dir() { 0o2770 } else { 0o660 };
        assert_eq!((metadata.gid(), metadata.mode() & 0o7777), (TEAM, mode), "{}", path.display());
    }
}

#[test]
fn group_members_share_a_repository() {
    for (store, folder) in [("", "work/.undo"), (" --store ../store", "store")] {
        let Some(users) = shared(store) else { return };
        let notes = users.env.path().join("notes");
        fs::set_permissions(&notes, Permissions::from_mode(0o660)).unwrap();
        // Often enough that packs of both users are merged.
        for n in 0..40 {
            change(&users, &format!("{n}"));
            users.done(if n % 2 == 0 { ADA } else { BOB }, "commit -q -m more");
        }
        all_is_shared(&users, folder);
        all_is_shared(&users, "work/.undo");
        // A file that Bob writes belongs to Bob.
        let (code, text) = users.undo(BOB, "checkout @~5");
        assert!(code == 3 && text.contains("owner"), "{text}");
        users.done(ADA, "undo");
        users.done(ADA, "verify");
        let log = users.done(BOB, "log --json");
        assert!(
            log.contains(&format!("{:?}", ADA.id.to_string())) && log.contains(&format!("{:?}", BOB.id.to_string()))
        );
        all_is_shared(&users, folder);
        let (code, text) = users.undo(EVE, "log");
        assert_eq!(code, 77, "{text}");
    }
}

/// The umask of the writing user has no effect.
#[test]
fn modes_do_not_depend_on_umask() {
    let Some(users) = shared("") else { return };
    change(&users, "two");
    let undo = users.env.root().join("undo");
    let script = format!("umask 077; {} commit -m two", undo.display());
    let (code, text) = users.runs(BOB, "sh", &["-c", &script]);
    // Bob may read the file only if its mode lets the group.
    assert!(code == 0 || code == 3, "{text}");
    all_is_shared(&users, "work/.undo");
    users.done(ADA, "status");
}

#[test]
fn sharing_is_off_by_default_and_can_be_unset() {
    let Some(users) = shared("") else { return };
    let repository = users.env.path().join(".undo");
    users.done(ADA, "config --unset store.shared");
    for path in everything(&repository) {
        let metadata = path.symlink_metadata().unwrap();
        let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.mode() & 0o7777, mode, "{}", path.display());
    }
    change(&users, "two");
    users.done(ADA, "commit -m two");
    assert_eq!(users.undo(BOB, "log").0, 77);
    // Manually edited settings take effect with the next command that writes.
    fs::write(repository.join("config.toml"), "[store]\nshared = \"group\"\n").unwrap();
    change(&users, "three");
    users.done(ADA, "commit -m three");
    users.done(BOB, "log");
    all_is_shared(&users, "work/.undo");
    let (code, text) = users.undo(ADA, "config store.shared everybody");
    assert!(code == 2 && text.contains("owner, group"), "{text}");
}

#[test]
fn only_owner_can_share_a_repository() {
    let Some(users) = shared("") else { return };
    let (code, text) = users.undo(BOB, "config store.shared owner");
    assert_eq!(code, 77, "{text}");
    all_is_shared(&users, "work/.undo");
    users.done(BOB, "log");
}

/// Files written by root are usable for the group as well as for the owner.
#[test]
fn files_written_by_root_are_shared() {
    let Some(users) = shared("") else { return };
    change(&users, "by root");
    users.env.undo("commit -m root").ok();
    all_is_shared(&users, "work/.undo");
    let notes = users.env.path().join("notes");
    fs::set_permissions(&notes, Permissions::from_mode(0o660)).unwrap();
    users.done(BOB, "commit -m bob");
}
