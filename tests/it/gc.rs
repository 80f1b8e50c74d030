//! `gc`: what the history does not need any more goes, and nothing else.

mod damaged;
mod destroyed;
mod kills;
mod late;

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
    found.into_iter().any(|path| if path.is_dir() { is_on_disk(&path, bytes) } else { is_in(&path, bytes) })
}

/// Whether a file contains these bytes, or part of them.
fn is_in(file: &Path, bytes: &[u8]) -> bool {
    fs::read(file).unwrap().windows(64).any(|window| window == &bytes[100..164])
}

#[test]
fn forgotten_commits_go_after_the_grace_period() {
    let env = commits(0..6);
    let before = Tree::read(&env.path());
    env.undo("forget @~ @~2 @~3").ok();
    env.undo("gc").shows(str![[r#"
freed [..]: 6 packs rewritten or removed
3 forgotten commits ([..] KiB) wait until [TIME] (in 7 days)
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
nothing to remove

"#]]);
    assert_eq!(ids(&env).into_keys().collect::<Vec<_>>(), ["number-0", "number-1", "number-5"]);
    check(&env);
    env.undo("recall").shows(str![[r#"
---- stderr ----
no forgotten commits

"#]]);
    assert_same(&Tree::read(&env.path()), &before);
    // What is gone can be recorded again.
    for number in 2..5 {
        env.write("small", format!("{number}"));
        env.write("large", noise(number, 50_000));
        env.undo(&format!("commit -m number-{number}")).ok();
    }
    check(&env);
}

#[test]
fn damaged_mask_stops_writing_but_not_reading() {
    let env = commits(0..4);
    env.undo("forget @~").ok();
    env.undo("gc --now").ok();
    // What the sweep hid is gone, so the next sweep has something to hide.
    env.undo("forget @~").ok();
    env.undo("gc --now --max-repack 1").ok();
    let masks: Vec<_> =
        fs::read_dir(env.path().join(".undo/masks")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!masks.is_empty());
    masks.iter().for_each(|path| fs::write(path, b"damaged").unwrap());
    env.write("small", "other");
    for command in ["commit -m number-9", "gc", "forget @~"] {
        let stderr = String::from_utf8(env.undo(command).fails(5).stderr).unwrap();
        assert!(stderr.contains("to determine again which objects are needed: undo repair"), "{stderr}");
    }
    env.undo("log").ok();
    env.undo("cat @:large").ok();
    env.undo("repair").ok();
    check(&env);
    env.undo("gc --now").ok();
    for gone in [1, 2] {
        assert!(!is_on_disk(&env.path().join(".undo/packs"), &noise(gone, 50_000)));
    }
}

/// Whether a collection in the background removes forgotten content while this command records changes.
fn collects_in_background(is_automatic: bool, record: &[&str]) -> bool {
    let env = commits(0..6);
    let run = |arguments: &[&str]| {
        let mut command = env.command(env!("CARGO_BIN_EXE_undo"));
        assert!(command.args(arguments).env_remove("UNDO_TIME").output().unwrap().status.success(), "{arguments:?}");
    };
    run(&["forget", "@~", "@~2", "@~3"]);
    run(&["config", "gc.auto", &is_automatic.to_string()]);
    run(&["config", "gc.grace", "0d"]);
    // Two commits, since nothing goes while the clock may be wrong.
    for n in 0..2 {
        env.write("small", n.to_string());
        run(record);
    }
    // Replaced packs may stay while other commands read.
    let is_gone = || env.undo("recall --json").ok().json().last().unwrap()["count"] == 0;
    let started = std::time::Instant::now();
    let limit = std::time::Duration::from_secs(if is_automatic { 30 } else { 1 });
    while !is_gone() && started.elapsed() < limit {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    env.undo("verify").ok();
    is_gone()
}

#[test]
fn commands_that_record_start_a_collection_in_the_background_when_it_pays() {
    assert!(!collects_in_background(false, &["commit", "-m", "more"]));
    for record in [&["commit", "-m", "more"][..], &["run", "-q", "--", "true"], &["checkout", "@"]] {
        assert!(collects_in_background(true, record), "{record:?}");
    }
}

#[test]
fn replaced_message_can_be_undone_after_gc() {
    let env = commits(0..2);
    let old = ids(&env)["number-1"].clone();
    env.undo("commit --amend -m number-9").ok();
    env.undo("gc").ok();
    assert_eq!(ids(&env).into_keys().collect::<Vec<_>>(), ["number-0", "number-9"]);
    env.undo("undo").ok();
    assert_eq!(ids(&env)["number-1"], old);
    env.undo("redo").ok();
    env.undo("gc --now").ok();
    env.undo(&format!("cat-file -e {old}")).fails(1);
    env.undo("verify").ok();
}

#[test]
fn automatic_collections_sweep_although_commands_are_rare() {
    let env = commits(0..4);
    let day = |n: i64| {
        let start: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        env.set("UNDO_TIME", (start + jiff::SignedDuration::from_hours(24 * n)).to_string());
    };
    day(0);
    env.undo("forget @~ @~2").ok();
    for (week, is_there) in [(1, true), (2, false)] {
        day(7 * week);
        env.write("small", week.to_string());
        env.undo(&format!("commit -m number-{}", 10 + week)).ok();
        env.undo("gc --auto").ok();
        assert_eq!(is_on_disk(&env.path().join(".undo/packs"), &noise(1, 50_000)), is_there, "week {week}");
    }
}
