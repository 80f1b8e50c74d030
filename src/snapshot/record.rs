//! A commit, from the scan to the journal.

use std::cell::Cell;

use crate::alarm::{self, Evidence, Findings, Watch};
use crate::diff::{self, ChangeCounts, LeftOut};
use crate::error::{Error, ErrorKind, Result};
use crate::history::mounted_over;
use crate::id::CommitId;
use crate::metadata::Kind;
use crate::number;
use crate::object::commit::{Counts, Totals};
use crate::object::operation::{RefEdit, RefName};
use crate::object::{Commit, Extras, Objects, Ran, alarm_marks};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::{NewOperation, Repository, Transaction};
use crate::snapshot::commit::{self, CommitMessage, Content};
use crate::snapshot::journals::with_database_files;
use crate::snapshot::scan_tree::{self, Recording, ScanOptions};
use crate::snapshot::{Options, Outcome};
use crate::store::Stored;
use crate::time::Timestamp;
use crate::worktree::{Index, Overlay, Scan, Selection, Worktree};

/// Records the worktree. Gives the scan too, for a checkout that goes on from it; its index is that of the whole worktree.
///
/// Order: packs durable, then the operation in the journal, then the index.
pub fn take(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Outcome, Scan)> {
    take_checked(transaction, worktree, options, progress, &mut |_, _| Ok(AfterSnapshot::Rest))
}

/// What becomes of the worktree after it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSnapshot {
    /// It stays as it is.
    Rest,
    /// It is changed at once: whoever does that writes the index.
    Change,
    /// It stays as it is, and need not even be recorded.
    Nothing,
}

/// What is asked before what was scanned is recorded.
type Check<'c> = &'c mut dyn FnMut(&Repository, &mut Scan) -> Result<AfterSnapshot>;

/// What was scanned, checked, and stored as far as there is something new.
struct Taken {
    outcome: Outcome,
    scan: Scan,
    stored: Option<Stored>,
    next: AfterSnapshot,
}

/// The same, if `check` finds nothing wrong with what was scanned: after its failure nothing is stored.
pub fn take_checked(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    options: &Options,
    progress: &dyn Progress,
    check: Check<'_>,
) -> Result<(Outcome, Scan)> {
    let (paths, journals) = with_database_files(transaction.repository(), worktree, &options.paths)?;
    let options = &Options { paths, ..options.clone() };
    let index_path = transaction.repository().layout.index();
    let index = Index::open(&index_path);
    let repository = transaction.repository();
    let is_refused = Cell::new(false);
    let mut check = |repository: &Repository, scan: &mut Scan| {
        let next = check(repository, scan);
        is_refused.set(next.is_err());
        next
    };
    let taken = match store_all(repository, worktree, &index, (options, &journals), progress, &mut check) {
        // Once this is recorded, the rollback frees space.
        Err(error) if is_full(&error) && !is_refused.get() && leads_back(options) && transaction.give_up_reserve() => {
            store_all(repository, worktree, &index, (options, &journals), progress, &mut check)
        }
        taken => taken,
    };
    let Taken { mut outcome, mut scan, stored, next } = taken?;
    let is_recorded = stored.is_some();
    if let Some(commit) = outcome.commit
        && (is_recorded || has_moved(transaction.repository(), options.from, commit)?)
    {
        let stored = stored.unwrap_or_default();
        outcome.bytes_stored = stored.bytes;
        record(transaction, commit, &outcome, stored, options)?;
    }
    // The index must not know what is not part of the repository yet.
    let is_durable = next == AfterSnapshot::Rest && !(options.prepares && is_recorded);
    scan_tree::remember(&mut scan, &index, &options.paths, is_durable.then_some(&*index_path));
    Ok((outcome, scan))
}

fn is_full(error: &Error) -> bool {
    error.kind() == ErrorKind::NoSpace
}

/// Whether a rollback may follow immediately.
fn leads_back(options: &Options) -> bool {
    options.prepares || options.ran.is_some()
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
    options: (&Options, &[RepoPathBuf]),
    progress: &dyn Progress,
    check: Check<'_>,
) -> Result<Taken> {
    let parent = repository.view().at().map(|id| repository.store().commit(id)).transpose();
    let mut is_checked = false;
    let first: Check<'_> = &mut |repository, scan| {
        is_checked = true;
        check(repository, scan)
    };
    let stored =
        parent.and_then(|parent| store(repository, worktree, index, parent.as_ref(), options, progress, first));
    let damage = match stored {
        Err(error) if error.kind() == ErrorKind::Damaged && options.0.paths.is_empty() && !is_checked => error,
        result => return result,
    };
    repository.store().require_verification();
    let mut taken = store(repository, worktree, &Index::empty(), None, options, progress, check)?;
    taken.outcome.damage = Some(damage.to_string());
    Ok(taken)
}

