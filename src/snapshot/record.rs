//! Records the worktree in three steps: scan, store, append the operation. A checkout plans between the first two.

use crate::alarm::{self, Evidence, Findings, Watch};
use crate::error::{Error, ErrorKind, Result};
use crate::history::mounted_over;
use crate::id::CommitId;
use crate::object::commit::Totals;
use crate::object::{Commit, Extras, Objects, RunInfo, alarm_marks};
use crate::progress::Progress;
use crate::repo::{Layout, Repository, Transaction};
use crate::snapshot::commit::{self, CommitMessage, Compared, Content};
use crate::snapshot::operation;
use crate::snapshot::scan_tree::{self, Recording, ScanOptions};
use crate::snapshot::twin::{has_moved, twin};
use crate::snapshot::{Beside, Options, Outcome};
use crate::store::{Session, Stored, Writer};
use crate::time::Timestamp;
use crate::worktree::index::Builder;
use crate::worktree::{Index, Scan, Worktree};

/// A scan whose content is in the session but not part of the repository. Dropping it saves nothing.
pub struct Scanned<'s> {
    repository: &'s Repository,
    scan: Scan,
    parent: Option<Commit>,
    content: Content,
    outcome: Outcome,
    /// With the other files of databases among the paths.
    options: Options,
    /// The index that was used, which may be of more paths.
    index: Index,
    /// Holds the new trees. `None` without a session.
    writer: Option<Result<Writer<'s>>>,
}

/// A scan whose new content is on disk, and a commit of it, but no operation names them yet.
pub struct StoredScan {
    scan: Scan,
    outcome: Outcome,
    options: Options,
    index: Index,
    /// Whether an operation is needed: there is a new commit, or the branch goes to an older commit of the same content.
    is_recorded: bool,
}

/// A scan of a worktree that a commit in the repository holds: proof that a checkout may replace what was scanned.
pub struct SavedScan {
    scan: Scan,
    /// The index before the scan.
    old_index: Index,
}

impl SavedScan {
    /// The scan, whose index now covers the whole worktree.
    pub fn scan(&self) -> &Scan {
        &self.scan
    }

    /// The index of the scan, for a checkout that updates it.
    pub fn index_mut(&mut self) -> &mut Builder {
        &mut self.scan.index
    }

    /// Writes the index, if it has changed. Not to be called before an operation names everything that was scanned.
    pub fn write_index(&self, layout: &Layout) {
        self.scan.index.write_if_changed(&self.old_index, &layout.index());
    }
}

/// Records the worktree and writes the index.
///
/// Order: packs durable, then the operation in the journal, then the index.
///
/// With [`ErrorKind::NotInTime`], nothing is recorded, but the content that was stored so far stays in the repository and the
/// index knows it, so the next attempt has less to do.
pub fn take(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Outcome, SavedScan)> {
    let mut kept = Stored::default();
    let (stored, scan) = match scan_and_store(transaction.repository(), worktree, options, &mut kept, progress) {
        // After this commit, a rollback can free space.
        Err(error) if is_full(&error) && options.ran.is_some() && transaction.release_reserve() => {
            scan_and_store(transaction.repository(), worktree, options, &mut kept, progress)?
        }
        Err(error) => {
            let is_kept = error.kind() == ErrorKind::NotInTime && transaction.keep(&kept).is_ok();
            if let Some(index) = options.partial.take().filter(|_| is_kept) {
                // A failure only costs the next try more time.
                let _ = index.write(&transaction.repository().layout.index());
            }
            return Err(error);
        }
        Ok(scan) => scan,
    };
    let (outcome, saved) = scan.record(transaction, stored)?;
    saved.write_index(&transaction.repository().layout);
    Ok((outcome, saved))
}

/// `kept` receives what was stored before the deadline.
fn scan_and_store(
    repository: &Repository,
    worktree: &Worktree,
    options: &Options,
    kept: &mut Stored,
    progress: &dyn Progress,
) -> Result<(Stored, StoredScan)> {
    let session = repository.store().session();
    let scanned = scan(repository, worktree, Some(&session), options, progress).and_then(Scanned::store);
    let scan = match scanned {
        Err(error) if error.kind() == ErrorKind::NotInTime => {
            *kept = session.finish()?;
            return Err(error);
        }
        scan => scan?,
    };
    let stored = if scan.has_new_commit() { session.finish()? } else { Stored::default() };
    Ok((stored, scan))
}

fn is_full(error: &Error) -> bool {
    error.kind() == ErrorKind::NoSpace
}

