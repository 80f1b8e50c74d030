//! Pushes commits to a target.

use std::collections::{BTreeSet, HashSet};
use std::os::unix::ffi::OsStrExt;

use crate::error::Result;
use crate::fs;
use crate::id::{BlobId, CommitId};
use crate::object::{Commit, Objects};
use crate::progress::{Progress, Unit};
use crate::repo::Repository;
use crate::store::ObjectSet;
use crate::target::{Link, StreamChange, StreamId, Target, Token};
use crate::time::Timestamp;

use super::association::Association;
use super::commits::{new_commits, new_view};
use super::maintain;
use super::plan::Planner;
use super::upload::{Totals, Uploaded, upload};

/// Number of packs after which a push reads the log again before it is recorded.
const LONG: u64 = 8;

/// Age of the last push, in seconds, from which the next one checks the file `target`.
const DAY: i64 = 24 * 3600;

/// What to push.
pub struct Options<'o> {
    /// Name of the target in the settings.
    pub name: &'o str,
    /// Commits to push. `None` means all of the history.
    pub commits: Option<&'o [CommitId]>,
    /// Number of packs that are uploaded at the same time.
    pub connections: usize,
}

/// What was pushed.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Number of new commits.
    pub commits: u64,
    /// What was uploaded.
    pub sent: Totals,
    /// The entry that records the push. `None` if there was nothing to record.
    pub entry: Option<Link>,
    /// The repository was copied, and the copy has pushed: this directory has a new stream.
    pub is_new_stream: bool,
    /// The file `target` is missing or damaged, so no other machine opens the target. A push looks for it if the last one was a day
    /// ago.
    pub lacks_identity: bool,
}

/// Pushes commits. What was uploaded stays if the push fails or is cancelled: the next one continues there.
///
/// [`crate::error::ErrorKind::Damaged`] if an object of a commit is missing here.
pub fn push(
    repository: &Repository,
    target: &mut Target,
    options: &Options<'_>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let mut association = match Association::load(repository, options.name)? {
        Some(association) if association.target == target.identity() => association,
        _ => Association::create(target.identity())?,
    };
    let last = association.pushed;
    let mut outcome = Outcome::default();
    loop {
        outcome.is_new_stream |= check_stream(&mut association, target)?;
        let prepared = match prepare(repository, target, &association, options, progress) {
            // The planner has met an index that was deleted.
            Err(error) if target.has_moved(&error) => continue,
            prepared => prepared?,
        };
        outcome.commits = prepared.commits;
        if prepared.change.is_none() {
            break;
        }
        let send = progress.start("sending", Unit::Bytes, Some(prepared.bytes));
        let store = repository.store();
        let (uploaded, totals) = upload(store, &prepared.selection, target, options.connections, &*send)?;
        drop(send);
        outcome.sent += totals;
        if totals.packs > LONG {
            // Much may have happened since the log was read.
            target.refresh()?;
        }
        let token = fs::random().map(Token)?;
        association.pending = Some(token);
        association.save(repository, options.name)?;
        if let Some(entry) = record(target, association.stream, prepared, uploaded, token)? {
            association.token = Some(token);
            outcome.entry = Some(entry);
            break;
        }
    }
    if maintain::is_due(target) {
        // The push is recorded. The next one tries again.
        let _ = maintain::maintain(target);
    }
    let is_old = |time: Timestamp| repository.environment.now().seconds - time.seconds >= DAY;
    if outcome.entry.is_some() && last.is_some_and(is_old) {
        // The push is recorded, whatever this finds.
        outcome.lacks_identity = target.has_damaged_identity().unwrap_or(false);
    }
    association.pending = None;
    if is_complete(repository, target, &association, options)? {
        association.pushed = Some(repository.environment.now());
        association.heads = repository.view().heads.iter().copied().collect();
    }
    association.save(repository, options.name)?;
    Ok(outcome)
}

/// Whether the target has the whole history after a push.
fn is_complete(
    repository: &Repository,
    target: &Target,
    association: &Association,
    options: &Options<'_>,
) -> Result<bool> {
    if options.commits.is_none() {
        return Ok(true);
    }
    let stream = target.state().streams.get(&association.stream);
    stream.map_or(Ok(false), |stream| Ok(new_commits(repository, Some(stream), None)?.is_empty()))
}

