//! Transactions, which change refs. A transaction holds the lock until it is dropped; each `record` appends one
//! operation to the journal, which is the commit point.

use crate::environment::Phase;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, FileLock};
use crate::id::{CommitId, OperationId, PackId};
use crate::object::operation::{
    ForgottenCommit, ForgottenCommits, HistoryEdit, Intent, NewCommit, RefEdit, RefName, Refs, UndoPosition, Verb,
};
use crate::object::{Commit, Extras, ObjectKind, Objects, Operation, id_of};
use crate::repo::disk_growth::DiskGrowth;
use crate::repo::effective::retain_effective;
use crate::repo::journal::{self, Record, Sweep, Writer};
use crate::repo::repository::{Repository, open_store, purged_blobs, read_mask};
use crate::repo::unnamed::UnnamedCommits;
use crate::repo::{heads, leftovers, new_commits, refname, reserve, thin};
use crate::store::{Store, Stored, Writer as ObjectWriter};
use crate::time::Timestamp;

/// The right to change a repository.
#[must_use]
pub struct Transaction<'r> {
    repository: &'r mut Repository,
    /// Opened for the first record.
    journal: Option<Writer>,
    /// Start time of the next operation.
    began: Timestamp,
    /// The token of an intent that this transaction wrote.
    intended: Option<u64>,
    /// An operation was recorded, so the next one belongs to the same action.
    has_recorded: bool,
    /// An operation that becomes durable with the next record.
    prepared: Option<Record>,
    /// Only if it is measured.
    growth: Option<DiskGrowth>,
    lock: FileLock,
}

/// An operation to record, without the fields that the transaction fills in.
#[derive(Clone, Debug, Default)]
pub struct NewOperation {
    /// The command that is recorded.
    pub verb: Verb,
    /// Description of the effect.
    pub description: String,
    /// Ref changes. Each `old` must match the current value.
    pub edits: Vec<RefEdit>,
    /// The new current branch, if it changes.
    pub switch: Option<String>,
    /// Commits that the operation made. The transaction adds unknown commits that its refs lead to.
    pub commits: Vec<CommitId>,
    /// The worktree's commit before and after, if the operation changed the worktree.
    pub worktree: Option<(Option<CommitId>, CommitId)>,
    /// New packs.
    pub stored: Stored,
    /// Bytes read from the worktree.
    pub bytes_read: u64,
    /// Position and tip of a step through the timeline.
    pub undo_position: Option<UndoPosition>,
    /// Commits to forget or recall, and contents to purge. The transaction fills in the heads, and recalls every
    /// forgotten commit that the operation names.
    pub history: HistoryEdit,
    /// Automatic commits to forget in the same write, without an operation. `None` if thinning is not due.
    pub thins: Option<Vec<ForgottenCommit>>,
    /// Additional fields.
    pub extras: Extras,
    /// Parents of new commits that the repository does not have, with the nearest ancestors that it has.
    pub absent: ForgottenCommits,
}

impl<'r> Transaction<'r> {
    /// The transaction of the holder of the lock.
    pub(super) fn new(repository: &'r mut Repository, lock: FileLock, began: Timestamp) -> Transaction<'r> {
        Transaction {
            repository,
            journal: None,
            began,
            intended: None,
            has_recorded: false,
            prepared: None,
            growth: None,
            lock,
        }
    }
}

impl Transaction<'_> {
    pub(super) fn repository_mut(&mut self) -> &mut Repository {
        self.repository
    }

    /// Records the directory, if the journal is not up to date. Durable on return.
    pub(super) fn record_directory(&mut self) -> Result<()> {
        if self.repository.unrecorded_directory().is_none() {
            return Ok(());
        }
        self.append_all(Vec::new())
    }

    /// The repository with everything that was recorded so far.
    pub fn repository(&self) -> &Repository {
        self.repository
    }

    /// From now on measures by how much the repository grows. Measures nothing if its files cannot be examined.
    pub fn measure_growth(&mut self) {
        self.growth = DiskGrowth::start(&self.repository.layout, self.repository.end.segment).ok();
    }

