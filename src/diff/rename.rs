//! Finds renames: a deleted and an added path with the same or similar content.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::error::Result;
use crate::id::{BlobId, TreeId};
use crate::object::{Content, Entry};

use super::edited::{Candidate, Matcher};
use super::similarity::Fingerprint;
use super::trees::differences;
use super::{Change, ChangeCounts, Rename, Status};

pub use super::edited::Unit;

/// Maximum number of changes to keep in memory to find renames.
pub const MAX_CHANGES: usize = 100_000;

/// How to find renames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenameOptions {
    /// Minimum similarity of a renamed file that was edited, in percent.
    pub similarity: u8,
}

impl Default for RenameOptions {
    fn default() -> RenameOptions {
        RenameOptions { similarity: 50 }
    }
}

/// Content and, if it matters, name of a file.
type Key = (BlobId, Option<Vec<u8>>);

/// Makes the fingerprint of an added or deleted file. `None` if the file cannot be read within the limits.
pub type Read<'r> = dyn FnMut(&Change, Unit) -> Result<Option<Fingerprint>> + 'r;

/// Replaces each deleted and added file of the same or of similar content by a renamed file, at the new path; the same for
/// directories with the same content. Returns whether all files were compared.
///
/// Each path is in one rename at most. Pairs in renamed directories take precedence, then pairs of the same content that keep
/// the file name, then path order, then similar files. Empty files and directories are never paired. Only files that are left
/// after pairing the same content are read.
pub fn detect(
    changes: &mut Vec<Change>,
    counts: &mut ChangeCounts,
    options: RenameOptions,
    mtimes: bool,
    read: &mut Read<'_>,
) -> Result<bool> {
    let mut pairs = Pairs { of: vec![None; changes.len()] };
    pairs.add_directories(changes);
    pairs.add_equal(changes, |blob, name| (blob, Some(name.to_vec())));
    pairs.add_equal(changes, |blob, _| (blob, None));
    let is_complete = options.similarity >= 100 || pairs.add_similar(changes, options, read)?;
    pairs.merge(changes, counts, mtimes);
    Ok(is_complete)
}

/// The other path of each renamed file, and the similarity in percent.
struct Pairs {
    of: Vec<Option<(usize, u8)>>,
}

impl Pairs {
    fn add(&mut self, from: usize, to: usize, similarity: u8) {
        (self.of[to], self.of[from]) = (Some((from, similarity)), Some((to, similarity)));
    }

    /// Pairs directories with the same content, and all paths below them.
    fn add_directories(&mut self, changes: &[Change]) {
        let mut deleted: HashMap<TreeId, VecDeque<usize>> = HashMap::new();
        for (number, change) in changes.iter().enumerate().filter(|(_, change)| change.status == Status::Deleted) {
            if let Some(tree) = change.old.as_ref().and_then(filled_tree) {
                deleted.entry(tree).or_default().push_back(number);
            }
        }
        for (to, change) in changes.iter().enumerate().filter(|(_, change)| change.status == Status::Added) {
            let Some(tree) = change.new.as_ref().and_then(filled_tree).filter(|_| self.of[to].is_none()) else {
                continue;
            };
            let mut candidates =
                deleted.get_mut(&tree).into_iter().flat_map(|list| std::iter::from_fn(|| list.pop_front()));
            let Some(from) = candidates.find(|from| self.of[*from].is_none()) else { continue };
            self.add(from, to, 100);
            self.add_below(changes, from, to);
        }
    }

    /// Pairs the paths below two directories, which are the same and follow the directory.
    fn add_below(&mut self, changes: &[Change], from: usize, to: usize) {
        let below = |directory: usize, status: Status| {
            let after = changes.iter().enumerate().skip(directory + 1);
            let path = &changes[directory].path;
            after
                .take_while(move |(_, change)| change.path.is_within(path))
                .filter(move |(_, change)| change.status == status)
                .map(|(number, _)| number)
        };
        for (from, to) in below(from, Status::Deleted).zip(below(to, Status::Added)) {
            if self.of[from].is_none() && self.of[to].is_none() {
                self.add(from, to, 100);
            }
        }
    }

    /// Pairs changes that have the same key and are not paired yet.
    fn add_equal(&mut self, changes: &[Change], key: fn(BlobId, &[u8]) -> Key) {
        let mut deleted: HashMap<Key, VecDeque<usize>> = HashMap::new();
        for (number, change) in changes.iter().enumerate().filter(|(number, _)| self.of[*number].is_none()) {
            if let Some((blob, name)) = deleted_file(change) {
                deleted.entry(key(blob, name)).or_default().push_back(number);
            }
        }
        if deleted.is_empty() {
            return;
        }
        for (to, change) in changes.iter().enumerate() {
            let Some((blob, name)) = added_file(change).filter(|_| self.of[to].is_none()) else { continue };
            let Some(from) = deleted.get_mut(&key(blob, name)).and_then(VecDeque::pop_front) else { continue };
            self.add(from, to, 100);
        }
    }

