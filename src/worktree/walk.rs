//! The walk: directories as jobs for some threads. The caller is the first thread; others start when work piles up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{Xattrs, effective_uid, is_of_one_entry, is_other_kind, open_file_limit};
use crate::id::ObjectId;
use crate::metadata::Kind;
use crate::object::commit::{Reason, Totals, Uncovered};
use crate::object::{Attributes, Content, Entry, ObjectKind};
use crate::parallel;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::{Progress, Task, Unit};
use crate::store::Store;
use crate::time::Timestamp;
use crate::worktree::clock::Clock;
use crate::worktree::content::Sink;
use crate::worktree::dir_node::{Inside, Node};
use crate::worktree::ignore::{self, Rules, RulesFile};
use crate::worktree::index::{Builder, Record, Spool};
use crate::worktree::inodes::{Inode, Inodes, State};
use crate::worktree::queue::{self, Job, Listing, Open, Queue};
use crate::worktree::read_entry::Reader;
use crate::worktree::selection::Selection;
use crate::worktree::{Index, Worktree};

/// Entries of one directory that are looked at in one go; a longer directory is shared out.
const STRETCH: usize = 1024;
/// Handles on directories that may be open for jobs that wait; beyond it a job opens its directory from the root.
const OPEN_DIRECTORIES: usize = 256;

/// How a scan goes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only these paths and what is below them (and the directories they are in); empty: all.
    pub paths: Vec<RepoPathBuf>,
    /// Cover these although rules ignore them.
    pub despite_rules: Vec<RepoPathBuf>,
    /// Names to pass over silently: what an unfinished checkout left (`.undo-TOKEN-N`).
    pub staged_by: Option<u64>,
}

/// All that the threads share.
pub struct Walk<'w> {
    pub worktree: &'w Worktree,
    pub store: &'w Store,
    pub index: &'w Index,
    pub selection: Selection,
    pub despite: Selection,
    /// How the names begin that an unfinished checkout staged.
    pub staged: Option<Vec<u8>>,
    pub queue: Queue,
    clock: Clock,
    /// From when on the index is not believed.
    pub doubtful_since: Option<Timestamp>,
    pub inodes: Inodes,
    scanning: Arc<dyn Task>,
    reading: Arc<dyn Task>,
    /// Bytes of files to be read, as far as they are known.
    to_read: AtomicU64,
    /// Directories and stretches of them that nobody has looked at to the end.
    unseen: AtomicUsize,
    open: Arc<AtomicUsize>,
    /// Shared by the indexes of all threads.
    pub spool: Arc<Spool>,
    /// The finished root.
    root: Mutex<Option<Entry>>,
    failure: Mutex<Option<Error>>,
}

/// What one thread found.
#[derive(Default)]
pub struct Found {
    pub totals: Totals,
    pub objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    pub index: Builder,
    pub uncovered: Vec<Uncovered>,
    pub ignored: Vec<RepoPathBuf>,
    pub ignore_warnings: Vec<ignore::IgnoreWarning>,
    pub torn: Vec<RepoPathBuf>,
    pub uncovered_kinds: Vec<(RepoPathBuf, Kind)>,
    pub without_attributes: Vec<RepoPathBuf>,
    /// Names of files with several.
    pub links: Vec<((Inode, State), RepoPathBuf)>,
    pub files_read: u64,
    pub bytes_read: u64,
}

/// One thread.
pub struct Worker<'w, S> {
    pub walk: &'w Walk<'w>,
    pub found: Found,
    sinks: &'w (dyn Fn() -> S + Sync),
    /// Made when there is something for it.
    sink: Option<S>,
}

