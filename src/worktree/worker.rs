//! A worker of a scan: lists directories, and builds their trees when all of their entries are known.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{Stat, Xattrs, effective_uid, is_of_one_entry, is_other_kind, open_file_limit};
use crate::id::{AttributesId, ObjectId};
use crate::metadata::Kind;
use crate::object::commit::{Reason, Totals};
use crate::object::{ObjectKind, Tree};
use crate::worktree::ignore::{self, RulesFile};
use crate::worktree::index::{Record, Total};
use crate::worktree::node::{Listed, Node};
use crate::worktree::queue::{Job, Listing, OpenDir, Task};
use crate::worktree::sink::Sink;
use crate::worktree::walk::Walk;

/// Maximum number of entries of a directory that one job classifies.
const RANGE: usize = 1024;
/// Maximum number of directories that stay open for queued jobs. The other jobs open theirs from the root.
const OPEN_DIRECTORIES: usize = 256;

pub struct Worker<'w, S> {
    pub walk: &'w Walk<'w>,
    new_sink: &'w (dyn Fn() -> S + Sync),
    /// Created on first use.
    sink: Option<S>,
    /// A failure of the sink while an entry was read: it does not concern the entry, and ends the scan.
    pub sink_failure: Option<Error>,
    /// Of the entries that this worker has met.
    pub totals: Totals,
}

/// A directory that was opened and listed.
struct ListedDirectory {
    listing: Listing,
    /// Its index record, if that proves its attributes.
    proven: Option<Record>,
    /// Its attributes, unless they are proven.
    xattrs: Option<Xattrs>,
    rules: RulesFile,
}

impl<'w, S: Sink> Worker<'w, S> {
    pub fn new(walk: &'w Walk<'w>, new_sink: &'w (dyn Fn() -> S + Sync)) -> Worker<'w, S> {
        Worker { walk, new_sink, sink: None, sink_failure: None, totals: Totals::default() }
    }

    /// Ends the work.
    pub fn finish(self) -> Result<()> {
        let (mut found, own) = (self.walk.found(), self.totals);
        found.totals.files += own.files;
        found.totals.directories += own.directories;
        found.totals.others += own.others;
        found.totals.bytes += own.bytes;
        drop(found);
        self.sink.map_or(Ok(()), S::finish)
    }

    pub fn work_on(&mut self, Job { node, task }: Job) -> Result<()> {
        match task {
            Task::Read(listing, files) => self.read(&node, &listing, &files)?,
            Task::List(parent) => {
                self.list(&node, parent)?;
                self.walk.finish_classifying();
            }
            Task::Classify(listing, range) => {
                self.classify(&node, &listing, range)?;
                self.walk.finish_classifying();
            }
        }
        self.finish_job(node)
    }

    /// Lists a directory, then classifies its entries, or queues ranges of them.
    fn list(&mut self, node: &Arc<Node>, parent: Option<Arc<OpenDir>>) -> Result<()> {
        let listed = match self.open_and_list(node, parent) {
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) if is_other_kind(&error) && node.parent.is_some() => return self.classify_again(node),
            Err(error) if is_of_one_entry(&error) => {
                self.walk.add_uncovered(node.path.clone(), Reason::Unreadable, Some(Kind::Directory));
                return Ok(());
            }
            listed => listed?,
        };
        let Some(ListedDirectory { listing, proven, xattrs, rules }) = listed else { return self.cover_closed(node) };
        let has_readable_attributes = xattrs.is_some();
        let attributes = match proven {
            Some(record) => record.attributes,
            None => self.directory_attributes(xattrs)?,
        };
        let warn = &mut |warning| self.walk.found().ignore_warnings.push(warning);
        let rules = node.parent_rules().enter(&node.path, &rules, warn);
        let _ = node.listed.set(Listed { rules, attributes, has_readable_attributes });
        let count = listing.entries.len();
        node.set_length(count);
        self.walk.scanning.add(count as u64)?;
        if count <= RANGE {
            return self.classify(node, &listing, 0..count);
        }
        let ranges = (0..count).step_by(RANGE).map(|start| start..count.min(start + RANGE));
        let job = |range| Job { node: node.clone(), task: Task::Classify(listing.clone(), range) };
        let jobs: Vec<Job> = ranges.map(job).collect();
        self.walk.add_unclassified(jobs.len());
        self.queue(node, jobs);
        Ok(())
    }

    /// Opens and lists a directory. `None` if it has no read permission.
    fn open_and_list(&self, node: &Node, parent: Option<Arc<OpenDir>>) -> Result<Option<ListedDirectory>> {
        let opened = match (&parent, node.path.name()) {
            (Some(parent), Some(name)) => parent.dir.open_dir(name),
            _ => self.walk.worktree.root.open_below(&node.path),
        };
        drop(parent);
        let dir = match opened {
            Err(error) if error.kind() == ErrorKind::Permission && !node.ignored => return Ok(None),
            dir => dir?,
        };
        let entries = dir.entries()?;
        let proven = self.proven_record(node);
        let xattrs = match &proven {
            Some(_) => Some(Xattrs::new()),
            None => self.readable_xattrs(dir.xattrs(b"."), || node.path.clone())?,
        };
        let has_rules = entries.binary_search_by(|entry| entry.name.as_slice().cmp(ignore::FILE)).is_ok();
        let rules = if has_rules { ignore::read_file(&dir)? } else { RulesFile::Absent };
        let open = Arc::new(OpenDir { dir, _counted: self.walk.open.clone() });
        Ok(Some(ListedDirectory { listing: Listing { open, entries: Arc::new(entries) }, proven, xattrs, rules }))
    }

