//! A script rebuilds everyday commands from plumbing: `tests/plumbing/rebuild.sh`.

use std::path::Path;

use super::id;
use crate::env::{Output, TestEnv};
use crate::kinds;
use crate::tree::{Tree, assert_same};

/// Creates everything that shell tools can create, after a first commit.
fn create_entries() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("first", "first");
    env.undo("commit -m first").ok();
    kinds::everything(&env.path());
    let beyond = if rustix::process::geteuid().is_root() {
        ["attributes", "sparse", "deep"].as_slice()
    } else {
        ["attributes", "sparse", "deep", "modes"].as_slice()
    };
    beyond.iter().for_each(|folder| std::fs::remove_dir_all(env.path().join(folder)).unwrap());
    env
}

fn rebuild(env: &TestEnv, line: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plumbing/rebuild.sh");
    env.shell(&format!("sh -eu {} {line}", script.display()))
}

#[test]
fn rebuilt_commit_has_the_same_id() {
    let env = create_entries();
    env.set("UNDO_TIME", "2026-01-05T12:00:00Z");
    let first = id(&env, "@");
    let mut made = Vec::new();
    for command in ["commit-by-hand", "commit"] {
        made.push(rebuild(&env, &format!("{command} 'all of it'")).ok().text().trim_end().to_owned());
        assert_eq!(&id(&env, "@"), made.last().unwrap());
        assert_eq!(env.undo("status --json").ok().json()[0]["clean"], true);
        env.undo(&format!("update-ref @ {first}")).ok();
    }
    let committed = env.undo("commit --json -m 'all of it'").ok().json();
    assert_eq!(committed[0]["created"], true);
    assert_eq!(made, [committed[0]["id"].as_str().unwrap(); 2]);
    env.undo("verify").ok();
}

#[test]
fn rebuilt_checkout_is_identical() {
    let env = create_entries();
    env.undo("commit -m second").ok();
    for revision in ["@", "@~1"] {
        let (rebuilt, expected) = (env.root().join("rebuilt"), env.root().join("exported"));
        rebuild(&env, &format!("checkout {revision} ../rebuilt")).ok();
        env.undo(&format!("export {revision} ../exported")).ok();
        assert_same(&Tree::read(&expected), &Tree::read(&rebuilt));
        for folder in [rebuilt, expected] {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}
