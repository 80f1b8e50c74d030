//! A script that uses only plumbing commands accounts for every object (`tests/plumbing/account.sh`).

use std::path::Path;

use super::{everything, history};
use crate::env::TestEnv;
use crate::kinds;

/// Runs the script; returns its status and output.
fn account(env: &TestEnv) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plumbing/account.sh");
    let output = env.shell(&format!("exec sh -eu {}", script.display()));
    assert!(output.stderr.is_empty(), "{output}");
    (output.code, output.text())
}

/// Stores an unreachable object.
fn store_unreachable(env: &TestEnv, bytes: &[u8]) -> String {
    let mut repository =
        undo::internals::repo::Repository::discover(&env.path(), undo::environment::Environment::from_process())
            .unwrap();
    let mut transaction = repository.begin().unwrap();
    let session = transaction.repository().store().session();
    let mut writer = session.writer();
    let id = undo::id::ObjectId(*blake3::hash(bytes).as_bytes());
    writer.put(undo::internals::object::ObjectKind::Data, id, bytes).unwrap();
    writer.finish().unwrap();
    let stored = session.finish().unwrap();
    transaction.keep(&stored).unwrap();
    id.to_string()
}

#[test]
fn all_objects_are_accounted_for() {
    let env = everything();
    let (code, text) = account(&env);
    assert_eq!(code, 0, "{text}");
    let stored = |kind: &str| {
        let line = text.lines().find(|line| line.starts_with(kind)).unwrap();
        line.split_whitespace().nth(3).unwrap().parse::<u64>().unwrap()
    };
    assert!(stored("blob") > 2000 && stored("tree") > 3, "{text}");
    assert_eq!((stored("links"), stored("commit")), (1, 1), "{text}");
}

#[test]
fn all_objects_of_many_branches_are_accounted_for() {
    let env = history();
    env.undo("checkout v1").ok();
    kinds::everything(&env.path());
    env.undo("commit -m everything").ok();
    kinds::wreck(&env.path());
    env.undo("checkout side").ok();
    env.undo("undo").ok();
    let (code, text) = account(&env);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn empty_repository_is_accounted_for() {
    let (code, text) = account(&TestEnv::initialised());
    assert_eq!((code, text.lines().count()), (0, 6), "{text}");
}

#[test]
fn unreachable_objects_are_counted() {
    let env = history();
    let id = store_unreachable(&env, b"no commit needs this");
    let (code, text) = account(&env);
    assert_eq!(code, 1, "{text}");
    assert_eq!(text.lines().last(), Some(format!("abandoned {id} blob").as_str()));
    // Once reachable from a commit, it is accounted for.
    env.write("needed", "no commit needs this");
    env.undo("commit").ok();
    assert_eq!(account(&env).0, 0);
}
