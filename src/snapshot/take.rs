//! A commit, from the scan to the journal.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diff;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::entry_at;
use crate::id::{CommitId, LinksId, ObjectId};
use crate::metadata::Kind;
use crate::object::commit::{Counts, Totals, Uncovered};
use crate::object::operation::{RefEdit, RefName};
use crate::object::{Commit, Entry, ObjectKind, Objects, Ran};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::{Draft, Repository, Transaction};
use crate::snapshot::file::StoreSink;
use crate::snapshot::{Options, Outcome};
use crate::store::{Session, Stored};
use crate::time::Timestamp;
use crate::worktree::index::Builder;
use crate::worktree::scan;
use crate::worktree::{Index, Overlay, Scan, Selection, Worktree};

/// What a commit would hold, before it is decided whether there is one to make.
struct Content {
    root: Entry,
    links: Option<LinksId>,
    totals: Totals,
    changes: Counts,
    differs: bool,
}

/// Records the worktree. Gives the scan too, for a checkout that goes on from it; its index is that of the whole worktree.
///
/// Order: packs durable, then the operation in the journal, then the index.
pub fn take(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Outcome, Scan)> {
    take_checked(transaction, worktree, options, progress, &mut |_, _| Ok(()))
}

/// The same, if `check` finds nothing wrong with what was scanned: after its failure nothing is recorded.
pub fn take_checked(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    options: &Options,
    progress: &dyn Progress,
    check: &mut dyn FnMut(&Repository, &mut Scan) -> Result<()>,
) -> Result<(Outcome, Scan)> {
    let index_path = transaction.repository().layout.index();
    let index = Index::open(&index_path)?;
    let (mut outcome, mut scan, stored) = store_all(transaction.repository(), worktree, &index, options, progress)?;
    check(transaction.repository(), &mut scan)?;
    if let Some(commit) = outcome.commit
        && (stored.is_some() || has_moved(transaction.repository(), options.from, commit)?)
    {
        let stored = stored.unwrap_or_default();
        outcome.bytes_stored = stored.bytes;
        record(transaction, commit, &outcome, stored, options)?;
    }
    if !options.paths.is_empty() {
        let mut whole = Builder::from_index(&index);
        whole.splice(std::mem::take(&mut scan.index), &options.paths);
        scan.index = whole;
    }
    if !scan.index.is_same(&index) {
        // A cache: without it the next scan reads more, and nothing else.
        let _ = scan.index.write(&index_path);
    }
    Ok((outcome, scan))
}

/// Whether the directory is another one than before the command that recorded it by itself.
fn has_moved(repository: &Repository, from: Option<CommitId>, to: CommitId) -> Result<bool> {
    let Some(from) = from.filter(|from| *from != to) else { return Ok(false) };
    let content = |id| repository.store().commit(id).map(|commit| (commit.root, commit.links));
    Ok(content(from)? != content(to)?)
}

/// Scans and stores. Where the last commit is damaged, all that is here is read and stored anew, whatever the store and
/// the index say: people must be able to save what they have, and to go back from here.
fn store_all(
    repository: &Repository,
    worktree: &Worktree,
    index: &Index,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Outcome, Scan, Option<Stored>)> {
    let parent = repository.view().at().map(|id| repository.store().commit(id)).transpose();
    let damage = match parent.and_then(|parent| store(repository, worktree, index, parent.as_ref(), options, progress))
    {
        Err(error) if error.kind() == ErrorKind::Damaged && options.paths.is_empty() => error,
        result => return result,
    };
    repository.store().distrust();
    let (mut outcome, scan, stored) = store(repository, worktree, &Index::empty(), None, options, progress)?;
    outcome.damage = Some(damage.to_string());
    Ok((outcome, scan, stored))
}

/// Scans and stores; the commit, if there is something new, is durable but not yet part of the repository.
fn store(
    repository: &Repository,
    worktree: &Worktree,
    index: &Index,
    parent: Option<&Commit>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Outcome, Scan, Option<Stored>)> {
    let store = repository.store();
    let at = repository.view().at();
    let scan_options = scan::Options {
        paths: with_linked(store, parent, &options.paths)?,
        despite_rules: options.despite_rules.clone(),
        staged_by: repository.unfinished().map(|intent| intent.token),
        threads: 0,
    };
    let session = store.session();
    // Nothing to compare with, now or by the command that goes on from here: no need to keep the trees in memory.
    let takes_objects = parent.is_none() && options.paths.is_empty() && !options.automatic;
    let sinks = || StoreSink::new(store, &session, takes_objects);
    let mut scan = scan::scan(worktree, store, index, &scan_options, &sinks, progress)?;
    let selection = Selection::new(&options.paths);
    let chosen = |path: &RepoPathBuf| selection.is_empty() || selection.covers(path);
    scan.uncovered.retain(|uncovered| chosen(&uncovered.path));
    scan.ignored.retain(chosen);
    scan.torn.retain(chosen);
    let content = compose(store, parent, &mut scan, &options.paths)?;
    let mut outcome = Outcome {
        commit: at,
        created: content.differs,
        changes: content.changes,
        totals: content.totals,
        bytes_read: scan.bytes_read,
        bytes_stored: 0,
        uncovered: scan.uncovered.clone(),
        torn: scan.torn.clone(),
        damage: None,
    };
    if is_untouched(repository, index, &scan, options) {
        outcome.created = false;
    }
    if !outcome.created {
        return Ok((outcome, scan, None));
    }
    if let Some(twin) = twin(repository, &content, &scan, options) {
        (outcome.commit, outcome.created) = (Some(twin), false);
        return Ok((outcome, scan, Some(Stored::default())));
    }
    let commit = commit(repository, at, parent, content, &scan, options);
    outcome.commit = Some(put(&session, &scan.objects, &commit)?);
    let stored = session.finish()?;
    Ok((outcome, scan, Some(stored)))
}