/// Scans the worktree and compares it with the current commit. File content goes into the session; without one, files are
/// only hashed, and nothing is written.
///
/// If the current commit is damaged, reads everything and stores it again, whatever the store and the index say: users must
/// be able to save their files, and to leave that commit.
pub fn scan<'s>(
    repository: &'s Repository,
    worktree: &Worktree,
    session: Option<&'s Session<'s>>,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Scanned<'s>> {
    let (paths, journals) = scan_tree::with_database_files(repository, worktree, &options.paths)?;
    let options = Options { paths, ..options.clone() };
    let scan_with = |index: Index, parent: Option<Commit>| {
        let how = ScanOptions {
            paths: &options.paths,
            journals: &journals,
            despite_rules: &options.despite_rules,
            base: parent.as_ref(),
            // Without anything to compare with, now or in a checkout, the trees need not stay in memory.
            takes_trees: parent.is_none() && options.paths.is_empty() && !options.automatic,
            partial: options.partial.clone(),
        };
        let recording = scan_tree::record(repository, session, worktree, &index, &how, progress)?;
        let compared = compare_with_parent(repository, worktree, session, parent, recording, &options)?;
        Ok(Scanned { index, ..compared })
    };
    let parent = options.parents(repository).first().map(|id| repository.store().commit(*id)).transpose();
    let index = Index::open(&repository.layout.index());
    let mut scanned = match parent.and_then(|parent| scan_with(index, parent)) {
        Err(damage) if damage.kind() == ErrorKind::Damaged && options.paths.is_empty() => {
            repository.store().require_verification();
            let mut scanned = scan_with(Index::empty(), None)?;
            scanned.outcome.damage = Some(damage.to_string());
            scanned
        }
        result => result?,
    };
    scanned.find_known();
    scanned.outcome.journals = journals.into_iter().filter(|path| scanned.scan.index.find(path).is_some()).collect();
    Ok(scanned)
}

/// Compares a scan of the whole worktree that was saved moments ago with the current commit, instead of scanning again. `None` if
/// the commit is damaged, so that everything must be read again.
pub fn reuse<'s>(
    repository: &'s Repository,
    worktree: &Worktree,
    session: &'s Session<'s>,
    saved: SavedScan,
    options: &Options,
) -> Result<Option<Scanned<'s>>> {
    let SavedScan { scan, old_index } = saved;
    let recording = Recording { root: scan.root.clone(), links: scan.links, scan };
    let parent = options.parents(repository).first().map(|id| repository.store().commit(*id)).transpose();
    let compared =
        parent.and_then(|parent| compare_with_parent(repository, worktree, Some(session), parent, recording, options));
    match compared {
        Err(damage) if damage.kind() == ErrorKind::Damaged => Ok(None),
        compared => {
            let mut scanned = Scanned { index: old_index, ..compared? };
            scanned.find_known();
            Ok(Some(scanned))
        }
    }
}

/// Compares a scan with the parent commit, and puts its trees into the session meanwhile.
fn compare_with_parent<'s>(
    repository: &'s Repository,
    worktree: &Worktree,
    session: Option<&'s Session<'s>>,
    parent: Option<Commit>,
    recording: Recording,
    options: &Options,
) -> Result<Scanned<'s>> {
    let store = repository.store();
    let mut watch = Watch::default();
    // A commit does not record a change of times alone, but a checkout sets times.
    let (paths, times) = (&options.paths, options.automatic);
    let mut compare = || commit::compare(store, parent.as_ref(), &recording, paths, times, &mut watch);
    let (compared, writer) = match session {
        Some(session) => {
            let (compared, writer) = scan_tree::put_objects_during(session, &recording.scan, compare);
            (compared, Some(writer))
        }
        None => (compare(), None),
    };
    let Compared { content, counts, differs } = compared?;
    let scan = recording.scan;
    let mut outcome = Outcome {
        commit: options.parents(repository).first().copied(),
        created: differs,
        changes: content.changes,
        counts,
        totals: content.totals,
        bytes_read: scan.bytes_read,
        uncovered: scan.uncovered.clone(),
        torn: scan.torn.clone(),
        without_attributes: scan.without_attributes.clone(),
        ..Outcome::default()
    };
    if let Some(before) = &parent {
        outcome.findings = alarm::judge(watch, &Evidence { before, store, live: &worktree.root });
        outcome.mounted_over = mounted_over(store, &before.root, &scan.uncovered)?;
        let now = repository.environment.now();
        outcome.future_parent = Some(before.time).filter(|time| is_in_future(*time, now));
    }
    Ok(Scanned { repository, scan, parent, content, outcome, options: options.clone(), index: Index::empty(), writer })
}

