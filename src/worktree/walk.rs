//! The state of a scan that all workers share, and its result.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Stat;
use crate::id::{LENGTH, LinksId, ObjectId, TreeId};
use crate::metadata::Kind;
use crate::object::commit::{Reason, Totals, Uncovered};
use crate::object::{Content, Entry, Links, ObjectKind};
use crate::path::RepoPathBuf;
use crate::path::set::PathSet;
use crate::progress::{Progress, Task, Unit};
use crate::store::Store;
use crate::time::Timestamp;
use crate::worktree::clock::Clock;
use crate::worktree::ignore::IgnoreWarning;
use crate::worktree::index::{Builder, Record, Records, Spool, Total};
use crate::worktree::inodes::Inodes;
use crate::worktree::node::{Node, Slot};
use crate::worktree::queue::Queue;
use crate::worktree::{Index, Worktree};

/// What to scan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Scan only these paths, what is below them, and their parent directories. Empty means everything.
    pub paths: Vec<RepoPathBuf>,
    /// Cover these paths although rules ignore them.
    pub despite_rules: Vec<RepoPathBuf>,
    /// Skip the entries that the unfinished checkout with this token staged (`.undo-TOKEN-N`).
    pub staged_by: Option<u64>,
    /// Receives the index so far if the scan ends with [`ErrorKind::NotInTime`].
    pub partial: PartialIndex,
}

/// The index of a scan that was not in time: records of what it has read. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct PartialIndex(Arc<Mutex<Option<Builder>>>);

impl PartialIndex {
    /// Takes the index. `None` if the scan was in time.
    pub fn take(&self) -> Option<Builder> {
        lock(&self.0).take()
    }

    pub(super) fn set(&self, index: Builder) {
        *lock(&self.0) = Some(index);
    }
}

/// Result of a scan.
pub struct Scan {
    /// The root directory, as an entry without a name.
    pub root: Entry,
    /// Its hard links.
    pub links: Option<LinksId>,
    /// Number and size of the covered entries.
    pub totals: Totals,
    /// Trees, attributes and links that the store lacks, unless the sinks took them.
    pub objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    /// The next index: records of all covered entries.
    pub index: Builder,
    /// Unreadable entries, sockets, mounts and nested repositories; sorted.
    pub uncovered: Vec<Uncovered>,
    /// Ignored paths; of an ignored directory only the directory; sorted.
    pub ignored: Vec<RepoPathBuf>,
    /// Ignore rules without effect, sorted.
    pub ignore_warnings: Vec<IgnoreWarning>,
    /// Files that kept changing while they were read; sorted.
    pub torn: Vec<RepoPathBuf>,
    /// Error of reading the index. All files were read in that case.
    pub index_failure: Option<Arc<Error>>,
    /// Kinds of the uncovered entries, where known.
    pub uncovered_kinds: HashMap<RepoPathBuf, Kind>,
    /// Paths recorded without their extended attributes, which are unreadable; sorted.
    pub without_attributes: Vec<RepoPathBuf>,
    /// Number of files whose content was read.
    pub files_read: u64,
    /// Number of bytes read.
    pub bytes_read: u64,
}

