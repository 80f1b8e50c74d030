//! Differential tests of patches: `git apply` and `patch` give the content that `undo` compared.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::env::TestEnv;
use crate::random::Random;
use crate::skip::skip;

/// Names that git quotes, or that confuse parsers of patches.
const NAMES: [&[u8]; 24] = [
    b"a",
    b"b",
    b"c.txt",
    b"with space",
    b"trailing ",
    b" leading",
    b"two  spaces b/two",
    "ünïcode ☃".as_bytes(),
    b"new\nline",
    b"quo\"te",
    b"back\\slash",
    b"tab\there",
    b"\xff\xfe",
    "bidi\u{202e}txt".as_bytes(),
    "c1\u{9b}31m".as_bytes(),
    b"esc\x1b[31m",
    b"-dash",
    b"a b",
    b"@@ -1 +1 @@",
    b"=>",
    b"{x,y}",
    b"del\x7f",
    b"cr\r",
    b"dev null",
];

/// What git records of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    File { bytes: Vec<u8>, executable: bool },
    Link(Vec<u8>),
}

type Tree = BTreeMap<Vec<u8>, Node>;

/// Reads what git would record of a directory.
fn read(root: &Path) -> Tree {
    fn visit(directory: &Path, prefix: &[u8], tree: &mut Tree) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = [prefix, path.file_name().unwrap().as_bytes()].concat();
            let stat = fs::symlink_metadata(&path).unwrap();
            if stat.is_dir() {
                if !name.starts_with(b".undo") && name != b".git" {
                    visit(&path, &[&name, &b"/"[..]].concat(), tree);
                }
            } else if stat.is_symlink() {
                tree.insert(name, Node::Link(fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()));
            } else {
                let executable = stat.mode() & 0o100 != 0;
                tree.insert(name, Node::File { bytes: fs::read(&path).unwrap(), executable });
            }
        }
    }
    let mut tree = Tree::new();
    visit(root, b"", &mut tree);
    tree
}

