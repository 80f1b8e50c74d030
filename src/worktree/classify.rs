//! Classifies the entries of a directory: not covered, proven unchanged by the index, or to be read.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::fs::{Dir, Stat, is_of_one_entry};
use crate::metadata::Kind;
use crate::object::commit::Reason;
use crate::object::{ObjectKind, groups};
use crate::path::REPOSITORY;
use crate::worktree::content::Sink;
use crate::worktree::index::{Block, Record, Total};
use crate::worktree::inodes;
use crate::worktree::node::{Listed, Node, Slot};
use crate::worktree::queue::{Job, Listing, OpenDir, Task};
use crate::worktree::walk::Worker;

/// Maximum number and size of the files in one job.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 1 << 20;

/// How to treat a name.
pub(super) enum Verdict {
    /// Not selected, not covered, or gone.
    Skip,
    /// A directory to enter; whether all of it is selected, and whether rules ignore it.
    Enter { stat: Stat, selected: bool, ignored: bool },
    /// Another covered entry.
    Cover(Stat),
}

impl<S: Sink> Worker<'_, S> {
    /// Classifies a range of the entries.
    pub(super) fn classify(&mut self, node: &Arc<Node>, listing: &Listing, range: Range<usize>) -> Result<()> {
        let known = node.indexed.as_ref().map(|indexed| indexed.block());
        let mut cursor = known.map_or(0, |block| match listing.entries.get(range.start) {
            Some(first) => block.position(&first.name).unwrap_or_else(|at| at),
            None => 0,
        });
        // A store that has a tree has all of its objects. Otherwise each record is checked.
        let total = known.and_then(|block| block.total());
        let has_tree = |total: Total| self.walk.store.knows(ObjectKind::Tree, total.tree.object_id());
        let is_stored = !S::STORES || total.is_some_and(has_tree);
        let is_stored = |at: usize| {
            is_stored || known.and_then(|block| block.record(at)).is_some_and(|record| self.walk.is_stored(&record))
        };
        let is_certain = |stat: &Stat| self.walk.doubtful_since.is_none_or(|since| stat.ctime < since);
        let is_as_other_names = |stat: &Stat, at: usize| stat.links == 1 || self.walk.inodes.prove(stat, node, at);
        let (mut slots, mut directories, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for at in range {
            let entry = &listing.entries[at];
            match self.decide(node, &listing.open.dir, &entry.name)? {
                Verdict::Skip => {}
                Verdict::Enter { stat, selected, ignored } => {
                    let parent = self.shared_handle(&listing.open);
                    directories.push(self.directory_job((node, at), &entry.name, stat, (selected, ignored), parent));
                }
                Verdict::Cover(stat) => {
                    let proof = known.and_then(|block| prove(block, &mut cursor, &entry.name, &stat));
                    let is_proven = |at| is_certain(&stat) && is_stored(at) && is_as_other_names(&stat, at);
                    match proof.filter(|(position, _)| is_proven(*position)) {
                        Some((position, size)) => {
                            self.count(&stat, size);
                            if stat.links > 1
                                && let Some(record) = known.and_then(|block| block.record(position))
                            {
                                self.add_link(node, &record);
                            }
                            slots.push((at, Slot::Kept(position)));
                        }
                        None => files.push((at, stat)),
                    }
                }
            }
        }
        node.set_slots(slots);
        self.queue_jobs(node, listing, directories, files)
    }

    /// Decides about a name. Builds its path only if needed, because most entries are unchanged.
    pub(super) fn decide(&mut self, node: &Node, dir: &Dir, name: &[u8]) -> Result<Verdict> {
        let walk = self.walk;
        let path = || node.path.join(name);
        let is_root = node.path.is_root();
        if is_root && name == REPOSITORY || walk.staged.as_ref().is_some_and(|staged| name.starts_with(staged)) {
            return Ok(Verdict::Skip);
        }
        let selected = node.selected || walk.selection.covers(&path());
        if !selected && !walk.selection.has_within(&path()) {
            return Ok(Verdict::Skip);
        }
        let stat = match dir.stat(name) {
            Err(error) if is_of_one_entry(&error) => {
                self.add_uncovered(path(), Reason::Unreadable, None);
                return Ok(Verdict::Skip);
            }
            stat => stat?,
        };
        let Some(stat) = stat else { return Ok(Verdict::Skip) };
        let is_directory = stat.kind == Kind::Directory;
        let ignores = |listed: &Listed| !listed.rules.is_empty() && listed.rules.ignores(&path(), is_directory);
        let mut ignored = node.ignored || node.listed.get().is_some_and(ignores);
        if ignored && walk.despite_rules.covers(&path()) {
            ignored = false;
        }
        if ignored && !(is_directory && walk.despite_rules.has_within(&path())) {
            if selected {
                self.findings.ignored.push(path());
            }
            return Ok(Verdict::Skip);
        }
        if !is_directory && !selected {
            return Ok(Verdict::Skip);
        }
        if let Some(reason) = self.excluding_reason(node, name, &stat) {
            // Recorded entries below a mount still exist.
            let kind = Some(stat.kind).filter(|_| reason != Reason::Mount);
            self.add_uncovered(path(), reason, kind);
            return Ok(Verdict::Skip);
        }
        Ok(if is_directory { Verdict::Enter { stat, selected, ignored } } else { Verdict::Cover(stat) })
    }

    /// Why no commit can cover an entry, whatever is selected or ignored.
    fn excluding_reason(&self, node: &Node, name: &[u8], stat: &Stat) -> Option<Reason> {
        let worktree = self.walk.worktree;
        match stat.kind {
            Kind::Directory if name == REPOSITORY || worktree.is_own_repository(stat) => Some(Reason::Repository),
            _ if stat.is_mounted_in(node.stat.device) && !worktree.cross_mounts => Some(Reason::Mount),
            Kind::Socket => Some(Reason::Socket),
            Kind::File if stat.size > groups::LONGEST => Some(Reason::TooLong),
            _ => None,
        }
    }

    /// Counts a covered entry other than a directory.
    pub(super) fn count(&mut self, stat: &Stat, size: u64) {
        if stat.kind == Kind::File {
            self.findings.totals.files += 1;
            self.findings.totals.bytes += size;
        } else {
            self.findings.totals.others += 1;
        }
    }

    /// Adds a name of an inode with several names.
    pub(super) fn add_link(&mut self, node: &Node, record: &Record) {
        if record.stat.links > 1 {
            let key = (inodes::inode(&record.stat), inodes::state(record));
            self.findings.links.push((key, node.path.join(&record.name)));
        }
    }

    /// Queues directories and files to be read. Reads the files at once if they are few.
    fn queue_jobs(
        &mut self,
        node: &Arc<Node>,
        listing: &Listing,
        directories: Vec<Job>,
        files: Vec<(usize, Stat)>,
    ) -> Result<()> {
        let bytes = |files: &[(usize, Stat)]| files.iter().map(|(_, stat)| stat.size).sum::<u64>();
        let all = bytes(&files);
        self.walk.add_bytes(all);
        self.walk.add_unclassified(directories.len());
        if files.len() <= BATCH_FILES && all <= BATCH_BYTES {
            node.add_pending(directories.len());
            self.walk.queue.push(directories);
            return self.read(node, listing, &files);
        }
        let mut batches: Vec<Vec<(usize, Stat)>> = Vec::new();
        for file in files {
            match batches.last_mut() {
                Some(batch) if batch.len() < BATCH_FILES && bytes(batch) + file.1.size <= BATCH_BYTES => {
                    batch.push(file)
                }
                _ => batches.push(vec![file]),
            }
        }
        let read = |files| Job { node: node.clone(), task: Task::Read(listing.clone(), files) };
        let jobs: Vec<Job> = batches.into_iter().map(read).chain(directories).collect();
        node.add_pending(jobs.len());
        self.walk.queue.push(jobs);
        Ok(())
    }

    /// The job of listing a subdirectory. `parent` is an open handle of its parent directory.
    pub(super) fn directory_job(
        &self,
        (node, at): (&Arc<Node>, usize),
        name: &[u8],
        mut stat: Stat,
        (selected, ignored): (bool, bool),
        parent: Option<Arc<OpenDir>>,
    ) -> Job {
        let path = node.path.join(name);
        if let Some(mode) = self.walk.worktree.opened.get(&path) {
            stat.metadata.mode = *mode;
        }
        let rules = node.listed.get().map(|listed| listed.rules.clone()).unwrap_or_default();
        let indexed = self.walk.index.directory(&path);
        let mut child = Node::new(path, Some((node.clone(), at)), stat, rules);
        (child.indexed, child.selected, child.ignored) = (indexed, selected, ignored);
        Job { node: Arc::new(child), task: Task::List(parent) }
    }

    /// Classifies an entry again that was a directory when its parent was listed, and no longer is.
    pub(super) fn classify_again(&mut self, node: &Node) -> Result<()> {
        let (Some((parent, at)), Some(name)) = (&node.parent, node.path.name()) else { return Ok(()) };
        let dir = match self.walk.worktree.root.open_below(&parent.path) {
            Err(error) if is_of_one_entry(&error) => {
                self.add_uncovered(node.path.clone(), Reason::Unreadable, None);
                return Ok(());
            }
            dir => dir?,
        };
        match self.decide(parent, &dir, name)? {
            Verdict::Skip => {}
            Verdict::Enter { .. } => self.add_uncovered(node.path.clone(), Reason::Unreadable, Some(Kind::Directory)),
            Verdict::Cover(stat) => {
                let record = self.read_one((parent, *at), &dir, name, stat)?;
                parent.set_slots(record.map(|record| (*at, parent.slot_for(record))).into_iter().collect());
            }
        }
        Ok(())
    }
}

/// The position of the record that proves an entry unchanged, and its content size. The cursor only moves forward.
fn prove(block: Block<'_>, cursor: &mut usize, name: &[u8], stat: &Stat) -> Option<(usize, u64)> {
    while *cursor < block.count() && block.name(*cursor) < name {
        *cursor += 1;
    }
    if *cursor == block.count() || block.name(*cursor) != name || !block.proves(*cursor, stat) {
        return None;
    }
    let size = block.content_size(*cursor)?;
    Some((*cursor, size))
}
