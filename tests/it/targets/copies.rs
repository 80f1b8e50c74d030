//! What is pushed comes back exactly, and nothing readable is in the target.

use std::fs;
use std::path::{Path, PathBuf};

use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Files of several kinds, in two commits.
pub fn with_history() -> TestEnv {
    let env = TestEnv::initialised();
    env.set("UNDO_PASSWORD", "correct horse");
    env.write("notes.txt", "a first line that is easy to find\n");
    env.write("data/values.csv", "1,2,3\n".repeat(10_000));
    env.write("data/large.bin", noise(7, 9 << 20));
    fs::hard_link(env.path().join("notes.txt"), env.path().join("data/linked.txt")).unwrap();
    std::os::unix::fs::symlink("values.csv", env.path().join("data/link")).unwrap();
    env.undo("commit -m first-message").ok();
    env.write("data/values.csv", "1,2,3\n".repeat(10_000) + "4,5,6\n");
    env.undo("commit -m second").ok();
    env
}

/// Bytes that do not compress.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// The files of a target, with their bytes.
pub fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push((path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_clone_is_exact() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    // Another machine has nothing but the target and the password.
    env.set("HOME", env.root().join("other"));
    env.undo("clone ../target ../clone").ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("clone")));
    env.undo("-C ../clone verify").ok();
    env.undo("-C ../clone diff --exit-code").ok();
    env.undo("-C ../clone checkout @~1").ok();
    env.undo("checkout @~1").ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("clone")));
}

#[test]
fn a_clone_warns_of_a_newest_entry_that_is_damaged() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env.write("notes.txt", "newest\n");
    env.undo("commit").ok();
    env.undo("push").ok();
    let (newest, mut bytes) = files(&env.root().join("target/log")).pop().unwrap();
    bytes[100] ^= 1;
    fs::remove_file(&newest).unwrap();
    fs::write(&newest, bytes).unwrap();
    env.set("HOME", env.root().join("other"));
    let output = env.undo("clone ../target ../clone").ok();
    assert!(output.to_string().contains("entry 3 of the log is not authentic"), "{output}");
    env.undo("-C ../clone verify --target origin").fails(5);
}

#[test]
fn nothing_readable_leaves() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let id = String::from_utf8(env.undo("rev-parse @").ok().stdout).unwrap();
    let commit = blake3::Hash::from_hex(id.trim()).unwrap();
    let blob = blake3::hash(b"a first line that is easy to find\n");
    let clear: [&[u8]; 8] = [
        b"notes.txt",
        b"values.csv",
        b"easy to find",
        b"1,2,3",
        b"first-message",
        b"tester",
        blob.as_bytes(),
        commit.as_bytes(),
    ];
    let files = files(&env.root().join("target"));
    assert!(files.len() > 5, "{}", files.len());
    for (path, bytes) in files {
        for clear in clear {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear), "{}", path.display());
        }
        // The identity of the target, and the parameters of key slots, are public.
        if path.ends_with("target") || path.parent().unwrap().ends_with("keys") {
            continue;
        }
        assert!(entropy(&bytes) > 0.97 * entropy(&noise(1, bytes.len())), "{}", path.display());
    }
}

/// Bits of entropy a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|byte| counts[*byte as usize] += 1);
    let share = |count: u32| f64::from(count) / bytes.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| -share(*count) * share(*count).log2()).sum()
}

#[test]
fn only_what_the_target_lacks_is_sent() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let folder = env.root().join("target");
    let before = files(&folder);
    env.undo("push").ok();
    assert_eq!(files(&folder), before);
    env.write("notes.txt", "changed\n");
    env.undo("commit").ok();
    let requests = |line: &str| env.undo(line).ok().json().pop().unwrap()["requests"].clone();
    assert_eq!(requests("push --json"), 4);
    assert_eq!(requests("push --json"), 2);
    let new: Vec<_> = files(&folder).into_iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(new.len(), 2, "a pack, and an entry of the log");
    assert!(new.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 20_000);
    for (path, bytes) in &before {
        assert_eq!(&fs::read(path).unwrap(), bytes, "no file is ever changed");
    }
}

#[test]
fn the_password_or_the_recovery_words_open_a_target() {
    let env = with_history();
    let added = String::from_utf8(env.undo("target add disk ../target").ok().stdout).unwrap();
    env.undo("push").ok();
    let words = added.lines().find(|line| line.starts_with("    ")).unwrap().trim();
    env.set("HOME", env.root().join("other"));
    env.set("UNDO_PASSWORD", "wrong");
    assert_eq!(env.undo("clone ../target ../clone").code, 12);
    env.set("UNDO_PASSWORD", words);
    env.undo("clone ../target ../clone").ok();
    env.set("UNDO_PASSWORD", "");
    env.set("HOME", env.root().join("third"));
    env.write("password", "correct horse\nnot this line\n");
    env.undo("clone ../target ../third-clone --password-file password").ok();
    env.set("HOME", env.root().join("fourth"));
    assert_eq!(env.undo("clone ../target ../fourth-clone").code, 12, "no password at all");
}

#[test]
fn a_clone_and_an_export_refuse_a_directory_with_files() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    for command in ["clone ../target .", "export @ ."] {
        assert!(env.undo(command).fails(4).to_string().contains("is not empty"), "{command}");
    }
}
