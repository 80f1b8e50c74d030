//! Walks the worktree: workers take jobs on directories from a queue. The caller is the first worker; others start when
//! there is enough work.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{Stat, Xattrs, effective_uid, is_of_one_entry, is_other_kind, open_file_limit};
use crate::id::ObjectId;
use crate::metadata::Kind;
use crate::object::commit::{Reason, Totals, Uncovered};
use crate::object::{Content, Entry, ObjectKind};
use crate::parallel;
use crate::path::set::PathSet;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::{Progress, Task, Unit};
use crate::store::Store;
use crate::time::Timestamp;
use crate::worktree::clock::Clock;
use crate::worktree::content::Sink;
use crate::worktree::ignore::{self, Rules, RulesFile};
use crate::worktree::index::{Builder, Record, Spool};
use crate::worktree::inodes::{Inode, Inodes, State};
use crate::worktree::node::{Listed, Node};
use crate::worktree::queue::{self, Job, Listing, OpenDir, Queue};
use crate::worktree::{Index, Worktree};

/// Maximum number of entries of a directory that one job classifies.
const RANGE: usize = 1024;
/// Maximum number of directories that stay open for queued jobs. The other jobs open theirs from the root.
const OPEN_DIRECTORIES: usize = 256;

/// What to scan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Scan only these paths, what is below them, and their parent directories. Empty means everything.
    pub paths: Vec<RepoPathBuf>,
    /// Cover these paths although rules ignore them.
    pub despite_rules: Vec<RepoPathBuf>,
    /// Skip the entries that the unfinished checkout with this token staged (`.undo-TOKEN-N`).
    pub staged_by: Option<u64>,
}

/// Shared by all workers.
pub struct Walk<'w> {
    pub worktree: &'w Worktree,
    pub store: &'w Store,
    pub index: &'w Index,
    pub selection: PathSet,
    pub despite_rules: PathSet,
    /// Prefix of the names that an unfinished checkout staged.
    pub staged: Option<Vec<u8>>,
    pub queue: Queue,
    pub clock: Clock,
    /// Index records with a ctime from here on are not trusted.
    pub doubtful_since: Option<Timestamp>,
    pub inodes: Inodes,
    scanning: Arc<dyn Task>,
    pub reading: Arc<dyn Task>,
    /// Total size of the files to be read that are known so far.
    to_read: AtomicU64,
    /// Number of directories, and ranges of their entries, that are not classified yet.
    unclassified: AtomicUsize,
    open: Arc<AtomicUsize>,
    /// Shared by the index builders of all workers.
    pub spool: Arc<Spool>,
    /// The complete root.
    root: Mutex<Option<Entry>>,
    failure: Mutex<Option<Error>>,
}

/// Findings of one worker.
#[derive(Default)]
pub struct Findings {
    pub totals: Totals,
    pub objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    pub index: Builder,
    pub uncovered: Vec<Uncovered>,
    pub ignored: Vec<RepoPathBuf>,
    pub ignore_warnings: Vec<ignore::IgnoreWarning>,
    pub torn: Vec<RepoPathBuf>,
    pub uncovered_kinds: Vec<(RepoPathBuf, Kind)>,
    pub without_attributes: Vec<RepoPathBuf>,
    /// Names of files with several names.
    pub links: Vec<((Inode, State), RepoPathBuf)>,
    pub files_read: u64,
    pub bytes_read: u64,
}

pub struct Worker<'w, S> {
    pub walk: &'w Walk<'w>,
    pub findings: Findings,
    new_sink: &'w (dyn Fn() -> S + Sync),
    /// Created on first use.
    sink: Option<S>,
    /// A failure of the sink while an entry was read: it does not concern the entry, and ends the scan.
    pub sink_failure: Option<Error>,
}

