//! Reads entries that the index does not prove unchanged: content and attributes as of one moment.

use std::fs::File;
use std::sync::{Arc, PoisonError};

use crate::error::Result;
use crate::fs::{self, Dir, Stat, Xattrs};
use crate::id::{AttributesId, BlobId};
use crate::metadata::Kind;
use crate::object::commit::Reason;
use crate::object::{Attributes, Content, ObjectKind};
use crate::path::RepoPath;
use crate::worktree::classify::Verdict;
use crate::worktree::clock;
use crate::worktree::content::{Reading, Sink, holes};
use crate::worktree::index::Record;
use crate::worktree::inodes::{FirstName, ReadOutcome};
use crate::worktree::node::Node;
use crate::worktree::queue::Listing;
use crate::worktree::walk::Worker;

/// Maximum number of attempts to read an entry that changes meanwhile.
const ATTEMPTS: u32 = 3;

impl<S: Sink> Worker<'_, S> {
    /// Reads some entries of a directory, none of them a directory.
    pub(super) fn read(&mut self, node: &Arc<Node>, listing: &Listing, files: &[(usize, Stat)]) -> Result<()> {
        let mut slots = Vec::with_capacity(files.len());
        for (at, stat) in files {
            let name = &listing.entries[*at].name;
            let record = self.read_one((node, *at), &listing.open.dir, name, *stat)?;
            slots.extend(record.map(|record| (*at, node.slot_for(record))));
        }
        node.set_slots(slots);
        Ok(())
    }

    /// Reads an entry. One that has become a directory is queued.
    pub(super) fn read_one(
        &mut self,
        (node, at): (&Arc<Node>, usize),
        dir: &Dir,
        name: &[u8],
        mut stat: Stat,
    ) -> Result<Option<Record>> {
        let last = node.last_blob(name);
        let path = || node.path.join(name);
        for _ in 0..ATTEMPTS {
            let mut record = match self.read_now((dir, &node.path), name, &stat, last)? {
                ReadOutcome::Whole(record) => record,
                ReadOutcome::Torn(record) => {
                    self.findings.torn.push(path());
                    record
                }
                ReadOutcome::Gone => return Ok(None),
                ReadOutcome::Unreadable => break,
                ReadOutcome::OtherKind => match self.decide(node, dir, name)? {
                    Verdict::Skip => return Ok(None),
                    Verdict::Cover(now) => {
                        stat = now;
                        continue;
                    }
                    Verdict::Enter { stat, selected, ignored } => {
                        let job = self.directory_job((node, at), name, stat, (selected, ignored), None);
                        node.add_pending(1);
                        self.walk.add_unclassified(1);
                        self.walk.queue.push(vec![job]);
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
            self.add_link(node, &record);
            return Ok(Some(record));
        }
        self.add_uncovered(path(), Reason::Unreadable, Some(stat.kind));
        Ok(None)
    }

    /// Reads an entry with this stat. `last` is the last recorded content of a file. Fails only if the scan cannot
    /// continue.
    fn read_now(
        &mut self,
        place: (&Dir, &RepoPath),
        name: &[u8],
        stat: &Stat,
        last: Option<BlobId>,
    ) -> Result<ReadOutcome> {
        let outcome = match stat.links {
            ..=1 => self.read_kind(place, name, stat, last),
            _ => self.read_linked(place, name, stat, last),
        };
        self.check_sink()?;
        match outcome {
            Err(error) if error.is_not_found() => Ok(ReadOutcome::Gone),
            Err(error) if fs::is_other_kind(&error) => Ok(ReadOutcome::OtherKind),
            Err(error) if fs::is_of_one_entry(&error) => Ok(ReadOutcome::Unreadable),
            outcome => outcome,
        }
    }

    /// Reads an inode with several names once, whichever name comes first.
    fn read_linked(
        &mut self,
        place: (&Dir, &RepoPath),
        name: &[u8],
        stat: &Stat,
        last: Option<BlobId>,
    ) -> Result<ReadOutcome> {
        let (root, inodes) = (&self.walk.worktree.root, &self.walk.inodes);
        let slot = match inodes.slot(stat) {
            Ok(slot) => slot,
            Err(proven) => match *proven {
                Some(first) if first.is_same_file(root, stat) => return Ok(first.named(name)),
                _ => return self.read_kind(place, name, stat, last),
            },
        };
        // Locked while the file is read, so that a thread that meets another of its names waits.
        let mut first = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = first.as_ref().filter(|first| first.is_same_file(root, stat)) {
            return Ok(first.named(name));
        }
        let outcome = self.read_kind(place, name, stat, last)?;
        *first = Some(FirstName { place: (place.1.to_owned(), name.to_vec()), outcome: outcome.clone() });
        Ok(outcome)
    }

    fn read_kind(
        &mut self,
        place: (&Dir, &RepoPath),
        name: &[u8],
        stat: &Stat,
        last: Option<BlobId>,
    ) -> Result<ReadOutcome> {
        match stat.kind {
            Kind::File => self.read_file(place, name, last),
            _ => self.read_special(place, name, *stat),
        }
    }

    fn read_file(&mut self, place: (&Dir, &RepoPath), name: &[u8], last: Option<BlobId>) -> Result<ReadOutcome> {
        let mut attempt = 1;
        loop {
            // Opened again each time, because the name may belong to another file by now.
            let (file, mut before) = place.0.open_file_stat(name)?;
            if before.kind != Kind::File {
                return Ok(ReadOutcome::OtherKind);
            }
            let usage = clock::prepare(&file, &mut before, &self.walk.clock)?;
            let Some(mut record) = self.read_once(&file, (place.1, name), before, last)? else {
                return Ok(ReadOutcome::Unreadable);
            };
            record.racy = usage.is_racy(&record.stat, &self.walk.clock);
            if record.stat.is_same(&before) {
                return Ok(ReadOutcome::Whole(record));
            }
            if attempt == ATTEMPTS {
                return Ok(ReadOutcome::Torn(Record { racy: true, ..record }));
            }
            attempt += 1;
        }
    }

    /// Reads an open file to its end. The stat of the record is taken afterwards. `None` if the sink fails.
    fn read_once(
        &mut self,
        file: &File,
        (directory, name): (&RepoPath, &[u8]),
        before: Stat,
        last: Option<BlobId>,
    ) -> Result<Option<Record>> {
        let holes = holes(file, &before)?;
        let walk = self.walk;
        let mut reading = Reading::new(file, before.size, &holes, &*walk.reading).with_last(last);
        let blob = match self.sink().read(&mut reading) {
            Ok(blob) => blob,
            Err(error) if reading.failed() => return Err(error),
            Err(error) => {
                self.sink_failure = Some(error);
                return Ok(None);
            }
        };
        let size = reading.position();
        self.findings.files_read += 1;
        self.findings.bytes_read += reading.bytes_read();
        let xattrs = self.readable_xattrs(fs::file_xattrs(file), || directory.join(name))?;
        let stat = fs::stat_file(file)?;
        let attributes = self.put_attributes(Attributes { xattrs, holes });
        Ok(Some(Record { name: name.to_vec(), stat, content: Content::File { blob, size }, attributes, racy: false }))
    }

    /// Reads an entry without content. It cannot be torn, but its name may get another file.
    fn read_special(&mut self, (dir, path): (&Dir, &RepoPath), name: &[u8], mut stat: Stat) -> Result<ReadOutcome> {
        for _ in 0..ATTEMPTS {
            let content = match stat.kind {
                Kind::Symlink => Content::Symlink { target: dir.read_link(name)? },
                Kind::Fifo => Content::Fifo,
                Kind::CharDevice => Content::CharDevice { rdev: stat.rdev },
                Kind::BlockDevice => Content::BlockDevice { rdev: stat.rdev },
                Kind::File | Kind::Directory | Kind::Socket => return Ok(ReadOutcome::OtherKind),
            };
            let xattrs = self.readable_xattrs(dir.xattrs(name), || path.join(name))?;
            let Some(after) = dir.stat(name)? else { return Ok(ReadOutcome::Gone) };
            if after.is_same(&stat) {
                let attributes = self.put_attributes(Attributes { xattrs, holes: Vec::new() });
                return Ok(ReadOutcome::Whole(Record { name: name.to_vec(), stat, content, attributes, racy: false }));
            }
            stat = after;
        }
        Ok(ReadOutcome::Unreadable)
    }

    /// Reads the attributes of a directory.
    pub(super) fn read_directory_attributes(
        &mut self,
        xattrs: Result<Xattrs>,
        path: &RepoPath,
    ) -> Result<Option<AttributesId>> {
        let xattrs = self.readable_xattrs(xattrs, || path.to_owned())?;
        let id = self.put_attributes(Attributes { xattrs, holes: Vec::new() });
        self.check_sink().map(|()| id)
    }

    /// Returns no attributes, and lists the path, if only the attributes of an entry cannot be read.
    fn readable_xattrs(
        &mut self,
        xattrs: Result<Xattrs>,
        path: impl FnOnce() -> crate::path::RepoPathBuf,
    ) -> Result<Xattrs> {
        match xattrs {
            Err(error) if !error.is_not_found() && fs::is_of_one_entry(&error) => {
                self.findings.without_attributes.push(path());
                Ok(Xattrs::new())
            }
            xattrs => xattrs,
        }
    }

    /// Passes attributes that the store lacks to the sink. `None` if there are none. A failure stays in `sink_failure`.
    fn put_attributes(&mut self, attributes: Attributes) -> Option<AttributesId> {
        if attributes.is_empty() {
            return None;
        }
        let bytes = attributes.encode();
        let id = crate::object::id_of(ObjectKind::Attributes, &bytes);
        if !self.walk.store.knows(ObjectKind::Attributes, id)
            && let Err(error) = self.put(ObjectKind::Attributes, id, bytes)
        {
            self.sink_failure = Some(error);
        }
        Some(id.into())
    }
}