/// A scan in progress, shared by all workers.
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
    pub scanning: Arc<dyn Task>,
    pub reading: Arc<dyn Task>,
    /// Total size of the files to be read that are known so far.
    pub to_read: AtomicU64,
    /// Number of directories, and ranges of their entries, that are not classified yet.
    pub unclassified: AtomicUsize,
    /// Each open directory that jobs share has a clone.
    pub open: Arc<()>,
    /// For the blocks of the next index.
    pub spool: Arc<Spool>,
    /// The complete root.
    pub root: OnceLock<Entry>,
    /// Directories with jobs that were not done because of a failure.
    unfinished: Mutex<Vec<Arc<Node>>>,
    found: Mutex<Scan>,
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
        let spool = Spool::new(store.scratch().join("index"));
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
            found: Mutex::new(Scan::new(Builder::spooled(spool.clone()))),
            spool,
            root: OnceLock::new(),
            unfinished: Mutex::default(),
        })
    }

    /// What was found so far.
    pub fn found(&self) -> MutexGuard<'_, Scan> {
        lock(&self.found)
    }

    /// Adds a path that exists and is not covered. Its kind, if known, shows whether a recorded entry there is gone.
    pub fn add_uncovered(&self, path: RepoPathBuf, reason: Reason, kind: Option<Kind>) {
        let mut found = self.found();
        found.uncovered_kinds.extend(kind.map(|kind| (path.clone(), kind)));
        found.uncovered.push(Uncovered { path, reason });
    }

    /// Adds the encoded records of a directory to the next index.
    pub fn put_records(&self, node: &Node, total: Total, records: &[Record]) {
        // Encoded before the lock is taken.
        let records = Records::new(&node.path, Some(total), records, Some(&self.spool));
        self.found().index.put(node.path.clone(), records);
    }

    /// Whether the index may prove something about an entry with this stat.
    pub fn is_certain(&self, stat: &Stat) -> bool {
        self.doubtful_since.is_none_or(|since| stat.ctime < since)
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

    /// Adds bytes to be read.
    pub fn add_to_read(&self, bytes: u64) {
        self.to_read.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Completes the classification of a directory or range. After the last one, the number of bytes to be read is known.
    pub fn finish_classifying(&self) {
        if self.unclassified.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.reading.set_total(self.to_read.load(Ordering::Relaxed));
        }
    }

    /// Stops the other workers after a failure of a job on this directory.
    pub fn stop(&self, node: Option<Arc<Node>>) {
        let mut unfinished = lock(&self.unfinished);
        unfinished.extend(node.into_iter().chain(self.queue.stop()));
    }

    /// The index after a failure: the records of the last one, and above them what was read since, also of directories that
    /// are not complete.
    pub fn into_partial_index(self) -> Builder {
        // The new index says nothing about a restart, so what was doubtful after it must go.
        let mut index = match self.doubtful_since {
            None => Builder::from_index(self.index),
            Some(_) => self.certain_records(),
        };
        let mut seen: HashSet<RepoPathBuf> = HashSet::new();
        let unfinished = std::mem::take(&mut *lock(&self.unfinished));
        for node in unfinished {
            let mut next = Some(node);
            while let Some(node) = next.take_if(|node| seen.insert(node.path.clone())) {
                let new = node.take_slots().into_iter().filter_map(|slot| match slot {
                    Slot::New(record) => Some((record.name.clone(), *record)),
                    _ => None,
                });
                let mut new = new.peekable();
                if new.peek().is_some() {
                    let known = node.indexed.as_ref().and_then(|indexed| indexed.block().records()).unwrap_or_default();
                    let known = known
                        .into_iter()
                        .filter(|record| self.is_certain(&record.stat))
                        .map(|record| (record.name.clone(), record));
                    let by_name: BTreeMap<Vec<u8>, Record> = known.chain(new).collect();
                    let records: Vec<Record> = by_name.into_values().collect();
                    index.put(node.path.clone(), Records::new(&node.path, None, &records, Some(&self.spool)));
                }
                next = node.parent.as_ref().map(|(parent, _)| parent.clone());
            }
        }
        let found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        index.replace(found.index);
        index
    }

    /// An index of the records of the last one that are certain.
    fn certain_records(&self) -> Builder {
        let mut index = Builder::spooled(self.spool.clone());
        for (path, directory) in self.index.directories() {
            let records = directory.block().records().unwrap_or_default();
            let certain: Vec<Record> = records.into_iter().filter(|record| self.is_certain(&record.stat)).collect();
            index.put(path.to_owned(), Records::new(path, None, &certain, Some(&self.spool)));
        }
        index
    }

    /// The result, in an order that does not depend on the number of workers.
    pub fn finish(self) -> Result<Scan> {
        let mut scan = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        scan.root = self.root.into_inner().ok_or_else(|| {
            Error::new(
                ErrorKind::Permission,
                format!("cannot read the directory `{}`: permission denied", self.worktree.path.display()),
            )
        })?;
        scan.uncovered.sort();
        scan.ignored.sort();
        scan.ignore_warnings.sort();
        scan.torn.sort();
        scan.without_attributes.sort();
        scan.without_attributes.dedup();
        let groups = self.inodes.into_groups();
        if !groups.is_empty() {
            let objects = &mut scan.objects;
            let links = Links { groups }.save(|id, bytes| {
                if !self.store.knows(ObjectKind::Links, id.object_id()) {
                    objects.insert((ObjectKind::Links, id.object_id()), bytes.into());
                }
                Ok(())
            })?;
            scan.links = Some(links);
        }
        Ok(scan)
    }
}

impl Scan {
    /// Creates a scan that has found nothing yet.
    fn new(index: Builder) -> Scan {
        Scan {
            root: Entry::directory(TreeId([0; LENGTH]), (0, 0)),
            links: None,
            totals: Totals::default(),
            objects: HashMap::new(),
            index,
            uncovered: Vec::new(),
            ignored: Vec::new(),
            ignore_warnings: Vec::new(),
            torn: Vec::new(),
            index_failure: None,
            uncovered_kinds: HashMap::new(),
            without_attributes: Vec::new(),
            files_read: 0,
            bytes_read: 0,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
