//! Watches the changes between two states go by, and counts what could be an accident. It reads no file, and keeps little:
//! a bounded number of contents, extensions and examples.

use std::collections::HashMap;

use super::moved::{Moved, Way};
use super::sample::Sample;
use super::{file_types, names};
use crate::id::BlobId;
use crate::object::{Content, Entry};
use crate::path::{RepoPath, RepoPathBuf};

/// Extensions and suffixes that are told apart; the rest counts as one.
const MOST_KINDS: usize = 512;

/// What was seen. Changes are shown to it in path order.
#[derive(Debug, Default)]
pub struct Watch {
    pub(super) deleted: Gone,
    pub(super) emptied: Gone,
    /// Where the content of both came again.
    moved: Moved,
    /// Files with another content.
    pub(super) changed: Sample<Replaced>,
    /// By what was added to the name: files that went and came back, with another content, under a longer name.
    pub(super) renamed: HashMap<Vec<u8>, Sample<Replaced>>,
    /// Files that went less those that came, by extension or what it is one of: below zero, more came.
    balance: HashMap<Vec<u8>, i64>,
    /// Worktrees that git has taken to another commit. It keeps what it removed.
    moved_by_git: Vec<RepoPathBuf>,
    /// Files that went and whose names what follows may begin with, each the beginning of the next one.
    awaiting: Vec<Awaiting>,
    /// The last file that came, until what follows went under a longer name: it was decompressed, or decrypted.
    arrived: Option<RepoPathBuf>,
}

/// Files whose content went from their path.
#[derive(Debug, Default)]
pub(super) struct Gone {
    pub count: u64,
    pub examples: Sample<(RepoPathBuf, BlobId)>,
}

/// A file that had a content and has another one.
#[derive(Clone, Debug)]
pub(super) struct Replaced {
    pub path: RepoPathBuf,
    pub old: BlobId,
    pub new: BlobId,
    /// Of the name before, in small letters.
    pub extension: Vec<u8>,
}

/// A file that went, until it is clear whether a successor comes.
#[derive(Debug)]
struct Awaiting {
    path: RepoPathBuf,
    blob: BlobId,
    is_deleted: bool,
    has_successor: bool,
}

impl Watch {
    /// Takes one path that differs: the entry before and the entry after, if there is one.
    pub fn see(&mut self, path: &RepoPath, old: Option<&Entry>, new: Option<&Entry>) {
        let begins_with = |it: &Awaiting| path.as_bytes().starts_with(it.path.as_bytes());
        self.settle(self.awaiting.iter().take_while(|it| begins_with(it)).count());
        let (before, after) = (held(old), held(new));
        if before == after {
            return;
        }
        if let (Some(_), Some(_), Some(root)) = (before, after, names::moved_by_git(path)) {
            self.moved_by_git.push(root);
        }
        if names::is_made(path) {
            return;
        }
        match (before, after) {
            (Some(old), Some(new)) => {
                self.came(path, new, false);
                self.changed(path, old, new);
            }
            (None, Some(new)) => self.came(path, new, true),
            (Some(_), None) if self.arrived.take_if(|it| names::suffix(it, path).is_some()).is_some() => {
                // A file of another extension came for it.
                self.weigh(path, 1);
            }
            (Some(blob), None) if !self.moved_by_git.iter().any(|root| path.is_within(root)) => {
                let is_deleted = new.and_then(file).is_none();
                self.awaiting.push(Awaiting { path: path.to_owned(), blob, is_deleted, has_successor: false });
            }
            _ => {}
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self) {
        self.settle(0);
    }

    /// Deleted files, less those whose content came elsewhere, and less those of whose extension as many came.
    pub(super) fn lost(&self) -> u64 {
        let uneven: i64 = self.balance.values().filter(|balance| **balance > 0).sum();
        let moved = self.moved.estimate(self.deleted.count, Way::Deleted);
        (self.deleted.count - moved).min(uneven as u64)
    }

    /// Emptied files, less those whose content came elsewhere.
    pub(super) fn emptied(&self) -> u64 {
        self.emptied.count - self.moved.estimate(self.emptied.count, Way::Emptied)
    }

    /// Some files that are lost.
    pub(super) fn lost_paths(&self) -> Vec<RepoPathBuf> {
        let is_uneven = |path: &RepoPath| {
            self.balance.get(file_types::family(&names::extension(path))).is_none_or(|balance| *balance > 0)
        };
        self.deleted.paths(&self.moved, is_uneven)
    }

    /// Some files that are empty now.
    pub(super) fn emptied_paths(&self) -> Vec<RepoPathBuf> {
        self.emptied.paths(&self.moved, |_| true)
    }

    /// Counts those for which no successor can come any more: all but the first so many.
    fn settle(&mut self, still: usize) {
        for Awaiting { path, blob, is_deleted, has_successor } in self.awaiting.split_off(still) {
            if has_successor {
                continue;
            }
            if is_deleted {
                self.weigh(&path, 1);
            }
            let (gone, way) =
                if is_deleted { (&mut self.deleted, Way::Deleted) } else { (&mut self.emptied, Way::Emptied) };
            gone.count += 1;
            self.moved.gone(blob, way);
            gone.examples.offer(|| (path, blob));
        }
    }

    fn came(&mut self, path: &RepoPath, blob: BlobId, is_added: bool) {
        self.moved.come(blob);
        let successor = |it: &&mut Awaiting| !it.has_successor && names::suffix(&it.path, path).is_some();
        match self.awaiting.last_mut().filter(successor) {
            Some(it) => {
                it.has_successor = true;
                let (old, before) = (it.blob, it.path.clone());
                if is_added {
                    self.renamed(&before, old, path, blob);
                }
            }
            None if is_added => {
                self.weigh(path, -1);
                self.arrived = Some(path.to_owned());
            }
            None => {}
        }
    }

    fn renamed(&mut self, before: &RepoPath, old: BlobId, path: &RepoPath, new: BlobId) {
        if old == new {
            return;
        }
        let suffix = names::common_end(names::suffix(before, path).unwrap_or_default()).to_vec();
        let known = self.renamed.len() < MOST_KINDS || self.renamed.contains_key(&suffix);
        let replaced = || Replaced { path: path.to_owned(), old, new, extension: names::extension(before) };
        self.renamed.entry(if known { suffix } else { Vec::new() }).or_default().offer(replaced);
    }

    fn changed(&mut self, path: &RepoPath, old: BlobId, new: BlobId) {
        self.changed.offer(|| Replaced { path: path.to_owned(), old, new, extension: names::extension(path) });
    }

    fn weigh(&mut self, path: &RepoPath, step: i64) {
        let kind = file_types::family(&names::extension(path)).to_vec();
        let known = self.balance.len() < MOST_KINDS || self.balance.contains_key(&kind);
        *self.balance.entry(if known { kind } else { Vec::new() }).or_default() += step;
    }
}

impl Gone {
    /// Some of them whose content came nowhere.
    fn paths(&self, moved: &Moved, is_wanted: impl Fn(&RepoPath) -> bool) -> Vec<RepoPathBuf> {
        let wanted = |(path, blob): &&(RepoPathBuf, BlobId)| is_wanted(path) && !moved.has_come(*blob);
        self.examples.kept().iter().filter(wanted).map(|(path, _)| path.clone()).collect()
    }
}

/// The content of a file that has any.
fn held(entry: Option<&Entry>) -> Option<BlobId> {
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

    /// Sees lines in path order: `-path 1` went, `+path 1` came, `path 1 2` changed; contents are numbers, 0 is empty.
    fn seen(lines: &[&str]) -> Watch {
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
            watch.see(&path, old.as_ref(), new.as_ref());
        }
        watch.finish();
        watch
    }