impl<'w> Walk<'w> {
    /// Prepares a walk; the file system's clock is asked now.
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
            selection: Selection::new(&options.paths),
            despite: Selection::new(&options.despite_rules),
            staged: options.staged_by.map(|token| format!(".undo-{token:016x}-").into_bytes()),
            queue: Queue::default(),
            clock: Clock::read(&worktree.root)?,
            doubtful_since: index.doubtful_since(),
            inodes: Inodes::default(),
            scanning: progress.start("scanning", Unit::Items, None),
            reading: progress.start("reading", Unit::Bytes, None),
            to_read: AtomicU64::new(0),
            unseen: AtomicUsize::new(1),
            open: Arc::default(),
            spool: Spool::new(store.scratch().join("index")),
            root: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    /// Walks; gives the root and what each thread found.
    pub fn run<S: Sink>(&self, sinks: &(dyn Fn() -> S + Sync)) -> Result<(Entry, Vec<Found>)> {
        let mut root = Node::new(RepoPathBuf::default(), None, self.worktree.root.stat_self()?, Rules::default());
        root.known = self.index.directory(RepoPath::root());
        root.selected = self.selection.is_empty() || self.selection.covers(RepoPath::root());
        self.queue.push(vec![Job { node: Arc::new(root), task: queue::Task::List(None) }]);
        let found = std::thread::scope(|scope| {
            let mut others = None;
            let first = self.work(sinks, || {
                if others.is_none() && self.queue.is_piled_up() {
                    let start = |_| parallel::start(scope, || self.work(sinks, || {}));
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
        Ok((root, found))
    }

    /// Works on jobs until there are none; `between` is called after each.
    fn work<S: Sink>(&self, sinks: &(dyn Fn() -> S + Sync), mut between: impl FnMut()) -> Found {
        let found = Found { index: Builder::spooled(self.spool.clone()), ..Found::default() };
        let mut worker = Worker { walk: self, found, sinks, sink: None };
        let mut result = Ok(());
        while let Some((job, _active)) = self.queue.take() {
            result = worker.job(job);
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
        worker.found
    }

    /// Whether a change could leave the same stat as this one.
    pub fn is_racy(&self, stat: &crate::fs::Stat) -> bool {
        self.clock.is_racy(stat)
    }

    /// Whether the store holds what a record of the index says: the index may be newer than a store that was brought back
    /// from a backup.
    pub fn holds(&self, record: &Record) -> bool {
        let has_content = match record.content {
            Content::File { blob, .. } => {
                [ObjectKind::Data, ObjectKind::Layout].iter().any(|kind| self.store.knows(*kind, blob.object_id()))
            }
            _ => true,
        };
        has_content && record.attributes.is_none_or(|id| self.store.knows(ObjectKind::Attributes, id.object_id()))
    }

    /// So many more directories and stretches of them are to be looked at.
    pub fn expect_looks(&self, count: usize) {
        self.unseen.fetch_add(count, Ordering::Relaxed);
    }

    /// One of them is looked at. After the last one it is known how much is to be read.
    fn has_looked(&self) {
        if self.unseen.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.reading.set_total(self.to_read.load(Ordering::Relaxed));
        }
    }

    /// So many more bytes will be read.
    pub fn expect_bytes(&self, bytes: u64) {
        self.to_read.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl<'w, S: Sink> Worker<'w, S> {
    fn job(&mut self, job: Job) -> Result<()> {
        let Job { node, task } = job;
        match task {
            queue::Task::Read(listing, files) => self.read(&node, &listing, &files)?,
            queue::Task::List(above) => {
                self.list(&node, above)?;
                self.walk.has_looked();
            }
            queue::Task::Look(listing, range) => {
                self.look(&node, &listing, range)?;
                self.walk.has_looked();
            }
        }
        self.done(node)
    }

    /// Opens and lists a directory, then looks at its entries, or shares them out.
    fn list(&mut self, node: &Arc<Node>, above: Option<Arc<Open>>) -> Result<()> {
        let opened = match (&above, node.path.name()) {
            (Some(above), Some(name)) => above.dir.open_dir(name),
            _ => self.walk.worktree.root.open_below(&node.path),
        };
        drop(above);
        let opened = match opened {
            Err(error) if error.kind() == ErrorKind::Permission && !node.ignored => return self.cover_closed(node),
            opened => opened,
        };
        let proved = node.proved().filter(|record| !S::STORES || self.walk.holds(record));
        let listed = opened.and_then(|dir| {
            let entries = dir.entries()?;
            let xattrs = if proved.is_some() { Ok(Xattrs::new()) } else { dir.xattrs(b".") };
            let has_rules = entries.binary_search_by(|entry| entry.name.as_slice().cmp(ignore::FILE)).is_ok();
            let rules = if has_rules { ignore::read_file(&dir)? } else { RulesFile::Absent };
            Ok((dir, entries, xattrs, rules))
        });
        let (dir, entries, xattrs, rules) = match listed {
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) if is_other_kind(&error) && node.above.is_some() => return self.look_again(node),
            Err(error) if is_of_one_entry(&error) => {
                self.uncover(node.path.clone(), Reason::Unreadable, Some(Kind::Directory));
                return Ok(());
            }
            listed => listed?,
        };
        let attributes = match proved {
            Some(record) => record.attributes,
            None => {
                let path = || node.path.clone();
                self.reading(path, |reader| {
                    let xattrs = reader.take_xattrs(xattrs)?;
                    Ok(reader.keep(Attributes { xattrs, holes: Vec::new() }))
                })?
            }
        };
        let ignore_warnings = &mut self.found.ignore_warnings;
        let rules = node.rules_above.enter(&node.path, &rules, &mut |one| ignore_warnings.push(one));
        let _ = node.inside.set(Inside { rules, attributes });
        node.make_room(entries.len());
        self.walk.scanning.add(entries.len() as u64)?;
        let listing = Listing { open: Arc::new(Open::new(dir, &self.walk.open)), entries: Arc::new(entries) };
        let count = listing.entries.len();
        if count <= STRETCH {
            return self.look(node, &listing, 0..count);
        }
        let stretches = (0..count).step_by(STRETCH).map(|start| start..count.min(start + STRETCH));
        let look = |range| Job { node: node.clone(), task: queue::Task::Look(listing.clone(), range) };
        let jobs: Vec<Job> = stretches.map(look).collect();
        node.expect(jobs.len());
        self.walk.expect_looks(jobs.len());
        self.walk.queue.push(jobs);
        Ok(())
    }

    /// Lists a directory that may not be read as not covered. Of one that this user owns, and may have closed himself, its own
    /// entry is recorded.
    fn cover_closed(&mut self, node: &Node) -> Result<()> {
        self.uncover(node.path.clone(), Reason::Unreadable, Some(Kind::Directory));
        if node.stat.metadata.uid != effective_uid() {
            return Ok(());
        }
        let (Some((above, _)), Some(name)) = (&node.above, node.path.name()) else { return Ok(()) };
        let attributes = match node.proved().filter(|record| !S::STORES || self.walk.holds(record)) {
            Some(record) => record.attributes,
            None => {
                let Ok(parent) = self.walk.worktree.root.open_below(&above.path) else { return Ok(()) };
                let path = || node.path.clone();
                self.reading(path, |reader| {
                    let xattrs = reader.take_xattrs(parent.xattrs(name))?;
                    Ok(reader.keep(Attributes { xattrs, holes: Vec::new() }))
                })?
            }
        };
        let _ = node.inside.set(Inside { rules: node.rules_above.clone(), attributes });
        Ok(())
    }

    /// Reads the entry of this path with this thread's sink, and takes over what was counted.
    pub fn reading<T>(
        &mut self,
        path: impl FnOnce() -> RepoPathBuf,
        read: impl FnOnce(&mut Reader<'_, S>) -> Result<T>,
    ) -> Result<T> {
        let walk = self.walk;
        let sink = self.sink.get_or_insert_with(self.sinks);
        let mut reader = Reader {
            sink,
            task: &*walk.reading,
            inodes: &walk.inodes,
            root: &walk.worktree.root,
            clock: &walk.clock,
            attributes: Vec::new(),
            lacks_attributes: false,
            files_read: 0,
            bytes_read: 0,
            fatal: None,
        };
        let result = read(&mut reader);
        let Reader { attributes, lacks_attributes, files_read, bytes_read, fatal, .. } = reader;
        if let Some(fatal) = fatal {
            return Err(fatal);
        }
        if lacks_attributes {
            self.found.without_attributes.push(path());
        }
        self.found.files_read += files_read;
        self.found.bytes_read += bytes_read;
        for (id, bytes) in attributes {
            if !walk.store.knows(ObjectKind::Attributes, id.object_id()) {
                self.keep(ObjectKind::Attributes, id.object_id(), bytes)?;
            }
        }
        result
    }

    /// An object that the store does not hold.
    fn keep(&mut self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) -> Result<()> {
        let sink = self.sink.get_or_insert_with(self.sinks);
        if let Some(bytes) = sink.object(kind, id, bytes)? {
            self.found.objects.insert((kind, id), bytes.into());
        }
        Ok(())
    }

    /// A path is there and not covered. Its kind, if that is known, tells whether what was recorded there is gone.
    pub fn uncover(&mut self, path: RepoPathBuf, reason: Reason, kind: Option<Kind>) {
        self.found.uncovered_kinds.extend(kind.map(|kind| (path.clone(), kind)));
        self.found.uncovered.push(Uncovered { path, reason });
    }

    /// A handle for jobs on directories in an open one, unless too many are open.
    pub fn handle(&self, open: &Arc<Open>) -> Option<Arc<Open>> {
        (self.walk.open.load(Ordering::Relaxed) < OPEN_DIRECTORIES.min(open_file_limit() / 4)).then(|| open.clone())
    }

    /// A job on a directory is done. If that was all, its tree is made, and the directory above has one job less.
    fn done(&mut self, node: Arc<Node>) -> Result<()> {
        let mut node = node;
        while node.finish_one() {
            if node.inside.get().is_some() {
                self.gather(&node)?;
            }
            let Some((above, _)) = &node.above else { return Ok(()) };
            node = above.clone();
        }
        Ok(())
    }

    fn gather(&mut self, node: &Node) -> Result<()> {
        let store = self.walk.store;
        let racy = self.walk.is_racy(&node.stat);
        let is_stored = |kind, id| store.knows(kind, id);
        let gathered = node.gather(racy, is_stored, |kind, id, bytes| self.keep(kind, id, bytes))?;
        match (&gathered.records, &node.known) {
            (None, Some(known)) => self.found.index.keep(node.path.clone(), known.clone()),
            (records, _) => {
                let records = records.as_deref().unwrap_or_default();
                self.found.index.insert(node.path.clone(), Some(gathered.total), records);
            }
        }
        let Some(record) = node.record(gathered.total, racy) else { return Ok(()) };
        match &node.above {
            Some((above, at)) => {
                self.found.totals.directories += 1;
                above.fill(vec![(*at, above.slot_for(record))]);
            }
            None => *self.walk.root.lock().unwrap_or_else(PoisonError::into_inner) = Some(record.to_entry()),
        }
        Ok(())
    }
}
