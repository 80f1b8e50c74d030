//! Several directories in one target.

use std::process::Command;

use super::copies::with_history;
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

#[test]
fn a_copied_repository_gets_its_own_stream() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let copied = Command::new("cp").arg("-a").arg(env.path()).arg(env.root().join("copy")).status().unwrap();
    assert!(copied.success());
    env.write("of-the-original", "1");
    env.undo("commit").ok();
    env.undo("push").ok();
    std::fs::write(env.root().join("copy/of-the-copy"), "2").unwrap();
    env.undo("-C ../copy commit").ok();
    env.undo("-C ../copy push").ok();
    assert_eq!(directories(&env), 2);
    // Both go on in their own streams.
    env.write("of-the-original", "3");
    env.undo("commit").ok();
    env.undo("push").ok();
    env.undo("-C ../copy push").ok();
    assert_eq!(directories(&env), 2);
}

fn directories(env: &TestEnv) -> usize {
    let shown = env.undo("target show --json").ok().stdout;
    String::from_utf8(shown).unwrap().lines().filter(|line| line.contains("\"target-directory\"")).count()
}

#[test]
fn commits_of_another_directory_are_pulled_beside_the_own_ones() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env.undo("clone ../target ../clone").ok();
    std::fs::write(env.root().join("clone/new"), "of the clone").unwrap();
    env.undo("-C ../clone commit -m of-the-clone").ok();
    env.write("notes.txt", "of the original");
    env.undo("commit -m of-the-original").ok();
    env.undo("push").ok();
    env.undo("-C ../clone push").ok();
    let before = Tree::read(&env.path());
    env.undo("pull").ok();
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("diff --exit-code").ok();
    let log = String::from_utf8(env.undo("log").ok().stdout).unwrap();
    assert!(log.contains("of-the-clone") && log.contains("of-the-original"), "{log}");
    env.undo("verify").ok();
    let again = env.undo("pull --json").ok().stdout;
    assert!(String::from_utf8(again).unwrap().contains("\"commits\":0"));
}

#[test]
fn one_commit_is_pushed_and_cloned_without_its_parents() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push disk @").ok();
    env.set("HOME", env.root().join("other"));
    env.undo("clone ../target ../clone").ok();
    let log = String::from_utf8(env.undo("-C ../clone log").ok().stdout).unwrap();
    assert!(log.contains("second") && !log.contains("first-message"), "{log}");
    env.undo("-C ../clone verify").ok();
    env.undo("-C ../clone gc").ok();
    env.undo("-C ../clone status").ok();
}

#[test]
fn a_directory_must_be_chosen_if_there_are_several() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    std::fs::create_dir(env.root().join("second")).unwrap();
    env.undo("-C ../second init").ok();
    std::fs::write(env.root().join("second/file"), "x").unwrap();
    env.undo("-C ../second commit").ok();
    env.undo("-C ../second target add disk ../target").ok();
    env.undo("-C ../second push").ok();
    let refused = env.undo("clone ../target ../clone");
    assert_eq!(refused.code, 2);
    let hint = String::from_utf8(refused.stderr).unwrap();
    assert!(hint.contains("/second (") && hint.contains("/work ("), "{hint}");
    let second = env.root().join("second");
    env.undo(&format!("clone ../target ../clone --from {}", second.display())).ok();
    assert_eq!(std::fs::read(env.root().join("clone/file")).unwrap(), b"x");
}
