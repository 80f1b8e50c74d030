//! Case-insensitive file systems: nothing is lost, and impossible names are reported.
//!
//! Uses a separate file system and needs root: ext4 with `casefold` if the kernel supports it, else exFAT by FUSE,
//! which does not keep the times that are set; `undo` reports them, and the test ignores them.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::is_recorded;
use super::places::Mounted;
use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// A case-insensitive folder.
struct CaseFolder {
    _mounted: Mounted,
    keeps_times: bool,
}

/// Replaces the worktree of this environment by such a folder.
fn make_case_insensitive(env: &TestEnv) -> Option<CaseFolder> {
    let (image, mount) = (env.root().join("image"), env.path());
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg(&image).output();
        output.is_ok_and(|output| output.status.success())
    };
    let new_image = || fs::File::create(&image).and_then(|file| file.set_len(16 << 20)).unwrap();
    let loop_mount = |kind: &str| Mounted::new(&["-t", kind, "-o", "loop", image.to_str().unwrap()], &mount);
    new_image();
    if run("mkfs.ext4", &["-q", "-O", "casefold", "-E", "encoding=utf8"])
        && let Some(mounted) = loop_mount("ext4")
    {
        fs::remove_dir(mount.join("lost+found")).unwrap();
        if Command::new("chattr").arg("+F").arg(&mount).output().is_ok_and(|output| output.status.success()) {
            return Some(CaseFolder { _mounted: mounted, keeps_times: true });
        }
    }
    new_image();
    let mounted = if run("mkfs.exfat", &[]) { loop_mount("exfat-fuse") } else { None };
    if mounted.is_none() {
        skip("no case-insensitive file system is available (needs root, and ext4 with casefold or exfat-fuse)");
    }
    Some(CaseFolder { _mounted: mounted?, keeps_times: false })
}

impl CaseFolder {
    /// Reads the comparable properties of the folder.
    fn tree(&self, env: &TestEnv) -> Tree {
        let mut tree = Tree::read(&env.path());
        if !self.keeps_times {
            tree.nodes.values_mut().for_each(|node| node.mtime = (0, 0));
        }
        tree
    }

    /// Runs `undo`, which may report only times.
    fn undo(&self, env: &TestEnv, line: &str) {
        let output = env.undo(line);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_time = |line: &str| line.contains("  time ") && line.contains(" became ") && !line.contains(", ");
        let mut stderr =
            stderr.lines().filter(|line| !line.starts_with("hint: ") && *line != "warning: not restored exactly");
        assert!(output.code == 0 || output.code == 3 && !self.keeps_times && stderr.all(is_time), "{line}\n{output}");
    }
}

/// Creates a repository in such a folder.
fn create_repository() -> Option<(CaseFolder, TestEnv)> {
    let env = TestEnv::new();
    let folder = make_case_insensitive(&env)?;
    env.write("Probe", "");
    assert!(env.path().join("pROBE").exists(), "the folder is case-sensitive");
    fs::remove_file(env.path().join("Probe")).unwrap();
    env.undo("init -q").ok();
    Some((folder, env))
}

/// Commits with times that every file system can store.
fn commit(env: &TestEnv, name: &str) {
    env.shell("find . -path ./.undo -prune -o -exec touch -d 2026-01-04T12:00:00Z {} +").ok();
    env.undo(&format!("commit -m {name}")).ok();
    env.undo(&format!("tag {name}")).ok();
}

/// Checks out the parent of the newest commit and the newest commit in turn.
fn checkout_both(folder: &CaseFolder, env: &TestEnv, one: &Tree, two: &Tree) {
    for (line, tree) in [("checkout one", one), ("undo", two), ("redo", one), ("checkout two", two)] {
        folder.undo(env, line);
        assert_same(tree, &folder.tree(env));
        let status = env.undo("status --json").ok().json().pop().unwrap();
        assert_eq!(status["clean"], true, "after {line}: {status}");
    }
    folder.undo(env, "restore --from one .");
    assert_same(one, &folder.tree(env));
    env.undo("verify").ok();
}

#[test]
fn case_only_rename_is_undone_and_redone() {
    let Some((folder, env)) = create_repository() else { return };
    env.write("a", "precious");
    env.write("d/File", "deep");
    commit(&env, "one");
    let one = folder.tree(&env);
    for (old, new) in [("a", "A"), ("d/File", "d/file")] {
        fs::rename(env.path().join(old), env.path().join(new)).unwrap();
    }
    commit(&env, "two");
    let two = folder.tree(&env);
    assert!(two.nodes.contains_key(&b"A"[..]) && !two.nodes.contains_key(&b"a"[..]));
    checkout_both(&folder, &env, &one, &two);
}