/// Whether this is an empty folder that a store was just attached to: the worktree was lost, and that is no state of it.
fn is_untouched(repository: &Repository, index: &Index, scan: &Scan, options: &Options) -> bool {
    let is_empty = scan.totals == Totals::default() && scan.uncovered.is_empty() && scan.ignored.is_empty();
    options.automatic
        && is_empty
        && index.count() == 0
        && repository.layout.is_elsewhere()
        && repository.view().at().is_some()
}

/// A commit of just this worktree that grew from `@`: one that was stepped back from and is needed again.
fn twin(repository: &Repository, content: &Content, scan: &Scan, options: &Options) -> Option<CommitId> {
    let view = repository.view();
    let is_twin = |commit: &Commit| {
        commit.parents.iter().copied().eq(view.at())
            && (&commit.root, commit.links) == (&content.root, content.links)
            && (&commit.uncovered, &commit.torn) == (&scan.uncovered, &scan.torn)
    };
    let found = view.heads.iter().find(|&&id| repository.store().commit(id).is_ok_and(|commit| is_twin(&commit)));
    found.copied().filter(|_| options.automatic)
}

/// Paths to scan: those that are chosen, and the other names that their files had in the parent. Without those names the
/// scan could not tell whether they are still names of one file.
fn with_linked(store: &dyn Objects, parent: Option<&Commit>, paths: &[RepoPathBuf]) -> Result<Vec<RepoPathBuf>> {
    let (mut all, selection) = (paths.to_vec(), Selection::new(paths));
    let links = parent.and_then(|parent| parent.links);
    let (Some(links), false) = (links, paths.is_empty()) else { return Ok(all) };
    for group in store.links(links)?.groups {
        let (chosen, others): (Vec<_>, Vec<_>) = group.into_iter().partition(|path| selection.covers(path));
        if !chosen.is_empty() {
            all.extend(others);
        }
    }
    Ok(all)
}

/// What the commit holds: the scan, or the parent with some paths of the scan; and how it differs from the parent.
fn compose(store: &dyn Objects, parent: Option<&Commit>, scan: &mut Scan, paths: &[RepoPathBuf]) -> Result<Content> {
    check_paths(store, parent, scan, paths)?;
    let Some(parent) = parent else {
        let Totals { files, directories, others, .. } = scan.totals;
        let changes = Counts { added: files + directories + others, ..Counts::default() };
        let (root, links, totals) = (scan.root.clone(), scan.links, scan.totals);
        return Ok(Content { root, links, totals, changes, differs: true });
    };
    let (root, links) = if paths.is_empty() {
        (scan.root.clone(), scan.links)
    } else {
        let mut made: HashMap<(ObjectKind, ObjectId), Arc<[u8]>> = HashMap::new();
        let overlay = Overlay { below: store, objects: &scan.objects };
        let (base, from) = ((&parent.root, parent.links), (&scan.root, scan.links));
        let spliced = diff::splice(&overlay, base, from, paths, &mut |kind, id, bytes| {
            made.insert((kind, id), bytes.into());
            Ok(())
        })?;
        scan.objects.extend(made);
        spliced
    };
    let overlay = Overlay { below: store, objects: &scan.objects };
    let (changes, totals) = count(&overlay, parent, &root, links, &scan.uncovered)?;
    let differs = changes != Counts::default() || links != parent.links;
    Ok(Content { root, links, totals, changes, differs })
}

/// A path that is nowhere is a mistake.
fn check_paths(store: &dyn Objects, parent: Option<&Commit>, scan: &Scan, paths: &[RepoPathBuf]) -> Result<()> {
    let overlay = Overlay { below: store, objects: &scan.objects };
    for path in paths {
        let is_uncovered = scan.uncovered.iter().any(|uncovered| uncovered.path.is_within(path));
        if is_uncovered || entry_at(&overlay, &scan.root, path)?.is_some() {
            continue;
        }
        if scan.ignored.iter().any(|ignored| path.is_within(ignored)) {
            let message = format!("`{}` is ignored by the rules of the worktree", path.display());
            let hint = format!("to record it, add this line to `.undoignore`: !/{}", path.display());
            return Err(Error::new(ErrorKind::Usage, message).hint(hint).paths(vec![path.clone()]));
        }
        let recorded = parent.map(|parent| entry_at(store, &parent.root, path)).transpose()?.flatten();
        if recorded.is_none() {
            let message = format!("`{}` is neither in the worktree nor in the last commit", path.display());
            return Err(Error::new(ErrorKind::NotFound, message).hint("undo status").paths(vec![path.clone()]));
        }
    }
    Ok(())
}

