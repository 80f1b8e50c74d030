//! Repositories of every released format, in `tests/fixtures`, stay readable.
//!
//! `NAME.tar` contains a repository, `NAME.manifest` its content: the log, then each commit with all its paths.
//! `UPDATE=1 cargo test --test it -- fixtures::`, as root, creates a missing fixture. Released fixtures are never
//! regenerated.

use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};
use serde_json::Value;

use crate::env::TestEnv;
use crate::format::{is_installed, read, tree};
use crate::skip::skip;
use crate::tree::{Node, Tree, assert_same};

mod making;

/// Names of the files in `tests/fixtures`, without suffixes.
pub const FIXTURES: [&str; 2] = ["v1", "v1-thinned"];

/// Branch with entries that only root can create; checked only if the test can create them.
const ROOTS: &str = "of-root";

/// The set-user-id and set-group-id bits.
const SET_ID: u32 = 0o6000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Creates a worktree that contains only the fixture's `.undo`.
pub fn unpacked(name: &str) -> TestEnv {
    let env = TestEnv::new();
    fs::create_dir(env.path().join(".undo")).unwrap();
    fs::set_permissions(env.path().join(".undo"), Permissions::from_mode(0o700)).unwrap();
    let mut archive = tar::Archive::new(File::open(folder().join(format!("{name}.tar"))).unwrap());
    archive.unpack(env.path()).unwrap();
    env
}

/// Returns the log of a repository, one line per commit.
fn log(env: &TestEnv) -> Vec<Value> {
    let mut commits = env.undo("log --json").ok().json();
    assert_eq!(commits.pop().unwrap()["type"], "summary");
    commits
}

/// Returns the content of a directory, one line per path, with named fields separated by tabs.
fn lines(root: &Path) -> Vec<String> {
    let tree = Tree::read(root);
    tree.nodes.iter().map(|(path, node)| line(root, path, node)).collect()
}

fn line(root: &Path, path: &[u8], node: &Node) -> String {
    let mut fields = vec![
        format!("path={}", path.escape_ascii()),
        format!("mode={:o}", node.mode & !SET_ID),
        format!("owner={}:{}", node.uid, node.gid),
        format!("mtime={}.{:09}", node.mtime.0, node.mtime.1),
    ];
    if node.content.is_some() {
        let bytes = fs::read(root.join(std::ffi::OsStr::from_bytes(path))).unwrap();
        fields.push(format!("size={}\tblob={}", node.size, blake3::hash(&bytes)));
    }
    // These bits are restored only together with the owner.
    if node.mode & SET_ID != 0 {
        fields.push(format!("set-id={:o}", node.mode & SET_ID));
    }
    if !node.target.is_empty() {
        fields.push(format!("target={}", node.target.escape_ascii()));
    }
    if node.rdev != 0 {
        fields.push(format!("device={}", node.rdev));
    }
    if !node.holes.is_empty() {
        fields.push(format!("holes={:?}", node.holes));
    }
    for (name, value) in &node.attributes {
        fields.push(format!("attribute={}={}", name.escape_ascii(), value.escape_ascii()));
    }
    for fellow in &node.other_names {
        fields.push(format!("also={}", fellow.escape_ascii()));
    }
    fields.join("\t")
}

/// Lists the fields that this file system or user cannot restore.
fn unrestorable_fields(env: &TestEnv) -> Vec<&'static str> {
    let file = env.root().join("probe");
    let probe = File::create(&file).unwrap();
    probe.set_len(8192).unwrap();
    probe.write_all_at(b"x", 4096).unwrap();
    let mut fields = Vec::new();
    if Tree::read(env.root()).nodes[b"probe".as_slice()].holes != [(0, 4096)] {
        fields.push("holes=");
    }
    if rustix::fs::setxattr(&file, "user.probe", b"", XattrFlags::empty()).is_err() {
        fields.push("attribute=");
    }
    if !rustix::process::geteuid().is_root() {
        fields.extend(["owner=", "set-id="]);
    }
    if !fields.is_empty() {
        skip(format_args!("{fields:?} cannot be restored here"));
    }
    fields
}

fn without(line: &str, fields: &[&str]) -> String {
    let kept = line.split('\t').filter(|field| !fields.iter().any(|name| field.starts_with(name)));
    kept.collect::<Vec<_>>().join("\t")
}

/// Returns whether a commit has entries that only root can create, and this test cannot.
fn needs_root(env: &TestEnv, commit: &Value) -> bool {
    let on_branch = commit["branches"].as_array().unwrap().iter().any(|name| name == ROOTS);
    let probe = env.root().join("device");
    let mode = Mode::from_raw_mode(0o600);
    let made = || {
        rustix::fs::mknodat(CWD, &probe, FileType::CharacterDevice, mode, rustix::fs::makedev(1, 3)).is_ok()
            && rustix::fs::lsetxattr(&probe, "trusted.probe", b"", XattrFlags::empty()).is_ok()
            && fs::remove_file(&probe).is_ok()
    };
    on_branch && !made()
}

/// Checks that a log line still has all fields of the manifest.
#[track_caller]
fn assert_holds(now: &Value, then: &Value) {
    for (key, value) in then.as_object().unwrap() {
        assert_eq!(now[key], *value, "{key} of {}", then["id"]);
    }
}