/// Scans, checks and stores; the commit, if there is something new, is durable but not yet part of the repository.
fn store(
    repository: &Repository,
    worktree: &Worktree,
    index: &Index,
    parent: Option<&Commit>,
    (options, journals): (&Options, &[RepoPathBuf]),
    progress: &dyn Progress,
    check: Check<'_>,
) -> Result<Taken> {
    let store = repository.store();
    let at = repository.view().at();
    let session = store.session();
    let how = ScanOptions {
        paths: &options.paths,
        journals,
        despite_rules: &options.despite_rules,
        base: parent,
        // Nothing to compare with, now or by the command that goes on from here: no need to keep the trees in memory.
        takes_trees: parent.is_none() && options.paths.is_empty() && !options.automatic,
    };
    let recording = scan_tree::record(repository, &session, worktree, index, &how, progress)?;
    let mut watch = Watch::default();
    let compare = || compare(store, parent, &recording, &options.paths, &mut watch);
    // If there turns out to be nothing to commit, the session ends with nothing stored, and whether it could be does not matter.
    let (compared, put) = scan_tree::put_objects_besides(&session, &recording.scan, compare);
    let Compared { content, ignored, differs } = compared?;
    // A time alone is nothing to record, but what goes back sets times.
    let differs = differs
        || match parent {
            Some(parent) if options.automatic => times_differ(store, parent, &recording)?,
            _ => false,
        };
    let mut scan = recording.scan;
    let findings = parent.map(|before| alarm::judge(watch, &Evidence { before, store, live: &worktree.root }));
    let mut outcome = Outcome {
        commit: at,
        created: differs,
        changes: content.changes,
        ignored,
        totals: content.totals,
        bytes_read: scan.bytes_read,
        bytes_stored: 0,
        uncovered: scan.uncovered.clone(),
        torn: scan.torn.clone(),
        journals: journals.iter().filter(|path| scan.index.find(path).is_some()).cloned().collect(),
        without_attributes: scan.without_attributes.clone(),
        mounted_over: parent.map_or(Ok(Vec::new()), |parent| mounted_over(store, &parent.root, &scan.uncovered))?,
        future_parent: parent
            .map(|parent| parent.time)
            .filter(|time| is_in_future(*time, repository.environment.now())),
        damage: None,
        findings: findings.unwrap_or_default(),
    };
    let next = check(repository, &mut scan)?;
    if next == AfterSnapshot::Nothing || is_untouched(repository, index, &scan, options) {
        outcome.created = false;
    }
    if !outcome.created {
        return Ok(Taken { outcome, scan, stored: None, next });
    }
    if options.automatic
        && let Some(twin) = twin(repository, &content, &scan)?
    {
        (outcome.commit, outcome.created) = (Some(twin), false);
        return Ok(Taken { outcome, scan, stored: Some(Stored::default()), next });
    }
    let (message, automatic) = (options.message.clone(), options.automatic);
    let extras = extras(options, &outcome.findings);
    let words = CommitMessage { message, automatic, author: None, date: None, extras };
    let commit = commit::make(repository, at.into_iter().collect(), parent, content, words);
    let mut writer = put?;
    outcome.commit = Some(Transaction::put_commit(&mut writer, &commit)?);
    writer.finish()?;
    let stored = session.finish()?;
    Ok(Taken { outcome, scan, stored: Some(stored), next })
}

