//! Failing commands: their output and exit status, and that nothing is lost.

pub mod damage;
mod flush;
mod format;
pub mod full_disk;
mod limits;
pub mod lock;
mod names;
mod paths;
mod permission;
mod place;
mod replaced;
mod revisions;
mod settings;
mod space;
mod spread;

use crate::env::TestEnv;

/// Creates two commits, tagged `one` and `two`: a changed file, one in a folder, and one that was added.
fn history() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("notes.txt", "one\n");
    env.write("data/table", "1,2\n");
    env.undo("commit -m one").ok();
    env.undo("tag one").ok();
    env.write("notes.txt", "two\n");
    env.write("later", "later\n");
    env.undo("commit -m two").ok();
    env.undo("tag two").ok();
    env
}

/// Returns the output of several commands.
fn each(env: &TestEnv, lines: &[&str]) -> String {
    lines.iter().map(|line| format!("$ undo {line}\n{}", env.undo(line))).collect()
}

/// Returns the ids of all readable commits, newest first.
fn ids(env: &TestEnv) -> Vec<String> {
    let lines = env.undo("log --json").json();
    lines.iter().filter_map(|line| line["id"].as_str().map(str::to_owned)).collect()
}

/// Returns deterministic incompressible bytes.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