/// How the new tree differs from the parent's, and what it holds. What is no longer covered was not deleted.
fn count(
    objects: &dyn Objects,
    parent: &Commit,
    root: &Entry,
    links: Option<LinksId>,
    uncovered: &[Uncovered],
) -> Result<(Counts, Totals)> {
    let (mut changes, mut totals) = (Counts::default(), parent.totals);
    let uncovered = Selection::new(&uncovered.iter().map(|it| it.path.clone()).collect::<Vec<_>>());
    let old = diff::trees::Side { root: Some(&parent.root), links: parent.links };
    let new = diff::trees::Side { root: Some(root), links };
    diff::compare(objects, old, new, &diff::Options::default(), &mut |change| {
        match (&change.old, &change.new) {
            (None, _) => changes.added += 1,
            (Some(_), None) => {
                changes.deleted += u64::from(!uncovered.covers(&change.path));
            }
            _ => changes.modified += 1,
        }
        if !change.path.is_root() {
            change.old.iter().for_each(|entry| weigh(&mut totals, entry, u64::wrapping_sub));
            change.new.iter().for_each(|entry| weigh(&mut totals, entry, u64::wrapping_add));
        }
        Ok(())
    })?;
    Ok((changes, totals))
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

fn commit(
    repository: &Repository,
    at: Option<CommitId>,
    parent: Option<&Commit>,
    content: Content,
    scan: &Scan,
    options: &Options,
) -> Commit {
    // Whatever the clock was set to: no commit is older than the one that it grew from.
    let time = parent.map_or_else(Timestamp::now, |parent| parent.time.max(Timestamp::now()));
    let (mut uncovered, mut torn) = (scan.uncovered.clone(), scan.torn.clone());
    if let (Some(parent), false) = (parent, options.paths.is_empty()) {
        // Of the rest it is still so.
        let selection = Selection::new(&options.paths);
        let elsewhere = |path: &RepoPathBuf| !selection.covers(path);
        uncovered.extend(parent.uncovered.iter().filter(|uncovered| elsewhere(&uncovered.path)).cloned());
        torn.extend(parent.torn.iter().filter(|path| elsewhere(path)).cloned());
    }
    uncovered.sort();
    uncovered.dedup();
    torn.sort();
    torn.dedup();
    let configured = &repository.config.author;
    Commit {
        root: content.root,
        links: content.links,
        parents: at.into_iter().collect(),
        time,
        offset: time.local_offset(),
        author: if configured.is_empty() { fs::user_name() } else { configured.clone() },
        host: fs::host_name(),
        message: options.message.clone(),
        automatic: options.automatic,
        totals: content.totals,
        changes: content.changes,
        uncovered,
        torn,
        extras: options.ran.as_ref().map_or_else(Vec::new, Ran::extras),
    }
}

/// Puts what the scan holds in memory, and the commit.
fn put(
    session: &Session<'_>,
    objects: &HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    commit: &Commit,
) -> Result<CommitId> {
    let mut writer = session.writer();
    let mut objects: Vec<_> = objects.iter().collect();
    objects.sort_unstable_by_key(|(name, _)| **name);
    for (&(kind, id), bytes) in objects {
        writer.put(kind, id, bytes)?;
    }
    let id = Transaction::put_commit(&mut writer, commit)?;
    writer.finish()?;
    Ok(id)
}

/// Appends the operation: from here on the commit is there.
fn record(
    transaction: &mut Transaction<'_>,
    commit: CommitId,
    outcome: &Outcome,
    stored: Stored,
    options: &Options,
) -> Result<()> {
    let view = transaction.repository().view();
    let edit = RefEdit { name: RefName::Branch(view.current.clone()), old: view.at(), new: Some(commit) };
    let about = match &options.ran {
        Some(ran) => format!("{} ended with {}, ", ran.short(), ran.exit),
        None if options.automatic => "what was unsaved is recorded first, ".to_owned(),
        None => String::new(),
    };
    let did = match outcome.created || options.ran.is_none() {
        true => in_words(&outcome.changes),
        false => "recorded by itself".to_owned(),
    };
    let description = format!("{about}{} {}: {did}", view.current, commit.short());
    let draft = Draft {
        verb: if options.verb.is_empty() { "commit".to_owned() } else { options.verb.clone() },
        description,
        edits: if edit.old == edit.new { Vec::new() } else { vec![edit] },
        commits: if outcome.created { vec![commit] } else { Vec::new() },
        worktree: options.from.map(|from| (Some(from), commit)),
        stored,
        bytes_read: outcome.bytes_read,
        ..Draft::default()
    };
    transaction.record(draft)?;
    Ok(())
}

/// "3 added, 1 modified".
fn in_words(changes: &Counts) -> String {
    let counts = [(changes.added, "added"), (changes.modified, "modified"), (changes.deleted, "deleted")];
    let words: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if words.is_empty() { "no changes".to_owned() } else { words.join(", ") }
}