impl<'w> Walk<'w> {
    /// Prepares a walk, and reads the clock of the file system.
    pub fn new(
        worktree: &'w Worktree,
        store: &'w Store,
        index: &'w Index,
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<Walk<'w>> {
        Ok(Walk {
            worktree,
            store,
            index,
            selection: PathSet::topmost(options.paths.clone()),
            despite_rules: PathSet::topmost(options.despite_rules.clone()),
            staged: options.staged_by.map(|token| format!(".undo-{token:016x}-").into_bytes()),
            queue: Queue::default(),
            clock: Clock::read(&worktree.root)?,
            doubtful_since: index.doubtful_since(),
            inodes: Inodes::default(),
            scanning: progress.start("scanning", Unit::Items, None),
            reading: progress.start("reading", Unit::Bytes, None),
            to_read: AtomicU64::new(0),
            unclassified: AtomicUsize::new(1),
            open: Arc::default(),
            spool: Spool::new(store.scratch().join("index")),
            root: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    /// Runs the walk. Returns the root, and the findings of each worker.
    pub fn run<S: Sink>(&self, new_sink: &(dyn Fn() -> S + Sync)) -> Result<(Entry, Vec<Findings>)> {
        let mut root = Node::new(RepoPathBuf::default(), None, self.worktree.root.stat_self()?, Rules::default());
        root.indexed = self.index.directory(RepoPath::root());
        root.selected = self.selection.is_empty() || self.selection.covers(RepoPath::root());
        self.queue.push(vec![Job { node: Arc::new(root), task: queue::Task::List(None) }]);
        let findings = std::thread::scope(|scope| {
            let mut others = None;
            let first = self.work(new_sink, || {
                if others.is_none() && self.queue.needs_threads() {
                    let start = |_| parallel::start(scope, || self.work(new_sink, || {}));
                    others = Some((1..parallel::workers()).map_while(start).collect::<Vec<_>>());
                }
            });
            let others = others.into_iter().flatten();
            let others = others.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            std::iter::once(first).chain(others).collect::<Vec<_>>()
        });
        if let Some(failure) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(failure);
        }
        let root = self.root.lock().unwrap_or_else(PoisonError::into_inner).take();
        let root = root.ok_or_else(|| {
            Error::new(ErrorKind::Permission, format!("cannot read the directory `{}`", self.worktree.path.display()))
        })?;
        Ok((root, findings))
    }

    /// Works until no jobs are left. Calls `between` after each job.
    fn work<S: Sink>(&self, new_sink: &(dyn Fn() -> S + Sync), mut between: impl FnMut()) -> Findings {
        let findings = Findings { index: Builder::spooled(self.spool.clone()), ..Findings::default() };
        let mut worker = Worker { walk: self, findings, new_sink, sink: None, sink_failure: None };
        let mut result = Ok(());
        while let Some((job, _active)) = self.queue.take() {
            result = worker.work_on(job);
            if result.is_err() {
                break;
            }
            between();
        }
        if let Some(sink) = worker.sink.take() {
            result = result.and(sink.finish());
        }
        if let Err(error) = result {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            self.queue.stop();
        }
        worker.findings
    }

    /// Whether a change could leave the same stat as this one.
    pub fn is_racy(&self, stat: &Stat) -> bool {
        self.clock.is_racy(stat)
    }

    /// Whether the store has the objects of an index record: the index may be newer than a store that was restored from
    /// a backup.
    pub fn is_stored(&self, record: &Record) -> bool {
        let has_content = match record.content {
            Content::File { blob, .. } => {
                [ObjectKind::Data, ObjectKind::Layout].iter().any(|kind| self.store.knows(*kind, blob.object_id()))
            }
            _ => true,
        };
        has_content && record.attributes.is_none_or(|id| self.store.knows(ObjectKind::Attributes, id.object_id()))
    }

    /// Adds directories or ranges to be classified.
    pub fn add_unclassified(&self, count: usize) {
        self.unclassified.fetch_add(count, Ordering::Relaxed);
    }

    /// Completes one of them. After the last one, the number of bytes to be read is known.
    fn finish_classifying(&self) {
        if self.unclassified.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.reading.set_total(self.to_read.load(Ordering::Relaxed));
        }
    }

    /// Adds bytes to be read.
    pub fn add_bytes(&self, bytes: u64) {
        self.to_read.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl<S: Sink> Worker<'_, S> {
    fn work_on(&mut self, job: Job) -> Result<()> {
        let Job { node, task } = job;
        match task {
            queue::Task::Read(listing, files) => self.read(&node, &listing, &files)?,
            queue::Task::List(parent) => {
                self.list(&node, parent)?;
                self.walk.finish_classifying();
            }
            queue::Task::Classify(listing, range) => {
                self.classify(&node, &listing, range)?;
                self.walk.finish_classifying();
            }
        }
        self.finish_job(node)
    }

    /// Opens and lists a directory, then classifies its entries, or queues ranges of them.
    fn list(&mut self, node: &Arc<Node>, parent: Option<Arc<OpenDir>>) -> Result<()> {
        let opened = match (&parent, node.path.name()) {
            (Some(parent), Some(name)) => parent.dir.open_dir(name),
            _ => self.walk.worktree.root.open_below(&node.path),
        };
        drop(parent);
        let opened = match opened {
            Err(error) if error.kind() == ErrorKind::Permission && !node.ignored => return self.cover_closed(node),
            opened => opened,
        };
        let proven = self.proven_record(node);
        let listed = opened.and_then(|dir| {
            let entries = dir.entries()?;
            let xattrs = if proven.is_some() { Ok(Xattrs::new()) } else { dir.xattrs(b".") };
            let has_rules = entries.binary_search_by(|entry| entry.name.as_slice().cmp(ignore::FILE)).is_ok();
            let rules = if has_rules { ignore::read_file(&dir)? } else { RulesFile::Absent };
            Ok((dir, entries, xattrs, rules))
        });
        let (dir, entries, xattrs, rules) = match listed {
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) if is_other_kind(&error) && node.parent.is_some() => return self.classify_again(node),
            Err(error) if is_of_one_entry(&error) => {
                self.add_uncovered(node.path.clone(), Reason::Unreadable, Some(Kind::Directory));
                return Ok(());
            }
            listed => listed?,
        };
        let attributes = match proven {
            Some(record) => record.attributes,
            None => self.read_directory_attributes(xattrs, &node.path)?,
        };
        let ignore_warnings = &mut self.findings.ignore_warnings;
        let rules = node.parent_rules.enter(&node.path, &rules, &mut |warning| ignore_warnings.push(warning));
        let _ = node.listed.set(Listed { rules, attributes });
        node.set_length(entries.len());
        self.walk.scanning.add(entries.len() as u64)?;
        let listing = Listing { open: Arc::new(OpenDir::new(dir, &self.walk.open)), entries: Arc::new(entries) };
        let count = listing.entries.len();
        if count <= RANGE {
            return self.classify(node, &listing, 0..count);
        }
        let ranges = (0..count).step_by(RANGE).map(|start| start..count.min(start + RANGE));
        let job = |range| Job { node: node.clone(), task: queue::Task::Classify(listing.clone(), range) };
        let jobs: Vec<Job> = ranges.map(job).collect();
        node.add_pending(jobs.len());
        self.walk.add_unclassified(jobs.len());
        self.walk.queue.push(jobs);
        Ok(())
    }

    /// The index record of a directory itself, if it proves the directory unchanged and its attributes are stored.
    fn proven_record(&self, node: &Node) -> Option<Record> {
        node.proven_record().filter(|record| !S::STORES || self.walk.is_stored(record))
    }

    /// Adds a directory without read permission as not covered. If this user owns it, and so can change the permission,
    /// its own entry is recorded.
    fn cover_closed(&mut self, node: &Node) -> Result<()> {
        self.add_uncovered(node.path.clone(), Reason::Unreadable, Some(Kind::Directory));
        if node.stat.metadata.uid != effective_uid() {
            return Ok(());
        }
        let (Some((parent, _)), Some(name)) = (&node.parent, node.path.name()) else { return Ok(()) };
        let attributes = match self.proven_record(node) {
            Some(record) => record.attributes,
            None => {
                let Ok(parent) = self.walk.worktree.root.open_below(&parent.path) else { return Ok(()) };
                self.read_directory_attributes(parent.xattrs(name), &node.path)?
            }
        };
        let _ = node.listed.set(Listed { rules: node.parent_rules.clone(), attributes });
        Ok(())
    }

    pub fn sink(&mut self) -> &mut S {
        self.sink.get_or_insert_with(self.new_sink)
    }

    /// Returns the failure of the sink, if it has failed.
    pub fn check_sink(&mut self) -> Result<()> {
        self.sink_failure.take().map_or(Ok(()), Err)
    }

    /// Passes an object that the store lacks to the sink.
    pub fn put(&mut self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) -> Result<()> {
        if let Some(bytes) = self.sink().object(kind, id, bytes)? {
            self.findings.objects.insert((kind, id), bytes.into());
        }
        Ok(())
    }

    /// Adds a path that exists and is not covered. Its kind, if known, shows whether a recorded entry there is gone.
    pub fn add_uncovered(&mut self, path: RepoPathBuf, reason: Reason, kind: Option<Kind>) {
        self.findings.uncovered_kinds.extend(kind.map(|kind| (path.clone(), kind)));
        self.findings.uncovered.push(Uncovered { path, reason });
    }

    /// A handle for jobs on subdirectories, unless too many directories are open.
    pub fn shared_handle(&self, open: &Arc<OpenDir>) -> Option<Arc<OpenDir>> {
        (self.walk.open.load(Ordering::Relaxed) < OPEN_DIRECTORIES.min(open_file_limit() / 4)).then(|| open.clone())
    }

    /// Completes a job on a directory. After its last job, builds its tree, and completes a job of its parent.
    fn finish_job(&mut self, mut node: Arc<Node>) -> Result<()> {
        while node.finish_job() {
            if node.listed.get().is_some() {
                self.build_tree(&node)?;
            }
            let Some((parent, _)) = &node.parent else { return Ok(()) };
            node = parent.clone();
        }
        Ok(())
    }

    fn build_tree(&mut self, node: &Node) -> Result<()> {
        let store = self.walk.store;
        let racy = self.walk.is_racy(&node.stat);
        let is_stored = |kind, id| store.knows(kind, id);
        let built = node.build_tree(racy, is_stored, |kind, id, bytes| self.put(kind, id, bytes))?;
        match (&built.records, &node.indexed) {
            (None, Some(indexed)) => self.findings.index.keep(node.path.clone(), indexed.clone()),
            (records, _) => {
                let records = records.as_deref().unwrap_or_default();
                self.findings.index.insert(node.path.clone(), Some(built.total), records);
            }
        }
        let Some(record) = node.record(built.total, racy) else { return Ok(()) };
        match &node.parent {
            Some((parent, at)) => {
                self.findings.totals.directories += 1;
                parent.set_slots(vec![(*at, parent.slot_for(record))]);
            }
            None => *self.walk.root.lock().unwrap_or_else(PoisonError::into_inner) = Some(record.to_entry()),
        }
        Ok(())
    }
}
