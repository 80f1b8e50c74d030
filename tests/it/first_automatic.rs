//! The first automatic commit of a directory: what needs a decision of the user, and what counts as one.

use std::fs::{self, File};

use snapbox::str;

use crate::agent_hook::{bash, hook, message};
use crate::env::{Output, TestEnv};
use crate::safety::places::Mounted;
use crate::skip::skip;

#[test]
fn a_home_directory_needs_one_commit_by_hand() {
    let env = TestEnv::initialised();
    env.set("HOME", env.path());
    env.write("a", "1");
    env.undo("commit --auto").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work` is a home directory, which is not recorded automatically
hint: to allow it, record the directory once: undo commit
[exit 4]

"#]]);
    env.undo("commit --auto").shows(str![[r#"
---- stderr ----
error: nothing was recorded: automatic commits of this directory are off until you allow them
hint: to allow them, record the directory once: undo commit
[exit 4]

"#]]);
    for line in ["status", ""] {
        let output = env.undo(line).ok().to_string();
        assert!(
            output.contains("warning: automatic commits of this directory are off until you allow them\n"),
            "{output}"
        );
    }
    env.undo("commit").ok();
    assert!(!env.undo("status").ok().to_string().contains("automatic commits"));
    env.write("a", "2");
    env.undo("commit --auto").ok();
}

#[test]
fn the_root_of_a_mount_needs_one_commit_by_hand() {
    let env = TestEnv::new();
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "tmpfs"], &env.path()) else {
        skip("tmpfs cannot be mounted");
        return;
    };
    env.undo("init").ok();
    env.write("a", "1");
    env.undo("commit --auto").shows(str![[r#"
---- stderr ----
error: `[ROOT]/work` is the root of a file system, which is not recorded automatically
hint: to allow it, record the directory once: undo commit
[exit 4]

"#]]);
    env.undo("commit").ok();
    env.write("a", "2");
    env.undo("commit --auto").ok();
}

/// Creates a file with a hole.
fn sparse(env: &TestEnv, path: &str, size: u64) {
    env.write(path, "");
    File::options().write(true).open(env.path().join(path)).unwrap().set_len(size).unwrap();
}

/// Checks that the user is asked by this commit.
fn asks(output: Output) -> Output {
    let output = output.fails(4);
    assert!(output.to_string().contains("error: the first automatic commit would record "), "{output}");
    output
}

#[test]
fn more_than_two_gib_need_a_decision() {
    let env = TestEnv::initialised();
    sparse(&env, "data/disk *.img", 1 << 30);
    sparse(&env, "old data/a", (1 << 30) - 2);
    env.write("small/file", "12");
    env.undo("commit --auto").ok();

    let env = TestEnv::initialised();
    sparse(&env, "data/disk *.img", (2 << 30) - 50);
    sparse(&env, "old [data]/a", 100);
    env.write("small/file", "1");
    env.write("file", "1");
    env.undo("commit --auto").shows(str![[r#"
---- stderr ----
error: the first automatic commit would record 4 files (2.00 GiB), more than 200,000 files or 2.00 GiB; the largest entries: data (1 file, 2.00 GiB), 'old [data]' (1 file, 100 B), file (1 B), small (1 file, 1 B)
hint: to leave some out, add lines to `.undoignore`: [..]; to allow it, record the directory once: undo commit
[exit 4]

"#]]);
    env.undo("commit --auto").shows(str![[r#"
---- stderr ----
error: nothing was recorded: automatic commits of this directory are off until you allow them
hint: to allow them, record the directory once: undo commit
[exit 4]

"#]]);
    // Other rules are another question.
    env.write(".undoignore", "/other/\n");
    let asked = asks(env.undo("commit --auto")).to_string();
    assert!(
        asked.contains(r"`.undoignore`: `/data/`, `/old\ \[data]/`, `/.undoignore`, `/file`, `/small/`;"),
        "{asked}"
    );
    env.write(".undoignore", "/old\\ \\[data]/\n");
    env.undo("commit --auto").ok();
    let log = env.undo("log --all --json").ok().json();
    let listed = env.undo(&format!("ls -R {}", log[0]["id"].as_str().unwrap())).ok().text();
    assert!(listed.contains("data/disk *.img") && !listed.contains("old"), "{listed}");
}

#[test]
fn a_large_file_at_the_root_is_named() {
    let env = TestEnv::initialised();
    sparse(&env, "disk.img", 3 << 30);
    env.write("data/a", "1");
    let asked = asks(env.undo("commit --auto")).to_string();
    assert!(asked.contains("; the largest entries: disk.img (3.00 GiB), data (1 file, 1 B)\n"), "{asked}");
    assert!(asked.contains("`.undoignore`: `/disk.img`, `/data/`;"), "{asked}");
    env.write(".undoignore", "/disk.img\n");
    env.undo("commit --auto").ok();
}

#[test]
fn a_commit_by_hand_permits_automatic_ones() {
    let env = TestEnv::initialised();
    sparse(&env, "data/disk", (2 << 30) + 1);
    asks(env.undo("commit --auto"));
    env.undo("commit").ok();
    env.write("a", "2");
    env.undo("commit --auto").ok();
}

#[test]
fn a_hook_asks_once() {
    let env = TestEnv::initialised();
    sparse(&env, "data/disk", (2 << 30) + 1);
    let step = || hook(&env, "claude", bash(&env, "session", "make"));
    let asked = step();
    assert!(message(&asked).contains("the largest entries: data (1 file, 2.00 GiB)"), "{asked}");
    assert!(message(&asked).contains("`/data/`"), "{asked}");
    assert_eq!(step(), serde_json::json!({}));
}

#[test]
fn more_than_200_000_files_need_a_decision_within_the_deadline() {
    let env = TestEnv::new();
    // In memory, since disks take a minute.
    let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    for n in 0..=200 {
        let directory = place.path().join(format!("data/{n:03}"));
        fs::create_dir_all(&directory).unwrap();
        let files = if n == 200 { 1 } else { 1000 };
        (0..files).for_each(|file| drop(File::create(directory.join(file.to_string())).unwrap()));
    }
    let undo = |line: &str| env.undo(&format!("-C {} {line}", place.path().display()));
    undo("init").ok();
    let output = asks(undo("commit --auto --deadline 10s")).to_string();
    assert!(output.contains("200,001 files (0 B), more than 200,000 files"), "{output}");
    assert!(output.contains("data (200,001 files, 0 B)"), "{output}");
}