/// Begins a new stream if another repository has pushed to this one. Returns whether it did.
fn check_stream(association: &mut Association, target: &Target) -> Result<bool> {
    let Some(stream) = target.state().streams.get(&association.stream) else { return Ok(false) };
    if association.has_pushed(stream) {
        association.token = Some(stream.token);
        return Ok(false);
    }
    *association = Association { drilled: association.drilled, ..Association::create(association.target)? };
    Ok(true)
}

/// A push that is ready to be sent.
struct Prepared {
    /// Number of new commits.
    commits: u64,
    selection: ObjectSet,
    /// Size of the objects in this store.
    bytes: u64,
    change: Option<StreamChange>,
    /// Number of the entry whose state the plan relies on.
    relied_on: u64,
    /// The stream as the plan has seen it.
    stream: Option<Token>,
}

fn prepare(
    repository: &Repository,
    target: &Target,
    association: &Association,
    options: &Options<'_>,
    progress: &dyn Progress,
) -> Result<Prepared> {
    let old = target.state().streams.get(&association.stream);
    let new = new_commits(repository, old, options.commits)?;
    let view = new_view(repository, old, &new, options.commits.is_some())?;
    let purged: BTreeSet<BlobId> = repository.view().purged.keys().copied().collect();
    let planning = progress.start("comparing", Unit::Items, None);
    let store = repository.store();
    let mut planner = Planner::new(store, &purged);
    let bases = Bases::new(repository, target);
    let mut planned = HashSet::new();
    for (id, commit) in &new {
        planner.add_commit(*id, bases.of(commit, &planned))?;
        planned.insert(*id);
    }
    if let Some(old) = old {
        // Content that can be read again was not sent, or may have been removed.
        old.view.purged.keys().filter(|blob| !purged.contains(blob)).try_for_each(|blob| planner.add_blob(*blob))?;
    }
    let selection = planner.select(target, &*planning)?;
    let bytes = store.selected_bytes(&selection)?;
    let is_changed = !new.is_empty() || old.is_none_or(|old| old.view != view);
    let size = repository.view().at().map(|at| store.commit(at)).transpose()?.map_or(0, |commit| commit.totals.bytes);
    let change = is_changed.then(|| StreamChange {
        host: fs::host_name(),
        path: repository.layout.worktree.as_os_str().as_bytes().to_vec(),
        view,
        size,
        token: Token::default(),
        added: new.iter().map(|(id, _)| *id).collect(),
        removed: BTreeSet::new(),
    });
    let commits = new.len() as u64;
    let (relied_on, stream) = (target.state().number(), old.map(|old| old.token));
    Ok(Prepared { commits, selection, bytes, change, relied_on, stream })
}

/// Records a push. `None` if another writer has changed what the plan relies on: the packs are useless then, and the push must be
/// prepared again.
fn record(
    target: &mut Target,
    stream: StreamId,
    prepared: Prepared,
    uploaded: Uploaded,
    token: Token,
) -> Result<Option<Link>> {
    let mut change = uploaded.into_change(target)?;
    let streams = prepared.change.map(|change| (stream, Some(StreamChange { token, ..change })));
    change.streams = streams.into_iter().collect();
    target.append(|target| {
        let state = target.state();
        let is_same_stream = state.streams.get(&stream).map(|stream| stream.token) == prepared.stream;
        let is_valid = is_same_stream && state.last_removal <= prepared.relied_on;
        Ok(is_valid.then(|| change.clone()))
    })
}

/// Commits whose objects the target has.
struct Bases<'a> {
    present: HashSet<CommitId>,
    repository: &'a Repository,
}

impl<'a> Bases<'a> {
    fn new(repository: &'a Repository, target: &Target) -> Bases<'a> {
        let commits = target.state().streams.values().flat_map(|stream| stream.commits.iter().copied());
        Bases { present: commits.collect(), repository }
    }

    /// A commit to compare with: the nearest ancestor that the target has or gets.
    fn of(&self, commit: &Commit, planned: &HashSet<CommitId>) -> Option<CommitId> {
        let is_there = |id: &CommitId| planned.contains(id) || self.present.contains(id);
        let is_readable = |id: &CommitId| self.repository.store().commit(*id).is_ok();
        let parents = commit.parents.iter().copied().chain(self.repository.parents(commit));
        parents.filter(is_there).find(is_readable)
    }
}
