//! `restore --target`: paths of commits that only a target has.

use std::fs;
use std::path::PathBuf;

use super::copies::{files, with_history};
use crate::crash::{has_strace, killed_at};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// A repository whose first commit only the target has, and the id of that commit.
fn without_the_first_commit() -> (TestEnv, String) {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let id = env.undo("rev-parse @~1").ok().text().trim().to_owned();
    env.undo("forget @~1").ok();
    env.undo("gc --now").ok();
    assert_ne!(env.undo(&format!("restore --from {id} data")).code, 0);
    (env, id)
}

#[test]
fn paths_come_from_a_commit_that_only_the_target_has() {
    let (env, id) = without_the_first_commit();
    let before = Tree::read(&env.path());
    env.undo(&format!("restore --target disk --from {id} data/values.csv")).ok().shows(snapbox::str![[r#"
restored from [ID]  1 written, 0 deleted, 5 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(env.read("data/values.csv"), "1,2,3\n".repeat(10_000).as_bytes());
    env.undo("verify").ok();
    env.undo("gc --now").ok();
    env.undo("verify").ok();
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("redo").ok();
    // What is as in the commit already is nothing to undo.
    env.undo(&format!("restore --target disk --from {id} data/values.csv")).ok();
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("redo").ok();
    assert_eq!(env.read("data/values.csv"), "1,2,3\n".repeat(10_000).as_bytes());
}

#[test]
fn unsaved_changes_are_saved_first_and_other_paths_stay() {
    let (env, id) = without_the_first_commit();
    env.write("data/values.csv", "unsaved\n");
    env.write("notes.txt", "unsaved, too\n");
    env.write("data/new", "not in the commit\n");
    let before = Tree::read(&env.path());
    env.undo(&format!("restore --target disk --from {id} data")).ok();
    assert_eq!(env.read("notes.txt"), b"unsaved, too\n");
    assert!(!env.path().join("data/new").exists());
    env.undo("undo").ok();
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("verify").ok();
}

#[test]
fn a_dry_run_writes_nothing() {
    let (env, id) = without_the_first_commit();
    let before = files(&env.path());
    let shown = env.undo(&format!("restore -n --target disk --from {id} '*.csv'")).ok().text();
    assert!(shown.contains("values.csv"), "{shown}");
    assert_eq!(changed(&before, &env), [""; 0]);
    env.undo(&format!("restore --target disk --from {id} nothing")).fails(2);
    assert_eq!(changed(&before, &env), [""; 0]);
}

/// The files that are not as before.
fn changed(before: &[(PathBuf, Vec<u8>)], env: &TestEnv) -> Vec<String> {
    let now = files(&env.path());
    let is_new = |file: &&(PathBuf, Vec<u8>)| !before.contains(file);
    let is_old = |file: &&(PathBuf, Vec<u8>)| !now.contains(file);
    let changed = now.iter().filter(is_new).chain(before.iter().filter(is_old));
    let paths = changed.map(|(path, _)| path.display().to_string());
    // Scans read the clock of the file system with a file there.
    paths.filter(|path| !path.contains("/.undo/tmp/")).collect()
}

#[test]
fn another_directory_of_the_target_is_restored_from() {
    let (env, _) = without_the_first_commit();
    fs::create_dir(env.root().join("second")).unwrap();
    env.undo("-C ../second init").ok();
    env.undo("-C ../second target add disk ../target").ok();
    let first = env.path().display().to_string();
    env.undo(&format!("-C ../second restore --target disk --directory {first} :/data")).ok();
    assert_eq!(fs::read(env.root().join("second/data/values.csv")).unwrap(), env.read("data/values.csv"));
    env.undo("-C ../second verify").ok();
}

#[test]
fn a_killed_restore_is_continued_undone_or_repeated() {
    if !has_strace() {
        return;
    }
    let mut unfinished = 0;
    let old = "1,2,3\n".repeat(10_000);
    for (call, n) in
        [("fdatasync", 1), ("fdatasync", 3), ("renameat2", 1), ("renameat2", 2), ("utimensat", 2), ("pwrite64", 4)]
    {
        let (env, id) = without_the_first_commit();
        let before = Tree::read(&env.path());
        let line = format!("restore --target disk --from {id} data/values.csv");
        killed_at(&env, call, n, &line.split(' ').collect::<Vec<_>>());
        let report = String::from_utf8(env.undo("status").ok().stderr).unwrap();
        let is_unfinished = report.contains("unfinished");
        unfinished += usize::from(is_unfinished);
        env.undo("gc --now").ok();
        env.undo(if is_unfinished { "checkout --continue" } else { &line }).ok();
        assert_eq!(env.read("data/values.csv"), old.as_bytes(), "{call} {n}");
        env.undo("undo").ok();
        assert_same(&before, &Tree::read(&env.path()));
        env.undo("verify").ok();
    }
    assert!(unfinished > 0);
}
