//! `rev-list`: lists of commits and reachable objects.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use snapbox::str;

use super::{everything, history};
use crate::env::TestEnv;
use crate::errors::noise;

/// Lists the packs of a repository.
pub fn packs(env: &TestEnv) -> Vec<PathBuf> {
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    below(env.path().join(".undo/packs")).flat_map(below).collect()
}

fn lines(env: &TestEnv, line: &str) -> Vec<String> {
    env.undo(line).ok().text().lines().map(str::to_owned).collect()
}

fn id(env: &TestEnv, name: &str) -> String {
    env.undo(&format!("rev-parse {name}")).ok().text().trim_end().to_owned()
}

#[test]
fn rev_list_lists_newest_first() {
    let env = history();
    let [third, second, first] = ["@", "side", "v1"].map(|name| id(&env, name));
    for (line, expected) in [
        ("@", &[&third, &second, &first][..]),
        ("side", &[&second, &first]),
        ("--all", &[&third, &second, &first]),
        ("--all ^side", &[&third]),
        ("v1..@", &[&third, &second]),
        ("@ ^side", &[&third]),
        ("side..v1", &[]),
        ("^@", &[]),
        ("-n 2 @", &[&third, &second]),
        ("--max-count 2 --reverse @", &[&second, &third]),
        ("--reverse @", &[&first, &second, &third]),
        ("@ -- data", &[&first]),
        ("@ -- notes.txt", &[&third, &second, &first]),
        ("--since 2026-01-06 @", &[]),
        ("--until 2026-01-04 @", &[]),
    ] {
        let expected: Vec<&str> = expected.iter().map(|id| id.as_str()).collect();
        assert_eq!(lines(&env, &format!("rev-list {line}")), expected, "{line}");
        assert_eq!(lines(&env, &format!("rev-list --count {line}")), [expected.len().to_string()], "{line}");
    }
    assert_eq!(env.undo("rev-list -z -n 2 @").text(), format!("{third}\0{second}\0"));
}

#[test]
fn rev_list_all_includes_commits_without_branch() {
    let env = history();
    let left = id(&env, "@");
    env.undo("checkout v1").ok();
    env.write("notes.txt", b"other\n");
    env.undo("commit -m other").ok();
    let all = lines(&env, "rev-list --all");
    assert!(all.contains(&left) && all.contains(&id(&env, "@")));
    assert!(!lines(&env, "rev-list @").contains(&left));
}

