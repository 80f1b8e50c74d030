//! Alarms: accidents and attacks are reported, ordinary work is not.

mod harm;
mod work;

use serde_json::Value;

use crate::env::{Output, TestEnv};

/// Returns incompressible bytes that depend on the seed.
fn random(seed: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn text(seed: usize) -> Vec<u8> {
    (0..60).flat_map(|line| format!("{seed}: line {line} of some notes\n").into_bytes()).collect()
}

fn png(seed: usize) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n".to_vec(), random(seed, 2000)].concat()
}

fn note(n: usize) -> String {
    format!("notes/{}/note-{n}.txt", n % 5)
}

/// Creates a repository with this many notes and as many pictures.
fn create_repository(count: usize) -> TestEnv {
    let env = TestEnv::new();
    for n in 0..count {
        env.write(&note(n), text(n));
        env.write(&format!("pictures/{n}.png"), png(n));
    }
    env.undo("commit --init -m before").ok();
    env
}

/// Returns the kinds of alarms and notes, which `status`, `commit -n` and `commit` must report alike.
#[track_caller]
fn findings(env: &TestEnv) -> Vec<String> {
    let status = kinds(env.undo("status --json").ok());
    assert_eq!(status, kinds(env.undo("commit -n --json").ok()), "`status` and `commit -n` differ");
    let commit = kinds(env.undo("commit --json -m after").ok());
    assert_eq!(status, commit, "`status` and `commit` differ");
    commit
}

/// Returns the text output of `status` without the list of paths.
fn status_text(env: &TestEnv) -> Vec<String> {
    String::from_utf8(env.undo("status").ok().stderr).unwrap().lines().map(str::to_owned).collect()
}

fn kinds(output: Output) -> Vec<String> {
    let is_finding = |value: &&Value| value["type"] == "alarm" || value["type"] == "note";
    let word = |value: &Value| format!("{} {}", value["type"].as_str().unwrap(), value["kind"].as_str().unwrap());
    output.json().iter().filter(is_finding).map(word).collect()
}
