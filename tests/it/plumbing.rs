//! Plumbing: what scripts rely on, command by command, and scripts that are built on it.

mod names;
mod refs;

use crate::env::TestEnv;

/// Three commits, a branch `side` at the second and a tag `v1` at the first; `data/a.csv`, `notes.txt`, `link`.
fn history() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("data/a.csv", b"1,2\n");
    env.write("notes.txt", b"one\n");
    std::os::unix::fs::symlink("notes.txt", env.path().join("link")).unwrap();
    env.undo("commit -m first").ok();
    env.undo("tag v1").ok();
    env.write("notes.txt", b"two\n");
    env.undo("commit -m second").ok();
    env.undo("branch side").ok();
    env.write("notes.txt", b"three\n");
    env.undo("commit -m third").ok();
    env
}