    /// Allocated bytes by which the repository has grown since [`Transaction::measure_growth`]. Negative if it has shrunk, 0 if
    /// it is not measured.
    pub fn disk_growth(&self) -> i64 {
        let Repository { layout, end, .. } = &*self.repository;
        self.growth.as_ref().map_or(0, |growth| growth.bytes(layout, end.segment))
    }

    /// Releases the space that is reserved for records; returns whether there was any. For operations that free space
    /// afterwards.
    pub fn release_reserve(&self) -> bool {
        reserve::release(&self.repository.layout.reserve())
    }

    /// Puts a commit object into a session's writer and returns its id.
    pub fn put_commit(writer: &mut ObjectWriter<'_>, commit: &Commit) -> Result<CommitId> {
        let bytes = commit.encode();
        let id = id_of(ObjectKind::Commit, &bytes);
        writer.put(ObjectKind::Commit, id, &bytes)?;
        Ok(id.into())
    }

    /// Continues an action that the same command began in an earlier transaction, whose newest operation was `last`:
    /// the next operation belongs to that action, unless another command has recorded an operation since. `began` is
    /// its start time.
    pub fn continue_action(&mut self, last: Option<OperationId>, began: Timestamp) {
        self.has_recorded = last.is_some() && self.repository.operation() == last;
        self.began = began;
    }

    /// Appends an operation, durable on return; merges small packs now and then. The operations of one transaction are
    /// one action, named by the last one. An operation that changed the worktree ends an unfinished intent; one without
    /// commits ends the intent that this transaction wrote.
    pub fn record(&mut self, mut new_operation: NewOperation) -> Result<OperationId> {
        let thins = new_operation.thins.take();
        let absent = std::mem::take(&mut new_operation.absent);
        let (id, operation) = self.operation(new_operation)?;
        // An error while thinning does not change that the operation can be recorded.
        let thin = thins.and_then(|forgets| {
            let Repository { store, state, environment, .. } = &*self.repository;
            thin::record(store, state, &operation, forgets, environment.now()).ok()
        });
        let absent = (!absent.is_empty()).then(|| {
            let (sweep, substitutes) = self.repository.state.sweep_with(absent, self.repository.environment.now());
            Record::Sweep(sweep, substitutes)
        });
        self.append_all(std::iter::once(operation).chain(absent).chain(thin).collect())?;
        // The operation is recorded. An error while merging packs does not change that.
        let _ = self.merge_small_packs();
        Ok(id)
    }

    /// Like [`Transaction::record`], but the operation becomes durable with the next record: if the command is
    /// interrupted before that, nothing is recorded.
    pub fn prepare(&mut self, new_operation: NewOperation) -> Result<OperationId> {
        let (id, operation) = self.operation(new_operation)?;
        self.roll_if_long()?;
        operation.apply(&mut self.repository.state)?;
        self.prepared = Some(operation);
        Ok(id)
    }

    /// Like [`Transaction::record`], but without a flush: the operation becomes durable with the next record, and a power cut
    /// before that loses it. For operations that change no ref and add no object.
    pub fn record_unflushed(&mut self, new_operation: NewOperation) -> Result<OperationId> {
        let (id, operation) = self.operation(new_operation)?;
        self.append_by(vec![operation], false)?;
        Ok(id)
    }

    /// Checks an operation and builds its record.
    fn operation(&mut self, new_operation: NewOperation) -> Result<(OperationId, Record)> {
        self.count_stored(&new_operation.stored);
        self.repository.store.add_packs(&new_operation.stored.packs)?;
        check_edits(&self.repository.state.view, &self.repository.store, &new_operation)?;
        self.repository.check_branches(&new_operation.edits, new_operation.switch.as_ref())?;
        let ends_intent =
            new_operation.worktree.is_some() || self.intended.is_some() && new_operation.commits.is_empty();
        let operation = self.complete(new_operation)?;
        let id = operation.id();
        self.has_recorded = true;
        if ends_intent {
            self.intended = None;
        }
        self.began = self.repository.environment.now();
        Ok((id, Record::Operation { id, operation, ends_intent }))
    }

