//! Where a target may be.

use std::fs;
use std::os::unix::fs::symlink;

use super::copies::files;
use crate::env::TestEnv;

fn with_commit() -> TestEnv {
    let env = TestEnv::initialised();
    env.set("UNDO_PASSWORD", "correct horse");
    env.write("file", "1");
    env.undo("commit").ok();
    env
}

#[test]
fn a_target_in_the_directory_that_it_copies_is_refused() {
    let env = with_commit();
    fs::create_dir(env.path().join("folder")).unwrap();
    symlink(env.path().join("folder"), env.root().join("link")).unwrap();
    symlink("folder", env.path().join("link")).unwrap();
    let before = files(&env.path().join(".undo"));
    for url in [".", "./copies", "folder/deep/copies", "../work/copies", "../link/copies", "link/copies"] {
        let refused = env.undo(&format!("target add disk {url}")).fails(4).to_string();
        assert!(refused.contains("would be in the directory that it backs up"), "{url}: {refused}");
        assert!(refused.contains("`.undoignore`"), "{url}: {refused}");
    }
    for url in [".undo", ".undo/copies"] {
        let refused = env.undo(&format!("target add disk {url}")).fails(4).to_string();
        assert!(refused.contains("would be in the repository"), "{url}: {refused}");
    }
    assert_eq!(files(&env.path().join(".undo")), before);
    assert_eq!(files(&env.path().join("folder")), []);
    // Nor can a target be moved there.
    env.undo("target add disk ../target").ok();
    fs::rename(env.root().join("target"), env.path().join("copies")).unwrap();
    env.undo("config target.disk.url ./copies").fails(4);
}

#[test]
fn an_ignored_directory_and_one_above_can_be_a_target() {
    let env = with_commit();
    env.write(".undoignore", "copies/\n");
    env.undo("target add disk copies/disk").ok();
    env.undo("push").ok();
    env.write("file", "2");
    env.undo("commit").ok();
    env.undo("push").ok();
    let before = files(&env.path().join("copies"));
    env.undo("checkout @~").ok();
    assert_eq!(files(&env.path().join("copies")), before);
    env.undo("verify --target disk").ok();
    env.undo("target add above ..").ok();
    env.undo("push above").ok();
    env.undo("verify --target above").ok();
}
