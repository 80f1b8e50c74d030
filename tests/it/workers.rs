//! Results do not depend on the number of workers.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::env::TestEnv;
use crate::errors::noise;
use crate::tree::{Tree, assert_same};

const COUNTS: [&str; 4] = ["1", "2", "4", "8"];

/// Large enough for several workers to share it.
const LARGE: usize = 33 << 20;

fn in_the_past() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// Creates enough files of all sizes for all workers.
fn fill(env: &TestEnv) {
    for n in 0..600 {
        env.write(&format!("d{}/e{}/file-{n}", n % 20, n % 3), noise(n, 100 + 17 * n as usize));
    }
    env.write("large", noise(1000, LARGE));
    for n in 0..3 {
        env.write(&format!("medium-{n}"), noise(2000 + n, 2 << 20));
    }
    let sparse = File::create(env.path().join("sparse")).unwrap();
    sparse.set_len(64 << 20).unwrap();
    sparse.write_all_at(&noise(3000, 50_000), 30 << 20).unwrap();
    fs::hard_link(env.path().join("medium-0"), env.path().join("d0/linked")).unwrap();
}

fn change(env: &TestEnv) {
    let mut large = noise(1000, LARGE);
    large.splice(9_000_000..9_000_100, noise(4000, 3 << 20));
    env.write("large", large);
    for n in (0..600).step_by(3) {
        env.write(&format!("d{}/e{}/file-{n}", n % 20, n % 3), noise(5000 + n, 200));
    }
    fs::remove_dir_all(env.path().join("d7")).unwrap();
    fs::rename(env.path().join("medium-1"), env.path().join("moved")).unwrap();
}

/// Sets the mtimes of all entries, so that they are the same in every repository.
fn set_mtimes(env: &TestEnv) {
    let status = Command::new("find").arg(env.path()).args(["-path", "*/.undo", "-prune", "-o", "-print0"]).output();
    for path in status.unwrap().stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty()) {
        let file = File::open(std::str::from_utf8(path).unwrap()).unwrap();
        file.set_modified(in_the_past()).unwrap();
    }
}

/// Kinds and ids of all stored objects.
fn objects(env: &TestEnv) -> BTreeSet<String> {
    let listed = env.undo("verify-pack -v --json").ok().json();
    let objects = listed.iter().filter(|value| value["type"] == "packed-object");
    objects.map(|value| format!("{} {} {}", value["kind"], value["id"], value["size"])).collect()
}

#[test]
fn commits_checkouts_and_objects_are_the_same() {
    let mut first: Option<(String, BTreeSet<String>, Tree)> = None;
    for count in COUNTS {
        let env = TestEnv::new();
        env.set("UNDO_WORKERS", count);
        fill(&env);
        set_mtimes(&env);
        env.undo("init").ok();
        set_mtimes(&env);
        env.undo("commit -q -m one").ok();
        change(&env);
        set_mtimes(&env);
        let mut output = String::new();
        for line in ["status", "diff --json", "commit -q -m two", "rev-parse @", "rev-parse @~", "ls-tree -r @"] {
            let result = env.undo(line).ok();
            assert!(result.stderr.is_empty(), "{line}: {result}");
            output += &result.text();
        }
        let two = Tree::read(&env.path());
        output += &env.undo("checkout -q @~").ok().text();
        output += &env.undo("status").ok().text();
        env.undo("verify").ok();
        let one = Tree::read(&env.path());
        env.undo("undo -q").ok();
        assert_same(&two, &Tree::read(&env.path()));
        let objects = objects(&env);
        assert!(objects.len() > 900, "{} objects", objects.len());
        let Some((expected_output, expected_objects, expected_tree)) = &first else {
            first = Some((output, objects, one));
            continue;
        };
        let difference = output.lines().zip(expected_output.lines()).find(|(line, expected)| line != expected);
        assert_eq!(difference, None, "{count} workers");
        assert!(output.len() == expected_output.len() && objects == *expected_objects, "{count} workers");
        assert_same(expected_tree, &one);
    }
}

#[test]
fn verify_reports_the_same_damage_in_the_same_order() {
    let env = TestEnv::initialised();
    for n in 0..12 {
        env.write(&format!("file-{n}"), noise(n, 300_000));
        env.undo(&format!("commit -q -m {n}")).ok();
    }
    env.undo("verify").ok();
    let found = Command::new("find").arg(env.path().join(".undo/packs")).args(["-type", "f", "-print0"]).output();
    let mut packs: Vec<_> = found.unwrap().stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    packs.retain(|path| !path.is_empty());
    packs.sort();
    for path in packs.iter().step_by(3) {
        let path = std::str::from_utf8(path).unwrap();
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let pack = File::options().write(true).open(path).unwrap();
        pack.write_all_at(&[1, 2, 3], pack.metadata().unwrap().len() / 2).unwrap();
    }
    let verify = |count| {
        env.set("UNDO_WORKERS", count);
        env.undo("verify --json").fails(5).text()
    };
    let expected = verify(COUNTS[0]);
    assert!(expected.matches("\"pack\"").count() > 4, "{expected}");
    for count in &COUNTS[1..] {
        assert_eq!(verify(count), expected, "{count} workers");
    }
}