    /// Adds objects to the repository that no ref leads to yet. Not an operation, so `undo undo` does not see it.
    /// Durable on return.
    pub fn keep(&mut self, stored: &Stored) -> Result<()> {
        if stored.packs.is_empty() {
            return Ok(());
        }
        self.count_stored(stored);
        self.repository.store.add_packs(&stored.packs)?;
        let time = self.repository.environment.now();
        self.append(Record::Packs { time, added: stored.packs.clone(), removed: Vec::new() })?;
        let _ = self.merge_small_packs();
        Ok(())
    }

    /// Opens all packs again, and new ones before a record names them. A new pack may have replaced a damaged file of the
    /// same id.
    pub fn include(&mut self, new: &[PackId]) -> Result<()> {
        let Repository { store, state, .. } = &mut *self.repository;
        let packs: Vec<PackId> = state.packs.iter().chain(new).copied().collect();
        *store = store.with_packs(&packs)?;
        Ok(())
    }

    /// Replaces a damaged catalog.
    pub fn replace_catalog(&mut self) -> Result<()> {
        self.repository.store.replace_catalog()
    }

    /// Continues an action of another process: if that process has only saved changes, its operations and ours are one
    /// action.
    pub fn continue_interrupted(&mut self, intent: &Intent) -> Result<()> {
        let newest = self.repository.operations().next().transpose()?;
        self.has_recorded = newest.is_some_and(|(_, newest)| {
            newest.verb == intent.verb && intent.before == newest.parent && newest.worktree.is_none()
        });
        Ok(())
    }

    /// Appends the intent of a checkout. Durable on return.
    pub fn intend(&mut self, intent: Intent) -> Result<()> {
        let token = intent.token;
        self.repository.check_branches(&intent.edits, intent.switch.as_ref())?;
        self.append(Record::Intent(intent))?;
        self.intended = Some(token);
        Ok(())
    }

    /// Ends an intent that has changed nothing.
    pub fn abandon(&mut self, token: u64) -> Result<()> {
        if self.intended == Some(token) {
            self.intended = None;
        }
        match self.repository.unfinished() {
            Some(intent) if intent.token == token => self.append(Record::IntentEnd(token)),
            _ => Ok(()),
        }
    }

    /// Fills in the fields of an operation.
    fn complete(&self, new_operation: NewOperation) -> Result<Operation> {
        let Repository { config, environment, store, state, .. } = &*self.repository;
        let new_commit = |id: CommitId| store.commit(id).map(|commit| NewCommit { id, parents: commit.parents });
        let current = state.view.current.clone();
        let targets = new_operation.edits.iter().filter_map(|edit| edit.new);
        let entered = new_operation.worktree.map(|(_, to)| to).filter(|to| state.view.can_recall(*to));
        let targets = targets.chain(entered);
        let (commits, named) = new_commits::with_unknown(store, &state.view, new_operation.commits, targets)?;
        let mut refs = state.view.refs.clone();
        new_operation.edits.iter().for_each(|edit| refs.set(&edit.name, edit.new));
        let mut history = new_operation.history;
        retain_effective(&mut history, &state.view, &refs);
        history
            .recalls
            .extend(named.into_iter().filter(|commit| !history.recalls.contains(commit)).collect::<Vec<_>>());
        let commits = commits.into_iter().map(new_commit).collect::<Result<Vec<_>>>()?;
        if !history.is_empty() {
            let mut view = state.view.clone();
            view.add_commits(&commits);
            heads::complete(store, &view, &mut history)?;
        }
        Ok(Operation {
            parent: state.operation,
            verb: new_operation.verb,
            description: new_operation.description,
            arguments: environment.arguments().to_vec(),
            time: self.began,
            duration: milliseconds(self.began, environment.now()),
            user: config.author_name(environment),
            host: fs::host_name(),
            edits: new_operation.edits,
            switched: new_operation.switch.filter(|branch| *branch != current).map(|branch| (current, branch)),
            commits,
            worktree: new_operation.worktree,
            packs_added: new_operation.stored.packs,
            bytes_read: new_operation.bytes_read,
            bytes_stored: new_operation.stored.bytes,
            is_joined: self.has_recorded,
            directory: state.directory(),
            undo_position: new_operation.undo_position,
            history,
            extras: new_operation.extras,
        })
    }

