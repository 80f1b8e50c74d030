//! `gc` destroys purged content, or says that its bytes are still on disk.

use std::fs;

use snapbox::str;

use super::{is_on_disk, noise};
use crate::env::TestEnv;

/// A repository of two commits, of which the first one has purged content.
fn purged() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("secret", noise(1, 50_000));
    env.write("other", noise(2, 20_000));
    env.undo("commit -m one").ok();
    env.write("secret", "replaced");
    env.undo("commit -m two").ok();
    env.undo("purge --blob @~:secret").ok();
    env
}

fn has_secret(env: &TestEnv) -> bool {
    is_on_disk(&env.path().join(".undo/packs"), &noise(1, 50_000))
}

#[test]
fn replaced_packs_with_purged_content_go_when_nothing_reads_them() {
    let env = purged();
    let reader = fs::File::open(env.path().join(".undo/format")).unwrap();
    reader.lock_shared().unwrap();
    for _ in 0..2 {
        let output = env.undo("gc --now").fails(3);
        let text = String::from_utf8(output.stdout).unwrap();
        let expected = "of purged content are still on disk until the commands that read it have ended";
        assert!(text.contains(expected) && !text.contains("destroyed"), "{text}");
        assert!(has_secret(&env));
    }
    drop(reader);
    let destroyed = env.undo("gc --now").shows(str![[r#"
purged content has been destroyed

"#]]);
    drop(destroyed);
    assert!(!has_secret(&env));
    env.undo("gc --now").shows(str![[r#"
nothing to remove

"#]]);
    env.undo("verify").ok();
}

#[test]
fn content_that_was_not_rewritten_is_not_called_destroyed() {
    let env = purged();
    let output = env.undo("gc --now --max-repack 0").fails(3);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("purged content is still on disk: ") && !text.contains("destroyed"), "{text}");
    assert!(has_secret(&env));
    let text = String::from_utf8(env.undo("gc").ok().stdout).unwrap();
    assert!(text.starts_with("purged content has been destroyed\n"), "{text}");
    assert!(!has_secret(&env));
}

#[test]
fn purged_content_of_young_packs_goes() {
    let env = TestEnv::initialised();
    for (name, length) in [("small", 50_000), ("large", 3_000_000)] {
        env.write(name, noise(length as u64, length));
        let id = String::from_utf8(env.undo(&format!("hash-object -w {name}")).ok().stdout).unwrap();
        fs::remove_file(env.path().join(name)).unwrap();
        env.undo(&format!("purge --blob {}", id.trim())).ok();
        env.undo("gc --now").ok();
        assert!(!is_on_disk(&env.path().join(".undo/packs"), &noise(length as u64, length)), "{name}");
    }
}

#[test]
fn statistics_do_not_count_what_is_gone() {
    let env = purged();
    env.undo("gc --now").ok();
    let hidden = &env.undo("stats --json").ok().json()[0]["garbage"]["hidden"];
    for field in ["objects", "bytes", "purged_packs", "purged_bytes"] {
        assert_eq!(hidden[field], 0, "{hidden}");
    }
}

#[test]
fn pack_that_an_interrupted_command_has_left_goes() {
    let env = purged();
    let folder = env.path().join(".undo/packs/ab");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ab".repeat(32)), noise(1, 50_000)).unwrap();
    env.undo("gc --now").ok();
    assert!(!has_secret(&env));
    assert!(!folder.exists(), "empty folders go, too");
}
