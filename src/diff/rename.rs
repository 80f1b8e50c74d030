//! Renames: a deleted and an added path with one content.

use std::collections::{HashMap, VecDeque};

use crate::id::BlobId;
use crate::object::{Content, Entry};

use super::{Change, Status};

/// Deleted files that no added one was found for: numbers of changes, in path order.
type Waiting<K> = HashMap<K, VecDeque<usize>>;

/// Pairs deleted and added files of one content and sets `renamed` on both.
///
/// Each is in one pair at most. Those that keep their name go first, then in path order; empty files are never paired.
/// Takes time and memory in proportion to the number of changes.
pub fn detect(changes: &mut [Change]) {
    let mut by_name: Waiting<(BlobId, Vec<u8>)> = HashMap::new();
    for (number, change) in changes.iter().enumerate() {
        if let Some((blob, name)) = gone(change) {
            by_name.entry((blob, name.to_vec())).or_default().push_back(number);
        }
    }
    if by_name.is_empty() {
        return;
    }
    for number in 0..changes.len() {
        let Some((blob, name)) = come(&changes[number]) else { continue };
        let from = by_name.get_mut(&(blob, name.to_vec())).and_then(VecDeque::pop_front);
        pair(changes, from, number);
    }
    let mut by_content: Waiting<BlobId> = HashMap::new();
    for (number, change) in changes.iter().enumerate() {
        if let (Some((blob, _)), None) = (gone(change), &change.renamed) {
            by_content.entry(blob).or_default().push_back(number);
        }
    }
    for number in 0..changes.len() {
        let (Some((blob, _)), None) = (come(&changes[number]), &changes[number].renamed) else { continue };
        let from = by_content.get_mut(&blob).and_then(VecDeque::pop_front);
        pair(changes, from, number);
    }
}

fn pair(changes: &mut [Change], from: Option<usize>, to: usize) {
    let Some(from) = from else { return };
    changes[to].renamed = Some(changes[from].path.clone());
    changes[from].renamed = Some(changes[to].path.clone());
}

/// Content and name of a deleted file.
fn gone(change: &Change) -> Option<(BlobId, &[u8])> {
    (change.status == Status::Deleted).then(|| change.old.as_ref().and_then(content)).flatten()
}

/// Content and name of an added file.
fn come(change: &Change) -> Option<(BlobId, &[u8])> {
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

    /// `+path=n` or `-path=n`: a file of content `n`, 0 for the empty one.
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

    /// The other path of each change, empty for none.
    fn pairs(texts: &[&str]) -> Vec<String> {
        let mut changes: Vec<_> = texts.iter().map(|text| change(text)).collect();
        detect(&mut changes);
        changes
            .iter()
            .map(|change| change.renamed.as_ref().map_or_else(String::new, |path| path.display().into()))
            .collect()
    }

    #[test]
    fn the_same_name_goes_first_then_path_order() {
        assert_eq!(pairs(&["-a/x=1", "-a/y=1", "+b/y=1", "+b/z=1"]), ["b/z", "b/y", "a/y", "a/x"]);
        assert_eq!(pairs(&["+a=1", "+b=1", "-c=1", "-d=1"]), ["c", "d", "a", "b"]);
    }

    #[test]
    fn each_is_in_one_pair_at_most() {
        assert_eq!(pairs(&["-a=1", "+b=1", "+c=1"]), ["b", "a", ""]);
        assert_eq!(pairs(&["+a=1", "-b/a=1", "-c/a=1"]), ["b/a", "a", ""]);
    }

    #[test]
    fn empty_and_different_files_are_not_paired() {
        assert_eq!(pairs(&["-a=0", "+b=0", "-c=1", "+d=2"]), ["", "", "", ""]);
    }
}
