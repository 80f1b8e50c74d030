//! Ctrl-C during a push, and targets that cannot be reached or opened.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::copies::{files, noise, with_history};
use crate::crash::{for_each_kill, has_strace, killed_at};
use crate::env::TestEnv;
use crate::run::signals::is_ignored_here;
use crate::tree::{Tree, assert_same};

/// The number of complete packs in the target.
fn packs(env: &TestEnv) -> usize {
    let data = env.root().join("target/data");
    let is_complete = |path: &Path| path.file_name().unwrap().len() == 64;
    if !data.exists() { 0 } else { files(&data).iter().filter(|(path, _)| is_complete(path)).count() }
}

#[test]
fn an_interrupted_push_continues() {
    if is_ignored_here(Signal::INT) {
        return;
    }
    let env = with_history();
    for n in 0..3 {
        env.write(&format!("large-{n}"), noise(n, 33 << 20));
    }
    env.undo("commit").ok();
    env.undo("target add disk ../target").ok();
    let config = env.path().join(".undo/config.toml");
    let settings = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{settings}connections = 1\nlimit_up = \"20M\"\n")).unwrap();
    let push = env.command(env!("CARGO_BIN_EXE_undo")).arg("push").stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while packs(&env) < 2 {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    kill_process(Pid::from_child(&push), Signal::INT).unwrap();
    let output = push.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("error: interrupted: what was sent stays in the target\nhint: to continue: undo push disk"),
        "{message}"
    );
    fs::write(&config, settings).unwrap();
    let pushed = env.undo("push --json").ok().json();
    let sent = pushed.iter().find(|record| record["type"] == "pushed").unwrap()["bytes"].as_u64().unwrap();
    assert!(sent < 100 << 20, "{sent} bytes were sent again");
    env.undo("verify --target disk").ok();
    env.undo("clone ../target ../clone").ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("clone")));
}

#[test]
fn what_cannot_be_reached_or_opened_has_its_exit_status() {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    for url in ["sftp://127.0.0.1:1/target", "s3://bucket/undo --endpoint http://127.0.0.1:1 --region eu-central-1"] {
        env.set("AWS_ACCESS_KEY_ID", "key");
        env.set("AWS_SECRET_ACCESS_KEY", "secret");
        let output = env.undo(&format!("target add elsewhere {url}")).fails(74);
        assert!(output.to_string().to_lowercase().contains("refuse"), "{output}");
        let output = env.undo(&format!("clone {url} ../clone --json")).fails(74);
        assert!(output.to_string().contains("\"unreachable\""), "{output}");
    }
    // The disk is not mounted.
    fs::rename(env.root().join("target"), env.root().join("away")).unwrap();
    let output = env.undo("push");
    assert!(output.code == 1 || output.code == 2, "{output}");
    assert!(output.to_string().contains("no target found at"), "{output}");
    assert!(!env.root().join("target").exists(), "a push creates no target");
    fs::rename(env.root().join("away"), env.root().join("target")).unwrap();
    env.set("HOME", env.root().join("other"));
    env.set("UNDO_PASSWORD", "wrong");
    env.undo("push").fails(12);
    env.undo("clone ../target ../clone").fails(12);
    env.set("UNDO_PASSWORD", "correct horse");
    env.undo("push").ok();
}

#[test]
fn a_killed_clone_continues() {
    if !has_strace() {
        return;
    }
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    let (clone, path) = ("clone ../target ../clone", env.root().join("clone"));
    let (mut unfinished, mut repeated) = (Cell::new(0), Cell::new(0));
    for_each_kill(&["mkdirat", "pwrite64", "fdatasync", "renameat", "renameat2"], |call, n| {
        let is_killed = killed_at(&env, call, n, &clone.split(' ').collect::<Vec<_>>());
        let status = env.undo("-C ../clone status").to_string();
        if status.contains("unfinished") {
            unfinished.set(unfinished.get() + 1);
            env.undo("-C ../clone checkout --continue").ok();
        } else if is_killed && env.undo(clone).code == 0 {
            repeated.set(repeated.get() + 1);
        } else {
            env.undo("-C ../clone checkout @").ok();
        }
        assert_same(&Tree::read(&env.path()), &Tree::read(&path));
        env.undo("-C ../clone verify").ok();
        fs::remove_dir_all(&path).unwrap();
        is_killed
    });
    let (unfinished, repeated) = (unfinished.get_mut(), repeated.get_mut());
    assert!(*unfinished > 0 && *repeated > 0, "{unfinished} {repeated}");
}
