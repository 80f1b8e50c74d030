//! Plumbing: what scripts rely on, command by command, and scripts that are built on it.

mod account;
mod contents;
mod differences;
mod files;
mod lists;
mod names;
mod packs;
mod refs;

use crate::bad::noise;
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

/// One commit of everything that has objects of its own: a large file, a sparse one, a directory of 2,000 entries, hard
/// links, attributes, an empty file, and names that are hard to read.
fn everything() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("large", noise(7, 5 << 20));
    env.write("one", "two names");
    std::fs::hard_link(env.path().join("one"), env.path().join("two\t\n")).unwrap();
    let sparse = std::fs::File::create(env.path().join("sparse")).unwrap();
    sparse.set_len(4 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, &noise(8, 100_000), 2 << 20).unwrap();
    (0..2000).for_each(|n| env.write(&format!("many/{n:04}"), format!("{n}\n")));
    env.write("empty", "");
    env.write("named", "x");
    let set = |name: &str, value: &[u8]| {
        rustix::fs::setxattr(env.path().join("named"), name, value, rustix::fs::XattrFlags::empty()).unwrap();
    };
    set("user.odd \"name\"", b"\x00\xff");
    set("user.text", b"plain");
    env.undo("commit -m everything").ok();
    env
}