    fn append(&mut self, record: Record) -> Result<()> {
        self.append_all(vec![record])
    }

    /// Appends records, preceded by a prepared operation, and by the directory's record if the journal is not up to date.
    fn append_all(&mut self, records: Vec<Record>) -> Result<()> {
        self.append_by(records, true)
    }

    fn append_by(&mut self, records: Vec<Record>, is_flushed: bool) -> Result<()> {
        let prepared = self.prepared.take();
        if prepared.is_none() {
            self.roll_if_long()?;
        }
        let directory = self.repository.unrecorded_directory();
        let first: Vec<Record> = directory.into_iter().chain(prepared).collect();
        let Repository { layout, environment, state, store, end, .. } = &mut *self.repository;
        let journal = self.journal.as_mut().expect("it was opened to be looked at");
        self.lock.check()?;
        environment.set_phase(Phase::Recording);
        let (appended, make_space) = (first.iter().chain(&records), || reserve::release(&layout.reserve()));
        *end = match is_flushed {
            true => journal.append(appended, make_space)?,
            false => journal.append_unflushed(appended, make_space)?,
        };
        records.iter().try_for_each(|record| record.apply(state))?;
        store.set_purged(purged_blobs(state));
        self.repository.note_directory();
        let is_unfinished = self.repository.unfinished().is_some();
        self.repository.environment.set_phase(if is_unfinished { Phase::Applying } else { Phase::Recorded });
        Ok(())
    }

    fn roll_if_long(&mut self) -> Result<()> {
        let Repository { layout, environment, state, end, .. } = &mut *self.repository;
        let journal = match &mut self.journal {
            Some(journal) => journal,
            None => self.journal.insert(Writer::open(&layout.journal(), *end, environment.durability())?),
        };
        journal.roll_if_long(state)
    }

    /// Merges small packs.
    fn merge_small_packs(&mut self) -> Result<()> {
        let store = &self.repository.store;
        let mut removed = store.merge_candidates();
        let merged = match store.merge(&removed) {
            // Damaged packs are left for `verify`; the others are merged.
            Err(error) if error.kind() == ErrorKind::Damaged => {
                removed.retain(|&id| store.is_whole(id));
                store.merge(&removed)
            }
            merged => merged,
        };
        let Some(added) = merged? else { return Ok(()) };
        self.swap_packs(vec![added], removed)
    }

    /// Rewrites the catalog if that pays after packs were replaced.
    pub fn renew_catalog(&mut self) {
        self.repository.store.renew_catalog();
    }

    /// Replaces packs by packs with the same visible objects, and deletes the old ones when nothing reads them.
    pub fn swap_packs(&mut self, added: Vec<PackId>, removed: Vec<PackId>) -> Result<()> {
        let time = self.repository.environment.now();
        if let Some(growth) = &mut self.growth {
            growth.add_packs(&self.repository.layout, &added);
        }
        self.append(Record::Packs { time, added, removed: removed.clone() })?;
        let Repository { layout, store, state, .. } = &mut *self.repository;
        *store = open_store(layout, state, store.mask().cloned(), store.options().clone(), false)?;
        self.delete_packs(|Repository { layout, state, store, read_lock, .. }| {
            let commits = UnnamedCommits::new(layout, state, store);
            let has_commits = |pack| !commits.of_pack(pack).is_empty();
            leftovers::remove_replaced(layout, &removed, &state.packs, read_lock, &has_commits)
        })
    }