    /// Pairs files that are not paired yet and are similar. Returns whether all were compared.
    fn add_similar(&mut self, changes: &[Change], options: RenameOptions, read: &mut Read<'_>) -> Result<bool> {
        let candidates = |file: fn(&Change) -> Option<&Entry>| -> Vec<Candidate<'_>> {
            let unpaired = changes.iter().enumerate().filter(|(number, _)| self.of[*number].is_none());
            let files = unpaired.filter_map(|(number, change)| Some((number, file(change)?)));
            files.map(|(number, entry)| Candidate { number, name: &entry.name, size: entry.size() }).collect()
        };
        let deleted = candidates(|change| change.old.as_ref().filter(|entry| is_file(change, Status::Deleted, entry)));
        let added = candidates(|change| change.new.as_ref().filter(|entry| is_file(change, Status::Added, entry)));
        if deleted.is_empty() || added.is_empty() {
            return Ok(true);
        }
        let mut read = |number: usize, unit| read(&changes[number], unit);
        let mut matcher = Matcher::new(options.similarity, &mut read);
        for (from, to, similarity) in matcher.run(deleted, added)? {
            self.add(from, to, similarity);
        }
        Ok(!matcher.is_incomplete)
    }

    /// Turns each pair into one change.
    fn merge(&self, changes: &mut Vec<Change>, counts: &mut ChangeCounts, mtimes: bool) {
        self.mark_directories(changes);
        for (to, from) in self.of.iter().copied().enumerate() {
            let Some((from, similarity)) = from.filter(|_| changes[to].status == Status::Added) else { continue };
            let (path, old) = (changes[from].path.clone(), changes[from].old.take());
            let change = &mut changes[to];
            if let (Some(old), Some(new)) = (&old, &change.new) {
                change.what = differences(old, new, mtimes);
            }
            (change.status, change.old) = (Status::Renamed, old);
            change.renamed = Some(Rename { from: path, similarity });
            counts.merge();
        }
        let mut pairs = self.of.iter();
        changes.retain(|change| pairs.next().is_none_or(Option::is_none) || change.status == Status::Renamed);
    }
}

impl Pairs {
    /// Marks the added and deleted directories above paths that are part of a rename.
    fn mark_directories(&self, changes: &mut [Change]) {
        let mut above = HashSet::new();
        for (change, _) in changes.iter().zip(&self.of).filter(|(_, pair)| pair.is_some()) {
            let mut path = change.path.parent();
            while let Some(parent) = path.filter(|parent| !above.contains(*parent)) {
                above.insert(parent.to_owned());
                path = parent.parent();
            }
        }
        changes.iter_mut().for_each(|change| change.has_renames = above.contains(&change.path));
    }
}

fn is_file(change: &Change, status: Status, entry: &Entry) -> bool {
    change.status == status && matches!(entry.content, Content::File { size, .. } if size > 0)
}

fn filled_tree(entry: &Entry) -> Option<TreeId> {
    match entry.content {
        Content::Directory { tree, entries, .. } if entries > 0 => Some(tree),
        _ => None,
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
        Change { path, status, old, new, what: What::default(), renamed: None, has_renames: false }
    }

    /// Returns the renames as `old>new`, and checks that nothing else is missing.
    fn renames(texts: &[&str]) -> Vec<String> {
        let mut changes: Vec<_> = texts.iter().map(|text| change(text)).collect();
        let mut counts = ChangeCounts::default();
        changes.iter().for_each(|change| counts.add(change.status));
        // The contents are unknown: only equal ones are found.
        let mut read = |_: &Change, _| Ok(None);
        detect(&mut changes, &mut counts, RenameOptions::default(), false, &mut read).unwrap();
        let mut expected = ChangeCounts::default();
        changes.iter().for_each(|change| expected.add(change.status));
        assert_eq!(
            (counts, 2 * counts.renamed as usize + changes.len()),
            (expected, texts.len() + counts.renamed as usize)
        );
        let names = changes.iter().filter_map(|change| Some((change.renamed.as_ref()?, &change.path)));
        names.map(|(old, new)| format!("{}>{}", old.from.display(), new.display())).collect()
    }

    #[test]
    fn prefers_the_same_name_then_path_order() {
        assert_eq!(renames(&["-a/x=1", "-a/y=1", "+b/y=1", "+b/z=1"]), ["a/y>b/y", "a/x>b/z"]);
        assert_eq!(renames(&["+a=1", "+b=1", "-c=1", "-d=1"]), ["c>a", "d>b"]);
    }

    #[test]
    fn pairs_each_path_at_most_once() {
        assert_eq!(renames(&["-a=1", "+b=1", "+c=1"]), ["a>b"]);
        assert_eq!(renames(&["+a=1", "-b/a=1", "-c/a=1"]), ["b/a>a"]);
    }

    #[test]
    fn does_not_pair_empty_or_different_files() {
        assert!(renames(&["-a=0", "+b=0", "-c=1", "+d=2"]).is_empty());
    }
}
