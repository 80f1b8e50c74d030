//! `repair --target`: damaged files of a target are replaced, and what is lost is sent again.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::copies::{files, noise, with_history};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// A history in a target: large and small packs, and an index file.
fn pushed() -> TestEnv {
    let env = with_history();
    for n in 0..1_700u64 {
        env.write(&format!("many/{n}"), noise(1000 + n, 400));
    }
    env.undo("commit -m many").ok();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env
}

/// The packs and indexes of the target.
fn packs_and_indexes(env: &TestEnv) -> Vec<(PathBuf, Vec<u8>)> {
    let target = env.root().join("target");
    ["data", "meta", "index"].iter().flat_map(|folder| files(&target.join(folder))).collect()
}

fn repair(env: &TestEnv) -> Value {
    let output = env.undo("repair --target disk --json");
    assert_eq!(output.code, 0, "{}", String::from_utf8_lossy(&output.stderr));
    output.json().into_iter().find(|record| record["type"] == "target-repaired").unwrap()
}

/// Asserts that a machine with nothing but the password gets everything back.
fn assert_is_intact(env: &TestEnv, name: &str) {
    env.undo("verify --target disk").ok();
    let home = env.root().join("home");
    env.set("HOME", env.root().join(name));
    env.undo(&format!("clone ../target ../{name}-clone")).ok();
    let clone = env.root().join(format!("{name}-clone"));
    assert_same(&Tree::read(&env.path()), &Tree::read(&clone));
    env.undo(&format!("-C ../{name}-clone verify")).ok();
    env.undo(&format!("-C ../{name}-clone verify --target origin")).ok();
    env.set("HOME", home);
    fs::remove_dir_all(clone).unwrap();
}

#[test]
fn every_file_that_is_missing_or_damaged_is_replaced() {
    let env = pushed();
    env.undo("target show").ok();
    let intact = packs_and_indexes(&env);
    assert!(intact.len() >= 3, "{}", intact.len());
    assert_eq!(repair(&env)["found"], 0);
    let mut replaced = HashSet::new();
    for n in 0..6 {
        // The files have other names after each repair. Those that were replaced stay for a day.
        let mut files = packs_and_indexes(&env);
        files.retain(|(path, _)| !replaced.contains(path));
        let (path, bytes) = &files[n / 2 % files.len()];
        replaced.insert(path.clone());
        match n % 2 {
            0 => fs::remove_file(path).unwrap(),
            _ => {
                let mut damaged = bytes.clone();
                damaged[bytes.len() / 2] ^= 1;
                fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
                fs::write(path, damaged).unwrap();
            }
        }
        // An index in the cache of this machine does not hide that the one in the target is damaged.
        assert_eq!(env.undo("verify --target disk").code, 5, "{path:?}");
        let before = files_of(&env);
        assert_eq!(env.undo("repair --target disk -n").code, 5);
        assert_eq!(files_of(&env), before);
        env.undo("push").ok();
        assert_eq!(env.undo("verify --target disk").code, 5, "a push replaces nothing");
        let repaired = repair(&env);
        assert!(repaired["replaced"].as_u64().unwrap() >= 1, "{repaired}");
        assert_is_intact(&env, &format!("machine{n}"));
    }
}

fn files_of(env: &TestEnv) -> Vec<(PathBuf, Vec<u8>)> {
    files(&env.root().join("target"))
}

#[test]
fn what_only_the_target_has_is_salvaged() {
    let env = pushed();
    env.write("many/0", "changed\n");
    env.undo("commit -m newest").ok();
    env.undo("push").ok();
    // Another machine keeps only the newest commit, so what older ones need is only in the target.
    env.set("HOME", env.root().join("other"));
    env.undo("clone ../target ../clone").ok();
    env.undo("-C ../clone forget --keep-last 2").ok();
    env.undo("-C ../clone gc --now").ok();
    let (path, bytes) = packs_and_indexes(&env).into_iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    let mut damaged = bytes.clone();
    damaged[bytes.len() - 100] ^= 1;
    damaged[bytes.len() / 2] ^= 1;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(&path, damaged).unwrap();
    let output = env.undo("-C ../clone repair --target origin --json");
    let record = output.json().into_iter().find(|record| record["type"] == "target-repaired").unwrap();
    assert!(record["salvaged"].as_u64().unwrap() > 10, "{record}");
    // Everything else comes from the machine that has it.
    env.set("HOME", env.root().join("home"));
    env.undo("repair --target disk").ok();
    assert_is_intact(&env, "third");
    env.undo("checkout @~2").ok();
    env.undo("-C ../clone clone ../target ../fourth").ok();
    env.undo("-C ../fourth checkout @~2").ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("fourth")));
}

#[test]
fn what_no_machine_has_is_listed() {
    let env = pushed();
    env.undo("forget @~2 @~1").ok();
    env.undo("gc --now").ok();
    let (path, _) = packs_and_indexes(&env).into_iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    fs::remove_file(path).unwrap();
    let output = env.undo("repair --target disk");
    assert_eq!(output.code, 5);
    assert!(output.text().contains("damaged the target lacks"), "{}", output.text());
    assert_eq!(env.undo("verify --target disk").code, 5);
    // What is left can be pushed to, read and repaired further.
    env.write("notes.txt", "later\n");
    env.undo("commit").ok();
    env.undo("push").ok();
    env.undo("ls --target disk @").ok();
    assert_eq!(env.undo("repair --target disk").code, 5);
}
