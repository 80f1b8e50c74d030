//! Plumbing commands, and scripts built on them.

mod account;
mod commits;
mod contents;
mod differences;
mod files;
mod hashes;
mod lists;
mod names;
mod packs;
mod rebuild;
mod refs;
mod trees;

use crate::env::TestEnv;
use crate::errors::noise;

/// Creates three commits, a branch `side` at the second and a tag `v1` at the first; `data/a.csv`, `notes.txt`, `link`.
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

/// Creates a commit with all kinds of objects: a large file, a sparse one, a directory of 2,000 entries, hard links,
/// attributes, an empty file, and names that need quotes.
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

/// Returns everything that a command could have written: packs, bytes of the journal, and the log.
fn kept(env: &TestEnv) -> (Vec<std::path::PathBuf>, u64, String) {
    let folder = env.path().join(".undo");
    let list = |path: &std::path::Path| -> Vec<std::path::PathBuf> {
        let mut paths: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    };
    let packs = list(&folder.join("packs")).iter().flat_map(|folder| list(folder)).collect();
    let journal = list(&folder.join("journal")).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(list(&folder.join("tmp")).iter().all(|file| file.ends_with("clock")));
    (packs, journal, env.undo("log --ops --json").text())
}

/// Checks that each input is refused with this exit status and this text on stderr, and that nothing is written.
#[track_caller]
fn assert_refused(env: &TestEnv, command: &str, inputs: &[(&str, &str)]) {
    let before = kept(env);
    for (input, words) in inputs {
        let output = env.undo_with_stdin(command, input).fails(2);
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(report.contains(words), "{command}: {input:?}\n{report}");
        assert!(output.stdout.is_empty(), "{command}: {input:?}");
    }
    assert_eq!(kept(env), before, "{command}");
}

/// Resolves a name to its id.
fn id(env: &TestEnv, name: &str) -> String {
    env.undo(&format!("rev-parse {name}")).ok().text().trim_end().to_owned()
}
