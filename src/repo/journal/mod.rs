//! The journal: append-only records with checksums. Appending a record is the only commit point.
//!
//! Segments are files `journal/<number>`. Each begins with a checkpoint, so opening a repository reads only the newest
//! one; older segments hold older operations. An incomplete record at the end is ignored. Any other invalid record is
//! damage: readers use the records before it and warn; writers refuse.

mod check;
mod directory;
mod frame;
mod record;
mod repair;
mod segment;
mod state;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::{OperationId, PackId};
use crate::object::Operation;
use crate::time::Timestamp;

pub use check::check;
pub use directory::Directory;
#[cfg(test)]
pub use record::DECODED;
pub use record::Record;
pub use repair::{RepairedJournal, preview, repair};
use segment::Segment;
pub use segment::file_name;
pub use state::{State, Sweep, YOUNG};
pub use writer::{Writer, create};

/// End of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Number of the newest segment.
    pub segment: u64,
    /// Number of valid bytes.
    pub length: u64,
    /// Size of the file in bytes: more than `length` after a torn write.
    pub size: u64,
    /// Offset of the end of the checkpoint.
    pub checkpoint: u64,
}

/// Hint for damage that stops writing.
pub const REPAIR: &str = "reading still works; to keep every intact record and write again: undo repair";

/// Hint for a journal of which nothing is readable.
const RESTORE: &str = "to restore the commits of all packs: undo repair";

/// Result of reading the journal.
#[derive(Debug)]
pub struct Loaded {
    /// The state after the last record.
    pub state: State,
    /// End of the journal.
    pub end: End,
    /// Damage; newer records may be lost.
    pub damage: Option<Error>,
}

/// Reads the newest segment. If its checkpoint is unreadable, reads the one before it, which leads to the same state.
pub fn load(directory: &Path) -> Result<Loaded> {
    load_from(directory, segment::numbers(directory)?.into_iter().rev())
}

/// Reads the first of these segments whose checkpoint is readable.
fn load_from(directory: &Path, numbers: impl Iterator<Item = u64>) -> Result<Loaded> {
    let mut damage: Option<Error> = None;
    for number in numbers {
        let replayed = match Segment::read(directory, number) {
            Ok(Some(segment)) => segment.replay(),
            Ok(None) => continue,
            Err(error) => Err(error),
        };
        match replayed {
            Ok(loaded) => return Ok(Loaded { damage: damage.or(loaded.damage), ..loaded }),
            Err(error) if error.kind() == ErrorKind::Damaged => damage = damage.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(damage.map(|error| error.hint(RESTORE)).unwrap_or_else(|| {
        Error::damaged(format!("no journal in `{}`", directory.display()))
            .hint("copy that folder from a backup of this repository")
    }))
}

/// Time in seconds for which every segment is kept.
const KEPT: i64 = 180 * 24 * 3600;

/// Number of bytes of the newest segments that are kept, whatever their age.
const KEPT_BYTES: u64 = 64 << 20;

/// Removes segments that are older than 180 days and not among the newest 64 MiB. The oldest go first, and each removal is
/// flushed, so that readers find a history without a gap. Returns their number. The caller holds the lock.
pub fn remove_old_segments(directory: &Path, now: Timestamp, durability: Durability) -> Result<u64> {
    let mut segments = Vec::new();
    for number in segment::numbers(directory)? {
        let path = segment::path(directory, number);
        segments.extend(fs::stat(&path)?.map(|stat| (path, stat)));
    }
    let mut newer: u64 = segments.iter().map(|(_, stat)| stat.size).sum();
    let mut removed = 0;
    for (path, stat) in segments {
        newer -= stat.size;
        if newer < KEPT_BYTES || stat.metadata.mtime.seconds >= now.seconds.saturating_sub(KEPT) {
            break;
        }
        fs::remove_file(&path)?;
        fs::sync_dir(directory, durability)?;
        removed += 1;
    }
    Ok(removed)
}

/// Packs that the newest segment and the one before it record as replaced.
pub fn replaced_packs(directory: &Path) -> Result<BTreeSet<PackId>> {
    let mut replaced = BTreeSet::new();
    for number in segment::numbers(directory)?.into_iter().rev().take(2) {
        if let Some(segment) = Segment::read(directory, number)? {
            replaced.extend(segment.replaced_packs()?);
        }
    }
    Ok(replaced)
}

/// Whether the journal still ends here.
pub fn ends_at(directory: &Path, end: End) -> Result<bool> {
    let newest = segment::numbers(directory)?.last().copied();
    let length = fs::stat(&segment::path(directory, end.segment))?.map(|stat| stat.size);
    Ok((newest, length) == (Some(end.segment), Some(end.size)))
}

/// Whether the journal has operations, readable or not.
pub fn has_history(directory: &Path) -> Result<bool> {
    match load(directory) {
        Ok(loaded) => Ok(loaded.state.operation.is_some() || loaded.damage.is_some()),
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(!segment::numbers(directory)?.is_empty()),
        Err(error) => Err(error),
    }
}

/// The operations of the journal, newest first. Reads one segment at a time and decodes one operation per call.
pub struct Operations {
    directory: PathBuf,
    /// The segment read last, and the payloads in it that are not decoded yet, oldest first.
    segment: Option<Segment>,
    pending: Vec<Range<usize>>,
    /// The segment to read next, and the number of bytes of it to read. `None` reads it whole.
    next: Option<(u64, Option<u64>)>,
    /// The id of the next operation.
    expected: Option<OperationId>,
}

impl Operations {
    /// Operations up to `end`, the newest of which is `newest`.
    pub fn new(directory: &Path, end: End, newest: Option<OperationId>) -> Operations {
        let next = Some((end.segment, Some(end.length)));
        Operations { directory: directory.to_owned(), segment: None, pending: Vec::new(), next, expected: newest }
    }

    /// Reads one more segment. Returns `false` if there is none: old segments may have been deleted.
    fn read_segment(&mut self) -> Result<bool> {
        let Some((number, length)) = self.next.take() else { return Ok(false) };
        let Some(mut segment) = Segment::read(&self.directory, number)? else { return Ok(false) };
        if let Some(length) = length {
            segment.truncate(length);
        }
        self.pending = segment.operations()?;
        self.segment = Some(segment);
        self.next = number.checked_sub(1).map(|number| (number, None));
        Ok(true)
    }

    fn read_next(&mut self) -> Result<Option<(OperationId, Operation)>> {
        let Some(expected) = self.expected else { return Ok(None) };
        while self.pending.is_empty() {
            if !self.read_segment()? {
                return Ok(None);
            }
        }
        let (Some(segment), Some(payload)) = (&self.segment, self.pending.pop()) else { return Ok(None) };
        let (id, operation) = segment.operation(payload)?;
        if id != expected {
            return Err(Error::damaged(format!("the operation `{}` is missing from the journal", expected.short())));
        }
        self.expected = operation.parent;
        Ok(Some((id, operation)))
    }
}

impl Iterator for Operations {
    type Item = Result<(OperationId, Operation)>;

    /// Ends after the first error.
    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read_next();
        if next.is_err() {
            self.expected = None;
        }
        next.transpose()
    }
}
