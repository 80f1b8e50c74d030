//! Passwords and recovery words that open a target: added, removed and replaced.

use std::path::PathBuf;

use super::copies::{files, with_history};
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

fn with_target() -> TestEnv {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env.set("UNDO_PASSWORD", "");
    env
}

/// Moves to another machine, where this password is known.
fn on(env: &TestEnv, machine: &str, password: &str) {
    env.set("HOME", env.root().join(machine));
    env.set("UNDO_PASSWORD", password);
}

/// Clones the target on a new machine that has this password, and returns the exit status.
fn clone_with(env: &TestEnv, machine: &str, password: &str) -> i32 {
    on(env, machine, password);
    let code = env.undo(&format!("clone ../target ../clone-{machine}")).code;
    on(env, "home", "");
    code
}

fn words(output: &str) -> String {
    output.lines().find(|line| line.starts_with("    ")).unwrap().trim().to_owned()
}

/// The last key in the list: the one that was added last.
fn newest_key(env: &TestEnv) -> String {
    let records = env.undo("target key list --json").ok().json();
    records.iter().rfind(|record| record["in_force"] == true).unwrap()["id"].as_str().unwrap().to_owned()
}

fn packs(env: &TestEnv) -> Vec<PathBuf> {
    let is_pack =
        |path: &PathBuf| path.components().any(|part| part.as_os_str() == "data" || part.as_os_str() == "meta");
    files(&env.root().join("target")).into_iter().map(|(path, _)| path).filter(is_pack).collect()
}

#[test]
fn a_second_password_opens_until_it_is_removed() {
    let env = with_target();
    env.set("UNDO_NEW_PASSWORD", "second");
    assert!(env.undo("target key add").ok().text().starts_with("added key "));
    assert_eq!(env.undo("target key list").ok().text().matches("password").count(), 2);
    assert_eq!(clone_with(&env, "a", "second"), 0);
    assert_eq!(clone_with(&env, "b", "correct horse"), 0);
    let key = newest_key(&env);
    let removed = env.undo(&format!("target key remove {}", &key[..8])).ok();
    assert!(
        String::from_utf8_lossy(&removed.stderr).contains("undo target rekey disk"),
        "a removal alone locks out no one"
    );
    assert_eq!(clone_with(&env, "c", "second"), 12);
    assert_eq!(clone_with(&env, "d", "correct horse"), 0);
    env.undo("target key remove abcd").fails(2);
}

#[test]
fn the_last_key_stays() {
    let env = with_target();
    env.undo(&format!("target key remove {}", newest_key(&env))).ok();
    env.undo(&format!("target key remove {}", newest_key(&env))).fails(4);
    let shown = env.undo("target show").ok().text();
    assert!(shown.contains("1 key"), "{shown}");
}

#[test]
fn recovery_words_can_be_added_and_removed() {
    let env = with_target();
    let words = words(&env.undo("target key add disk --recovery").ok().text());
    assert_eq!(clone_with(&env, "a", &words), 0);
    env.undo(&format!("target key remove {} disk", newest_key(&env))).ok();
    assert_eq!(clone_with(&env, "b", &words), 12);
    assert_eq!(clone_with(&env, "c", "correct horse"), 0);
}

#[test]
fn rekey_locks_the_old_keys_out() {
    let env = with_history();
    let old_words = words(&env.undo("target add disk ../target").ok().text());
    env.undo("push").ok();
    env.set("UNDO_PASSWORD", "");
    assert_eq!(clone_with(&env, "other", "correct horse"), 0);
    let before = packs(&env);
    std::fs::write(env.root().join("new-password"), "new password\n").unwrap();
    let rekeyed = env.undo("target rekey --new-password-file ../new-password").ok();
    let new_words = words(&rekeyed.text());
    // All packs are there twice until the old ones are collected.
    assert_eq!(packs(&env).len(), 2 * before.len());
    for (machine, password, code) in [
        ("a", "correct horse", 12),
        ("b", old_words.as_str(), 12),
        ("c", "new password", 0),
        ("d", new_words.as_str(), 0),
    ] {
        assert_eq!(clone_with(&env, machine, password), code, "{password}");
    }
    // Nothing needs the old packs.
    before.iter().for_each(|pack| std::fs::remove_file(pack).unwrap());
    assert_eq!(clone_with(&env, "e", "new password"), 0);
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("clone-e")));
    // From now on the clone has a separate stream, which the original can pull.
    env.write("notes.txt", "changed");
    env.undo("commit").ok();
    env.undo("push").ok();
    // A machine that has the old keys asks for the new password once.
    std::fs::write(env.root().join("clone-other/new"), "x").unwrap();
    on(&env, "other", "");
    env.undo("-C ../clone-other commit -m elsewhere").ok();
    env.undo("-C ../clone-other push").fails(12);
    env.set("UNDO_PASSWORD", "correct horse");
    env.undo("-C ../clone-other push").fails(12);
    env.set("UNDO_PASSWORD", "new password");
    env.undo("-C ../clone-other target show").ok();
    env.set("UNDO_PASSWORD", "");
    env.undo("-C ../clone-other push").ok();
    on(&env, "home", "");
    env.undo("pull").ok();
    assert!(env.undo("log").ok().text().contains("elsewhere"));
    assert!(env.undo("target rekey --continue").ok().text().contains("no packs with older keys"));
}

#[test]
fn a_password_that_was_given_is_checked_although_the_machine_has_the_keys() {
    let env = with_target();
    std::fs::write(env.root().join("wrong"), "wrong\n").unwrap();
    std::fs::write(env.root().join("right"), "correct horse\n").unwrap();
    let config = || std::fs::read(env.path().join(".undo/config.toml")).unwrap();
    let before = config();
    for (variable, option) in
        [("wrong", ""), ("", " --password-file ../wrong"), ("correct horse", " --password-file ../wrong")]
    {
        env.set("UNDO_PASSWORD", variable);
        env.undo(&format!("clone ../target ../clone{option}")).fails(12);
        env.undo(&format!("target add again ../target{option}")).fails(12);
        assert!(!env.root().join("clone").exists() && config() == before);
    }
    env.set("UNDO_PASSWORD", "");
    for command in ["push", "drill", "log --target disk", "log --target ../target", "verify --target disk"] {
        env.undo(&format!("{command} --password-file ../wrong")).fails(12);
        env.undo(&format!("{command} --password-file ../right")).ok();
    }
    // The variable may be meant for another target of the same directory.
    env.set("UNDO_PASSWORD", "wrong");
    env.undo("push").ok();
    env.set("UNDO_PASSWORD", "correct horse");
    env.undo("clone ../target ../clone").ok();
    env.undo("target add again ../target").ok();
}
