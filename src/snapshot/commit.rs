//! Builds commits: compares a scan with the parent, counts changes and totals, and adds the message.

use crate::alarm::Watch;
use crate::diff::trees::Side;
use crate::diff::{self, Change, ChangeCounts, LeftOut, Status};
use crate::error::Result;
use crate::id::{CommitId, LinksId};
use crate::metadata::Kind;
use crate::object::commit::{Counts, Reason, Totals, Uncovered};
use crate::object::{Commit, Content as ObjectContent, Entry, Extras, Objects, order};
use crate::path::RepoPathBuf;
use crate::path::set::PathSet;
use crate::repo::Repository;
use crate::snapshot::scan_tree::Recording;
use crate::store::Store;
use crate::time::Timestamp;
use crate::worktree::Overlay;

/// Content of a commit, and its differences from the first parent.
pub(super) struct Content {
    pub root: Entry,
    pub links: Option<LinksId>,
    pub totals: Totals,
    pub changes: Counts,
    pub uncovered: Vec<Uncovered>,
    pub torn: Vec<RepoPathBuf>,
}

impl Content {
    /// Whether a commit has this content.
    pub fn is_of(&self, commit: &Commit) -> bool {
        (&commit.root, commit.links) == (&self.root, self.links)
            && (&commit.uncovered, &commit.torn) == (&self.uncovered, &self.torn)
    }
}

/// Message and metadata of a commit.
#[derive(Clone, Debug, Default)]
pub struct CommitMessage {
    /// Commit message.
    pub message: String,
    /// Whether a command makes the commit before it replaces unsaved content.
    pub automatic: bool,
    /// `None` means the author in the settings.
    pub author: Option<String>,
    /// Time, and offset from UTC in seconds. `None` means now.
    pub date: Option<(Timestamp, i32)>,
    /// More fields, sorted by key.
    pub extras: Extras,
}

/// Result of comparing a scan with the parent commit.
pub(super) struct Compared {
    /// Content of the commit.
    pub content: Content,
    pub counts: ChangeCounts,
    /// Whether a commit is needed.
    pub differs: bool,
}

/// Compares a scan of these paths with the parent. Empty means all paths. `times` says whether times count as a difference.
pub(super) fn compare(
    store: &Store,
    parent: Option<&Commit>,
    recording: &Recording,
    paths: &[RepoPathBuf],
    times: bool,
    watch: &mut Watch,
) -> Result<Compared> {
    let Recording { scan, root, links } = recording;
    let (root, links) = (root.clone(), *links);
    let (mut uncovered, mut torn) = (scan.uncovered.clone(), scan.torn.clone());
    let (counts, totals, differs) = match parent {
        None => {
            let added = scan.totals.files + scan.totals.directories + scan.totals.others;
            (ChangeCounts { added, ..ChangeCounts::default() }, scan.totals, true)
        }
        Some(parent) => {
            let overlay = Overlay { below: store, objects: &scan.objects };
            let left_out = LeftOut::seen(&scan.uncovered, &scan.ignored, &scan.uncovered_kinds);
            let left_out = left_out.or_purged(store.purged());
            let mut see = |change: &Change| match (change.status, &change.old) {
                // The file may be missing because it could not be restored.
                (Status::Uncovered, Some(Entry { content: ObjectContent::File { blob, .. }, .. }))
                    if store.is_purged(*blob) =>
                {
                    uncovered.push(Uncovered { path: change.path.clone(), reason: Reason::Purged });
                }
                (Status::Ignored | Status::Uncovered, _) => {}
                _ => watch.add(&change.path, change.old.as_ref(), change.new.as_ref()),
            };
            let (counts, totals) = count(&overlay, Some(parent), &root, links, left_out, &mut see)?;
            let is_same = counts.total() == 0 && links == parent.links;
            let new = Side { root: Some(&root), links };
            (counts, totals, !is_same || times && times_differ(&overlay, side(parent), new)?)
        }
    };
    if let (Some(parent), false) = (parent, paths.is_empty()) {
        // The other paths are as in the parent.
        let selection = PathSet::topmost(paths.to_vec());
        let elsewhere = |path: &RepoPathBuf| !selection.covers(path);
        uncovered.extend(parent.uncovered.iter().filter(|uncovered| elsewhere(&uncovered.path)).cloned());
        torn.extend(parent.torn.iter().filter(|path| elsewhere(path)).cloned());
    }
    uncovered.sort();
    uncovered.dedup();
    torn.sort();
    torn.dedup();
    let content = Content { root, links, totals, changes: counts.recorded(), uncovered, torn };
    Ok(Compared { content, counts, differs })
}

