//! The entries of one directory: which are covered, which the index proves, and which are to be read.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::fs::{Dir, Stat, is_of_one_entry};
use crate::metadata::Kind;
use crate::object::commit::Reason;
use crate::object::{Content, ObjectKind, groups};
use crate::path::REPOSITORY;
use crate::worktree::content::Sink;
use crate::worktree::dir_node::{Inside, Node, Slot};
use crate::worktree::index::{Block, Record, Total};
use crate::worktree::inodes;
use crate::worktree::queue::{Job, Listing, Task};
use crate::worktree::read_entry::ATTEMPTS;
use crate::worktree::seen::Seen;
use crate::worktree::walk::Worker;

/// Files, and bytes of them, that one thread reads in one go.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 1 << 20;

/// What is to be done about a name.
enum Verdict {
    /// Nothing: not selected, not there, not covered.
    Pass,
    /// A directory to walk; whether all of it is selected, and whether rules ignore it.
    Enter { stat: Stat, selected: bool, ignored: bool },
    /// Anything else that is covered.
    Cover(Stat),
}

impl<S: Sink> Worker<'_, S> {
    /// Looks at a stretch of the entries.
    pub(super) fn look(&mut self, node: &Arc<Node>, listing: &Listing, range: Range<usize>) -> Result<()> {
        let known = node.known.as_ref().map(|known| known.block());
        let mut cursor = known.map_or(0, |block| match listing.entries.get(range.start) {
            Some(first) => block.position(&first.name).unwrap_or_else(|at| at),
            None => 0,
        });
        // The store holds all that is in a tree that it holds. Where it does not, each record is asked for.
        let total = known.and_then(|block| block.total());
        let has_tree = |total: Total| self.walk.store.knows(ObjectKind::Tree, total.tree.object_id());
        let is_held = !S::STORES || total.is_some_and(has_tree);
        let holds =
            |at: usize| is_held || known.and_then(|block| block.record(at)).is_some_and(|it| self.walk.holds(&it));
        let is_certain = |stat: &Stat| self.walk.doubtful_since.is_none_or(|since| stat.ctime < since);
        let is_as_other_names = |stat: &Stat, at: usize| stat.links == 1 || self.walk.inodes.prove(stat, node, at);
        let (mut slots, mut directories, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for at in range {
            let entry = &listing.entries[at];
            match self.judge(node, &listing.open.dir, &entry.name)? {
                Verdict::Pass => {}
                Verdict::Enter { stat, selected, ignored } => {
                    let child = self.child((node, at), &entry.name, stat, (selected, ignored));
                    directories.push(Job { node: child, task: Task::List(self.handle(&listing.open)) });
                }
                Verdict::Cover(stat) => {
                    let proof = known.and_then(|block| proved(block, &mut cursor, &entry.name, &stat));
                    let holds = |at| is_certain(&stat) && holds(at) && is_as_other_names(&stat, at);
                    match proof.filter(|(position, _)| holds(*position)) {
                        Some((position, size)) => {
                            self.count(&stat, size);
                            if stat.links > 1
                                && let Some(record) = known.and_then(|block| block.record(position))
                            {
                                self.note_link(node, &record);
                            }
                            slots.push((at, Slot::Kept(position)));
                        }
                        None => files.push((at, stat)),
                    }
                }
            }
        }
        node.fill(slots);
        self.share_out(node, listing, directories, files)
    }

    /// Decides about a name. Its path is put together only where somebody asks for it: most names are just unchanged.
    fn judge(&mut self, node: &Node, dir: &Dir, name: &[u8]) -> Result<Verdict> {
        let walk = self.walk;
        let path = || node.path.join(name);
        let is_root = node.path.is_root();
        if is_root && name == REPOSITORY || walk.staged.as_ref().is_some_and(|staged| name.starts_with(staged)) {
            return Ok(Verdict::Pass);
        }
        let selected = node.selected || walk.selection.covers(&path());
        if !selected && !walk.selection.leads_through(&path()) {
            return Ok(Verdict::Pass);
        }
        let stat = match dir.stat(name) {
            Err(error) if is_of_one_entry(&error) => {
                self.uncover(path(), Reason::Unreadable, None);
                return Ok(Verdict::Pass);
            }
            stat => stat?,
        };
        let Some(stat) = stat else { return Ok(Verdict::Pass) };
        let is_directory = stat.kind == Kind::Directory;
        let ignores = |inside: &Inside| !inside.rules.is_empty() && inside.rules.ignores(&path(), is_directory);
        let mut ignored = node.ignored || node.inside.get().is_some_and(ignores);
        if ignored && walk.despite.covers(&path()) {
            ignored = false;
        }
        if ignored && !(is_directory && walk.despite.leads_through(&path())) {
            if selected {
                self.found.ignored.push(path());
            }
            return Ok(Verdict::Pass);
        }
        if !is_directory && !selected {
            return Ok(Verdict::Pass);
        }
        let reason = match stat.kind {
            Kind::Directory if name == REPOSITORY || walk.worktree.is_own_repository(&stat) => Some(Reason::Repository),
            _ if stat.is_mounted_in(node.stat.device) && !walk.worktree.cross_mounts => Some(Reason::Mount),
            Kind::Socket => Some(Reason::Socket),
            Kind::File if stat.size > groups::LONGEST => Some(Reason::TooLong),
            _ => None,
        };
        if let Some(reason) = reason {
            // Recorded entries below a mount still exist.
            let kind = Some(stat.kind).filter(|_| reason != Reason::Mount);
            self.uncover(path(), reason, kind);
            return Ok(Verdict::Pass);
        }
        Ok(if is_directory { Verdict::Enter { stat, selected, ignored } } else { Verdict::Cover(stat) })
    }

    /// Counts a covered entry that is no directory.
    fn count(&mut self, stat: &Stat, size: u64) {
        if stat.kind == Kind::File {
            self.found.totals.files += 1;
            self.found.totals.bytes += size;
        } else {
            self.found.totals.others += 1;
        }
    }

    /// Notes one name of an inode with several names.
    fn note_link(&mut self, node: &Node, record: &Record) {
        if record.stat.links > 1 {
            let key = (inodes::inode(&record.stat), inodes::state(record));
            self.found.links.push((key, node.path.join(&record.name)));
        }
    }

    /// Hands out the directories, and the files to be read unless they are few.
    fn share_out(
        &mut self,
        node: &Arc<Node>,
        listing: &Listing,
        directories: Vec<Job>,
        files: Vec<(usize, Stat)>,
    ) -> Result<()> {
        let bytes = |files: &[(usize, Stat)]| files.iter().map(|(_, stat)| stat.size).sum::<u64>();
        let all = bytes(&files);
        self.walk.expect_bytes(all);
        self.walk.expect_looks(directories.len());
        if files.len() <= BATCH_FILES && all <= BATCH_BYTES {
            node.expect(directories.len());
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
        node.expect(jobs.len());
        self.walk.queue.push(jobs);
        Ok(())
    }

    /// Reads some entries that are no directories.
    pub(super) fn read(&mut self, node: &Arc<Node>, listing: &Listing, files: &[(usize, Stat)]) -> Result<()> {
        let mut slots = Vec::with_capacity(files.len());
        for (at, stat) in files {
            let name = &listing.entries[*at].name;
            let record = self.read_one((node, *at), &listing.open.dir, name, *stat)?;
            slots.extend(record.map(|record| (*at, node.slot_for(record))));
        }
        node.fill(slots);
        Ok(())
    }

    /// Reads an entry that is not a directory. Returns its new kind if that has changed: a directory becomes a job.
    fn read_one(
        &mut self,
        (node, at): (&Arc<Node>, usize),
        dir: &Dir,
        name: &[u8],
        mut stat: Stat,
    ) -> Result<Option<Record>> {
        let last = node.last_blob(name);
        let path = || node.path.join(name);
        for _ in 0..ATTEMPTS {
            let mut record = match self.reading(path, |reader| reader.visit((dir, &node.path), name, &stat, last))? {
                Seen::Whole(record) => record,
                Seen::Torn(record) => {
                    self.found.torn.push(path());
                    record
                }
                Seen::Gone => return Ok(None),
                Seen::Unreadable => break,
                Seen::OtherKind => match self.judge(node, dir, name)? {
                    Verdict::Pass => return Ok(None),
                    Verdict::Cover(now) => {
                        stat = now;
                        continue;
                    }
                    Verdict::Enter { stat, selected, ignored } => {
                        let child = self.child((node, at), name, stat, (selected, ignored));
                        node.expect(1);
                        self.walk.expect_looks(1);
                        self.walk.queue.push(vec![Job { node: child, task: Task::List(None) }]);
                        return Ok(None);
                    }
                },
            };
            record.racy |= self.walk.is_racy(&record.stat);
            let size = match record.content {
                Content::File { size, .. } => size,
                _ => 0,
            };
            self.count(&record.stat, size);
            self.note_link(node, &record);
            return Ok(Some(record));
        }
        self.uncover(path(), Reason::Unreadable, Some(stat.kind));
        Ok(None)
    }

    /// Queues a subdirectory.
    fn child(
        &self,
        (node, at): (&Arc<Node>, usize),
        name: &[u8],
        mut stat: Stat,
        (selected, ignored): (bool, bool),
    ) -> Arc<Node> {
        let path = node.path.join(name);
        if let Some(mode) = self.walk.worktree.opened.get(&path) {
            stat.metadata.mode = *mode;
        }
        let rules = node.inside.get().map(|inside| inside.rules.clone()).unwrap_or_default();
        let known = self.walk.index.directory(&path);
        let mut child = Node::new(path, Some((node.clone(), at)), stat, rules);
        (child.known, child.selected, child.ignored) = (known, selected, ignored);
        Arc::new(child)
    }

    /// Looks again at an entry that was a directory when its parent was listed, and no longer is.
    pub(super) fn look_again(&mut self, node: &Node) -> Result<()> {
        let (Some((above, at)), Some(name)) = (&node.above, node.path.name()) else { return Ok(()) };
        let dir = match self.walk.worktree.root.open_below(&above.path) {
            Err(error) if is_of_one_entry(&error) => {
                self.uncover(node.path.clone(), Reason::Unreadable, None);
                return Ok(());
            }
            dir => dir?,
        };
        match self.judge(above, &dir, name)? {
            Verdict::Pass => {}
            Verdict::Enter { .. } => self.uncover(node.path.clone(), Reason::Unreadable, Some(Kind::Directory)),
            Verdict::Cover(stat) => {
                let record = self.read_one((above, *at), &dir, name, stat)?;
                above.fill(record.map(|record| (*at, above.slot_for(record))).into_iter().collect());
            }
        }
        Ok(())
    }
}

/// The position of the record that proves an entry unchanged, and its bytes of content. The cursor only goes forward.
fn proved(block: Block<'_>, cursor: &mut usize, name: &[u8], stat: &Stat) -> Option<(usize, u64)> {
    while *cursor < block.count() && block.name(*cursor) < name {
        *cursor += 1;
    }
    if *cursor == block.count() || block.name(*cursor) != name || !block.proves(*cursor, stat) {
        return None;
    }
    let size = block.content_size(*cursor)?;
    Some((*cursor, size))
}
