//! Reads entries that the index does not prove unchanged: content and attributes as of one moment.

use std::fs::File;
use std::sync::{Arc, PoisonError};

use crate::error::{ErrorKind, Result};
use crate::fs::{self, Stat, Xattrs};
use crate::id::{AttributesId, BlobId};
use crate::metadata::Kind;
use crate::object::commit::Reason;
use crate::object::{Attributes, Content, ObjectKind, id_of};
use crate::path::RepoPathBuf;
use crate::worktree::classify::Verdict;
use crate::worktree::clock::{self, Usage};
use crate::worktree::content::{Reading, holes};
use crate::worktree::index::Record;
use crate::worktree::inodes::{FirstName, ReadEntry};
use crate::worktree::node::{Child, Node, Slot};
use crate::worktree::queue::{Job, Listing};
use crate::worktree::sink::{HashSink, Sink};
use crate::worktree::worker::Worker;

/// Maximum number of attempts to read an entry that changes meanwhile.
const ATTEMPTS: u32 = 3;

impl<S: Sink> Worker<'_, S> {
    /// Reads some entries of a directory, none of them a directory.
    pub(super) fn read(&mut self, node: &Arc<Node>, listing: &Listing, files: &[(usize, Stat)]) -> Result<()> {
        let mut slots = Vec::with_capacity(files.len());
        let mut result = Ok(());
        for (at, stat) in files {
            match self.read_one(listing.child(node, *at), *stat) {
                Ok(slot) => slots.extend(slot.map(|slot| (*at, slot))),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        node.set_slots(slots);
        result
    }

    /// Reads an entry. Fails only if the scan cannot continue. `None` if the entry is not covered, or is gone, or has become a
    /// directory, which is queued.
    pub(super) fn read_one(&mut self, child: Child<'_>, mut stat: Stat) -> Result<Option<Slot>> {
        for _ in 0..ATTEMPTS {
            let entry = match stat.links {
                ..=1 => self.read_stable(child, stat),
                _ => self.read_linked(child, stat),
            };
            self.check_sink()?;
            match entry {
                Ok(Some(entry)) => return Ok(Some(self.accept(child, entry))),
                Ok(None) => {}
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Purged => {
                    self.walk.add_uncovered(child.path(), Reason::Purged, Some(stat.kind));
                    return Ok(None);
                }
                Err(error) if fs::is_other_kind(&error) => {}
                Err(error) if fs::is_of_one_entry(&error) => break,
                Err(error) => return Err(error),
            }
            match self.decide(child)? {
                Verdict::Skip => return Ok(None),
                Verdict::Cover(now) => stat = now,
                Verdict::Enter(directory) => {
                    self.walk.add_unclassified(1);
                    self.queue(child.parent, vec![Job::list(directory, None)]);
                    return Ok(None);
                }
            }
        }
        self.walk.add_uncovered(child.path(), Reason::Unreadable, Some(stat.kind));
        Ok(None)
    }

    fn accept(&mut self, child: Child<'_>, ReadEntry { mut record, is_torn }: ReadEntry) -> Slot {
        if is_torn {
            self.walk.found().torn.push(child.path());
        }
        record.racy |= is_torn || self.walk.clock.is_racy(&record.stat);
        let size = match record.content {
            Content::File { size, .. } => size,
            _ => 0,
        };
        self.count(&record.stat, size);
        if record.stat.links > 1 {
            self.walk.inodes.add_name(&record, child.path());
        }
        child.parent.slot_for(record)
    }

    /// Reads an inode with several names once, whichever name comes first.
    fn read_linked(&mut self, child: Child<'_>, stat: Stat) -> Result<Option<ReadEntry>> {
        let (root, slot) = (&self.walk.worktree.root, self.walk.inodes.slot(&stat));
        // Locked while the file is read, so that a thread that meets another of its names waits.
        let mut first = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = first.as_ref().filter(|first| first.is_same_file(root, &stat)) {
            return Ok(Some(first.named(child.name)));
        }
        let entry = self.read_stable(child, stat)?;
        let name = |entry| FirstName { directory: child.parent.path.clone(), entry };
        *first = entry.clone().map(name);
        Ok(entry)
    }

    /// Reads an entry until its stat is the same before and after. `None` if it is of another kind now, or kept changing
    /// and has no content.
    fn read_stable(&mut self, child: Child<'_>, mut stat: Stat) -> Result<Option<ReadEntry>> {
        let last = if stat.kind == Kind::File { child.parent.last_blob(child.name) } else { None };
        let mut torn = None;
        for _ in 0..ATTEMPTS {
            let read = match stat.kind {
                Kind::File => self.read_file(child, last)?,
                _ => self.read_special(child, stat)?,
            };
            let Some((before, record)) = read else { return Ok(None) };
            if record.stat.is_same(&before) {
                return Ok(Some(ReadEntry { record, is_torn: false }));
            }
            stat = record.stat;
            torn = Some(ReadEntry { record, is_torn: true });
        }
        // What has no content cannot be torn, but its name may get another file.
        Ok(torn.filter(|entry| entry.record.stat.kind == Kind::File))
    }

    /// Opens a file and reads it to its end. Returns the stat before, and the record with the stat after.
    /// [`ErrorKind::Purged`] if the content was purged; then nothing of it is passed to the sink.
    fn read_file(&mut self, child: Child<'_>, last: Option<BlobId>) -> Result<Option<(Stat, Record)>> {
        // Opened for each attempt, because the name may belong to another file by now.
        let (file, mut before) = child.dir.open_file_stat(child.name)?;
        if before.kind != Kind::File {
            return Ok(None);
        }
        let walk = self.walk;
        let usage = clock::prepare(&file, &mut before, &walk.clock)?;
        let holes = holes(&file, &before)?;
        let reading = || Reading::new(&file, before.size, &holes, &*walk.reading);
        // The sink stores the chunks of a large file before it knows the id.
        if walk.store.purged().has_size(before.size) {
            walk.store.check_not_purged(HashSink::new().read(&mut reading())?)?;
        }
        let prefix = child.parent.known_prefix(child.name, &before).filter(|_| walk.is_certain(&before));
        let mut reading = reading().with_last(last).with_prefix(prefix);
        let blob = match self.sink().read(&mut reading) {
            Ok(blob) => blob,
            Err(error) if reading.failed() || error.kind() == ErrorKind::Purged => return Err(error),
            Err(error) => {
                if let Some(prefix) = reading.stored_prefix() {
                    // Without it, the next try begins again.
                    let _ = self.keep_prefix(child, (&file, &before), usage, prefix);
                }
                self.sink_failure = Some(error);
                return Ok(None);
            }
        };
        let size = reading.position();
        {
            let mut found = walk.found();
            found.files_read += 1;
            found.bytes_read += reading.bytes_read();
        }
        let xattrs = self.readable_xattrs(fs::file_xattrs(&file), || child.path())?;
        let stat = fs::stat_file(&file)?;
        // Unreadable attributes are read again by the next scan.
        let racy = xattrs.is_none() || usage.is_racy(&stat, &walk.clock);
        let attributes = self.put_attributes(xattrs.unwrap_or_default(), holes);
        let (name, content) = (child.name.to_vec(), Content::File { blob, size });
        Ok(Some((before, Record { name, stat, content, attributes, racy, is_prefix: false })))
    }

    /// Adds what was stored of a file to the index of the interrupted scan, if its stat will reveal every change.
    fn keep_prefix(
        &self,
        child: Child<'_>,
        (file, before): (&File, &Stat),
        usage: Usage,
        (blob, size): (BlobId, u64),
    ) -> Result<()> {
        let (stat, clock) = (fs::stat_file(file)?, &self.walk.clock);
        if stat.is_same(before) && !usage.is_racy(&stat, clock) && !clock.is_racy(&stat) {
            let (name, content) = (child.name.to_vec(), Content::File { blob, size });
            let record = Record { name, stat, content, attributes: None, racy: true, is_prefix: true };
            child.parent.set_slots([(child.at, Slot::New(Box::new(record)))]);
        }
        Ok(())
    }

    /// Reads an entry without content, which had this stat. Returns the stat, and the record with the stat after.
    fn read_special(&mut self, child: Child<'_>, before: Stat) -> Result<Option<(Stat, Record)>> {
        let content = match before.kind {
            Kind::Symlink => Content::Symlink { target: child.dir.read_link(child.name)? },
            Kind::Fifo => Content::Fifo,
            Kind::CharDevice => Content::CharDevice { rdev: before.rdev },
            Kind::BlockDevice => Content::BlockDevice { rdev: before.rdev },
            Kind::File | Kind::Directory | Kind::Socket => return Ok(None),
        };
        let xattrs = self.readable_xattrs(child.dir.xattrs(child.name), || child.path())?;
        let after = child.dir.stat(child.name)?.filter(|after| after.kind == before.kind);
        let Some(stat) = after else { return Ok(None) };
        let racy = xattrs.is_none();
        let attributes = self.put_attributes(xattrs.unwrap_or_default(), Vec::new());
        let record = Record { name: child.name.to_vec(), stat, content, attributes, racy, is_prefix: false };
        Ok(Some((before, record)))
    }

    /// Returns `None`, and lists the path, if only the attributes of an entry cannot be read.
    pub(super) fn readable_xattrs(
        &self,
        xattrs: Result<Xattrs>,
        path: impl FnOnce() -> RepoPathBuf,
    ) -> Result<Option<Xattrs>> {
        match xattrs {
            Err(error) if !error.is_not_found() && fs::is_of_one_entry(&error) => {
                self.walk.found().without_attributes.push(path());
                Ok(None)
            }
            xattrs => xattrs.map(Some),
        }
    }

    /// Passes attributes to the sink. `None` if there are none. A failure stays in `sink_failure`.
    pub(super) fn put_attributes(&mut self, xattrs: Xattrs, holes: Vec<(u64, u64)>) -> Option<AttributesId> {
        let attributes = Attributes { xattrs, holes };
        if attributes.is_empty() {
            return None;
        }
        let bytes = attributes.encode();
        let id = id_of(ObjectKind::Attributes, &bytes);
        if let Err(error) = self.put(ObjectKind::Attributes, id, bytes) {
            self.sink_failure = Some(error);
        }
        Some(id.into())
    }
}
