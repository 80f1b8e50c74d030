//! Collects the changes between two states that could be an accident. Reads no file and keeps a bounded number of contents,
//! extensions and examples.

use std::collections::HashMap;

use super::moved::{Moved, Removal};
use super::sample::Sample;
use super::{file_types, names};
use crate::id::BlobId;
use crate::object::{Content, Entry};
use crate::path::{RepoPath, RepoPathBuf};

/// Maximum number of extensions and of suffixes to count. All others count as one.
const MAX_GROUPS: usize = 512;

/// The collected changes. They must be added in path order.
#[derive(Debug, Default)]
pub struct Watch {
    /// Deleted files and their contents.
    deleted: Sample<(RepoPathBuf, BlobId)>,
    /// Emptied files and their former contents.
    emptied: Sample<(RepoPathBuf, BlobId)>,
    /// Content of deleted and emptied files that appears at other paths.
    moved: Moved,
    /// Files with new content.
    pub(super) replaced: Sample<ReplacedFile>,
    /// Files that were replaced by a file with new content and a longer name, by the suffix of the name.
    pub(super) renamed: HashMap<Vec<u8>, Sample<ReplacedFile>>,
    /// Number of deleted minus number of added files, by the family of their extension.
    balance: HashMap<Vec<u8>, i64>,
    /// Worktrees that git has moved to another commit. git keeps the files that it deletes.
    moved_by_git: Vec<RepoPathBuf>,
    /// Removed files that a file with a longer name may still succeed. Each path is a prefix of the next.
    pending: Vec<Pending>,
    /// The last added file, until a following file with a longer name is deleted: it was decompressed or decrypted.
    added: Option<RepoPathBuf>,
}

/// A file whose content was replaced.
#[derive(Clone, Debug)]
pub(super) struct ReplacedFile {
    pub path: RepoPathBuf,
    pub old: BlobId,
    pub new: BlobId,
    /// Extension of the old name in lower case.
    pub extension: Vec<u8>,
}

/// A removed file that may still have a successor.
#[derive(Debug)]
struct Pending {
    path: RepoPathBuf,
    blob: BlobId,
    removal: Removal,
    has_successor: bool,
}

impl Watch {
    /// Adds a path that differs, with its old and its new entry.
    pub fn add(&mut self, path: &RepoPath, old: Option<&Entry>, new: Option<&Entry>) {
        let is_prefix = |pending: &Pending| path.as_bytes().starts_with(pending.path.as_bytes());
        self.settle(self.pending.iter().take_while(|pending| is_prefix(pending)).count());
        let (before, after) = (content(old), content(new));
        if before == after {
            return;
        }
        if let (Some(_), Some(_), Some(root)) = (before, after, names::moved_by_git(path)) {
            self.moved_by_git.push(root);
        }
        if names::is_generated(path) {
            return;
        }
        match (before, after) {
            (Some(old), Some(new)) => {
                self.gain(path, new, false);
                self.replaced.offer(|| ReplacedFile::new(path, path, old, new));
            }
            (None, Some(new)) => self.gain(path, new, true),
            (Some(_), None) if self.added.take_if(|added| names::suffix(added, path).is_some()).is_some() => {
                // The added file may have another extension, so the balance must count the deletion.
                self.count(path, 1);
            }
            (Some(blob), None) if !self.moved_by_git.iter().any(|root| path.is_within(root)) => {
                let removal = if new.and_then(file).is_none() { Removal::Deleted } else { Removal::Emptied };
                self.pending.push(Pending { path: path.to_owned(), blob, removal, has_successor: false });
            }
            _ => {}
        }
    }

    /// Must be called after the last change.
    pub(super) fn finish(&mut self) {
        self.settle(0);
    }

    /// Number of deleted files, without those whose content moved, and at most the surplus of deletions by extension.
    pub(super) fn lost(&self) -> u64 {
        let surplus: i64 = self.balance.values().filter(|balance| **balance > 0).sum();
        let deleted = self.deleted.offered();
        (deleted - self.moved.estimate(deleted, Removal::Deleted)).min(surplus as u64)
    }

