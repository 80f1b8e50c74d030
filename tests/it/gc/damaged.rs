//! `gc`, `forget` and `stats` in a history with a lost commit.

use std::fs;

use super::{commits, ids, is_on_disk, noise};
use crate::env::TestEnv;

/// Removes the pack of a commit, which no other commit shares.
fn lose(env: &TestEnv, commit: &str) {
    for file in files(env) {
        let hidden = file.with_extension("hidden");
        fs::rename(&file, &hidden).unwrap();
        if env.shell(&format!("undo cat-file -e {commit} || echo lost")).text().contains("lost") {
            fs::remove_file(&hidden).unwrap();
            return;
        }
        fs::rename(&hidden, &file).unwrap();
    }
    panic!("no pack has {commit}");
}

/// All pack files.
fn files(env: &TestEnv) -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir(env.path().join(".undo/packs")).unwrap();
    folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap()).map(|file| file.unwrap().path()).collect()
}

#[test]
fn lost_commit_can_be_forgotten_and_then_garbage_is_collected() {
    let env = commits(0..6);
    let lost = ids(&env)["number-3"].clone();
    env.undo("forget @~").ok();
    lose(&env, &lost);
    let stderr = String::from_utf8(env.undo("gc --now").fails(5).stderr).unwrap();
    assert!(stderr.contains(&format!("undo forget {}", &lost[..8])), "{stderr}");
    assert!(is_on_disk(&env.path().join(".undo/packs"), &noise(4, 50_000)), "the history is not complete");
    let stats = env.undo("stats").ok();
    assert!(String::from_utf8(stats.stderr).unwrap().contains("1 commit left out, because of damage"));
    env.undo("stats --commits").ok();
    env.undo("stats --paths").ok();
    env.undo(&format!("forget {lost}")).ok();
    env.undo("gc").ok();
    env.undo("gc --now").ok();
    assert_eq!(ids(&env).into_keys().collect::<Vec<_>>(), ["number-0", "number-1", "number-2", "number-5"]);
    env.undo("cat @:large").ok();
}
