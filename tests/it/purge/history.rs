//! Undo and redo of a purge, a second directory, and kills.

use std::fs;

use snapbox::str;

use super::{SECRET, secrets};
use crate::crash::{CALLS, for_each_kill, has_strace, killed_at};
use crate::env::TestEnv;

#[test]
fn only_the_next_undo_takes_a_purge_back() {
    let env = secrets();
    env.undo("purge --blob one:secret").ok();
    env.undo("undo").shows(str![[r#"
undid [ID]  purge: copy/of and 1 more
main [ID]  the directory is unchanged
---- stderr ----
hint: to redo: undo redo

"#]]);
    assert_eq!(env.undo("cat one:secret").ok().stdout, SECRET.as_bytes());
    env.undo("redo").ok();
    env.undo("cat one:secret").fails(1);
    env.undo("undo").ok();
    env.undo("cat one:secret").ok();
    env.undo("redo").ok();
    // After another operation, undo passes over the purge.
    env.write("other", "more\n");
    env.undo("commit -m three").ok();
    env.undo("undo").ok();
    env.undo("undo").shows(str![[r#"
undid [ID]  tag: tag two at [ID]
passed over [ID]  purge: copy/of and 1 more  (still purged)
main [ID]  the directory is unchanged
---- stderr ----
hint: to redo: undo redo

"#]]);
    env.undo("undo").ok();
    env.undo("cat one:secret").fails(1);
    env.undo("undo 9").fails(2);
    env.undo("redo").ok();
    env.undo("redo 2").ok();
    env.undo("cat one:secret").fails(1);
    let log = env.undo("op log").ok().text();
    let is_undone = |line: &&str| line.contains("purge:") && line.contains("(undone)");
    assert_eq!(log.lines().find(is_undone), None, "the content is still purged");
}

#[test]
fn the_first_of_two_steps_takes_a_purge_back() {
    let env = secrets();
    env.undo("purge --blob one:secret").ok();
    env.undo("undo 2").ok();
    env.undo("cat one:secret").ok();
    let two_steps = env.undo("op log -n 2 --json").ok().json();
    env.undo("redo 2").ok();
    env.undo("cat one:secret").fails(1);
    env.undo("undo").ok();
    env.undo("undo").ok();
    env.undo("cat one:secret").ok();
    assert_eq!(env.undo("op log -n 1 --json").ok().json()[0]["branch"], two_steps[0]["branch"]);
    // An operation after the purge makes it final.
    env.undo("redo 2").ok();
    env.undo("tag later").ok();
    env.undo("undo 2").ok();
    env.undo("cat one:secret").fails(1);
}

#[test]
fn forgotten_commits_are_purged_too() {
    let env = TestEnv::initialised();
    env.write("file", "one\n");
    env.undo("commit -m one").ok();
    env.write("file", SECRET);
    env.undo("commit -m two").ok();
    let id = super::ids(&env)[0].clone();
    env.write("file", "three\n");
    env.undo("commit -m three").ok();
    env.undo("forget @~").ok();
    env.undo("purge file").ok();
    env.undo(&format!("recall {id}")).ok();
    env.undo(&format!("cat {id}:file")).fails(1);
}

#[test]
fn other_directories_of_the_store_respect_a_purge() {
    let env = TestEnv::new();
    let store = env.root().join("store");
    env.undo(&format!("init --store {}", store.display())).ok();
    env.write("secret", SECRET);
    env.write("other", "other\n");
    env.undo("commit -m one").ok();
    let second = env.root().join("second");
    fs::create_dir(&second).unwrap();
    let run = |line: &str| env.shell(&format!("cd {} && undo {line}", second.display()));
    run(&format!("init --store {} --branch second", store.display())).ok();
    fs::write(second.join("secret"), SECRET).unwrap();
    run("commit -m second").ok();
    env.undo("purge secret").ok();
    fs::write(second.join("more"), "more\n").unwrap();
    let shown = run("commit -m more").ok();
    assert!(String::from_utf8_lossy(&shown.stderr).contains("its content was purged"), "{shown}");
    assert_eq!(fs::read(second.join("secret")).unwrap(), SECRET.as_bytes());
    run("cat @:secret").fails(2);
}

#[test]
fn purge_killed_at_any_call_is_complete_or_absent() {
    if !has_strace() {
        return;
    }
    for_each_kill(&CALLS, |call, n| {
        let env = TestEnv::initialised();
        env.write("secret", SECRET);
        env.write("other", "other\n");
        env.undo("commit -m one").ok();
        let killed = killed_at(&env, call, n, &["purge", "secret"]);
        assert_eq!(env.read("secret"), SECRET.as_bytes());
        let code = env.undo("cat @:secret").code;
        assert!(code == 0 || code == 1, "{call} {n}: {code}");
        assert!(killed || code == 1, "{call} {n}");
        env.undo("verify").ok();
        env.undo("purge secret").ok();
        env.undo("cat @:secret").fails(1);
        assert_eq!(env.undo("cat @:other").ok().stdout, b"other\n");
        killed
    });
}
