//! The repository folder appears inside its own worktree: it is neither recorded nor touched.

use std::fs;
use std::os::unix::fs::symlink;

use super::places::Mounted;
use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

const WARNING: &str = "is inside the directory it records";

/// A directory at its second commit, with `data` in it. `store`: location of its history.
fn scenario(store: Option<&str>) -> TestEnv {
    let env = TestEnv::new();
    let store = store.map(|store| format!(" --store '{}'", env.root().join(store).display()));
    env.undo(&format!("init{}", store.unwrap_or_default())).ok();
    env.write("a", "one");
    env.write("data/b", "one");
    env.undo("commit -m one").ok();
    env.write("a", "two");
    env.write("data/b", "two");
    env.write("data/c", "two");
    env.undo("commit -m two").ok();
    env
}

/// Checks that checkouts leave the history unchanged; `history` is a folder in the worktree.
fn assert_checkouts_keep_history(env: &TestEnv, history: &str) {
    let id = |rev: &str| env.undo(&format!("rev-parse {rev}")).ok().text();
    let (two, one) = (id("@"), id("@~"));
    env.write("a", "three");
    env.undo("commit -m three").ok();
    let listed = env.undo("ls -R @").ok().text();
    assert!(!listed.contains("journal") && !listed.contains("packs"), "{listed}");
    for line in ["checkout @~2", "undo", "restore --from @~1 data", "checkout --force @~2", "undo", "checkout @"] {
        let output = env.undo(line);
        // 3: a directory with the repository in it is not removed.
        assert!([0, 3].contains(&output.code), "{output}");
        assert!(env.path().join(history).join("format").exists(), "{line}: {output}");
    }
    env.undo("run --rollback -- rm -f data/b").ok();
    assert_eq!((id("@~"), id("@~2")), (two, one));
    env.undo("verify").ok();
}

#[test]
fn linked_repository_inside_worktree_is_not_covered() {
    let env = scenario(None);
    fs::rename(env.path().join(".undo"), env.path().join("data/hist")).unwrap();
    symlink("data/hist", env.path().join(".undo")).unwrap();
    let report = String::from_utf8(env.undo("status").ok().stderr).unwrap();
    assert!(report.contains(WARNING), "{report}");
    assert_checkouts_keep_history(&env, "data/hist");
    // The command in the hint works.
    let hint = report.lines().find_map(|line| line.split_once("move it back: ")).unwrap().1;
    assert_eq!(env.shell(hint).code, 0);
    let report = env.undo("status").ok().to_string();
    assert!(!report.contains(WARNING), "{report}");
}

#[test]
fn store_moved_into_worktree_is_not_covered() {
    let env = scenario(Some("store"));
    let inside = env.path().join("data/deep/store");
    fs::create_dir(env.path().join("data/deep")).unwrap();
    fs::rename(env.root().join("store"), &inside).unwrap();
    let marker = fs::read_to_string(env.path().join(".undo")).unwrap();
    let old = env.root().join("store").display().to_string();
    fs::write(env.path().join(".undo"), marker.replace(&old, inside.to_str().unwrap())).unwrap();
    let report = env.undo("status --json").ok().to_string();
    assert!(report.contains(WARNING), "{report}");
    assert_checkouts_keep_history(&env, "data/deep/store");
}

#[test]
fn repository_mounted_in_worktree_is_not_covered() {
    for (store, source, history) in [(None, "work/.undo", "data/seen"), (Some("stores/one"), "stores", "data/seen/one")]
    {
        let env = scenario(store);
        let place = env.path().join("data/seen");
        fs::create_dir(&place).unwrap();
        let source = env.root().join(source);
        let Some(_mounted) = Mounted::new(&["--bind", source.to_str().unwrap()], &place) else {
            return crate::skip::skip("only root can mount a directory");
        };
        env.undo("config worktree.cross_mounts true").ok();
        assert_checkouts_keep_history(&env, history);
    }
}

/// An earlier commit may have recorded a folder of that name.
#[test]
fn recorded_entry_at_repository_path_is_refused() {
    let env = scenario(None);
    env.write("data/hist/format", "mine");
    env.write("data/hist/packs", "mine");
    env.undo("commit -m mine").ok();
    fs::remove_dir_all(env.path().join("data/hist")).unwrap();
    env.undo("commit -m gone").ok();
    fs::rename(env.path().join(".undo"), env.path().join("data/hist")).unwrap();
    symlink("data/hist", env.path().join(".undo")).unwrap();
    let format = env.read("data/hist/format");
    for line in ["checkout @~", "checkout --force @~", "restore --from @~ data/hist/format", "restore --from @~ data"] {
        env.undo(line).fails(4);
    }
    assert_eq!((env.read("a"), env.read("data/hist/format")), (b"two".to_vec(), format));
    env.undo("verify").ok();
}

#[test]
fn init_refuses_store_mounted_in_worktree() {
    let env = TestEnv::new();
    env.write("a", "one");
    let seen = env.root().join("seen");
    fs::create_dir(&seen).unwrap();
    let Some(_mounted) = Mounted::new(&["--bind", env.path().to_str().unwrap()], &seen) else {
        return crate::skip::skip("only root can mount a directory");
    };
    let before = Tree::read(&env.path());
    env.undo("init --store ../seen/store").fails(2);
    assert_same(&before, &Tree::read(&env.path()));
}
