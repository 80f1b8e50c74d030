//! `docs/targets.md` is sufficient: `tests/read_target.py`, written from it alone, reads targets.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::copies::{files, noise};
use crate::env::TestEnv;
use crate::format::is_installed;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Environment variable that names a folder with the Python packages `cryptography` and `mnemonic`.
const PACKAGES: &str = "UNDO_TEST_PYTHON";

/// The folder with Python packages. `None`, after a report, if something is missing here.
fn packages() -> Option<PathBuf> {
    if !is_installed("python3") || !is_installed("zstd") {
        return None;
    }
    let found = std::env::var_os(PACKAGES);
    if found.is_none() {
        skip("the Python packages cryptography and mnemonic are not installed");
    }
    found.map(PathBuf::from)
}

fn script(packages: &Path, env: &TestEnv, password: &str, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_target.py");
    let mut command = Command::new("python3");
    command.arg("-B").arg(script).arg(env.root().join("target")).args(arguments).current_dir(env.root());
    command.env("PYTHONPATH", packages).env("UNDO_PASSWORD", password).output().unwrap()
}

/// Runs the script and returns the lines of its output.
#[track_caller]
fn read(packages: &Path, env: &TestEnv, password: &str, arguments: &[&str]) -> Vec<Value> {
    let output = script(packages, env, password, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::Deserializer::from_slice(&output.stdout).into_iter().map(Result::unwrap).collect()
}

/// A directory in a target, with more objects than an entry of the log can list, and a void entry; and its recovery words.
fn pushed() -> (TestEnv, String) {
    let env = TestEnv::initialised();
    env.set("UNDO_PASSWORD", "correct horse");
    env.write("notes.txt", "first");
    env.write("data/large.bin", noise(7, 1_500_000));
    fs::hard_link(env.path().join("notes.txt"), env.path().join("data/linked.txt")).unwrap();
    std::os::unix::fs::symlink("large.bin", env.path().join("data/link")).unwrap();
    env.undo("commit -m first").ok();
    for n in 0..1700 {
        env.write(&format!("many/{n}"), format!("file {n}"));
    }
    env.undo("commit -m many").ok();
    let added = String::from_utf8(env.undo("target add disk ../target").ok().stdout).unwrap();
    env.undo("push").ok();
    fs::write(env.root().join("target/log/0000000000000003"), "not an entry").unwrap();
    fs::write(env.root().join("target/log/00000000000000ff"), "not an entry either").unwrap();
    env.write("notes.txt", "newest");
    env.undo("commit -m third").ok();
    env.undo("push").ok();
    let words = added.lines().find(|line| line.starts_with("    ")).unwrap().trim().to_owned();
    (env, words)
}

#[test]
fn python_reader_reads_a_target() {
    let Some(packages) = packages() else { return };
    let (env, words) = pushed();
    let lines = read(&packages, &env, "correct horse", &[]);
    let count = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!((count("target"), count("directory"), count("commit")), (1, 1, 3));
    assert_eq!((&lines[0]["entry"], &lines[0]["indexes"]), (&4.into(), &1.into()));
    let checked = read(&packages, &env, &words, &["--check"]);
    assert_eq!(checked[0]["commits"], 3);
    assert_eq!(script(&packages, &env, "wrong", &[]).status.code(), Some(12));
    for (folder, commit) in [("first", "@"), ("second", "@~2")] {
        env.undo(&format!("checkout {commit}")).ok();
        let id = String::from_utf8(env.undo("rev-parse @").ok().stdout).unwrap();
        read(&packages, &env, "correct horse", &[id.trim(), folder]);
        assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join(folder)));
    }
}

#[test]
fn python_reader_finds_damage() {
    let Some(packages) = packages() else { return };
    let (env, _) = pushed();
    for (path, bytes) in files(&env.root().join("target")) {
        let name = path.strip_prefix(env.root()).unwrap().display().to_string();
        // A void entry, or a key that is not tried, changes nothing.
        if name.contains("keys/") || name.ends_with("03") || name.ends_with("ff") {
            continue;
        }
        let mut damaged = bytes.clone();
        *damaged.last_mut().unwrap() ^= 1;
        fs::write(&path, &damaged).unwrap();
        let code = script(&packages, &env, "correct horse", &["--check"]).status.code();
        // The last entry of the log becomes void. The damaged file `target` is another one, which no key opens.
        let expected = if name.ends_with("04") {
            0
        } else if name.ends_with("target") {
            12
        } else {
            5
        };
        assert_eq!(code, Some(expected), "{name}");
        fs::write(&path, &bytes).unwrap();
    }
}