/// Whether the time of anything but a directory differs. Directory times change with their content.
fn times_differ(objects: &dyn Objects, old: Side<'_>, new: Side<'_>) -> Result<bool> {
    let options = diff::Options { mtimes: true, ..diff::Options::default() };
    let mut found = false;
    diff::compare(objects, old, new, &options, &mut |change| {
        found |= change.what.mtime && change.new.is_some_and(|entry| entry.kind() != Kind::Directory);
        Ok(())
    })?;
    Ok(found)
}

fn side(commit: &Commit) -> Side<'_> {
    Side { root: Some(&commit.root), links: commit.links }
}

/// Builds a commit whose first parent is `parent`.
pub(super) fn make(
    repository: &Repository,
    parents: Vec<CommitId>,
    parent: Option<&Commit>,
    content: Content,
    words: CommitMessage,
) -> Commit {
    let (time, offset) = words.date.unwrap_or_else(|| {
        let time = repository.environment.now();
        (time, time.offset(repository.environment.time_zone()))
    });
    // No walk can pass a parent that cannot be read.
    let others = parents.iter().skip(usize::from(parent.is_some()));
    let others = others.filter_map(|&id| repository.store().commit(id).ok()).map(|commit| commit.order());
    let mut extras = words.extras;
    order::put(time, others.chain(parent.map(Commit::order)).max(), &mut extras);
    Commit {
        root: content.root,
        links: content.links,
        parents,
        time,
        offset,
        author: words.author.unwrap_or_else(|| repository.config.author_name(&repository.environment)),
        host: crate::fs::host_name(),
        message: words.message,
        automatic: words.automatic,
        totals: content.totals,
        changes: content.changes,
        uncovered: content.uncovered,
        torn: content.torn,
        extras,
    }
}

/// Counts the differences from the parent, and the totals of the tree. `see` sees each change, also of paths that are left
/// out.
pub(super) fn count(
    objects: &dyn Objects,
    parent: Option<&Commit>,
    root: &Entry,
    links: Option<LinksId>,
    left_out: LeftOut,
    see: &mut dyn FnMut(&Change),
) -> Result<(ChangeCounts, Totals)> {
    let mut totals = parent.map(|parent| parent.totals).unwrap_or_default();
    let options = diff::Options { left_out, ..diff::Options::default() };
    let old = parent.map_or(Side { root: None, links: None }, side);
    let new = Side { root: Some(root), links };
    let counts = diff::compare(objects, old, new, &options, &mut |change| {
        see(&change);
        if !change.path.is_root() {
            change.old.iter().for_each(|entry| weigh(&mut totals, entry, u64::wrapping_sub));
            change.new.iter().for_each(|entry| weigh(&mut totals, entry, u64::wrapping_add));
        }
        Ok(())
    })?;
    Ok((counts, totals))
}

/// Takes an entry into the totals, or out of them.
fn weigh(totals: &mut Totals, entry: &Entry, step: fn(u64, u64) -> u64) {
    match entry.kind() {
        Kind::File => {
            totals.files = step(totals.files, 1);
            totals.bytes = step(totals.bytes, entry.size());
        }
        Kind::Directory => totals.directories = step(totals.directories, 1),
        _ => totals.others = step(totals.others, 1),
    }
}
