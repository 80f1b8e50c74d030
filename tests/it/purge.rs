//! `purge`: no command reads purged content, commits keep their ids, and only the undo that follows directly takes it back.

mod bytes;
mod commands;
mod history;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::env::TestEnv;
use crate::errors::noise;
use crate::skip::skip;

/// A secret that no compression finds elsewhere.
pub const SECRET: &str = "password = Tr0ub4dor&3-correct-horse-battery";

/// A repository whose two commits have a small secret (twice in the first), a large one, and a large file with a part of it.
/// The directory has the second commit.
pub fn secrets() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("secret", SECRET);
    env.write("copy/of", SECRET);
    env.write("dump", noise(1, 3_000_000));
    env.write("shares", [noise(1, 2_000_000), noise(2, 1_000_000)].concat());
    env.write("other", "other\n");
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    env.write("secret", "not secret\n");
    env.write("dump", "small now\n");
    fs::remove_dir_all(env.path().join("copy")).unwrap();
    env.write("other", "changed\n");
    env.undo("commit -m two").ok();
    env.undo("tag two").ok();
    env
}

/// Ids of all commits, newest first.
pub fn ids(env: &TestEnv) -> Vec<String> {
    let lines = env.undo("log --json").ok().json();
    let commits = lines.iter().filter(|line| line["type"] == "commit");
    commits.map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

/// Purges both secrets.
pub fn purge(env: &TestEnv) {
    env.undo("purge --blob one:secret").ok();
    env.undo("purge --blob one:dump").ok();
}

/// Runs the reader in Python over the repository.
pub fn read_in_python(env: &TestEnv, arguments: &[&str]) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_repository.py");
    let output = Command::new("python3").arg(script).arg(env.path().join(".undo")).args(arguments).output();
    let Ok(output) = output else {
        skip("python3 is not installed");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}
