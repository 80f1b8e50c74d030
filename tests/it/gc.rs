//! `gc`: what the history does not need any more goes, and nothing else.

mod kills;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use snapbox::str;

use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// Bytes that no codec makes shorter.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A repository with a commit for each number, which changes a small file and replaces a large one.
pub fn commits(numbers: std::ops::Range<u64>) -> TestEnv {
    let env = TestEnv::initialised();
    env.write("same/file", noise(1000, 30_000));
    for number in numbers {
        env.write("small", format!("{number}"));
        env.write("large", noise(number, 50_000));
        env.undo(&format!("commit -m number-{number}")).ok();
    }
    env
}

/// Ids of all commits by message.
pub fn ids(env: &TestEnv) -> BTreeMap<String, String> {
    let commits = env.undo("log --json").ok().json().into_iter().filter(|value| value["type"] == "commit");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    commits.map(|value| (text(&value["message"]), text(&value["id"]))).collect()
}

/// Checks every commit of the history, and that nothing is damaged.
pub fn check(env: &TestEnv) {
    for (message, id) in ids(env) {
        let number: u64 = message.strip_prefix("number-").unwrap().parse().unwrap();
        env.undo(&format!("export {id} ../out")).ok();
        let out = env.path().join("../out");
        assert_eq!(fs::read(out.join("small")).unwrap(), format!("{number}").as_bytes());
        assert_eq!(fs::read(out.join("large")).unwrap(), noise(number, 50_000));
        assert_eq!(fs::read(out.join("same/file")).unwrap(), noise(1000, 30_000));
        fs::remove_dir_all(out).unwrap();
    }
    env.undo("verify").ok();
}

/// Bytes of the packs that the journal names.
pub fn pack_bytes(env: &TestEnv) -> u64 {
    let output = env.undo("gc -n --json").ok().json();
    output.last().unwrap()["total"].as_u64().unwrap()
}

/// Whether any pack in the folder, named or not, contains these bytes.
fn is_on_disk(folder: &Path, bytes: &[u8]) -> bool {
    let found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let contains = |path: &Path| fs::read(path).unwrap().windows(64).any(|window| window == &bytes[100..164]);
    found.into_iter().any(|path| if path.is_dir() { is_on_disk(&path, bytes) } else { contains(&path) })
}

#[test]
fn forgotten_commits_go_after_the_grace_period() {
    let env = commits(0..6);
    let before = Tree::read(&env.path());
    env.undo("forget @~ @~2 @~3").ok();
    env.undo("gc").shows(str![[r#"
nothing new to remove
freed [..]: 6 packs rewritten or removed
3 forgotten commits ([..] KiB) wait until [TIME] ([TIME])
---- stderr ----
hint: to free it now: undo gc --now

"#]]);
    env.undo("recall").ok();
    env.undo("undo").ok();
    env.undo("redo").ok();
    check(&env);
    let size = pack_bytes(&env);
    env.undo("gc --now -n").shows(str![[r#"
would remove 3 forgotten commits, 12 objects (147 KiB)

"#]]);
    env.undo("gc --now").shows(str![[r#"
removed 3 forgotten commits, 12 objects (147 KiB)
freed 147 KiB: 1 pack rewritten or removed

"#]]);
    assert!(pack_bytes(&env) + 140_000 < size);
    env.undo("gc --now").shows(str![[r#"
nothing new to remove

"#]]);
    assert_eq!(ids(&env).into_keys().collect::<Vec<_>>(), ["number-0", "number-1", "number-5"]);
    check(&env);
    env.undo("recall").shows(str![""]);
    assert_same(&Tree::read(&env.path()), &before);
    // What is gone can be recorded again.
    for number in 2..5 {
        env.write("small", format!("{number}"));
        env.write("large", noise(number, 50_000));
        env.undo(&format!("commit -m number-{number}")).ok();
    }
    check(&env);
}