#[test]
fn rev_list_lists_each_object_once() {
    let env = history();
    let [three, two, one] = ["@", "side", "v1"].map(|name| id(&env, name));
    let names = |names: &[&str]| -> Vec<String> { names.iter().map(|name| id(&env, name)).collect() };
    let [root, data, csv, notes] = &names(&["@:", "@:data", "@:data/a.csv", "@:notes.txt"])[..] else { panic!() };
    let [two_root, two_notes, one_root, one_notes] = &names(&["side:", "side:notes.txt", "v1:", "v1:notes.txt"])[..]
    else {
        panic!()
    };
    let expected = [
        three.clone(),
        format!("{root} "),
        format!("{data} data"),
        format!("{csv} data/a.csv"),
        format!("{notes} notes.txt"),
        two.clone(),
        format!("{two_root} "),
        format!("{two_notes} notes.txt"),
        one.clone(),
        format!("{one_root} "),
        format!("{one_notes} notes.txt"),
    ];
    assert_eq!(lines(&env, "rev-list --objects @"), expected);
    assert_eq!(
        lines(&env, "rev-list --objects side..@"),
        &expected[..2].iter().chain(&expected[4..5]).cloned().collect::<Vec<_>>()[..]
    );
    let reversed = lines(&env, "rev-list --objects --reverse @");
    assert_eq!((reversed.len(), &reversed[0], &reversed[reversed.len() - 3]), (expected.len(), &one, &three));
    assert_eq!(lines(&env, "rev-list --objects --count @"), [expected.len().to_string()]);
    env.undo("rev-list --objects --json -n 1 @").shows(str![[r#"
{"type":"object","id":"[ID]","object_type":"commit"}
{"type":"object","id":"[ID]","object_type":"tree","path":""}
{"type":"object","id":"[ID]","object_type":"tree","path":"data"}
{"type":"object","id":"[ID]","object_type":"blob","path":"data/a.csv"}
{"type":"object","id":"[ID]","object_type":"blob","path":"notes.txt"}
{"type":"summary","count":5}

"#]]);
}

#[test]
fn range_excludes_all_objects_of_its_start() {
    let env = TestEnv::initialised();
    for (content, message) in [("one\n", "one"), ("two\n", "two"), ("one\n", "one again")] {
        env.write("notes.txt", content);
        // The mtime of a file is stored in its folder.
        fs::File::open(env.path().join("notes.txt")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        env.undo(&format!("commit -m '{message}'")).ok();
    }
    // The blob of `one` is not in the tree of `two`, but in that of the commit before it.
    let listed = lines(&env, "rev-list --objects @~1..@");
    assert!(!listed.iter().any(|line| line.ends_with("notes.txt")), "{listed:?}");
}

#[test]
fn rev_list_quotes_names_or_prints_raw_bytes() {
    let env = TestEnv::initialised();
    let names: [&[u8]; 5] = [b"new\nline", b"tab\there", b"\"quoted\"", b"not \xff utf-8", b"with space"];
    for name in names {
        fs::write(env.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    env.undo("commit").ok();
    let found: BTreeSet<String> = lines(&env, "rev-list --objects @").into_iter().skip(2).collect();
    let expected: BTreeSet<String> =
        names.iter().map(|name| format!("{} {}", blake3::hash(name), undo::internals::quote::quote(name))).collect();
    assert_eq!(found, expected);
    let raw = env.undo("rev-list --objects -z @").stdout;
    let records: BTreeSet<&[u8]> = raw.split(|&byte| byte == 0).skip(2).filter(|record| !record.is_empty()).collect();
    let expected: Vec<Vec<u8>> =
        names.iter().map(|name| [format!("{} ", blake3::hash(name)).as_bytes(), name].concat()).collect();
    assert_eq!(records, expected.iter().map(Vec::as_slice).collect());
}

#[test]
fn rev_list_lists_nodes_chunks_attributes_and_links() {
    let env = everything();
    let mut by_path: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    let mut links = 0;
    for object in env.undo("rev-list --objects --json @").ok().json() {
        match object["path"].as_str() {
            Some(path) => by_path.entry(path.to_owned()).or_default().push(object["object_type"].clone()),
            None => links += usize::from(object["object_type"] == "links"),
        }
    }
    let count = |path: &str, is: &str| by_path[path].iter().filter(|one| **one == is).count();
    assert_eq!(links, 1);
    assert!(count("many", "tree") > 2, "a directory of 2,000 entries has several nodes");
    assert!(count("large", "blob") > 10, "a large blob has chunks");
    assert!(count("sparse", "attributes") == 1 && count("sparse", "blob") >= 1);
    assert_eq!(count("named", "attributes"), 1);
    assert_eq!(count("many/0001", "blob"), 1);
}

#[test]
fn rev_list_lists_nodes_of_large_blob() {
    let env = TestEnv::initialised();
    // Small chunks give a short file a long layout.
    let format = env.path().join(".undo/format");
    let text = fs::read_to_string(&format).unwrap().replace("whole=1048576 target=131072", "whole=4096 target=4096");
    fs::write(format, text).unwrap();
    env.write("huge", noise(1, 12 << 20));
    env.undo("commit").ok();
    let types: Vec<_> = env.undo("rev-list --objects --json @").ok().json();
    let count = |is: &str| types.iter().filter(|one| one["object_type"] == is).count();
    assert!(count("layout-node") >= 2, "{}", count("layout-node"));
    assert!(count("blob") > 1024);
}

#[test]
fn rev_list_without_commit_is_a_usage_error() {
    let env = history();
    env.undo("rev-list").shows(str![[r#"
---- stderr ----
error: no commit given
hint: undo rev-list @, or --all
[exit 2]

"#]]);
    env.undo("rev-list --objects -- notes.txt").fails(2);
    env.undo("rev-list notes.txt").shows(str![[r#"
---- stderr ----
error: revision `notes.txt` does not exist
hint: to name a path: undo rev-list @ -- notes.txt
[exit 2]

"#]]);
    env.undo("rev-list 0000").fails(2);
    env.undo("rev-list --since nonsense @").fails(2);
    assert_eq!(lines(&TestEnv::initialised(), "rev-list --all"), [""; 0]);
}

#[test]
fn rev_list_warns_about_missing_objects() {
    let env = TestEnv::initialised();
    env.write("kept", noise(1, 3000));
    env.undo("commit -m one").ok();
    let before = packs(&env);
    env.write("large", noise(2, 600_000));
    env.undo("commit -m two").ok();
    let whole = lines(&env, "rev-list --objects @");
    env.undo("branch first @~1").ok();
    let newer: Vec<PathBuf> = packs(&env).into_iter().filter(|pack| !before.contains(pack)).collect();
    fs::remove_file(&newer[0]).unwrap();
    env.undo("rev-list --objects --all").shows(str![[r#"
[ID]
[ID] 
[ID] kept
---- stderr ----
warning: skipped: commit `[ID]` is missing: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
[exit 5]

"#]]);
    let listed = env.undo("rev-list --objects first").ok().text();
    assert!(listed.lines().all(|line| whole.iter().any(|one| one == line)), "{listed}");
}
