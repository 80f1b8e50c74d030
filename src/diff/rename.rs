//! Finds renames: a deleted and an added path with the same content.

use std::collections::{HashMap, VecDeque};

use crate::id::BlobId;
use crate::object::{Content, Entry};

use super::{Change, Status};

/// Content and, if it matters, name of a file.
type Key = (BlobId, Option<Vec<u8>>);

/// Pairs deleted and added files of the same content and sets `renamed` on both.
///
/// Each path is in one pair at most. Pairs that keep the file name take precedence, then path order. Empty files are never
/// paired. Takes time and memory in proportion to the number of changes.
pub fn detect(changes: &mut [Change]) {
    pair(changes, |blob, name| (blob, Some(name.to_vec())));
    pair(changes, |blob, _| (blob, None));
}

/// Pairs changes that have the same key and are not paired yet.
fn pair(changes: &mut [Change], key: fn(BlobId, &[u8]) -> Key) {
    let mut deleted: HashMap<Key, VecDeque<usize>> = HashMap::new();
    for (number, change) in changes.iter().enumerate().filter(|(_, change)| change.renamed.is_none()) {
        if let Some((blob, name)) = deleted_file(change) {
            deleted.entry(key(blob, name)).or_default().push_back(number);
        }
    }
    if deleted.is_empty() {
        return;
    }
    for to in 0..changes.len() {
        let Some((blob, name)) = added_file(&changes[to]).filter(|_| changes[to].renamed.is_none()) else { continue };
        let Some(from) = deleted.get_mut(&key(blob, name)).and_then(VecDeque::pop_front) else { continue };
        changes[to].renamed = Some(changes[from].path.clone());
        changes[from].renamed = Some(changes[to].path.clone());
    }
}

/// Content and name of a deleted file.
fn deleted_file(change: &Change) -> Option<(BlobId, &[u8])> {
    (change.status == Status::Deleted).then(|| change.old.as_ref().and_then(content)).flatten()
}

/// Content and name of an added file.
fn added_file(change: &Change) -> Option<(BlobId, &[u8])> {
    (change.status == Status::Added).then(|| change.new.as_ref().and_then(content)).flatten()
}

fn content(entry: &Entry) -> Option<(BlobId, &[u8])> {
    match entry.content {
        Content::File { blob, size } if size > 0 => Some((blob, &entry.name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::What;
    use crate::metadata::Metadata;
    use crate::path::RepoPathBuf;

    fn path(text: &str) -> RepoPathBuf {
        RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
    }

    /// Parses `+path=n` or `-path=n`: a file with content `n`; 0 is the empty file.
    fn change(text: &str) -> Change {
        let (place, content) = text[1..].split_once('=').unwrap();
        let path = path(place);
        let size: u64 = content.parse().unwrap();
        let content = Content::File { blob: BlobId([size as u8; 32]), size };
        let name = path.name().unwrap().to_vec();
        let entry = Some(Entry { name, metadata: Metadata::default(), attributes: None, content });
        let (status, old, new) = match &text[..1] {
            "+" => (Status::Added, None, entry),
            _ => (Status::Deleted, entry, None),
        };
        Change { path, status, old, new, what: What::default(), renamed: None }
    }

    /// Returns the other path of each change, or an empty string for a change that is not a rename.
    fn pairs(texts: &[&str]) -> Vec<String> {
        let mut changes: Vec<_> = texts.iter().map(|text| change(text)).collect();
        detect(&mut changes);
        changes
            .iter()
            .map(|change| change.renamed.as_ref().map_or_else(String::new, |path| path.display().into()))
            .collect()
    }

    #[test]
    fn prefers_the_same_name_then_path_order() {
        assert_eq!(pairs(&["-a/x=1", "-a/y=1", "+b/y=1", "+b/z=1"]), ["b/z", "b/y", "a/y", "a/x"]);
        assert_eq!(pairs(&["+a=1", "+b=1", "-c=1", "-d=1"]), ["c", "d", "a", "b"]);
    }

    #[test]
    fn pairs_each_path_at_most_once() {
        assert_eq!(pairs(&["-a=1", "+b=1", "+c=1"]), ["b", "a", ""]);
        assert_eq!(pairs(&["+a=1", "-b/a=1", "-c/a=1"]), ["b/a", "a", ""]);
    }

    #[test]
    fn does_not_pair_empty_or_different_files() {
        assert_eq!(pairs(&["-a=0", "+b=0", "-c=1", "+d=2"]), ["", "", "", ""]);
    }
}