impl Scanned<'_> {
    /// The scan.
    pub fn scan(&self) -> &Scan {
        &self.scan
    }

    /// The expected outcome of saving.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Finds out whether there is something new: a commit may hold the worktree already, or the worktree was not filled yet.
    fn find_known(&mut self) {
        let Scanned { repository, options, .. } = self;
        if let Some(beside) = options.beside.as_ref().filter(|_| self.outcome.created)
            && let Some(known) = beside.known(repository, &self.content)
        {
            (self.outcome.commit, self.outcome.created) = (Some(known), false);
        }
        if options.automatic && is_untouched(repository, options, &self.index, &self.scan) {
            self.outcome.created = false;
        }
    }

    /// Gives up the scan and keeps the expected outcome.
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// Puts a commit into the session, if there is something new. The caller then finishes the session if
    /// [`StoredScan::has_new_commit`].
    pub fn store(self) -> Result<StoredScan> {
        let Scanned { repository, scan, parent, content, mut outcome, options, index, writer } = self;
        let is_event = |beside: &Beside| beside.is_event(repository, outcome.commit);
        let mut is_recorded = outcome.created || options.beside.as_ref().is_some_and(is_event);
        let twin = match &options.beside {
            None if outcome.created && options.automatic => twin(repository, &content)?,
            _ => None,
        };
        if let Some(twin) = twin {
            (outcome.commit, outcome.created) = (Some(twin), false);
        } else if outcome.created {
            let (message, author) = (options.message.clone(), options.author.clone());
            let automatic = options.automatic || options.beside.is_some();
            let extras = extras(repository, &options, &outcome.findings);
            let message = CommitMessage { message, automatic, author, date: None, extras };
            let commit = commit::make(repository, options.parents(repository), parent.as_ref(), content, message);
            let mut writer = writer.expect("a scan that is stored has a session")?;
            outcome.commit = Some(Transaction::put_commit(&mut writer, &commit)?);
            writer.finish()?;
        }
        if let (Some(commit), false) = (outcome.commit, is_recorded) {
            is_recorded = has_moved(repository, options.from, commit)?;
        }
        Ok(StoredScan { scan, outcome, options, index, is_recorded })
    }
}

impl StoredScan {
    /// Whether the session holds a new commit, and must be finished.
    pub fn has_new_commit(&self) -> bool {
        self.outcome.created
    }

    /// Appends the operation, if one is needed: from then on the commit is part of the repository. `stored` is what the
    /// session has stored.
    pub fn record(self, transaction: &mut Transaction<'_>, stored: Stored) -> Result<(Outcome, SavedScan)> {
        let StoredScan { mut scan, mut outcome, options, index, is_recorded } = self;
        if let Some(commit) = outcome.commit.filter(|_| is_recorded) {
            outcome.bytes_stored = stored.bytes;
            if let Err(error) = options.deadline.map_or(Ok(()), |deadline| deadline.check()) {
                transaction.keep(&stored)?;
                scan_tree::complete_index(&mut scan, &index, &options.paths);
                scan.index.write_if_changed(&index, &transaction.repository().layout.index());
                return Err(error);
            }
            operation::append(transaction, commit, &outcome, stored, &options)?;
        }
        scan_tree::complete_index(&mut scan, &index, &options.paths);
        Ok((outcome, SavedScan { scan, old_index: index }))
    }
}

impl Options {
    /// Parents of the commit, which is compared with the first one.
    fn parents(&self, repository: &Repository) -> Vec<CommitId> {
        match &self.beside {
            Some(beside) => beside.parents.clone(),
            None => repository.view().at().into_iter().collect(),
        }
    }
}

/// Whether a time is so far ahead of the clock that one of them must be wrong.
fn is_in_future(time: Timestamp, now: Timestamp) -> bool {
    const TOLERANCE: i64 = 60;
    time.seconds > now.seconds + TOLERANCE
}

/// Whether this is an empty folder for a history that was just attached or cloned. That is not a state to record.
fn is_untouched(repository: &Repository, options: &Options, index: &Index, scan: &Scan) -> bool {
    let is_empty = scan.totals == Totals::default() && scan.uncovered.is_empty() && scan.ignored.is_empty();
    // A checkout of a clone, whose branch has no commit yet.
    let is_cloned = options.prepares && repository.view().at().is_none() && !repository.view().heads.is_empty();
    let is_attached = repository.layout.is_elsewhere() && repository.view().at().is_some();
    is_empty && index.count() == 0 && (is_cloned || is_attached)
}

/// Extra fields of the commit: alarms, the command that was run, and the event that was recorded.
fn extras(repository: &Repository, options: &Options, findings: &Findings) -> Extras {
    let mut extras = match &options.beside {
        Some(beside) => beside.commit_extras(repository),
        None => options.ran.as_ref().map_or_else(Extras::default, RunInfo::extras),
    };
    alarm_marks::put(&findings.marks(), &mut extras);
    extras
}
