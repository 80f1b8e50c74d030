//! Classifies the entries of a directory: not covered, proven unchanged by the index, or to be read.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::fs::{Stat, is_of_one_entry};
use crate::metadata::Kind;
use crate::object::commit::Reason;
use crate::object::{Content, ObjectKind, groups};
use crate::path::REPOSITORY;
use crate::worktree::index::{Block, Record, Total};
use crate::worktree::node::{Child, Node, Slot};
use crate::worktree::queue::{Job, Listing, Task};
use crate::worktree::sink::Sink;
use crate::worktree::worker::Worker;

/// Maximum number and size of the files in one job.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 1 << 20;

/// How to treat an entry.
pub(super) enum Verdict {
    /// Not selected, not covered, or gone.
    Skip,
    /// A directory to enter.
    Enter(Arc<Node>),
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
        let walk = self.walk;
        // The index may be older than the purge.
        let is_purged = |at: usize, size: u64| {
            let blob = |record: Record| match record.content {
                Content::File { blob, .. } => Some(blob),
                _ => None,
            };
            let purged = walk.store.purged();
            let record = if purged.has_size(size) { known.and_then(|block| block.record(at)) } else { None };
            record.and_then(blob).is_some_and(|blob| purged.contains(blob))
        };
        let is_as_other_names = |stat: &Stat, at: usize| stat.links == 1 || walk.inodes.prove(stat, node, at);
        let (mut slots, mut directories, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for at in range {
            let child = listing.child(node, at);
            match self.decide(child)? {
                Verdict::Skip => {}
                Verdict::Enter(directory) => directories.push(Job::list(directory, self.shared_handle(&listing.open))),
                Verdict::Cover(stat) if !S::READS => self.sink().count(&node.path, child.name, &stat)?,
                Verdict::Cover(stat) => {
                    let proof = known.and_then(|block| prove(block, &mut cursor, child.name, &stat));
                    let is_proven = |at| walk.is_certain(&stat) && is_stored(at) && is_as_other_names(&stat, at);
                    match proof.filter(|(position, size)| is_proven(*position) && !is_purged(*position, *size)) {
                        Some((position, size)) => {
                            self.count(&stat, size);
                            if stat.links > 1
                                && let Some(record) = known.and_then(|block| block.record(position))
                            {
                                walk.inodes.add_name(&record, child.path());
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

    /// Decides about an entry. Builds its path only if needed, because most entries are unchanged.
    pub(super) fn decide(&self, child: Child<'_>) -> Result<Verdict> {
        let (walk, parent) = (self.walk, child.parent);
        let is_staged = walk.staged.as_ref().is_some_and(|staged| child.name.starts_with(staged));
        if is_staged || parent.path.is_root() && child.name == REPOSITORY {
            return Ok(Verdict::Skip);
        }
        let selected = parent.selected || walk.selection.covers(&child.path());
        if !selected && !walk.selection.has_within(&child.path()) {
            return Ok(Verdict::Skip);
        }
        let stat = match child.dir.stat(child.name) {
            Err(error) if is_of_one_entry(&error) => {
                walk.add_uncovered(child.path(), Reason::Unreadable, None);
                return Ok(Verdict::Skip);
            }
            stat => stat?,
        };
        let Some(stat) = stat else { return Ok(Verdict::Skip) };
        let is_directory = stat.kind == Kind::Directory;
        if !is_directory && !selected {
            return Ok(Verdict::Skip);
        }
        let ignored = self.is_ignored(child, is_directory);
        if ignored && !(is_directory && walk.despite_rules.has_within(&child.path())) {
            if selected {
                walk.found().ignored.push(child.path());
            }
            return Ok(Verdict::Skip);
        }
        if let Some(reason) = self.excluding_reason(child, &stat) {
            // Recorded entries below a mount still exist.
            let kind = Some(stat.kind).filter(|_| reason != Reason::Mount);
            walk.add_uncovered(child.path(), reason, kind);
            return Ok(Verdict::Skip);
        }
        if !is_directory {
            return Ok(Verdict::Cover(stat));
        }
        let mut node = Node::new(walk.index, Some((parent.clone(), child.at)), child.path(), stat);
        (node.selected, node.ignored) = (selected, ignored);
        if let Some(mode) = walk.worktree.opened.get(&node.path) {
            node.stat.metadata.mode = *mode;
        }
        Ok(Verdict::Enter(Arc::new(node)))
    }

    fn is_ignored(&self, child: Child<'_>, is_directory: bool) -> bool {
        let rules = child.parent.listed.get().map(|listed| &listed.rules).filter(|rules| !rules.is_empty());
        let is_ignored = child.parent.ignored || rules.is_some_and(|rules| rules.ignores(&child.path(), is_directory));
        is_ignored && !self.walk.despite_rules.covers(&child.path())
    }

    /// Why no commit can cover an entry, whatever is selected or ignored.
    fn excluding_reason(&self, child: Child<'_>, stat: &Stat) -> Option<Reason> {
        let worktree = self.walk.worktree;
        match stat.kind {
            Kind::Directory if child.name == REPOSITORY || worktree.is_own_repository(stat) => Some(Reason::Repository),
            _ if stat.is_mounted_in(child.parent.stat.device) && !worktree.cross_mounts => Some(Reason::Mount),
            Kind::Socket => Some(Reason::Socket),
            Kind::File if stat.size > groups::LONGEST => Some(Reason::TooLong),
            _ => None,
        }
    }

    /// Counts a covered entry other than a directory.
    pub(super) fn count(&mut self, stat: &Stat, size: u64) {
        if stat.kind == Kind::File {
            self.totals.files += 1;
            self.totals.bytes += size;
        } else {
            self.totals.others += 1;
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
        self.walk.add_to_read(all);
        self.walk.add_unclassified(directories.len());
        if files.len() <= BATCH_FILES && all <= BATCH_BYTES {
            self.queue(node, directories);
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
        self.queue(node, batches.into_iter().map(read).chain(directories).collect());
        Ok(())
    }

    /// Classifies an entry again that was a directory when its parent was listed, and no longer is.
    pub(super) fn classify_again(&mut self, node: &Node) -> Result<()> {
        let (Some((parent, at)), Some(name)) = (&node.parent, node.path.name()) else { return Ok(()) };
        let dir = match self.walk.worktree.root.open_below(&parent.path) {
            Err(error) if is_of_one_entry(&error) => {
                self.walk.add_uncovered(node.path.clone(), Reason::Unreadable, None);
                return Ok(());
            }
            dir => dir?,
        };
        let child = Child { parent, at: *at, dir: &dir, name };
        match self.decide(child)? {
            Verdict::Skip => {}
            Verdict::Enter(_) => {
                self.walk.add_uncovered(node.path.clone(), Reason::Unreadable, Some(Kind::Directory));
            }
            Verdict::Cover(stat) => {
                let slot = self.read_one(child, stat)?;
                parent.set_slots(slot.map(|slot| (*at, slot)));
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