    /// The index record of a directory itself, if it proves the directory unchanged and its attributes are stored.
    fn proven_record(&self, node: &Node) -> Option<Record> {
        node.proven_record().filter(|record| !S::STORES || self.walk.is_stored(record))
    }

    /// Adds a directory without read permission as not covered. If this user owns it, and so can change the permission,
    /// its own entry is recorded.
    fn cover_closed(&mut self, node: &Node) -> Result<()> {
        self.walk.add_uncovered(node.path.clone(), Reason::Unreadable, Some(Kind::Directory));
        if node.stat.metadata.uid != effective_uid() {
            return Ok(());
        }
        let (Some((parent, _)), Some(name)) = (&node.parent, node.path.name()) else { return Ok(()) };
        let (attributes, has_readable_attributes) = match self.proven_record(node) {
            Some(record) => (record.attributes, true),
            None => {
                let Ok(parent) = self.walk.worktree.root.open_below(&parent.path) else { return Ok(()) };
                let xattrs = self.readable_xattrs(parent.xattrs(name), || node.path.clone())?;
                let is_readable = xattrs.is_some();
                (self.directory_attributes(xattrs)?, is_readable)
            }
        };
        let _ = node.listed.set(Listed { rules: node.parent_rules(), attributes, has_readable_attributes });
        Ok(())
    }

    fn directory_attributes(&mut self, xattrs: Option<Xattrs>) -> Result<Option<AttributesId>> {
        let id = self.put_attributes(xattrs.unwrap_or_default(), Vec::new());
        self.check_sink().map(|()| id)
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
        if !self.walk.store.knows(kind, id)
            && let Some(bytes) = self.sink().object(kind, id, bytes)?
        {
            self.walk.found().objects.insert((kind, id), bytes.into());
        }
        Ok(())
    }

    /// Queues jobs on a directory and its subdirectories.
    pub fn queue(&self, node: &Node, jobs: Vec<Job>) {
        node.add_pending(jobs.len());
        self.walk.queue.push(jobs);
    }

    /// A handle for jobs on subdirectories, unless too many directories are open.
    pub fn shared_handle(&self, open: &Arc<OpenDir>) -> Option<Arc<OpenDir>> {
        let count = Arc::strong_count(&self.walk.open) - 1;
        (count < OPEN_DIRECTORIES.min(open_file_limit() / 4)).then(|| open.clone())
    }

    /// Completes a job on a directory. After its last job, builds its tree, and completes a job of its parent.
    fn finish_job(&mut self, mut node: Arc<Node>) -> Result<()> {
        while node.finish_job() {
            if let Some(listed) = node.listed.get() {
                self.build_tree(&node, listed)?;
            }
            let Some((parent, _)) = &node.parent else { return Ok(()) };
            node = parent.clone();
        }
        Ok(())
    }

    /// Builds the tree of a directory, and adds the directory to its parent.
    fn build_tree(&mut self, node: &Node, listed: &Listed) -> Result<()> {
        let mut slots = node.take_slots();
        let unchanged = node.unchanged_total(&slots);
        let stored = unchanged.filter(|total| self.walk.store.knows(ObjectKind::Tree, total.tree.object_id()));
        let (total, records) = match stored {
            Some(total) => (total, None),
            None => {
                let records = node.records(std::mem::take(&mut slots))?;
                (self.save_tree(&records)?, Some(records))
            }
        };
        let own = Record {
            name: node.path.name().unwrap_or_default().to_vec(),
            stat: Stat { is_mounted: false, ..node.stat },
            content: total.content(),
            attributes: listed.attributes,
            racy: !listed.has_readable_attributes || self.walk.clock.is_racy(&node.stat),
            is_prefix: false,
        };
        let is_own_same =
            || node.parent.is_some() || node.indexed.as_ref().is_some_and(|it| it.find(b"") == Some(own.clone()));
        match &node.indexed {
            Some(indexed) if unchanged == Some(total) && is_own_same() => {
                self.walk.found().index.keep(node.path.clone(), indexed.clone());
            }
            _ => {
                let mut records = records.map_or_else(|| node.records(slots), Ok)?;
                if node.parent.is_none() {
                    records.insert(0, own.clone());
                }
                self.walk.put_records(node, total, &records);
            }
        }
        match &node.parent {
            Some((parent, at)) => {
                self.totals.directories += 1;
                parent.set_slots([(*at, parent.slot_for(own))]);
            }
            None => drop(self.walk.root.set(own.to_entry())),
        }
        Ok(())
    }

    fn save_tree(&mut self, records: &[Record]) -> Result<Total> {
        let tree = Tree { entries: records.iter().map(Record::to_entry).collect() };
        let (entries, size) = tree.totals()?;
        let tree = tree.save(|id, bytes| self.put(ObjectKind::Tree, id.object_id(), bytes))?;
        Ok(Total { tree, entries, size })
    }
}