/// FUSE caches the folder of the other spelling for a second. The path is then reported as changed, and the same
/// command succeeds afterwards.
#[test]
fn case_only_folder_rename_restores_contents() {
    let Some((folder, env)) = create_repository() else { return };
    env.write("CaseFolder/same", "same");
    env.write("CaseFolder/Sub/old", "old");
    commit(&env, "one");
    let one = folder.tree(&env);
    for (old, new) in [("CaseFolder", "folder"), ("folder/Sub", "folder/sub")] {
        fs::rename(env.path().join(old), env.path().join(new)).unwrap();
    }
    env.write("folder/new", "new");
    commit(&env, "two");
    let two = folder.tree(&env);
    assert!(two.nodes.contains_key(&b"folder/sub/old"[..]) && !two.nodes.contains_key(&b"CaseFolder"[..]));
    for (name, tree) in [("one", &one), ("two", &two), ("one", &one)] {
        let line = format!("checkout {name}");
        let output = env.undo(&line);
        if folder.tree(&env).differences(tree).is_empty() {
            continue;
        }
        assert!(!folder.keeps_times && output.code == 3, "{output}");
        assert!(String::from_utf8_lossy(&output.stderr).to_lowercase().contains("  folder"), "{output}");
        let is_listed = |name: &str| fs::read_dir(env.path()).unwrap().any(|entry| entry.unwrap().file_name() == name);
        let is_remembered = |name: &&str| env.path().join(name).exists() && !is_listed(name);
        let started = Instant::now();
        while ["CaseFolder", "folder"].iter().any(is_remembered) {
            assert!(started.elapsed() < Duration::from_secs(30), "{output}");
            std::thread::yield_now();
        }
        folder.undo(&env, &line);
        assert_same(tree, &folder.tree(&env));
    }
    env.undo("verify").ok();
}

#[test]
fn new_entry_replaces_removed_entry_of_other_case() {
    let Some((folder, env)) = create_repository() else { return };
    env.write("a", "first");
    env.write("file", "was a file");
    env.write("room/chair", "was in a folder");
    commit(&env, "one");
    let one = folder.tree(&env);
    fs::remove_file(env.path().join("a")).unwrap();
    fs::remove_file(env.path().join("file")).unwrap();
    fs::remove_dir_all(env.path().join("room")).unwrap();
    env.write("A", "second");
    env.write("FILE/deep", "is a folder");
    env.write("Room", "is a file");
    commit(&env, "two");
    let two = folder.tree(&env);
    checkout_both(&folder, &env, &one, &two);
    // The unrecorded file is saved before it is replaced.
    folder.undo(&env, "checkout two");
    env.write("a", "unsaved");
    // FUSE caches the attributes of each spelling separately, for a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    folder.undo(&env, "checkout one");
    assert_same(&one, &folder.tree(&env));
    assert!(is_recorded(&env, "A", b"unsaved"));
}

/// Recorded on a case-sensitive file system.
#[test]
fn colliding_names_are_reported_and_kept() {
    let elsewhere = TestEnv::new();
    let store = elsewhere.root().join("store");
    let attach = format!("init -q --store '{}'", store.display());
    elsewhere.undo(&attach).ok();
    elsewhere.write("plain", "plain");
    commit(&elsewhere, "one");
    for path in ["A", "a", "D/x", "d/x", "d/y"] {
        elsewhere.write(path, format!("this is {path}"));
    }
    commit(&elsewhere, "both");
    let both = Tree::read(&elsewhere.path());
    let env = TestEnv::new();
    let Some(_folder) = make_case_insensitive(&env) else { return };
    env.undo(&format!("{attach} --branch other")).ok();
    let output = env.undo("checkout both").fails(3);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let path =
        |line: &str| line.trim().split_once("  another spelling of this name exists").map(|(path, _)| path.to_owned());
    let stderr: Vec<String> = stderr.lines().filter_map(path).collect();
    // One of `a` and `A`; `d`, which is merged into `D`; and one of `d/x` and `D/x`.
    assert_eq!(stderr.len(), 3, "{output}");
    assert!(stderr.iter().any(|path| path.eq_ignore_ascii_case("a")), "{stderr:?}");
    let found = Tree::read(&env.path());
    assert_eq!(found.nodes.len(), 1 + 5, "{:?}", found.nodes.keys());
    let contents = found.contents();
    assert!(contents.is_subset(&both.contents()) && contents.len() == 4);
    // After a checkout there and back, all recorded content still exists.
    env.write("Plain", "unsaved");
    assert!([0, 3].contains(&env.undo("checkout one").code));
    assert_eq!(env.read("plain"), b"plain");
    assert!(is_recorded(&env, "plain", b"unsaved"));
    env.undo("checkout both").fails(3);
    env.undo("verify").ok();
    let copy = env.root().join("copy");
    env.undo(&format!("export both '{}'", copy.display())).ok();
    assert_eq!(Tree::read(&copy).contents(), both.contents());
}

#[test]
fn recorded_name_equal_to_repository_ignoring_case_is_refused() {
    let Some((_folder, env)) = create_repository() else { return };
    env.write("a", "1");
    commit(&env, "one");
    let tree = |entries: &str| env.undo_with_stdin("mktree", entries).ok().text().trim().to_owned();
    let id = |text: String| text.split(' ').next().unwrap().to_owned();
    let blob = id(env.undo_with_stdin("hash-object -w --stdin", "evil").ok().text().trim().to_owned());
    let journal = tree(&format!("100644 blob {blob} 0:0 1700000000.0 -\t00000099\n"));
    let hidden = tree(&format!("040755 tree {journal} 0:0 1700000000.0 -\tjournal\n"));
    let all = tree(&format!("040755 tree {hidden} 0:0 1700000000.0 -\t.UNDO\n"));
    let evil = id(env.undo(&format!("commit-tree -m evil {all}")).ok().text().trim().to_owned());
    let output = env.undo(&format!("checkout {evil}")).fails(4);
    assert!(String::from_utf8_lossy(&output.stderr).contains("takes `.UNDO` for `.undo`"), "{output}");
    assert!(!env.path().join(".undo/journal/00000099").exists());
    env.undo("verify").ok();
}