    #[test]
    fn what_is_gone_is_lost_and_what_is_empty_is_not() {
        let watch = seen(&["-a.doc 1", "-b.doc 2", "-c.doc 0", "d.doc 3 0", "e.doc 4 5"]);
        assert_eq!((watch.lost(), watch.emptied(), watch.changed.offered()), (2, 1, 1));
        assert_eq!(watch.lost_paths().len(), 2);
    }

    #[test]
    fn what_came_elsewhere_or_for_it_is_not_lost() {
        for lines in [
            // Moved, and moved under another extension.
            &["-a.doc 1", "+b/a.doc 1"][..],
            &["-a.doc 1", "+b.txt 1"],
            // Another of its kind, in any order.
            &["+a.doc 1", "-b.doc 2"],
            &["-a.png 1", "+b.webp 2"],
            // Its successor, with others between.
            &["-a.log 1", "+a.log.0 2", "-a.log.1 3", "a.log.1.gz 4 5"],
            // What it was made from, or its plain text.
            &["+a.log 1", "-a.log.gz 2"],
            // What tools make again, and what git has put elsewhere.
            &["-.git/objects/3f/a 1", "-target/debug/a 2", "-x/main.o 3"],
            &["r/.git/HEAD 1 2", "-r/a.doc 3", "-r/b/c.doc 4"],
        ] {
            assert_eq!((seen(lines).lost(), seen(lines).emptied()), (0, 0), "{lines:?}");
        }
    }

    #[test]
    fn one_stands_for_one() {
        for (lines, expected) in [
            (&["-a.doc 1", "-b.doc 1", "+c.doc 1"][..], 1),
            (&["-a.doc 1", "-b.doc 2", "+c.xyz 3"], 2),
            (&["-a.log 1", "-a.log.0 2", "+a.log.1 3"], 1),
            (&["+a 1", "-a.gz 2", "-a.xz 3"], 1),
            (&["-a.doc 1", "+a.docs 2"], 1),
            (&["r/.git/index 1 2", "-r/a.doc 3"], 1),
            (&["r/.git/HEAD 1 2", "-s/a.doc 3"], 1),
        ] {
            assert_eq!(seen(lines).lost(), expected, "{lines:?}");
        }
    }

    #[test]
    fn an_emptied_file_whose_content_was_rotated_away_is_no_loss() {
        let watch = seen(&["a.log 1 0", "+a.log.1 1", "b.log 2 0", "+b.log-0105.gz 9", "c.log 3 0"]);
        assert_eq!((watch.lost(), watch.emptied()), (0, 1));
        assert_eq!(watch.emptied_paths().len(), 1);
    }

    #[test]
    fn longer_names_with_another_content_are_counted_by_their_end() {
        let watch = seen(&["-a.doc 1", "+a.doc.[3F].locked 2", "-b.txt 3", "+b.txt.[4A].locked 4", "-c 5", "+c.bak 5"]);
        let ends: Vec<_> = watch.renamed.iter().map(|(end, files)| (end.as_slice(), files.offered())).collect();
        assert_eq!(ends, [(&b".locked"[..], 2)]);
        assert_eq!(watch.lost(), 0);
    }
}
