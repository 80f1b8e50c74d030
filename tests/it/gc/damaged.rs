//! `gc`, `forget` and `stats` in a damaged repository.

use std::fs;
use std::process::Command;

use super::{check, commits, ids, is_in, is_on_disk, noise};
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
    // It may still be restored and recalled.
    let stderr = String::from_utf8(env.undo("gc").fails(5).stderr).unwrap();
    assert!(stderr.contains("to do without all forgotten commits: undo gc --now"), "{stderr}");
    env.undo("gc --now").ok();
    assert_eq!(ids(&env).into_keys().collect::<Vec<_>>(), ["number-0", "number-1", "number-2", "number-5"]);
    env.undo("cat @:large").ok();
}

#[test]
fn forgotten_commit_that_cannot_be_read_keeps_its_grace_period() {
    let env = commits(0..3);
    let lost = ids(&env)["number-1"].clone();
    env.undo(&format!("forget {lost}")).ok();
    let copy = env.root().join("copy");
    assert!(Command::new("cp").arg("-a").arg(env.path().join(".undo")).arg(&copy).status().unwrap().success());
    lose(&env, &lost);
    env.undo("gc").fails(5);
    env.undo(&format!("repair --from {}", copy.display())).ok();
    env.undo("gc").ok();
    env.undo(&format!("recall {lost}")).ok();
    check(&env);
}

#[test]
fn lost_commit_with_unknown_parents_is_not_forgotten() {
    let env = commits(0..3);
    let lost = ids(&env)["number-1"].clone();
    lose(&env, &lost);
    // The first segment of the journal, which has the operation, becomes old and goes.
    let journal = env.path().join(".undo/journal");
    for n in 0.. {
        env.write("small", n.to_string());
        // The journal has the arguments of commands.
        env.undo(&format!("commit -q -m {}", "x".repeat(100_000))).ok();
        if journal.join("00000002").exists() {
            break;
        }
        assert!(n < 100);
    }
    fs::remove_file(journal.join("00000001")).unwrap();
    let stderr = String::from_utf8(env.undo(&format!("forget {lost}")).fails(4).stderr).unwrap();
    assert!(stderr.contains("the journal does not know its parents"), "{stderr}");
}

#[test]
fn damaged_pack_stops_the_rewriting_of_no_other_pack() {
    let env = commits(0..3);
    env.write("secret", noise(77, 50_000));
    env.undo("commit -m number-3").ok();
    fs::remove_file(env.path().join("secret")).unwrap();
    env.undo("commit -m number-4").ok();
    // Damages the frame of a large file that no directory has.
    let id = String::from_utf8(env.undo("rev-parse @~3:large").ok().stdout).unwrap();
    let broken = files(&env).into_iter().find(|file| is_in(file, &noise(1, 50_000))).unwrap();
    let mut bytes = fs::read(&broken).unwrap();
    let at = bytes.windows(64).position(|window| window == &noise(1, 50_000)[100..164]).unwrap();
    bytes[at] ^= 1;
    fs::write(&broken, bytes).unwrap();
    env.undo(&format!("cat-file blob {}", id.trim())).fails(5);
    env.undo("purge --blob @~:secret").ok();
    env.undo("gc --now").fails(5);
    assert!(!is_on_disk(&env.path().join(".undo/packs"), &noise(77, 50_000)));
    assert!(broken.exists());
}