/// Whether a time is so far ahead of the clock that one of them must be wrong.
fn is_in_future(time: Timestamp, now: Timestamp) -> bool {
    const TOLERANCE: i64 = 60;
    time.seconds > now.seconds + TOLERANCE
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

/// A recording, compared with the parent.
pub(super) struct Compared {
    /// What a commit would hold.
    pub content: Content,
    /// Paths that it no longer has, since rules ignore them now.
    ignored: u64,
    /// Whether there is a commit to make.
    pub differs: bool,
}

/// Compares a recording of these paths; empty: of all.
pub(super) fn compare(
    store: &dyn Objects,
    parent: Option<&Commit>,
    recording: &Recording,
    paths: &[RepoPathBuf],
    watch: &mut Watch,
) -> Result<Compared> {
    let Recording { scan, root, links } = recording;
    let (mut uncovered, mut torn) = (scan.uncovered.clone(), scan.torn.clone());
    let (counts, totals) = match parent {
        None => {
            let added = scan.totals.files + scan.totals.directories + scan.totals.others;
            (ChangeCounts { added, ..ChangeCounts::default() }, scan.totals)
        }
        Some(parent) => {
            let overlay = Overlay { below: store, objects: &scan.objects };
            let left_out = LeftOut::seen(&scan.uncovered, &scan.ignored, &scan.uncovered_kinds);
            commit::count(&overlay, Some(parent), root, *links, left_out, watch)?
        }
    };
    let (changes, ignored) = (counts.recorded(), counts.ignored);
    let differs = parent.is_none_or(|parent| counts.total() > 0 || *links != parent.links);
    if let (Some(parent), false) = (parent, paths.is_empty()) {
        // Of the rest it is still so.
        let selection = Selection::new(paths);
        let elsewhere = |path: &RepoPathBuf| !selection.covers(path);
        uncovered.extend(parent.uncovered.iter().filter(|uncovered| elsewhere(&uncovered.path)).cloned());
        torn.extend(parent.torn.iter().filter(|path| elsewhere(path)).cloned());
    }
    uncovered.sort();
    uncovered.dedup();
    torn.sort();
    torn.dedup();
    let content = Content { root: root.clone(), links: *links, totals, changes, uncovered, torn };
    Ok(Compared { content, ignored, differs })
}

/// Whether anything but a directory, whose time changes with what is in it, has another time.
fn times_differ(store: &dyn Objects, parent: &Commit, recording: &Recording) -> Result<bool> {
    let overlay = Overlay { below: store, objects: &recording.scan.objects };
    let old = diff::trees::Side { root: Some(&parent.root), links: parent.links };
    let new = diff::trees::Side { root: Some(&recording.root), links: recording.links };
    let options = diff::Options { mtimes: true, ..diff::Options::default() };
    let mut found = false;
    diff::compare(&overlay, old, new, &options, &mut |change| {
        found |= change.what.mtime && change.new.is_some_and(|entry| entry.kind() != Kind::Directory);
        Ok(())
    })?;
    Ok(found)
}

/// A commit of just this worktree that grew from `@`: one that was stepped back from and is needed again. It ends a line
/// of history, or it is what the worktree was last brought to, and other commits grew from it. One that cannot be read only
/// saves nothing.
fn twin(repository: &Repository, content: &Content, scan: &Scan) -> Result<Option<CommitId>> {
    let view = repository.view();
    let is_twin = |commit: &Commit| {
        commit.parents.iter().copied().eq(view.at())
            && (&commit.root, commit.links) == (&content.root, content.links)
            && (&commit.uncovered, &commit.torn) == (&scan.uncovered, &scan.torn)
    };
    let mut known = view.heads.iter().copied().chain(brought_to(repository).ok().flatten());
    Ok(known.find(|&id| repository.store().commit(id).is_ok_and(|commit| is_twin(&commit))))
}

/// The commit that the worktree was last brought to, if that was after `@` was made.
fn brought_to(repository: &Repository) -> Result<Option<CommitId>> {
    let at = repository.view().at();
    for operation in repository.own_operations() {
        let (_, operation) = operation?;
        if let Some((_, commit)) = operation.worktree {
            return Ok(Some(commit));
        }
        if operation.commits.iter().any(|commit| Some(commit.id) == at) {
            break;
        }
    }
    Ok(None)
}

/// What a commit remembers besides: an alarm, and the command that made it.
fn extras(options: &Options, findings: &Findings) -> Extras {
    let mut extras = options.ran.as_ref().map_or_else(Extras::default, Ran::extras);
    alarm_marks::put(&findings.marks(), &mut extras);
    extras
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
        None if options.automatic => "unsaved changes recorded first, ".to_owned(),
        None => String::new(),
    };
    let did = match outcome.created || options.ran.is_none() {
        true => describe(&outcome.changes, outcome.ignored),
        false => "recorded automatically".to_owned(),
    };
    let description = format!("{about}{} {}: {did}", view.current, commit.short());
    let new_operation = NewOperation {
        verb: options.verb.clone(),
        description,
        edits: if edit.old == edit.new { Vec::new() } else { vec![edit] },
        commits: if outcome.created { vec![commit] } else { Vec::new() },
        worktree: options.from.map(|from| (Some(from), commit)),
        stored,
        bytes_read: outcome.bytes_read,
        ..NewOperation::default()
    };
    if options.prepares {
        transaction.prepare(new_operation)?
    } else {
        transaction.record(new_operation)?
    };
    Ok(())
}

/// "3 added, 1 modified".
fn describe(changes: &Counts, ignored: u64) -> String {
    let counts = [
        (changes.added, "added"),
        (changes.modified, "modified"),
        (changes.deleted, "deleted"),
        (ignored, "now ignored"),
    ];
    let words = number::listed(&counts);
    if words.is_empty() { "times or hard links only".to_owned() } else { words }
}
