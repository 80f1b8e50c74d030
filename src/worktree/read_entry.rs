//! One entry that the index does not prove: its content and attributes, read as of one moment.

use std::fs::File;
use std::sync::PoisonError;

use crate::error::{Error, Result};
use crate::fs::{self, Dir, Stat, Xattrs};
use crate::id::{AttributesId, BlobId};
use crate::metadata::Kind;
use crate::object::{Attributes, Content, ObjectKind};
use crate::path::RepoPath;
use crate::progress::Task;
use crate::worktree::Clock;
use crate::worktree::content::{Reading, Sink, holes};
use crate::worktree::in_use;
use crate::worktree::index::Record;
use crate::worktree::inodes::{Found, Inodes};
use crate::worktree::seen::Seen;

/// A file that moves while it is read is read again, so often at most.
pub const ATTEMPTS: u32 = 3;

/// What reading needs, and what it counts.
pub struct Reader<'r, S> {
    /// Takes the bytes.
    pub sink: &'r mut S,
    /// Counts bytes for people.
    pub task: &'r dyn Task,
    /// Shared by all threads.
    pub inodes: &'r Inodes,
    /// The worktree.
    pub root: &'r Dir,
    /// Index from before the scan.
    pub clock: &'r Clock,
    /// Attributes that were found, to be stored.
    pub attributes: Vec<(AttributesId, Vec<u8>)>,
    /// Files whose content was read.
    pub files_read: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Whether attributes could not be read.
    pub lacks_attributes: bool,
    /// What the sink failed with: no fault of the entry's, and the end of the scan.
    pub fatal: Option<Error>,
}

impl<S: Sink> Reader<'_, S> {
    /// Reads an entry with this stat in an open directory: a file, a symlink, a FIFO or a device. `last` is the last
    /// recorded content of a file.
    pub fn visit(
        &mut self,
        (dir, path): (&Dir, &RepoPath),
        name: &[u8],
        stat: &Stat,
        last: Option<BlobId>,
    ) -> Result<Seen> {
        let seen = match stat.links {
            ..=1 => self.read(dir, name, stat, last),
            _ => self.visit_linked((dir, path), name, stat, last),
        };
        match seen {
            Err(error) if error.is_not_found() => Ok(Seen::Gone),
            Err(error) if fs::is_other_kind(&error) => Ok(Seen::OtherKind),
            Err(error) if fs::is_of_one_entry(&error) => Ok(Seen::Unreadable),
            seen => seen,
        }
    }

    /// Reads an inode with several names once, whichever of its names comes first.
    fn visit_linked(
        &mut self,
        (dir, path): (&Dir, &RepoPath),
        name: &[u8],
        stat: &Stat,
        last: Option<BlobId>,
    ) -> Result<Seen> {
        let (root, inodes) = (self.root, self.inodes);
        let slot = match inodes.slot(stat) {
            Ok(slot) => slot,
            Err(proven) => match *proven {
                Some(found) if found.is_same_file(root, stat) => return Ok(found.named(name)),
                _ => return self.read(dir, name, stat, last),
            },
        };
        // Held while the file is read: a thread that meets another of its names waits.
        let mut known = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.as_ref().filter(|found| found.is_same_file(root, stat)) {
            return Ok(found.named(name));
        }
        let seen = self.read(dir, name, stat, last)?;
        *known = Some(Found { place: (path.to_owned(), name.to_vec()), seen: seen.clone() });
        Ok(seen)
    }

    fn read(&mut self, dir: &Dir, name: &[u8], stat: &Stat, last: Option<BlobId>) -> Result<Seen> {
        match stat.kind {
            Kind::File => self.read_file(dir, name, last),
            _ => self.read_special(dir, name, *stat),
        }
    }

    fn read_file(&mut self, dir: &Dir, name: &[u8], last: Option<BlobId>) -> Result<Seen> {
        let mut attempt = 1;
        loop {
            // Opened again each time: the name may be another file's by now.
            let (file, mut before) = dir.open_file_stat(name)?;
            if before.kind != Kind::File {
                return Ok(Seen::OtherKind);
            }
            let trust = in_use::prepare(&file, &mut before, self.clock)?;
            let Some(mut record) = self.read_once(&file, name, before, last)? else { return Ok(Seen::Unreadable) };
            record.racy = trust.is_racy(&record.stat, self.clock);
            if record.stat.is_same(&before) {
                return Ok(Seen::Whole(record));
            }
            if attempt == ATTEMPTS {
                return Ok(Seen::Torn(Record { racy: true, ..record }));
            }
            attempt += 1;
        }
    }

    /// Reads an open file to its end; its stat is that of afterwards. `None` if the sink fails.
    fn read_once(&mut self, file: &File, name: &[u8], before: Stat, last: Option<BlobId>) -> Result<Option<Record>> {
        let holes = holes(file, &before)?;
        let mut reading = Reading::new(file, before.size, &holes, self.task).after(last);
        let blob = self.sink.read(&mut reading);
        let (size, read) = (reading.position(), reading.bytes_read());
        let blob = match blob {
            Ok(blob) => blob,
            Err(error) if reading.failed() => return Err(error),
            Err(error) => {
                self.fatal = Some(error);
                return Ok(None);
            }
        };
        self.files_read += 1;
        self.bytes_read += read;
        let xattrs = self.take_xattrs(fs::file_xattrs(file))?;
        let stat = fs::stat_file(file)?;
        let attributes = self.keep(Attributes { xattrs, holes });
        Ok(Some(Record { name: name.to_vec(), stat, content: Content::File { blob, size }, attributes, racy: false }))
    }

    /// What has no content to read: it cannot tear, but the name may become another's.
    fn read_special(&mut self, dir: &Dir, name: &[u8], mut stat: Stat) -> Result<Seen> {
        for _ in 0..ATTEMPTS {
            let content = match stat.kind {
                Kind::Symlink => Content::Symlink { target: dir.read_link(name)? },
                Kind::Fifo => Content::Fifo,
                Kind::CharDevice => Content::CharDevice { rdev: stat.rdev },
                Kind::BlockDevice => Content::BlockDevice { rdev: stat.rdev },
                Kind::File | Kind::Directory | Kind::Socket => return Ok(Seen::OtherKind),
            };
            let xattrs = self.take_xattrs(dir.xattrs(name))?;
            let Some(after) = dir.stat(name)? else { return Ok(Seen::Gone) };
            if after.is_same(&stat) {
                let attributes = self.keep(Attributes { xattrs, holes: Vec::new() });
                return Ok(Seen::Whole(Record { name: name.to_vec(), stat, content, attributes, racy: false }));
            }
            stat = after;
        }
        Ok(Seen::Unreadable)
    }

    /// Reads the attributes; returns none, and notes it, if only they cannot be read.
    pub fn take_xattrs(&mut self, xattrs: Result<Xattrs>) -> Result<Xattrs> {
        match xattrs {
            Err(error) if !error.is_not_found() && fs::is_of_one_entry(&error) => {
                self.lacks_attributes = true;
                Ok(Xattrs::new())
            }
            xattrs => xattrs,
        }
    }

    /// Takes attributes that were found; none if they are empty.
    pub fn keep(&mut self, attributes: Attributes) -> Option<AttributesId> {
        if attributes.is_empty() {
            return None;
        }
        let bytes = attributes.encode();
        let id: AttributesId = crate::object::id_of(ObjectKind::Attributes, &bytes).into();
        self.attributes.push((id, bytes));
        Some(id)
    }
}
