//! A repository that a group of users shares.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use super::{Office, Person, everything};

const TEAM: u32 = 53_000;
const ADA: Person = Person { id: 52_001, groups: &[TEAM] };
const BOB: Person = Person { id: 52_002, groups: &[TEAM] };
const EVE: Person = Person { id: 52_003, groups: &[] };

/// A directory of a team, in which Ada has made a repository for all of them.
fn shared(store: &str) -> Option<Office> {
    let office = Office::new()?;
    let work = office.env.path();
    chown(&work, Some(ADA.id), Some(TEAM)).unwrap();
    fs::set_permissions(&work, Permissions::from_mode(0o2770)).unwrap();
    office.env.write("notes", "one");
    chown(work.join("notes"), Some(ADA.id), Some(TEAM)).unwrap();
    chown(office.env.root(), Some(ADA.id), Some(TEAM)).unwrap();
    office.done(ADA, &format!("init{store}"));
    office.done(ADA, "config store.shared group");
    Some(office)
}

fn change(office: &Office, text: &str) {
    // In place: the owner and the mode stay.
    fs::write(office.env.path().join("notes"), text).unwrap();
}

#[track_caller]
fn all_is_shared(office: &Office, folder: &str) {
    for path in everything(&office.env.root().join(folder)) {
        let metadata = path.symlink_metadata().unwrap();
        let mode = if metadata.is_dir() { 0o2770 } else { 0o660 };
        assert_eq!((metadata.gid(), metadata.mode() & 0o7777), (TEAM, mode), "{}", path.display());
    }
}

#[test]
fn all_members_of_a_group_use_one_repository() {
    for (store, folder) in [("", "work/.undo"), (" --store ../store", "store")] {
        let Some(office) = shared(store) else { return };
        let notes = office.env.path().join("notes");
        fs::set_permissions(&notes, Permissions::from_mode(0o660)).unwrap();
        // Often enough for packs of both to be merged.
        for n in 0..40 {
            change(&office, &format!("{n}"));
            office.done(if n % 2 == 0 { ADA } else { BOB }, "commit -q -m more");
        }
        all_is_shared(&office, folder);
        all_is_shared(&office, "work/.undo");
        // A file that Bob writes is his.
        let (code, text) = office.undo(BOB, "checkout @~5");
        assert!(code == 3 && text.contains("owner"), "{text}");
        office.done(ADA, "undo");
        office.done(ADA, "verify");
        let log = office.done(BOB, "log --json");
        assert!(
            log.contains(&format!("{:?}", ADA.id.to_string())) && log.contains(&format!("{:?}", BOB.id.to_string()))
        );
        all_is_shared(&office, folder);
        let (code, text) = office.undo(EVE, "log");
        assert_eq!(code, 77, "{text}");
    }
}

/// The umask of those who write does not count.
#[test]
fn modes_do_not_depend_on_the_umask() {
    let Some(office) = shared("") else { return };
    change(&office, "two");
    let undo = office.env.root().join("undo");
    let script = format!("umask 077; {} commit -m two", undo.display());
    let (code, text) = office.runs(BOB, "sh", &["-c", &script]);
    // Bob may read the file only if its mode lets the group.
    assert!(code == 0 || code == 3, "{text}");
    all_is_shared(&office, "work/.undo");
    office.done(ADA, "status");
}

#[test]
fn sharing_ends_when_it_is_unset_and_is_off_by_default() {
    let Some(office) = shared("") else { return };
    let repository = office.env.path().join(".undo");
    office.done(ADA, "config --unset store.shared");
    for path in everything(&repository) {
        let metadata = path.symlink_metadata().unwrap();
        let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.mode() & 0o7777, mode, "{}", path.display());
    }
    change(&office, "two");
    office.done(ADA, "commit -m two");
    assert_eq!(office.undo(BOB, "log").0, 77);
    // Settings that were edited by hand count from the next command that writes.
    fs::write(repository.join("config.toml"), "[store]\nshared = \"group\"\n").unwrap();
    change(&office, "three");
    office.done(ADA, "commit -m three");
    office.done(BOB, "log");
    all_is_shared(&office, "work/.undo");
    let (code, text) = office.undo(ADA, "config store.shared everybody");
    assert!(code == 2 && text.contains("owner, group"), "{text}");
}

#[test]
fn only_the_owner_shares_a_repository() {
    let Some(office) = shared("") else { return };
    let (code, text) = office.undo(BOB, "config store.shared owner");
    assert_eq!(code, 77, "{text}");
    all_is_shared(&office, "work/.undo");
    office.done(BOB, "log");
}

/// Root writes for the group as well as for the owner.
#[test]
fn what_root_writes_is_shared_too() {
    let Some(office) = shared("") else { return };
    change(&office, "by root");
    office.env.undo("commit -m root").ok();
    all_is_shared(&office, "work/.undo");
    let notes = office.env.path().join("notes");
    fs::set_permissions(&notes, Permissions::from_mode(0o660)).unwrap();
    office.done(BOB, "commit -m bob");
}
