//! Builds commits: counts changes and totals, and adds the message.

use crate::alarm::Watch;
use crate::diff::{self, ChangeCounts, LeftOut, Status};
use crate::error::Result;
use crate::id::{CommitId, LinksId};
use crate::metadata::Kind;
use crate::object::commit::{Counts, Totals, Uncovered};
use crate::object::{Commit, Entry, Extras, Objects, order};
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::time::Timestamp;

/// Content of a commit, and its differences from the first parent.
pub(super) struct Content {
    pub root: Entry,
    pub links: Option<LinksId>,
    pub totals: Totals,
    pub changes: Counts,
    pub uncovered: Vec<Uncovered>,
    pub torn: Vec<RepoPathBuf>,
}

/// Message and metadata of a commit.
pub(super) struct CommitMessage {
    pub message: String,
    pub automatic: bool,
    /// `None` means the author in the settings.
    pub author: Option<String>,
    /// Time, and offset from UTC in seconds. `None` means now.
    pub date: Option<(Timestamp, i32)>,
    /// More fields, sorted by key.
    pub extras: Extras,
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

/// Counts the differences from the parent, and the totals of the tree. The watch sees each change.
pub(super) fn count(
    objects: &dyn Objects,
    parent: Option<&Commit>,
    root: &Entry,
    links: Option<LinksId>,
    left_out: LeftOut,
    watch: &mut Watch,
) -> Result<(ChangeCounts, Totals)> {
    let mut totals = parent.map(|parent| parent.totals).unwrap_or_default();
    let options = diff::Options { left_out, ..diff::Options::default() };
    let old =
        diff::trees::Side { root: parent.map(|parent| &parent.root), links: parent.and_then(|parent| parent.links) };
    let new = diff::trees::Side { root: Some(root), links };
    let counts = diff::compare(objects, old, new, &options, &mut |change| {
        if !matches!(change.status, Status::Ignored | Status::Uncovered) {
            watch.add(&change.path, change.old.as_ref(), change.new.as_ref());
        }
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
