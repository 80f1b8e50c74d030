//! `repair` recovers what can be recovered, says what is lost, and removes nothing that can be read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use snapbox::str;

use crate::env::{Output, TestEnv};
use crate::errors::damage::{WAYS, damage, packs};
use crate::errors::noise;
use crate::tree::{Tree, assert_same};
use crate::verify::{create_repository, files};

/// Copies a repository to `copy` beside the worktree.
fn copy_repository(env: &TestEnv) -> PathBuf {
    let to = env.root().join("copy");
    let copied = Command::new("cp").arg("-a").arg(env.path().join(".undo")).arg(&to).status().unwrap();
    assert!(copied.success());
    to
}

/// Checks that `verify` agrees with `repair`, and that a second repair changes nothing. Returns the summary.
#[track_caller]
fn assert_consistent(env: &TestEnv, repaired: &Output, what: &str) -> Value {
    assert!([0, 5].contains(&repaired.code), "{what}: {repaired}");
    let summary = repaired.json().pop().unwrap();
    let verified = env.undo("verify --json");
    assert_eq!(verified.code, repaired.code, "{what}: {repaired}{verified}");
    let operations = env.undo("op log --json").ok().json().len();
    let again = env.undo("repair --json");
    assert_eq!(again.code, repaired.code, "{what}: {again}");
    let second = again.json().pop().unwrap();
    assert_eq!((&second["id"], &second["salvaged"]), (&"".into(), &0.into()), "{what}: {repaired}{again}");
    assert_eq!(env.undo("op log --json").ok().json().len(), operations, "{what}");
    summary
}

/// Checks that a commit is exported exactly; with `is_partial`, it may be reported as damaged.
#[track_caller]
fn assert_exported(env: &TestEnv, tag: &str, tree: &Tree, is_partial: bool, what: &str) {
    let to = env.root().join("export");
    let exported = env.undo(&format!("export {tag} {}", to.display()));
    println!("{what}: {exported}");
    match exported.code {
        0 => assert_same(tree, &Tree::read(&to)),
        code => assert!(is_partial && [3, 5].contains(&code), "{what}: {exported}"),
    }
    let _ = fs::remove_dir_all(to);
}

#[test]
fn repair_of_an_intact_repository_changes_nothing() {
    let (env, _) = create_repository();
    let before = Tree::read(&env.path());
    env.undo("repair").ok().shows(str![[r#"
no damage found: nothing to repair

"#]]);
    env.undo("repair -n").ok().shows(str![[r#"
no damage found: nothing to repair

"#]]);
    env.undo("repair --json").ok().shows(str![[r#"
{"type":"summary","id":"","salvaged":0,"copied":0,"from_worktree":0,"bytes_stored":0,"packs_replaced":0,"catalog":false,"index":false,"damaged":0,"clean":true}

"#]]);
    assert_same(&before, &Tree::read(&env.path()));
    env.undo("repair --from nowhere").fails(10);
}

#[test]
fn damage_of_any_file_is_repaired_or_reported() {
    let (env, trees) = create_repository();
    let repository = env.path().join(".undo");
    let saved = copy_repository(&env);
    for file in files(&env) {
        for way in WAYS {
            if fs::metadata(&file).unwrap().len() == 0 || file.ends_with("format") || file.ends_with("config.toml") {
                continue;
            }
            damage(&file, way);
            let what = format!("{}: {way}", file.display());
            if file.starts_with(repository.join("journal")) {
                assert!([0, 5].contains(&env.undo("repair").code), "{what}");
            } else {
                let repaired = env.undo("repair --json");
                assert_consistent(&env, &repaired, &what);
                for (tag, tree) in &trees {
                    assert_exported(&env, tag, tree, repaired.code == 5, &what);
                }
                if repaired.code == 5 {
                    let again = env.undo(&format!("repair --json --from {}", saved.display()));
                    assert_eq!(again.code, 0, "{what}: {again}");
                    assert_consistent(&env, &again, &what);
                    trees.iter().for_each(|(tag, tree)| assert_exported(&env, tag, tree, false, &what));
                }
            }
            fs::remove_dir_all(&repository).unwrap();
            assert!(Command::new("cp").arg("-a").arg(&saved).arg(&repository).status().unwrap().success());
        }
    }
}
