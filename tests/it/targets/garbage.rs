//! Garbage of a target: condemned first, deleted a day later, and never anything that a commit needs.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::copies::{files, noise, with_history};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Lets all files of a target be two days old.
fn age(folder: &Path) {
    let status = Command::new("find").arg(folder).args(["-exec", "touch", "-d", "2 days ago", "{}", "+"]).status();
    assert!(status.unwrap().success());
}

fn json(env: &TestEnv, line: &str) -> serde_json::Value {
    let output = env.undo(line).ok().stdout;
    serde_json::from_slice(output.split(|byte| *byte == b'\n').next().unwrap()).unwrap()
}

fn assert_clone_is_exact(env: &TestEnv, name: &str) {
    env.undo(&format!("clone ../target ../{name}")).ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join(name)));
    env.undo(&format!("-C ../{name} verify")).ok();
}

#[test]
fn nothing_is_garbage_while_commits_need_it() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let before = files(&env.root().join("target"));
    let collected = json(&env, "gc --target disk --json");
    assert_eq!((&collected["dead"], &collected["rewritten"]), (&0.into(), &0.into()), "{collected}");
    assert_eq!(files(&env.root().join("target")), before);
    env.undo("verify --target disk").ok();
}

#[test]
fn orphans_of_an_interrupted_push_are_deleted_a_day_after_they_were_condemned() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let target = env.root().join("target");
    let name = blake3::hash(b"orphan").to_hex();
    let orphan = target.join("data").join(&name[..2]).join(&*name);
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, b"orphan").unwrap();
    assert_eq!(
        json(&env, "gc --target disk --json")["orphans"],
        0,
        "a young file may belong to a push that is running"
    );
    age(&target);
    assert_eq!(json(&env, "gc --target disk -n --json")["orphans"], 1);
    let condemned = json(&env, "gc --target disk --json");
    assert_eq!((&condemned["orphans"], &condemned["deleted"]), (&1.into(), &0.into()), "{condemned}");
    assert!(orphan.exists());
    age(&target);
    let deleted = json(&env, "gc --target disk --json");
    assert!(deleted["deleted"].as_u64().unwrap() >= 1, "{deleted}");
    assert!(!orphan.exists());
    assert_clone_is_exact(&env, "clone");
    env.undo("verify --target disk").ok();
}

#[test]
fn purged_content_leaves_a_target_with_its_next_collection() {
    let env = with_history();
    env.write("secret.bin", noise(3, 5 << 20));
    env.undo("commit -m secret").ok();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    fs::remove_file(env.path().join("secret.bin")).unwrap();
    env.undo("commit").ok();
    env.undo("purge secret.bin").ok();
    env.undo("push").ok();
    let target = env.root().join("target");
    let size = |folder: &Path| files(folder).iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let before = size(&target);
    env.undo("gc --target disk").ok();
    age(&target);
    env.undo("gc --target disk").ok();
    assert!(size(&target) + (4 << 20) < before, "{} of {before}", size(&target));
    env.undo("verify --target disk").ok();
    assert_clone_is_exact(&env, "clone");
}

#[test]
fn a_target_stays_cheap_after_many_pushes() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    for n in 0..70 {
        env.write("notes.txt", format!("version {n}\n"));
        env.undo("commit -q").ok();
        env.undo("push -q").ok();
    }
    let shown = String::from_utf8(env.undo("target show --json").ok().stdout).unwrap();
    let shown: serde_json::Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
    assert!(shown["packs"].as_u64().unwrap() < 40, "{shown}");
    assert_eq!(fs::read_dir(env.root().join("target/fold")).unwrap().count(), 1);
    env.undo("verify --target disk").ok();
    // From the fold, and from the cached state.
    env.set("HOME", env.root().join("other"));
    assert_clone_is_exact(&env, "clone");
    let target = env.root().join("target");
    age(&target);
    env.undo("-C ../clone gc --target origin").ok();
    age(&target);
    env.undo("-C ../clone gc --target origin").ok();
    env.undo("-C ../clone verify --target origin").ok();
    env.set("HOME", env.root().join("third"));
    assert_clone_is_exact(&env, "clone-after");
    env.undo("-C ../clone-after checkout @~60").ok();
    env.undo("checkout @~60").ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("clone-after")));
}