/// Replaces the content of a directory.
fn write(root: &Path, tree: &Tree) {
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == ".undo") {
            continue;
        }
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    for (name, node) in tree {
        let path = root.join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match node {
            Node::Link(target) => symlink(std::ffi::OsStr::from_bytes(target), path).unwrap(),
            Node::File { bytes, executable } => {
                fs::write(&path, bytes).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

/// Which trees to make.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Everything that git records.
    All,
    /// What `patch` can apply: files of text with plain names.
    Text,
}

struct Trees {
    random: Random,
    sort: Sort,
}

impl Trees {
    fn text(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        for _ in 0..self.random.below(30) {
            let line = self.random.of(&[
                "one",
                "two",
                "three",
                "",
                " ",
                "--- a",
                "+++ b",
                "@@ -1 +1 @@",
                "caf\u{e9}",
                "crlf\r",
            ]);
            text.extend_from_slice(format!("{line} {}\n", self.random.below(20)).as_bytes());
        }
        if self.sort == Sort::All && self.random.below(4) == 0 {
            text.pop();
        }
        text
    }

    fn node(&mut self) -> Node {
        let executable = self.random.below(4) == 0;
        match (self.sort, self.random.below(8)) {
            (Sort::All, 0) => Node::Link(self.random.of(&["a", "../x", "nowhere\nat all", "with space"]).into()),
            (Sort::All, 1) => Node::File { bytes: Vec::new(), executable },
            (Sort::All, 2 | 3) => {
                let mut bytes = self.random.bytes();
                bytes.push(0);
                bytes.rotate_right(1);
                Node::File { bytes, executable }
            }
            _ => Node::File { bytes: self.text(), executable: executable && self.sort == Sort::All },
        }
    }

    fn name(&mut self) -> Vec<u8> {
        let names = if self.sort == Sort::All { NAMES.len() } else { 3 };
        let mut path = Vec::new();
        for _ in 0..self.random.below(3) {
            // `patch` cannot replace a file by a directory.
            path.extend_from_slice(if self.sort == Sort::All { NAMES[self.random.below(names)] } else { b"d" });
            path.push(b'/');
        }
        path.extend_from_slice(NAMES[self.random.below(names)]);
        path
    }

    /// Adds a path, and removes what cannot exist beside it.
    fn insert(tree: &mut Tree, name: Vec<u8>, node: Node) {
        let prefix = [&name, &b"/"[..]].concat();
        tree.retain(|other, _| !other.starts_with(&prefix) && !name.starts_with(&[other, &b"/"[..]].concat()));
        tree.insert(name, node);
    }

    fn tree(&mut self) -> Tree {
        let mut tree = Tree::new();
        for _ in 0..self.random.below(12) {
            let (name, node) = (self.name(), self.node());
            Self::insert(&mut tree, name, node);
        }
        tree
    }

    fn edited(&mut self, node: &Node) -> Node {
        match node.clone() {
            Node::File { mut bytes, executable } if !bytes.is_empty() => {
                if self.random.below(2) == 0 {
                    return Node::File { bytes, executable: !executable && self.sort == Sort::All };
                }
                let at = self.random.below(bytes.len());
                let insert = self.random.of(&["x", "\n", "new line\n", "\r\n"]);
                bytes.splice(at..at, insert.bytes());
                if self.sort == Sort::Text && bytes.last() != Some(&b'\n') {
                    bytes.push(b'\n');
                }
                Node::File { bytes, executable }
            }
            _ => self.node(),
        }
    }

    /// Changes some paths of a tree.
    fn changed(&mut self, tree: &Tree) -> Tree {
        let mut new = tree.clone();
        for _ in 0..self.random.below(8) {
            let names: Vec<Vec<u8>> = new.keys().cloned().collect();
            if names.is_empty() || self.random.below(4) == 0 {
                let (name, node) = (self.name(), self.node());
                Self::insert(&mut new, name, node);
                continue;
            }
            let name = names[self.random.below(names.len())].clone();
            let Some(node) = new.get(&name).cloned() else { continue };
            match self.random.below(5) {
                0 => drop(new.remove(&name)),
                1 => drop(new.insert(name, self.edited(&node))),
                2 => drop(new.insert(name, self.node())),
                // A rename, with or without an edit.
                _ => {
                    new.remove(&name);
                    let node = if self.random.below(2) == 0 { node } else { self.edited(&node) };
                    Self::insert(&mut new, self.name(), node);
                }
            }
        }
        new
    }
}

/// Runs a program in a directory with a patch on its stdin.
fn apply(program: &[&str], directory: &Path, patch: &[u8]) -> Result<(), String> {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).current_dir(directory).env("GIT_CEILING_DIRECTORIES", "/").env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that fails early does not read everything.
    let _ = child.stdin.take().unwrap().write_all(patch);
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()),
    }
}

fn check(sort: Sort, diff: &str, program: &[&str], rounds: u64) {
    if Command::new(program[0]).arg("--version").output().is_err() {
        return skip(format_args!("{} is not installed", program[0]));
    }
    let env = TestEnv::initialised();
    for round in 0..rounds {
        let mut trees = Trees { random: Random::new(round + 1), sort };
        let old = trees.tree();
        let new = if round % 5 == 0 { trees.tree() } else { trees.changed(&old) };
        write(&env.path(), &old);
        env.undo("commit -qm old").ok();
        let copy = env.root().join(format!("copy{round}"));
        env.undo(&format!("export -q @ {}", copy.display())).ok();
        write(&env.path(), &new);
        let is_recorded = round % 2 == 0;
        if is_recorded {
            env.undo("tag old").ok();
            env.undo("commit -qm new").ok();
        }
        let patch = env.undo(&format!("{diff} {}", if is_recorded { "old @" } else { "@" })).ok().stdout;
        if is_recorded {
            env.undo("tag -d old").ok();
        }
        let shown = || format!("round {round}\n{old:?}\n{new:?}\n{}", String::from_utf8_lossy(&patch));
        if !patch.is_empty() && patch.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"diff --git")) {
            apply(program, &copy, &patch).unwrap_or_else(|error| panic!("{error}\n{}", shown()));
        }
        assert_eq!(read(&copy), new, "{}", shown());
        fs::remove_dir_all(copy).unwrap();
    }
}

#[test]
fn git_apply_accepts_patches_of_random_trees() {
    check(Sort::All, "diff -p --binary", &["git", "apply", "--whitespace=nowarn"], 200);
}

#[test]
fn patch_accepts_patches_of_random_texts() {
    check(Sort::Text, "diff -p", &["patch", "-p1", "-s"], 60);
}