    /// Deletes packs that the journal does not name, if nothing reads them, and empty folders of packs. `keeps_commits`: not if
    /// `repair` would restore commits of them.
    pub fn remove_unnamed_packs(&mut self, keeps_commits: bool) -> Result<()> {
        self.delete_packs(|Repository { layout, state, store, read_lock, .. }| {
            let commits = UnnamedCommits::new(layout, state, store);
            let has_commits = |pack| keeps_commits && !commits.of_pack(pack).is_empty();
            leftovers::remove_unnamed(layout, &state.packs, read_lock, |pack| !has_commits(pack), &has_commits)?;
            leftovers::remove_empty_folders(layout);
            Ok(())
        })
    }

    fn delete_packs(&mut self, delete: impl FnOnce(&mut Repository) -> Result<()>) -> Result<()> {
        let layout = self.repository.layout.clone();
        match &mut self.growth {
            Some(growth) => growth.watch_deletion(&layout, || delete(self.repository)),
            None => delete(self.repository),
        }
    }

    fn count_stored(&mut self, stored: &Stored) {
        if let Some(growth) = &mut self.growth {
            growth.add_stored(&self.repository.layout, stored);
        }
    }

    /// Removes segments of the journal that are very old, unless the newest ones are short. Returns their number.
    pub fn remove_old_segments(&mut self) -> Result<u64> {
        let Repository { layout, environment, .. } = &*self.repository;
        journal::remove_old_segments(&layout.journal(), environment.now(), environment.durability())
    }

    /// Hides objects: everything that was forgotten or purged at the sweep's horizon or before is gone. The mask is durable.
    /// `substitutes` are the swept commits that other commits still name. Durable on return.
    pub fn sweep(&mut self, sweep: Sweep, substitutes: ForgottenCommits) -> Result<()> {
        let before = self.repository.state.mask();
        self.append(Record::Sweep(sweep, substitutes))?;
        let Repository { layout, store, state, .. } = &mut *self.repository;
        leftovers::retire_mask(layout, before, state.mask());
        let (mask, damage) = read_mask(layout, state)?;
        *store = open_store(layout, state, mask, store.options().clone(), false)?;
        damage.map_or(Ok(()), Err)
    }
}

/// Fails unless every ref has the expected value, its new value is in the store, and its new name is valid.
fn check_edits(refs: &Refs, store: &Store, new_operation: &NewOperation) -> Result<()> {
    let mut refs = refs.clone();
    for RefEdit { name, old, new } in &new_operation.edits {
        let found = refs.get(name);
        if found != *old {
            return Err(unexpected(name, *old, found));
        }
        if let (None, Some(_)) = (found, new) {
            refname::check(name.short())?;
            let other = name.other_kind();
            if refs.get(&other).is_some() {
                let message = format!("a {} `{}` already exists", other.word(), other.short());
                return Err(Error::new(ErrorKind::Exists, message)
                    .hint("branches and tags share one namespace; choose another name"));
            }
        }
        if let Some(new) = new
            && !store.contains(ObjectKind::Commit, new.object_id())
        {
            return Err(Error::new(ErrorKind::NotFound, format!("no commit `{new}` in this repository")));
        }
        refs.set(name, *new);
    }
    match &new_operation.switch {
        Some(branch) if !refs.branches.contains_key(branch) => refname::check(branch),
        _ => Ok(()),
    }
}

fn unexpected(name: &RefName, expected: Option<CommitId>, found: Option<CommitId>) -> Error {
    let (kind, problem, hint) = match (expected, found) {
        (None, Some(_)) => (ErrorKind::Exists, "already exists", "choose another name, or delete that one first"),
        (Some(_), None) => (ErrorKind::Refused, "no longer exists", "another command has deleted it; see `undo log`"),
        _ => {
            let hint = "another command has changed it; see `undo log`, then run the command again";
            (ErrorKind::Refused, "has changed", hint)
        }
    };
    Error::new(kind, format!("the {} `{}` {problem}", name.word(), name.short())).hint(hint)
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    let nanoseconds = |time: Timestamp| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
    u64::try_from((nanoseconds(to) - nanoseconds(from)) / 1_000_000).unwrap_or(0)
}
