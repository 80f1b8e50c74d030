//! Text and JSON output (`docs/json.md`) of each command.

mod formats;
mod git_habits;
mod log;
mod look;
mod messages;
mod names;
mod record;
mod restore;
mod stats;
mod steps;

use crate::env::TestEnv;

/// Creates three commits: files, changes of all kinds, a deletion.
fn history() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("notes.txt", "one\ntwo\nthree\n");
    env.write("data/table.bin", [0, 1, 2, 3].repeat(64));
    env.write("old.txt", "the same in both places\n");
    env.undo("commit -m 'first'").ok();
    env.write("notes.txt", "one\ntwo and a half\nthree\n");
    let mut bytes = [0, 1, 2, 3].repeat(64);
    bytes[0x40..0x44].copy_from_slice(b"\xff\xff\xff\xff");
    env.write("data/table.bin", bytes);
    std::fs::rename(env.path().join("old.txt"), env.path().join("new.txt")).unwrap();
    env.undo("commit -m 'second\n\nwith a body'").ok();
    std::fs::remove_dir_all(env.path().join("data")).unwrap();
    env.undo("commit").ok();
    env
}
