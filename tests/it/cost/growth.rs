//! Growth of the repository: sizes of files, counted after each commit of a burst.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::env::TestEnv;

/// Bytes on disk below a folder, without the reserve.
fn on_disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let metadata = entry.metadata().unwrap();
            match metadata.is_dir() {
                true => on_disk(&entry.path()),
                false if entry.file_name() == "reserve" => 0,
                false => metadata.blocks() * 512,
            }
        })
        .sum()
}

/// A commit that changes one of the files.
fn commit(env: &TestEnv, n: usize) {
    env.write(&format!("folder/{}", n % 7), format!("file {} as of {n}\n", n % 7).repeat(20));
    env.undo("commit -m more").ok();
}

#[test]
fn burst_of_commits_leaves_no_replaced_files() {
    let env = TestEnv::new();
    (0..300).for_each(|n| env.write(&format!("folder/{n}"), format!("file {n} as of 0\n").repeat(20)));
    env.undo("commit --init -m one").ok();
    for n in 0..40 {
        commit(&env, n);
        let counts = env.undo("count-objects --json").ok().json();
        let garbage = counts[0]["size_garbage"].as_u64().unwrap();
        let all = on_disk(&env.path().join(".undo"));
        assert!(garbage * 10 <= (all - garbage) * 3, "{garbage} bytes of {all} are not in use after commit {n}");
    }
    // Sixteen packs are merged into one.
    assert!(env.undo("count-objects --json").ok().json()[0]["packs"].as_u64().unwrap() < 20);
}

#[test]
fn collected_history_costs_what_differs() {
    let env = TestEnv::new();
    let file = |n: usize, version: usize| -> String {
        (0..40).map(|line| format!("{n} {version} {}\n", line * n)).map(|line| line.replace(" 0 ", " ")).collect()
    };
    (0..300).for_each(|n| env.write(&format!("folder/{n}"), file(n, 0)));
    env.undo("commit --init -m one").ok();
    let packs = || on_disk(&env.path().join(".undo/packs"));
    env.undo("gc --now").ok();
    let first = packs();
    for n in 0..60 {
        let name = format!("folder/{}", n % 3);
        let mut lines: Vec<String> = file(n % 3, 0).lines().map(str::to_owned).collect();
        lines[n % 40] = format!("changed {n}");
        env.write(&name, lines.join("\n"));
        env.undo(&format!("commit -m number-{n}")).ok();
    }
    let before = packs();
    env.undo("gc --now").ok();
    let after = packs();
    // Table and pack: four objects of 45 bytes, and the ids of commit, parent, tree, node and blob.
    assert!(after - first < 60 * 800 && before - first > 2 * (after - first), "{first} {before} {after}");
    env.undo("export @~30 ../old").ok();
    assert!(std::fs::read_to_string(env.path().join("../old/folder/2")).unwrap().contains("changed 29"));
    env.undo("verify").ok();
}

#[test]
fn commit_in_a_long_directory_stores_a_few_short_nodes() {
    let env = TestEnv::new();
    (0..3000).for_each(|n| env.write(&format!("folder/{n}"), format!("file {n}")));
    env.undo("commit --init -m one").ok();
    commit(&env, 3);
    let summary = env.undo("commit -m settled --json").ok().json();
    assert_eq!(summary.last().unwrap()["modified"], 0);
    commit(&env, 5);
    let stored = env.undo("log -n 1 --json").ok().json()[0]["bytes_stored"].as_u64().unwrap();
    // A node of the directory has at most 128 entries of about 70 bytes, its root some fifty children of 40 bytes.
    assert!(stored < 16 << 10, "{stored} bytes");
}