/// Parses a manifest: commits, newest first, each with the lines of its paths.
fn manifest(name: &str) -> Vec<(Value, Vec<String>)> {
    let text = fs::read_to_string(folder().join(format!("{name}.manifest"))).unwrap();
    let mut commits: Vec<(Value, Vec<String>)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("commit ") {
            Some(commit) => commits.push((serde_json::from_str(commit).unwrap(), Vec::new())),
            None => commits.last_mut().unwrap().1.push(line.to_owned()),
        }
    }
    commits
}

#[track_caller]
fn assert_lines(now: Vec<String>, then: &[String], beyond: &[&str], id: &str) {
    let clean = |lines: &[String]| lines.iter().map(|line| without(line, beyond)).collect::<Vec<_>>();
    let (now, then) = (clean(&now), clean(then));
    let differing = now.iter().filter(|line| !then.contains(line)).map(|line| format!("now   {line}"));
    let missing = then.iter().filter(|line| !now.contains(line)).map(|line| format!("then  {line}"));
    let problems: Vec<_> = differing.chain(missing).take(20).collect();
    assert!(problems.is_empty(), "commit {id}:\n{}", problems.join("\n"));
}

#[test]
fn fixture_manifest_is_complete() {
    let mut expected: Vec<String> =
        FIXTURES.iter().flat_map(|name| [format!("{name}.manifest"), format!("{name}.tar")]).collect();
    expected.sort();
    let entries = fs::read_dir(folder()).unwrap().map(Result::unwrap);
    // Folders have fixtures of other tests.
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut found: Vec<_> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, expected, "list every fixture in FIXTURES, with both its files");
}

#[test]
fn checkout_restores_all_fixture_commits() {
    for name in FIXTURES {
        let env = unpacked(name);
        let manifest = manifest(name);
        let commits = log(&env);
        assert_eq!(commits.len(), manifest.len());
        commits.iter().zip(&manifest).for_each(|(now, then)| assert_holds(now, &then.0));
        let beyond = unrestorable_fields(&env);
        for (commit, then) in &manifest {
            if needs_root(&env, commit) {
                skip("devices and privileged attributes");
                continue;
            }
            let id = commit["id"].as_str().unwrap();
            let output = env.undo(&format!("checkout {id}"));
            assert!([0, 3].contains(&output.code), "{output}");
            let mut now = lines(&env.path());
            // A checkout leaves the file at a path whose content was purged.
            let is_secret = |line: &String| line.starts_with("path=secret\t");
            if !then.iter().any(is_secret) {
                now.retain(|line| !is_secret(line));
            }
            assert_lines(now, then, &beyond, id);
        }
    }
}

#[test]
fn export_writes_all_fixture_commits() {
    for name in FIXTURES {
        let env = unpacked(name);
        let beyond = unrestorable_fields(&env);
        for (n, (commit, then)) in manifest(name).iter().enumerate() {
            let id = commit["id"].as_str().unwrap();
            if !needs_root(&env, commit) {
                let output = env.undo(&format!("export {id} ../export-{n}"));
                assert!([0, 3].contains(&output.code), "{output}");
                assert_lines(lines(&env.root().join(format!("export-{n}"))), then, &beyond, id);
            }
        }
    }
}

#[test]
fn fixtures_accept_new_commits() {
    for name in FIXTURES {
        let env = unpacked(name);
        let runs = |line: &str| assert!([0, 3].contains(&env.undo(line).code), "{line}");
        runs("checkout latest");
        env.write("new in this version", "and committed");
        runs("commit -m grown");
        let grown = Tree::read(&env.path());
        runs("checkout @~");
        runs("checkout -");
        assert_same(&grown, &Tree::read(&env.path()));
        // At least one commit of the empty folder, and one of the new file.
        assert!(log(&env).len() >= manifest(name).len() + 2);
    }
}

#[test]
fn python_reader_reads_fixtures() {
    if !is_installed("python3") || !is_installed("zstd") {
        return;
    }
    for name in FIXTURES {
        let env = unpacked(name);
        let repository = env.path().join(".undo");
        let checked = &read(&repository, &["--check"])["checked"][0];
        if name == "v1" {
            assert_eq!(checked["codecs"], serde_json::json!([0, 1, 2]));
            for kind in 1..=7 {
                assert!(checked["kinds"][kind.to_string()].as_u64() > Some(0), "no object of kind {kind}");
            }
        }
        for (commit, then) in manifest(name) {
            let id = commit["id"].as_str().unwrap();
            let lines = read(&repository, &[id]);
            let purged = |line: &Value| line["purged"] == true;
            let left_out: Vec<&str> =
                lines["entry"].iter().filter(|line| purged(line)).filter_map(|line| line["path"].as_str()).collect();
            let mut nodes = tree(&lines).nodes;
            nodes.retain(|path, _| !left_out.iter().any(|left_out| left_out.as_bytes() == path));
            let now = nodes.iter().map(|(path, node)| line(&repository, path, node)).collect();
            assert_lines(now, &then, &["size=", "blob="], id);
        }
    }
}
