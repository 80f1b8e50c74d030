//! Changes during a checkout: detected by the exchange, put back, recorded in a side commit, and reported.

use std::fs::OpenOptions;
use std::io::Write;

use crate::concurrency::StoppedCommand;
use crate::env::TestEnv;

/// Simulates a program that writes to the old file right after a checkout has swapped it out.
fn write_during_checkout(line: &str) -> Option<(TestEnv, serde_json::Value)> {
    let env = TestEnv::initialised();
    env.write("file", "one");
    env.write("other", "one");
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    env.write("file", "two");
    env.undo("commit -m two").ok();
    env.undo("tag two").ok();
    let held = StoppedCommand::at(&env, "renameat2", line)?;
    let names = std::fs::read_dir(env.path()).unwrap().map(|entry| entry.unwrap().path());
    let old = names.into_iter().find(|path| path.to_string_lossy().contains("/.undo-")).unwrap();
    OpenOptions::new().append(true).open(old).unwrap().write_all(b" and mine").unwrap();
    let output = held.resume();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(env.read("file"), b"two and mine");
    Some((env, report))
}

#[test]
fn changes_during_checkout_go_to_side_commit() {
    let Some((env, report)) = write_during_checkout("checkout one --json") else { return };
    assert_eq!(report["changed"][0]["path"], "file");
    let aside = report["aside"].as_str().unwrap();
    assert_eq!(env.undo(&format!("cat {aside}:file")).ok().stdout, b"two and mine");
    assert_eq!(env.undo(&format!("cat {aside}:other")).ok().stdout, b"one");
    let at = |revision: &str| env.undo(&format!("rev-parse {revision}")).ok().stdout;
    assert_eq!((at("@"), at(&format!("{aside}~"))), (at("one"), at("one")));
    let status = env.undo("status --json").ok().json();
    assert_eq!((&status[0]["path"], &status[0]["status"]), (&"file".into(), &"modified".into()));
    // One undo and redo: the state is already recorded.
    let back = env.undo("undo --json").ok().json();
    assert_eq!(back[0]["saved"], aside);
    assert_eq!(env.read("file"), b"two");
    env.undo("redo").ok();
    assert_eq!(env.read("file"), b"two and mine");
    env.undo("verify").ok();
}

#[test]
fn changes_during_restore_go_to_side_commit() {
    let Some((env, report)) = write_during_checkout("restore --from one file --json") else { return };
    let aside = report["aside"].as_str().unwrap();
    assert_eq!(env.undo(&format!("cat {aside}:file")).ok().stdout, b"two and mine");
    let at = |revision: &str| env.undo(&format!("rev-parse {revision}")).ok().stdout;
    assert_eq!((at("@"), at(&format!("{aside}~"))), (at("two"), at("two")));
    env.undo("undo").ok();
    assert_eq!(env.read("file"), b"two");
    env.undo("verify").ok();
}
