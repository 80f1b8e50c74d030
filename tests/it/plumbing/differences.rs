//! `diff-tree`: differences between trees.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use snapbox::str;

use super::history;
use crate::env::TestEnv;
use crate::kinds;

/// Creates two commits with one change of each kind, at the root and in a directory.
fn changed() -> TestEnv {
    let env = TestEnv::initialised();
    for folder in ["", "data/", "data/deep/"] {
        env.write(&format!("{folder}modified"), b"one\n");
        env.write(&format!("{folder}deleted"), b"gone\n");
        env.write(&format!("{folder}mode"), b"mode\n");
        env.write(&format!("{folder}type"), b"type\n");
    }
    env.write("same/file", b"same\n");
    env.write("gone/file", b"gone\n");
    fs::create_dir(env.path().join("hollow")).unwrap();
    env.undo("commit -m one").ok();
    for folder in ["", "data/", "data/deep/"] {
        let place = |name: &str| env.path().join(format!("{folder}{name}"));
        env.write(&format!("{folder}modified"), b"two\n");
        env.write(&format!("{folder}added"), b"new\n");
        fs::remove_file(place("deleted")).unwrap();
        fs::set_permissions(place("mode"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_file(place("type")).unwrap();
        std::os::unix::fs::symlink("modified", place("type")).unwrap();
    }
    fs::remove_dir_all(env.path().join("gone")).unwrap();
    fs::remove_dir(env.path().join("hollow")).unwrap();
    env.write("new/folder/file", b"new\n");
    fs::create_dir(env.path().join("new/empty")).unwrap();
    fs::set_permissions(env.path().join("same"), fs::Permissions::from_mode(0o700)).unwrap();
    env.undo("commit -m two").ok();
    env
}

#[test]
fn diff_tree_compares_entries() {
    let env = changed();
    env.undo("diff-tree @~ @").shows(str![[r#"
:000000 100644 [ID] [ID] A	added
:040755 040755 [ID] [ID] M	data
:100644 000000 [ID] [ID] D	deleted
:040755 000000 [ID] [ID] D	gone
:040755 000000 [ID] [ID] D	hollow
:100644 100755 [ID] [ID] m	mode
:100644 100644 [ID] [ID] M	modified
:000000 040755 [ID] [ID] A	new
:040755 040700 [ID] [ID] m	same
:100644 120777 [ID] - T	type

"#]]);
    env.undo("diff-tree --name-status @").shows(str![[r#"
A	added
M	data
D	deleted
D	gone
D	hollow
m	mode
M	modified
A	new
m	same
T	type

"#]]);
    env.undo("diff-tree --name-only @~:data @:data").shows(str![[r#"
added
deep
deleted
mode
modified
type

"#]]);
}

#[test]
fn diff_tree_r_descends_and_t_lists_directories() {
    let env = changed();
    env.undo("diff-tree -r --name-status @~ @").shows(str![[r#"
A	added
A	data/added
A	data/deep/added
D	data/deep/deleted
m	data/deep/mode
M	data/deep/modified
T	data/deep/type
D	data/deleted
m	data/mode
M	data/modified
T	data/type
D	deleted
D	gone/file
D	hollow
m	mode
M	modified
A	new/empty
A	new/folder/file
m	same
T	type

"#]]);
    env.undo("diff-tree -t --name-status @~ @").shows(str![[r#"
A	added
M	data
A	data/added
M	data/deep
A	data/deep/added
D	data/deep/deleted
m	data/deep/mode
M	data/deep/modified
T	data/deep/type
D	data/deleted
m	data/mode
M	data/modified
T	data/type
D	deleted
D	gone
D	gone/file
D	hollow
m	mode
M	modified
A	new
A	new/empty
A	new/folder
A	new/folder/file
m	same
T	type

"#]]);
    env.undo("diff-tree -r @~ @ -- data/deep/mode data/type new").shows(str![[r#"
:100644 100755 [ID] [ID] m	data/deep/mode
:100644 120777 [ID] - T	data/type
:000000 040755 [ID] [ID] A	new/empty
:000000 100644 [ID] [ID] A	new/folder/file

"#]]);
    env.undo("diff-tree --name-status @~ @ -- data/deep/mode same").shows(str![[r#"
M	data
m	same

"#]]);
    env.undo("diff-tree -t --name-status @~ @ -- data/deep/mode").shows(str![[r#"
M	data
M	data/deep
m	data/deep/mode

"#]]);
    env.undo("diff-tree -r --json @~ @ -- data/deep").shows(str![[r#"
{"type":"change","path":"data/deep/added","status":"added","kind":"file","size":4,"what":[],"mode":"0644","id":"[ID]"}
{"type":"change","path":"data/deep/deleted","status":"deleted","kind":"file","old_size":5,"what":[],"old_mode":"0644","old_id":"[ID]"}
{"type":"change","path":"data/deep/mode","status":"metadata","kind":"file","old_size":5,"size":5,"what":["mode"],"old_mode":"0644","mode":"0755","old_id":"[ID]","id":"[ID]"}
{"type":"change","path":"data/deep/modified","status":"modified","kind":"file","old_size":4,"size":4,"what":["content"],"old_mode":"0644","mode":"0644","old_id":"[ID]","id":"[ID]"}
{"type":"change","path":"data/deep/type","status":"type","kind":"symlink","old_size":5,"what":["content","mode"],"old_mode":"0644","mode":"0777","old_id":"[ID]"}
{"type":"summary","clean":false,"added":1,"modified":1,"deleted":1,"renamed":0,"retyped":1,"metadata":1,"ignored":0}

"#]]);
}

#[test]
fn diff_tree_records_have_old_and_new_entries() {
    let env = changed();
    let line = env.undo("diff-tree -r @ -- modified").text();
    let (one, two) = (blake3::hash(b"one\n").to_hex(), blake3::hash(b"two\n").to_hex());
    assert_eq!(line, format!(":100644 100644 {one} {two} M\tmodified\n"));
    let zeros = "0".repeat(64);
    let gone = blake3::hash(b"gone\n").to_hex();
    assert_eq!(env.undo("diff-tree @ -- deleted").text(), format!(":100644 000000 {gone} {zeros} D\tdeleted\n"));
    let is = blake3::hash(b"type\n").to_hex();
    assert_eq!(env.undo("diff-tree -z @ -- type").text(), format!(":100644 120777 {is} - T\0type\0"));
    assert_eq!(env.undo("diff-tree -z --name-status @ -- type").text(), "T\0type\0");
    assert_eq!(env.undo("diff-tree -z --name-only @ -- type").text(), "type\0");
    env.undo("diff-tree --exit-code @ -- type").fails(1);
    env.undo("diff-tree --exit-code @ -- same/file").ok();
    assert_eq!(env.undo("diff-tree --exit-code @ @").ok().text(), "");
}

#[test]
fn diff_tree_root_lists_first_commit() {
    let env = history();
    env.undo("diff-tree -r --exit-code @~2").shows(str![""]);
    env.undo("diff-tree -r --root --name-status @~2").shows(str![[r#"
A	data/a.csv
A	link
A	notes.txt

"#]]);
    env.undo("diff-tree @:").shows(str![[r#"
---- stderr ----
error: `@:` is a tree, which has no parent to compare with
hint: to compare two trees: undo diff-tree TREE @:
[exit 2]

"#]]);
    env.undo("diff-tree @ @:notes.txt").shows(str![[r#"
---- stderr ----
error: `@:notes.txt` is a blob, not a tree or a commit
hint: `undo cat-file -t OBJECT` prints the type of an object
[exit 2]

"#]]);
    for line in ["diff-tree", "diff-tree @ nonsense", "diff-tree a b c", "diff-tree @ -- ../x", "diff-tree v1..@"] {
        env.undo(line).fails(2);
    }
}

#[test]
fn diff_tree_quotes_names_or_prints_raw_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let env = TestEnv::initialised();
    env.write("x", b"");
    env.undo("commit").ok();
    for name in [&b"a\tb"[..], b"a\nb", b"\"q\"", b"\xff", "é".as_bytes()] {
        fs::write(env.path().join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
    }
    env.undo("commit").ok();
    env.undo("diff-tree -r --name-status @").shows(str![[r#"
A	"/"q/""
A	"a/tb"
A	"a/nb"
A	é
A	"/377"

"#]]);
    let raw = env.undo("diff-tree -z --name-only @").stdout;
    assert_eq!(raw, b"\"q\"\0a\tb\0a\nb\0\xc3\xa9\0\xff\0");
    let json = env.undo("diff-tree --json @").json();
    assert_eq!((&json[4]["path"], &json[4]["path_bytes"]), (&"\u{fffd}".into(), &"/w==".into()));
}

#[test]
fn diff_tree_compares_root_and_hard_links() {
    let env = history();
    fs::set_permissions(env.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::hard_link(env.path().join("notes.txt"), env.path().join("data/notes.txt")).unwrap();
    env.undo("commit").ok();
    env.undo("diff-tree -r --name-status @").shows(str![[r#"
m	.
A	data/notes.txt
m	notes.txt

"#]]);
    env.undo("diff-tree --name-status @").shows(str![[r#"
m	.
M	data
m	notes.txt

"#]]);
    // Trees alone do not record the root and hard links.
    let tree = |name: &str| env.undo(&format!("rev-parse {name}:")).text().trim_end().to_owned();
    assert_eq!(env.undo(&format!("diff-tree -r {} {} --name-only", tree("@~"), tree("@"))).text(), "data/notes.txt\n");
}

/// Returns `STATUS TAB PATH` of each line, sorted, without changes that git does not detect.
fn statuses(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    let fields: Vec<&[u8]> = bytes.split(|&byte| byte == 0).collect();
    fields.chunks_exact(2).map(|pair| [pair[0], b" ", pair[1]].concat()).collect()
}

#[test]
fn diff_tree_matches_git() {
    let env = changed();
    env.write("odd \t\n\"name", b"odd\n");
    env.write("notes", b"file\n");
    fs::remove_file(env.path().join("modified")).unwrap();
    env.undo("commit -m three").ok();
    let git = |folder: &Path, arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder);
        let output = command.args(["-c", "user.name=t", "-c", "user.email=t@t"]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output.stdout
    };
    let twin = env.root().join("git");
    fs::create_dir(&twin).unwrap();
    git(&twin, &["init", "-q"]);
    for commit in ["@~2", "@~1", "@"] {
        for entry in fs::read_dir(&twin).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != ".git") {
            if entry.file_type().unwrap().is_dir() {
                fs::remove_dir_all(entry.path()).unwrap();
            } else {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        let exported = env.root().join(format!("export{commit}"));
        env.undo(&format!("export {commit} {}", exported.display())).ok();
        assert!(Command::new("cp").arg("-a").arg(exported.join(".")).arg(&twin).status().unwrap().success());
        git(&twin, &["add", "-A"]);
        git(&twin, &["commit", "-qm", "x"]);
    }
    for (undo, there) in
        [("@~2 @~1", ["HEAD~2", "HEAD~1"]), ("@~2 @", ["HEAD~2", "HEAD"]), ("@ @~1", ["HEAD", "HEAD~1"])]
    {
        let ours = env.undo(&format!("diff-tree -r -z --name-status {undo}")).stdout;
        let ours: BTreeSet<Vec<u8>> = statuses(&ours)
            .into_iter()
            // git does not list directories, and reports changed modes as modified.
            .filter(|line| {
                ![&b"A new/empty"[..], b"D new/empty", b"A hollow", b"D hollow", b"m same"].contains(&&line[..])
            })
            .map(|line| if line.starts_with(b"m") { [b"M", &line[1..]].concat() } else { line })
            .collect();
        let theirs = git(&twin, &["diff-tree", "-r", "-z", "--name-status", there[0], there[1]]);
        assert!(ours.len() > 1);
        assert_eq!(ours, statuses(&theirs), "{undo}");
    }
}

#[test]
fn diff_tree_matches_diff() {
    let env = TestEnv::initialised();
    kinds::everything(&env.path());
    env.undo("commit").ok();
    kinds::wreck(&env.path());
    env.undo("commit").ok();
    let listed = |line: &str| statuses(&env.undo(line).stdout);
    // Here the root has a name.
    let all = listed("diff -z --no-renames --name-status @~ @");
    let all: BTreeSet<Vec<u8>> =
        all.into_iter().map(|line| if line == b"m " { b"m .".to_vec() } else { line }).collect();
    let recursive = listed("diff-tree -r -z --name-status @~ @");
    assert!(recursive.len() > 10);
    assert_eq!(recursive.difference(&all).next(), None);
    let with_directories = listed("diff-tree -t -z --name-status @~ @");
    let paths =
        |lines: &BTreeSet<Vec<u8>>| -> BTreeSet<Vec<u8>> { lines.iter().map(|line| line[2..].to_vec()).collect() };
    assert_eq!(paths(&all).difference(&paths(&with_directories)).next(), None);
    assert_eq!(env.undo("diff-tree -r @~ @").ok().text().lines().count(), recursive.len());
}
