//! Damage that keeps others from opening a target: of the file `target`, of keys, of the log. Each hint is what helps.

use std::fs;
use std::path::PathBuf;

use super::copies::files;
use crate::env::TestEnv;

/// A small history in a target.
fn pushed() -> TestEnv {
    let env = TestEnv::initialised();
    env.set("UNDO_PASSWORD", "correct horse");
    env.write("file", "content");
    env.undo("commit").ok();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env
}

/// The path of a file of the target.
fn file(env: &TestEnv, key: &str) -> PathBuf {
    env.root().join("target").join(key)
}

/// Inverts the last bit of a file.
fn damage(path: &PathBuf) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[track_caller]
fn assert_clones(env: &TestEnv, name: &str) {
    env.set("HOME", env.root().join(name));
    env.undo(&format!("clone ../target ../clone-{name}")).ok();
    env.set("HOME", env.root().join("home"));
}

#[test]
fn the_file_that_identifies_a_target_is_put_back() {
    let env = pushed();
    let path = file(&env, "target");
    let intact = fs::read(&path).unwrap();
    let damaged: [(&str, Option<Vec<u8>>); 5] = [
        ("missing", None),
        ("last", Some([&intact[..intact.len() - 1], b"\0"].concat())),
        ("cipher", Some(String::from_utf8(intact.clone()).unwrap().replace("aes-256", "aes-254").into_bytes())),
        ("version", Some(String::from_utf8(intact.clone()).unwrap().replace("target 1", "target 3").into_bytes())),
        ("id", Some(String::from_utf8(intact.clone()).unwrap().replace("id = ", "id = 0").into_bytes())),
    ];
    for (name, bytes) in damaged {
        fs::remove_file(&path).unwrap();
        if let Some(bytes) = &bytes {
            fs::write(&path, bytes).unwrap();
        }
        let verified = env.undo("verify --target disk").fails(5).to_string();
        assert!(verified.contains("the file `target` is missing or damaged"), "{name}: {verified}");
        assert!(verified.contains("undo repair --target disk"), "{name}: {verified}");
        assert!(env.undo("drill").fails(5).to_string().contains("undo repair --target disk"), "{name}");
        env.set("HOME", env.root().join(format!("stranger-{name}")));
        let refused = env.undo("clone ../target ../never").fails(5).to_string();
        assert!(refused.contains("`target` is"), "{name}: {refused}");
        env.set("HOME", env.root().join("home"));
        env.undo("repair --target disk -n").fails(5);
        assert_eq!(fs::read(&path).ok(), bytes, "{name}: a dry run changes nothing");
        let repaired = env.undo("repair --target disk --json").ok().json().remove(0);
        assert_eq!((&repaired["found"], &repaired["replaced"]), (&1.into(), &1.into()), "{name}");
        assert_eq!(fs::read(&path).unwrap(), intact, "{name}");
        env.undo("verify --target disk").ok();
        env.undo("drill").ok();
        assert_clones(&env, name);
    }
}

#[test]
fn a_machine_without_a_copy_of_the_file_says_so() {
    let env = pushed();
    fs::remove_file(file(&env, "target")).unwrap();
    fs::remove_dir_all(env.root().join("home/.local/state/undo/identity")).unwrap();
    for command in ["verify --target disk", "repair --target disk", "drill"] {
        let refused = env.undo(command).fails(5).to_string();
        assert!(refused.contains("hint: this machine has no copy of the file `target`"), "{command}: {refused}");
        assert!(!refused.contains("this repository does not have the rest"), "{command}: {refused}");
    }
}

#[test]
fn damaged_keys_are_replaced_by_new_ones() {
    let env = pushed();
    for (path, _) in files(&file(&env, "keys")) {
        fs::remove_file(path).unwrap();
    }
    assert!(env.undo("drill").fails(5).to_string().contains("undo target key add"));
    let mut hints = Vec::new();
    for command in ["verify --target disk", "repair --target disk"] {
        let found = String::from_utf8(env.undo(command).fails(5).stderr).unwrap();
        hints = found.lines().filter(|line| line.starts_with("hint: ")).map(str::to_owned).collect();
        assert_eq!(hints.len(), 2, "{found}");
        assert!(
            hints
                .iter()
                .all(|hint| hint.contains("to replace the key: undo target key add, then undo target key remove ")),
            "{found}"
        );
    }
    env.set("UNDO_NEW_PASSWORD", "another horse");
    env.undo("target key add").ok();
    for hint in hints {
        env.undo(hint.rsplit_once("then undo ").unwrap().1).ok();
    }
    env.undo("verify --target disk").ok();
    env.undo("drill").ok();
    env.set("UNDO_PASSWORD", "another horse");
    assert_clones(&env, "other");
}

#[test]
fn a_damaged_newest_entry_is_not_called_an_old_state() {
    for has_cache in [true, false] {
        let env = pushed();
        let newest = files(&file(&env, "log")).pop().unwrap().0;
        damage(&newest);
        if !has_cache {
            fs::remove_dir_all(env.root().join("home/.cache/undo/targets")).unwrap();
        }
        for command in ["push", "verify --target disk"] {
            let refused = env.undo(command).fails(5).to_string();
            assert!(refused.contains("entry 2 of the log is damaged"), "{refused}");
            assert!(
                refused.contains("`log/0000000000000002`") && refused.contains("undo target add NAME URL"),
                "{refused}"
            );
        }
        // One that is missing is.
        fs::remove_file(newest).unwrap();
        assert!(env.undo("push").fails(5).to_string().contains("an older state of the target may have been restored"));
    }
}

#[test]
fn a_damaged_first_entry_is_reported_with_a_hint() {
    let env = pushed();
    damage(&file(&env, "log/0000000000000001"));
    let verified = env.undo("verify --target disk").fails(5).to_string();
    assert!(verified.contains("entry 1 of the log") && verified.contains("undo target add NAME URL"), "{verified}");
    fs::remove_dir_all(env.root().join("home/.cache/undo/targets")).unwrap();
    let refused = env.undo("push").fails(5).to_string();
    assert!(refused.contains("entry 1 of the log") && refused.contains("undo target add NAME URL"), "{refused}");
}

#[test]
fn a_directory_in_the_place_of_a_pack_is_like_a_missing_pack() {
    let env = pushed();
    let pack = files(&file(&env, "meta")).pop().unwrap().0;
    fs::remove_file(&pack).unwrap();
    fs::create_dir(&pack).unwrap();
    let refused = env.undo("drill").fails(5).to_string();
    assert!(
        refused.contains("is a directory, not a file") && refused.contains("hint: remove this directory"),
        "{refused}"
    );
    env.undo("verify --target disk").fails(5);
    env.undo("repair --target disk").ok();
    env.undo("drill").ok();
    assert_clones(&env, "other");
}
