//! What changes while a checkout goes on: noticed by the exchange, put back, recorded beside the branch, and told.

use std::fs::OpenOptions;
use std::io::Write;

use crate::concurrency::Held;
use crate::env::TestEnv;

/// Two commits of a file; the checkout of the first one has just swapped it in when a program writes to what was swapped out.
fn written_to_meanwhile(line: &str) -> Option<(TestEnv, serde_json::Value)> {
    let env = TestEnv::initialised();
    env.write("file", "one");
    env.write("other", "one");
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    env.write("file", "two");
    env.undo("commit -m two").ok();
    env.undo("tag two").ok();
    let held = Held::at(&env, "renameat2", line)?;
    let names = std::fs::read_dir(env.path()).unwrap().map(|entry| entry.unwrap().path());
    let old = names.into_iter().find(|path| path.to_string_lossy().contains("/.undo-")).unwrap();
    OpenOptions::new().append(true).open(old).unwrap().write_all(b" and mine").unwrap();
    let output = held.goes_on();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let told = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(env.read("file"), b"two and mine");
    Some((env, told))
}

#[test]
fn changes_during_checkout_go_to_side_commit() {
    let Some((env, told)) = written_to_meanwhile("checkout one --json") else { return };
    assert_eq!(told["changed"][0]["path"], "file");
    let aside = told["aside"].as_str().unwrap();
    assert_eq!(env.undo(&format!("cat {aside}:file")).ok().stdout, b"two and mine");
    assert_eq!(env.undo(&format!("cat {aside}:other")).ok().stdout, b"one");
    let at = |revision: &str| env.undo(&format!("rev-parse {revision}")).ok().stdout;
    assert_eq!((at("@"), at(&format!("{aside}~"))), (at("one"), at("one")));
    let status = env.undo("status --json").ok().json();
    assert_eq!((&status[0]["path"], &status[0]["status"]), (&"file".into(), &"modified".into()));
    // One step, back and forward: what is there is recorded already.
    let back = env.undo("undo --json").ok().json();
    assert_eq!(back[0]["saved"], aside);
    assert_eq!(env.read("file"), b"two");
    env.undo("redo").ok();
    assert_eq!(env.read("file"), b"two and mine");
    env.undo("verify").ok();
}

#[test]
fn changes_during_restore_go_to_side_commit() {
    let Some((env, told)) = written_to_meanwhile("restore --from one file --json") else { return };
    let aside = told["aside"].as_str().unwrap();
    assert_eq!(env.undo(&format!("cat {aside}:file")).ok().stdout, b"two and mine");
    let at = |revision: &str| env.undo(&format!("rev-parse {revision}")).ok().stdout;
    assert_eq!((at("@"), at(&format!("{aside}~"))), (at("two"), at("two")));
    env.undo("undo").ok();
    assert_eq!(env.read("file"), b"two");
    env.undo("verify").ok();
}
