//! `docs/format.md` is sufficient: `tests/read_repository.py`, written from it alone, reads repositories.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Node, Tree, assert_same};

/// Output of the script: lines by type.
type Lines = BTreeMap<String, Vec<Value>>;

/// Returns whether a program is installed; reports a skip otherwise.
pub fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        skip(format_args!("{program} is not installed"));
    }
    found
}

fn script(repository: &Path, argument: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_repository.py");
    // -B writes no compiled files.
    Command::new("python3").arg("-B").arg(script).arg(repository).args(argument).output().unwrap()
}

/// Runs the script and returns its output.
#[track_caller]
pub fn read(repository: &Path, argument: &[&str]) -> Lines {
    let output = script(repository, argument);
    assert!(output.status.success(), "{argument:?}: {}", String::from_utf8_lossy(&output.stderr));
    let mut lines = Lines::new();
    for line in serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>() {
        let line = line.unwrap();
        lines.entry(line["type"].as_str().unwrap().to_owned()).or_default().push(line);
    }
    lines
}

/// Decodes bytes that the script prints as text if they are UTF-8, else as hex under another key.
fn bytes(value: &Value, key: &str) -> Vec<u8> {
    match value.get(key) {
        Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
        None => hex(value[format!("{key}_hex")].as_str().unwrap_or_default()),
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Converts the entries of a commit to a tree without contents.
pub fn tree(lines: &Lines) -> Tree {
    let mut groups: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
    let mut nodes = BTreeMap::new();
    for entry in &lines["entry"] {
        let path = bytes(entry, "path");
        if let Some(group) = entry.get("links") {
            groups.entry(group.as_u64().unwrap()).or_default().push(path.clone());
        }
        nodes.insert(path, node(entry));
    }
    for paths in groups.values() {
        for path in paths {
            let mut other_names: Vec<_> = paths.iter().filter(|other| *other != path).cloned().collect();
            other_names.sort();
            nodes.get_mut(path).unwrap().other_names = other_names;
        }
    }
    Tree { nodes }
}

fn node(entry: &Value) -> Node {
    let number = |key: &str| entry.get(key).map_or(0, |value| value.as_u64().unwrap());
    let kind = match entry["kind"].as_str().unwrap() {
        "file" => libc::REGULAR,
        "directory" => libc::DIRECTORY,
        "symlink" => libc::SYMLINK,
        "fifo" => libc::FIFO,
        "char-device" => libc::CHAR_DEVICE,
        "block-device" => libc::BLOCK_DEVICE,
        other => panic!("no kind `{other}`"),
    };
    let target = bytes(entry, "target");
    let attribute = |one: &Value| (bytes(one, "name"), hex(one["value"].as_str().unwrap()));
    let hole = |hole: &Value| (hole[0].as_u64().unwrap(), hole[0].as_u64().unwrap() + hole[1].as_u64().unwrap());
    Node {
        mode: kind | number("mode") as u32,
        uid: number("uid") as u32,
        gid: number("gid") as u32,
        mtime: (entry["mtime"][0].as_i64().unwrap(), entry["mtime"][1].as_u64().unwrap()),
        size: match kind {
            libc::REGULAR => number("size"),
            _ => target.len() as u64,
        },
        rdev: number("rdev"),
        content: None,
        target,
        holes: entry["holes"].as_array().unwrap().iter().map(hole).collect(),
        attributes: entry["attributes"].as_array().unwrap().iter().map(attribute).collect(),
        other_names: Vec::new(),
    }
}

/// File type bits of `st_mode`.
mod libc {
    pub const FIFO: u32 = 0o010_000;
    pub const CHAR_DEVICE: u32 = 0o020_000;
    pub const DIRECTORY: u32 = 0o040_000;
    pub const BLOCK_DEVICE: u32 = 0o060_000;
    pub const REGULAR: u32 = 0o100_000;
    pub const SYMLINK: u32 = 0o120_000;
}

/// Reads the directory without uncovered paths and without contents.
fn covered(root: &Path, commit: &Value) -> Tree {
    let mut tree = Tree::read(root);
    for uncovered in commit["uncovered"].as_array().unwrap() {
        tree.nodes.remove(&bytes(uncovered, "path"));
    }
    tree.nodes.values_mut().for_each(|node| node.content = None);
    tree
}

/// Returns the entries of files by path.
fn files(lines: &Lines) -> BTreeMap<PathBuf, &Value> {
    let files = lines["entry"].iter().filter(|entry| entry["kind"] == "file");
    files.map(|entry| (std::ffi::OsStr::from_bytes(&bytes(entry, "path")).into(), entry)).collect()
}

/// Compares a commit as read by the script with its directory, including two hashes of each content.
#[track_caller]
fn assert_reads(root: &Path, lines: &Lines) {
    assert_same(&covered(root, &lines["commit"][0]), &tree(lines));
    // The kernel accepts no longer paths.
    let files: Vec<_> = files(lines).into_iter().filter(|(path, _)| path.as_os_str().len() < 4000).collect();
    let mut command = Command::new("sha256sum");
    let output = command.arg("-z").arg("--").args(files.iter().map(|file| &file.0)).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sums: Vec<&[u8]> = output.stdout.split_inclusive(|&byte| byte == 0).collect();
    assert_eq!(sums.len(), files.len());
    for ((path, entry), sum) in files.iter().zip(sums) {
        assert_eq!(entry["sha256"].as_str().unwrap().as_bytes(), &sum[..64], "{}", path.display());
        let id = blake3::hash(&fs::read(root.join(path)).unwrap()).to_string();
        assert_eq!(entry["blob"], id, "{}", path.display());
    }
}

/// Checks that the script lists the same commits, branches and tags as `undo`.
#[track_caller]
fn assert_same_log(env: &TestEnv, lines: &Lines) {
    let commits = env.undo("log --json").ok().json();
    let (summary, commits) = commits.split_last().unwrap();
    assert_eq!(summary["count"], lines["commit"].len());
    let find = |id: &Value| lines["commit"].iter().find(|commit| commit["id"] == *id).unwrap();
    for commit in commits {
        let other = find(&commit["id"]);
        for key in ["parents", "time", "author", "host", "message", "automatic", "added", "modified", "deleted"] {
            assert_eq!(commit[key], other[key], "{key} of {}", commit["id"]);
        }
        assert_eq!((&commit["files"], &commit["bytes"]), (&other["files"], &other["bytes"]));
        for key in ["uncovered", "torn"] {
            assert_eq!(commit[key].as_array().unwrap().len(), other[key].as_array().unwrap().len(), "{key}");
        }
    }
    let state = &lines["state"][0];
    for (command, key) in [("branch --json", "branches"), ("tag --json", "tags")] {
        let mut refs = env.undo(command).ok().json();
        refs.pop();
        assert_eq!(refs.len(), state[key].as_object().unwrap().len());
        for one in refs {
            assert_eq!(state[key][one["name"].as_str().unwrap()], one["id"], "{command}");
            assert!(command != "branch --json" || (one["current"] == (state["current"] == one["name"])));
        }
    }
}

/// Creates 3,000 names in one directory, and 3 MiB with holes between data.
fn long_and_sparse(root: &Path) {
    fs::create_dir(root.join("long")).unwrap();
    for n in 0..3000 {
        fs::write(root.join(format!("long/entry {n}")), format!("{}\n", n % 50)).unwrap();
    }
    for n in 0..1500 {
        fs::hard_link(root.join(format!("long/entry {n}")), root.join(format!("long/linked {n}"))).unwrap();
    }
    let mut data = vec![0; 600 << 10];
    blake3::Hasher::new().finalize_xof().fill(&mut data);
    let file = File::create(root.join("three mebibytes")).unwrap();
    file.set_len(3 << 20).unwrap();
    file.write_all_at(&data, 64 << 10).unwrap();
    file.write_all_at(&data, 2 << 20).unwrap();
    let islands = File::create(root.join("many holes")).unwrap();
    (0..600).for_each(|n| islands.write_all_at(&[n as u8 | 1; 4096], n * (132 << 10)).unwrap());
}

/// Creates a commit of all entry kinds, and returns its entries as read by the script.
#[track_caller]
fn everything(compression: &str) -> (TestEnv, Lines) {
    let env = TestEnv::initialised();
    env.undo(&format!("config store.compression {compression}")).ok();
    crate::kinds::everything(&env.path());
    long_and_sparse(&env.path());
    let id = commit(&env, "everything");
    let lines = read(&env.path().join(".undo"), &[&id]);
    assert_reads(&env.path(), &lines);
    (env, lines)
}

/// A user other than root cannot read some files: exit 3, and the commit lists them.
#[track_caller]
fn commit(env: &TestEnv, message: &str) -> String {
    let output = env.undo(&format!("commit --json -m '{message}'"));
    assert!([0, 3].contains(&output.code), "{output}");
    output.json()[0]["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_checks(env: &TestEnv, codecs: &Value) {
    let checked = &read(&env.path().join(".undo"), &["--check"])["checked"][0];
    assert_eq!(checked["codecs"], *codecs);
    for kind in 1..=7 {
        assert!(checked["kinds"][kind.to_string()].as_u64() > Some(0), "no object of kind {kind}");
    }
    assert!(checked["caches"]["index"].as_u64() > Some(3000));
}

#[test]
fn python_reader_reads_deflate_repository() {
    if !is_installed("python3") {
        return;
    }
    let (env, first) = everything("deflate:6");
    env.undo("tag first").ok();
    env.undo("branch other").ok();
    crate::kinds::wreck(&env.path());
    fs::remove_file(env.path().join("long/entry 1234")).unwrap();
    env.write("long/entry 1234 and a half", "new");
    commit(&env, "wrecked");
    env.write("unsaved", "soon");
    env.undo("checkout other").ok();
    env.write("on the other branch", "yes");
    commit(&env, "with \u{1f642}\n\nand more");
    let repository = env.path().join(".undo");
    assert_same_log(&env, &read(&repository, &[]));
    assert_same(&tree(&read(&repository, &["first"])), &tree(&first));
    assert_reads(&env.path(), &read(&repository, &["other"]));
    assert_checks(&env, &serde_json::json!([0, 1]));
}

#[test]
fn python_reader_reads_zstd_repository() {
    if is_installed("python3") && is_installed("zstd") {
        let (env, _) = everything("zstd:1");
        assert_checks(&env, &serde_json::json!([0, 2]));
    }
}

/// An external store with only stored frames, and enough packs for a catalog despite merging.
fn with_catalog() -> (TestEnv, PathBuf) {
    let env = TestEnv::new();
    env.undo("init --store ../store").ok();
    env.undo("config store.compression stored").ok();
    symlink("nowhere", env.path().join("link")).unwrap();
    for n in 0..40 {
        env.write("counted", format!("{n}\n").repeat(if n < 15 { 40_000 } else { 1 }));
        env.undo(&format!("commit -q -m {n}")).ok();
    }
    let store = env.root().join("store");
    (env, store)
}

#[test]
fn python_reader_reads_external_store_and_catalog() {
    if !is_installed("python3") {
        return;
    }
    let (env, store) = with_catalog();
    let pointer = env.path().join(".undo");
    assert!(pointer.is_file());
    assert_same_log(&env, &read(&pointer, &[]));
    assert_reads(&env.path(), &read(&pointer, &["main"]));
    let checked = &read(&store, &["--check"])["checked"][0];
    assert_eq!(checked["codecs"], serde_json::json!([0]));
    let caches = &checked["caches"];
    assert!(caches["catalog"].as_u64() > Some(40), "{caches}");
    assert!(caches.as_object().unwrap().keys().any(|name| name.starts_with("index-")), "{caches}");
}

#[test]
fn python_reader_distinguishes_torn_records_from_damage() {
    if !is_installed("python3") {
        return;
    }
    let (env, store) = with_catalog();
    let journal = store.join("journal/00000001");
    let whole = fs::read(&journal).unwrap();
    let count = |expected: usize| {
        assert_eq!(read(&store, &[])["commit"].len(), expected);
        assert_eq!(env.undo("log --json").ok().json().len(), expected + 1);
    };
    let last = whole.windows(4).rposition(|bytes| bytes == b"urec").unwrap();
    for length in [last + 2, last + 12, last + 13, last + 100, whole.len() - 1] {
        fs::write(&journal, &whole[..length]).unwrap();
        count(39);
    }
    fs::write(&journal, &whole).unwrap();
    count(40);
    OpenOptions::new().append(true).open(&journal).unwrap().write_all(&[0; 700]).unwrap();
    count(40);
    for at in [3, 20, 30, last + 5, last + 60] {
        let mut damaged = whole.clone();
        damaged[at] ^= 16;
        fs::write(&journal, &damaged).unwrap();
        assert_eq!(script(&store, &[]).status.code(), Some(5), "at {at}");
    }
    fs::write(&journal, &whole).unwrap();
    let id = read(&store, &[])["state"][0]["packs"][0].as_str().unwrap().to_owned();
    let pack = store.join("packs").join(&id[..2]).join(&id);
    let whole = fs::read(&pack).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 12) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&pack, damaged).unwrap();
        assert_eq!(script(&store, &["--check"]).status.code(), Some(5), "at {at} of {}", whole.len());
    }
}
