//! Steps of a plan: encoding, order and lookup of directories.

use super::*;
use crate::id::{BlobId, TreeId};
use crate::metadata::Metadata;
use crate::object::Content;

fn path(text: &str) -> RepoPathBuf {
    RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
}

fn entry(path: &RepoPath, content: Content) -> Entry {
    let name = path.name().unwrap_or_default().to_vec();
    Entry { name, metadata: Metadata { mode: 0o644, ..Metadata::default() }, attributes: None, content }
}

fn file(path: &RepoPath) -> Entry {
    entry(path, Content::File { blob: BlobId([7; 32]), size: 5 })
}

fn directory(path: &RepoPath) -> Entry {
    entry(path, Content::Directory { tree: TreeId([1; 32]), entries: 1, size: 5 })
}

const PATHS: [&str; 9] = ["", "a", "a/b", "a/b/c/d/e", "a/b/f", "a-", "a.txt", "b/c/d", "e"];

fn plan() -> Plan {
    let mut plan = Plan::default();
    for text in PATHS {
        let path = path(text);
        let entry = match text {
            "e" => None,
            "" | "a" | "a/b" => Some(directory(&path)),
            _ => Some(file(&path)),
        };
        plan.push(&path, if entry.is_some() { Verdict::Create } else { Verdict::Remove }, entry.as_ref());
    }
    plan
}

#[test]
fn steps_are_found_by_path_and_decoded() {
    let mut plan = plan();
    plan.set_link(4, &path("a.txt"));
    for (n, text) in PATHS.iter().enumerate() {
        let path = path(text);
        assert_eq!((plan.find(&path), &plan.path(n)), (Some(n), &path));
        let expected = match n {
            4 | 8 => None,
            0..=2 => Some(directory(&path)),
            _ => Some(file(&path)),
        };
        assert_eq!(plan.entry(n), expected, "{text}");
        assert_eq!(plan.kind(n), expected.map(|entry| entry.kind()));
    }
    assert_eq!((plan.verdict(4), plan.linked_to(4)), (Verdict::Link, Some(path("a.txt"))));
    for text in ["0", "a/a", "a/b/c", "b", "b/c/e", "f"] {
        assert_eq!(plan.find(&path(text)), None, "{text}");
    }
}

#[test]
fn parent_directories_come_from_steps_or_lookup() {
    let mut plan = plan();
    plan.set_verdict(7, Verdict::Keep);
    let mut asked = Vec::new();
    let look_up = |_: &Entry, name: &[u8]| {
        asked.push(String::from_utf8_lossy(name).into_owned());
        // A file in the target is not a directory.
        Ok(Some(if name == b"d" { file(&path("d")) } else { directory(&path("c")) }))
    };
    plan.look_up_directories(&directory(RepoPath::root()), look_up).unwrap();
    assert_eq!(asked, ["c", "d"]);
    let known: Vec<_> =
        plan.directories().map(|(path, entry)| (path.display().into_owned(), entry.is_some())).collect();
    let expected =
        [("", true), ("a", true), ("a/b", true), ("a/b/c", true), ("a/b/c/d", false), ("b", false), ("b/c", false)];
    assert_eq!(known, expected.map(|(path, known)| (path.to_owned(), known)));
    assert_eq!(plan.directory_entry(&path("a/b/c")), Some(directory(&path("c"))));
    assert_eq!(plan.directory_entry(&path("a/c")), None);
}

#[test]
fn plan_stores_entries_of_every_length() {
    let mut plan = Plan::default();
    let link = |n: usize| Content::Symlink { target: vec![n as u8; [0, 1, 100, 5000, (1 << 20) + 1][n % 5]] };
    let paths: Vec<RepoPathBuf> = (0..200).map(|n| path(&format!("{n:03}"))).collect();
    for (n, path) in paths.iter().enumerate() {
        plan.push(path, Verdict::Create, Some(&entry(path, link(n))));
    }
    for (n, path) in paths.iter().enumerate() {
        assert!(plan.entry(n) == Some(entry(path, link(n))), "{n}");
    }
}