    /// Number of emptied files, without those whose content moved.
    pub(super) fn emptied(&self) -> u64 {
        self.emptied.offered() - self.moved.estimate(self.emptied.offered(), Removal::Emptied)
    }

    /// Examples of lost files.
    pub(super) fn lost_paths(&self) -> Vec<RepoPathBuf> {
        let family = |path: &RepoPath| file_types::family(&names::extension(path)).to_vec();
        let has_surplus = |path: &RepoPath| self.balance.get(&family(path)).is_none_or(|balance| *balance > 0);
        self.unmoved_paths(&self.deleted).filter(|path| has_surplus(path)).cloned().collect()
    }

    /// Examples of emptied files.
    pub(super) fn emptied_paths(&self) -> Vec<RepoPathBuf> {
        self.unmoved_paths(&self.emptied).cloned().collect()
    }

    fn unmoved_paths<'w>(&'w self, files: &'w Sample<(RepoPathBuf, BlobId)>) -> impl Iterator<Item = &'w RepoPathBuf> {
        files.kept().iter().filter(|(_, blob)| !self.moved.is_gained(*blob)).map(|(path, _)| path)
    }

    /// Counts the pending files after the first `keep`, which can no longer have a successor.
    fn settle(&mut self, keep: usize) {
        for Pending { path, blob, removal, has_successor } in self.pending.split_off(keep) {
            if has_successor {
                continue;
            }
            self.moved.lose(blob, removal);
            match removal {
                Removal::Deleted => {
                    self.count(&path, 1);
                    self.deleted.offer(|| (path, blob));
                }
                Removal::Emptied => self.emptied.offer(|| (path, blob)),
            }
        }
    }

    /// A path gained content. It may be the successor of a pending file.
    fn gain(&mut self, path: &RepoPath, blob: BlobId, is_added: bool) {
        self.moved.gain(blob);
        let is_successor = |it: &&mut Pending| !it.has_successor && names::suffix(&it.path, path).is_some();
        match self.pending.last_mut().filter(is_successor) {
            Some(pending) => {
                pending.has_successor = true;
                let file = ReplacedFile::new(&pending.path, path, pending.blob, blob);
                let suffix = names::common_end(names::suffix(&pending.path, path).unwrap_or_default());
                if is_added && file.old != file.new {
                    group(&mut self.renamed, suffix).offer(|| file);
                }
            }
            None if is_added => {
                self.count(path, -1);
                self.added = Some(path.to_owned());
            }
            None => {}
        }
    }

    fn count(&mut self, path: &RepoPath, step: i64) {
        *group(&mut self.balance, file_types::family(&names::extension(path))) += step;
    }
}

impl ReplacedFile {
    fn new(old_path: &RepoPath, path: &RepoPath, old: BlobId, new: BlobId) -> ReplacedFile {
        ReplacedFile { path: path.to_owned(), old, new, extension: names::extension(old_path) }
    }
}

/// The value of a key; if there are too many keys, the value that all other keys share.
fn group<'g, T: Default>(groups: &'g mut HashMap<Vec<u8>, T>, key: &[u8]) -> &'g mut T {
    let is_counted = groups.len() < MAX_GROUPS || groups.contains_key(key);
    groups.entry(if is_counted { key.to_vec() } else { Vec::new() }).or_default()
}

/// The content of a file that is not empty.
fn content(entry: Option<&Entry>) -> Option<BlobId> {
    entry.and_then(file).filter(|(_, size)| *size > 0).map(|(blob, _)| blob)
}

