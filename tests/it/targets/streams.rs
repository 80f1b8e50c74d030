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

/// A directory that has pushed, and a clone of it that has pushed two more commits to the same entry.
fn continued_by_a_clone() -> TestEnv {
    let env = TestEnv::initialised();
    env.set("UNDO_PASSWORD", "correct horse");
    env.write("file", "of the original");
    env.undo("commit -m original").ok();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env.undo("clone ../target ../clone").ok();
    for content in ["first of the clone", "second of the clone"] {
        std::fs::write(env.root().join("clone/file"), content).unwrap();
        env.undo(&format!("-C ../clone commit -m '{content}'")).ok();
    }
    env.undo("-C ../clone push").ok();
    env
}

#[test]
fn an_entry_that_a_clone_has_continued_is_no_longer_that_of_the_directory() {
    let env = continued_by_a_clone();
    let target = || super::copies::files(&env.root().join("target"));
    let before = target();
    for command in [
        "log --target disk",
        "log --target ../target",
        "cat --target disk @:file",
        "ls --target disk @",
        "diff --target disk @",
        "export --target disk @ ../exported",
        "restore --target disk file",
        "drill",
        "forget --target disk --keep-last 2 -n",
        "forget --target disk --keep-last 2",
    ] {
        let refused = env.undo(command).fails(4).to_string();
        assert!(refused.contains("/clone` has continued the entry of this directory"), "{command}: {refused}");
        assert!(
            refused.contains(
                "hint: to get its commits: undo pull disk; for a separate entry of this directory: undo push disk"
            ),
            "{refused}"
        );
    }
    assert!(before == target() && env.read("file") == b"of the original", "nothing has changed");
    // Those who name the other directory get it.
    let clone = env.root().join("clone");
    let from = |command: &str| env.undo(&format!("{command} --target disk --from {}", clone.display())).ok().text();
    assert_eq!(from("cat @:file"), "second of the clone");
    assert_eq!(from("log --oneline").lines().count(), 3);
    // From the next push on, the directory has its own entry.
    env.undo("push").ok();
    assert_eq!(directories(&env), 2);
    assert_eq!(env.undo("cat --target disk @:file").ok().text(), "of the original");
    env.undo("drill").ok();
}

#[test]
fn a_pull_gets_what_a_clone_has_pushed_to_the_same_entry() {
    let env = continued_by_a_clone();
    let record = env.undo("pull --json").ok().json().remove(0);
    assert_eq!((&record["commits"], record["refs"].as_array().unwrap().len()), (&2.into(), 1), "{record}");
    let branch = record["refs"][0].as_str().unwrap().to_owned();
    assert_eq!(env.undo(&format!("cat {branch}:file")).ok().text(), "second of the clone");
    assert_eq!(env.undo("cat @:file").ok().text(), "of the original");
    // The target has the commits that came from it.
    assert!(env.undo("status --json").ok().text().contains("\"behind\":0"));
    assert_eq!(env.undo("pull --json").ok().json().remove(0)["commits"], 0);
    env.undo("push").ok();
    assert_eq!(directories(&env), 2);
}

#[test]
fn a_directory_that_was_removed_from_a_target_is_not_another_one() {
    let env = continued_by_a_clone();
    env.undo("push").ok();
    env.undo(&format!("forget --target disk --from {} --all", env.path().display())).ok();
    assert_eq!(directories(&env), 1);
    let refused = env.undo("forget --target disk --keep-last 1").fails(2).to_string();
    assert!(refused.contains("target `disk` has no commits of this directory"), "{refused}");
    env.undo("drill").fails(2);
    env.undo("push").ok();
    env.undo("drill").ok();
}

#[test]
fn a_target_without_a_name_is_read_beside_one_that_has_a_name() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    std::fs::create_dir(env.root().join("second")).unwrap();
    std::fs::write(env.root().join("second/file"), "of the second").unwrap();
    env.undo("-C ../second commit --init").ok();
    env.undo("-C ../second target add disk ../target-of-second").ok();
    env.undo("-C ../second push").ok();
    assert_eq!(env.undo("cat @:file --target ../target-of-second").ok().text(), "of the second");
}
