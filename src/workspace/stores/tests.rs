//! Finding the store of a directory, also of one that no longer exists.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::environment::Durability;
use crate::error::ErrorKind;
use crate::progress::Silent;
use crate::workspace::{CommitOptions, Workspace};

struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Home {
        Home { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(name)
    }

    fn environment(&self) -> Environment {
        Environment::from_process()
            .with_durability(Durability::NoSync)
            .with_state_directory(Some(self.path("state/undo")))
            .with_user_settings(None)
    }

    /// Creates a directory with a file and records it outside.
    fn record(&self, name: &str) -> PathBuf {
        let directory = self.path(name);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("file"), name).unwrap();
        let mut workspace = Workspace::init_outside(&directory, self.environment()).unwrap();
        workspace.commit(&CommitOptions::default(), &Silent).unwrap();
        directory
    }

    fn known(&self) -> Vec<KnownStore> {
        known(&self.environment()).unwrap()
    }

    fn store_of(&self, name: &str) -> Option<KnownStore> {
        store_of(&self.path(name), &self.environment()).unwrap()
    }
}

#[test]
fn removed_directories_are_found_by_their_former_path() {
    let home = Home::new();
    assert!(home.known().is_empty() && home.store_of("shop").is_none());
    for name in ["shop", "more/shop", "notes"] {
        home.record(name);
    }
    fs::remove_dir_all(home.path("more")).unwrap();
    let known = home.known();
    assert_eq!(known.len(), 3);
    assert_eq!(known[0].directories[0].path, home.path("more/shop"));
    let missing: Vec<bool> = known.iter().map(|store| store.directories[0].is_missing).collect();
    assert_eq!(missing, [true, false, false]);
    for (name, directory) in
        [("more/shop", "more/shop"), ("more/shop/data/raw", "more/shop"), ("shop", "shop"), ("notes/file", "notes")]
    {
        assert_eq!(home.store_of(name).unwrap().directories[0].path, home.path(directory), "{name}");
    }
    assert!(home.store_of("more").is_none() && home.store_of("shopping").is_none());
}

#[test]
fn a_link_above_a_removed_directory_is_followed() {
    let home = Home::new();
    home.record("real/shop");
    symlink("real", home.path("link")).unwrap();
    fs::remove_dir_all(home.path("real/shop")).unwrap();
    assert_eq!(home.store_of("link/shop/data").unwrap().directories[0].path, home.path("real/shop"));
}

#[test]
fn another_project_at_an_old_path_has_another_store() {
    let home = Home::new();
    let directory = home.record("shop");
    let old = home.store_of("shop").unwrap();
    fs::remove_dir_all(&directory).unwrap();
    home.record("shop");
    let new = home.store_of("shop").unwrap();
    assert_ne!((&old.path, &old.id), (&new.path, &new.id));
    assert!(!new.directories[0].is_missing);
    let old = home.known().into_iter().find(|store| store.path == old.path).unwrap();
    assert!(old.directories[0].is_missing);
    // The newest history of a path is the one that is meant.
    fs::remove_dir_all(&directory).unwrap();
    assert_eq!(home.store_of("shop").unwrap().path, new.path);
}

#[test]
fn damaged_stores_and_other_files_do_not_hide_stores() {
    let home = Home::new();
    for name in ["one", "two", "three"] {
        home.record(name);
    }
    let (one, two) = (home.store_of("one").unwrap().path, home.store_of("two").unwrap().path);
    fs::remove_file(one.join("format")).unwrap();
    fs::write(two.join("journal/00000001"), "noise").unwrap();
    let state = home.path("state/undo");
    for folder in ["keys", "empty-00000000", "not-a-store", "-0123abcd"] {
        fs::create_dir(state.join(folder)).unwrap();
    }
    fs::write(state.join("file-0123abcd"), "").unwrap();
    let known = home.known();
    let names: Vec<_> = known.iter().map(|store| store.path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(known.len(), 4, "{names:?}");
    assert_eq!(known.iter().filter(|store| store.problem.is_some()).count(), 3, "{names:?}");
    assert!(home.store_of("three").unwrap().problem.is_none());
}

#[test]
fn an_interrupted_init_is_completed() {
    let home = Home::new();
    let directory = home.path("shop");
    fs::create_dir(&directory).unwrap();
    let store = outside::place_for(&directory, &home.environment()).unwrap();
    for file in ["packs", "journal", "tmp"] {
        fs::create_dir_all(store.join(file)).unwrap();
        assert_eq!(outside::place_for(&directory, &home.environment()).unwrap(), store);
    }
    // The store is complete, but the directory is not recorded.
    let other = home.path("other");
    Workspace::init(&other, Some(&store), home.environment()).unwrap();
    fs::remove_file(other.join(".undo")).unwrap();
    home.record("shop");
    assert_eq!(home.known().len(), 2);
}

#[test]
fn without_a_home_directory_nothing_is_known() {
    let environment = Environment::from_process().with_state_directory(None);
    assert!(known(&environment).unwrap().is_empty());
    let folder = tempfile::tempdir().unwrap();
    let error = Workspace::init_outside(folder.path(), environment).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.hint_text().unwrap(), "set HOME: export HOME=DIR");
}