fn file(entry: &Entry) -> Option<(BlobId, u64)> {
    match entry.content {
        Content::File { blob, size } => Some((blob, size)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Metadata;

    /// Adds changes in path order: `-path 1` is deleted, `+path 1` added, `path 1 2` changed; contents are numbers, 0 is empty.
    fn watched(lines: &[&str]) -> Watch {
        let mut watch = Watch::default();
        for line in lines {
            let words: Vec<&str> = line[usize::from(line.starts_with(['-', '+']))..].split(' ').collect();
            let entry = |word: &str| {
                let size: u64 = word.parse().unwrap();
                let content = Content::File { blob: BlobId([size as u8; 32]), size };
                Entry { name: b"x".to_vec(), metadata: Metadata::default(), attributes: None, content }
            };
            let (old, new) = match &line[..1] {
                "-" => (Some(entry(words[1])), None),
                "+" => (None, Some(entry(words[1]))),
                _ => (Some(entry(words[1])), Some(entry(words[2]))),
            };
            let path = RepoPathBuf::new(words[0].as_bytes().to_vec()).unwrap();
            watch.add(&path, old.as_ref(), new.as_ref());
        }
        watch.finish();
        watch
    }

    #[test]
    fn counts_lost_emptied_and_replaced_files() {
        let watch = watched(&["-a.doc 1", "-b.doc 2", "-c.doc 0", "d.doc 3 0", "e.doc 4 5"]);
        assert_eq!((watch.lost(), watch.emptied(), watch.replaced.offered()), (2, 1, 1));
        assert_eq!(watch.lost_paths().len(), 2);
    }

    #[test]
    fn moved_and_replaced_files_are_not_lost() {
        for lines in [
            // Moved, and moved under another extension.
            &["-a.doc 1", "+b/a.doc 1"][..],
            &["-a.doc 1", "+b.txt 1"],
            // Replaced by a file of the same family, in any order.
            &["+a.doc 1", "-b.doc 2"],
            &["-a.png 1", "+b.webp 2"],
            // Replaced by a successor, with other files between.
            &["-a.log 1", "+a.log.0 2", "-a.log.1 3", "a.log.1.gz 4 5"],
            // Decompressed.
            &["+a.log 1", "-a.log.gz 2"],
            // Generated files, and files that git keeps.
            &["-.git/objects/3f/a 1", "-target/debug/a 2", "-x/main.o 3"],
            &["r/.git/HEAD 1 2", "-r/a.doc 3", "-r/b/c.doc 4"],
        ] {
            assert_eq!((watched(lines).lost(), watched(lines).emptied()), (0, 0), "{lines:?}");
        }
    }

    #[test]
    fn one_file_makes_up_for_one() {
        for (lines, expected) in [
            (&["-a.doc 1", "-b.doc 1", "+c.doc 1"][..], 1),
            (&["-a.doc 1", "-b.doc 2", "+c.xyz 3"], 2),
            (&["-a.log 1", "-a.log.0 2", "+a.log.1 3"], 1),
            (&["+a 1", "-a.gz 2", "-a.xz 3"], 1),
            (&["-a.doc 1", "+a.docs 2"], 1),
            (&["r/.git/index 1 2", "-r/a.doc 3"], 1),
            (&["r/.git/HEAD 1 2", "-s/a.doc 3"], 1),
        ] {
            assert_eq!(watched(lines).lost(), expected, "{lines:?}");
        }
    }

    #[test]
    fn rotated_logs_are_not_emptied() {
        let watch = watched(&["a.log 1 0", "+a.log.1 1", "b.log 2 0", "+b.log-0105.gz 9", "c.log 3 0"]);
        assert_eq!((watch.lost(), watch.emptied()), (0, 1));
        assert_eq!(watch.emptied_paths().len(), 1);
    }

    #[test]
    fn counts_replaced_files_by_suffix() {
        let watch =
            watched(&["-a.doc 1", "+a.doc.[3F].locked 2", "-b.txt 3", "+b.txt.[4A].locked 4", "-c 5", "+c.bak 5"]);
        let ends: Vec<_> = watch.renamed.iter().map(|(end, files)| (end.as_slice(), files.offered())).collect();
        assert_eq!(ends, [(&b".locked"[..], 2)]);
        assert_eq!(watch.lost(), 0);
    }
}
