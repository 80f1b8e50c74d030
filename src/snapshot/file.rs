//! Stores one file, whole or cut into chunks, and hashes it while reading.
//!
//! The buffer that is hashed is the one that is stored, so the id of an object is right even if the file changes.

use crate::chunk::Params;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::{BlobId, ObjectId};
use crate::object::groups::GROUP;
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};
use crate::parallel;
use crate::snapshot::large::{self, LargeFile};
use crate::snapshot::prefix::Prefix;
use crate::snapshot::rechunk::CutPredictor;
use crate::snapshot::reflink;
use crate::store::{ReflinkCopy, Session, Store, Writer};
use crate::worktree::Reading;
use crate::worktree::content::Step;
use crate::worktree::sink::Sink;

/// Bytes of a large file that are read at once, at least.
const WINDOW: usize = 4 * GROUP;

/// What was put of one file.
struct Put {
    blob: BlobId,
    /// The layout of the chunks, which the caller must put. `None` for a blob that is stored whole.
    layout: Option<Layout>,
    /// Why only the beginning of the file was put.
    interruption: Option<Error>,
}

/// Stores the content that a scan reads.
pub struct StoreSink<'a> {
    store: &'a Store,
    session: &'a Session<'a>,
    /// One for each worker, as soon as they share a file.
    writers: Vec<Writer<'a>>,
    params: Params,
    /// Whether trees are put at once; otherwise they stay with the scan, to be compared first.
    takes_objects: bool,
    /// At least one byte longer than a blob that is kept in one piece. What is read at once, and what is left of it that is
    /// not cut yet: less than the longest chunk.
    window: Vec<u8>,
}

impl<'a> StoreSink<'a> {
    /// Creates the sink of one thread.
    pub fn new(store: &'a Store, session: &'a Session<'a>, takes_objects: bool) -> StoreSink<'a> {
        let params = store.options().chunk;
        let whole = usize::try_from(params.whole).unwrap_or(WINDOW);
        let length = WINDOW.max(whole + 1) + params.maximum();
        StoreSink { store, session, writers: vec![session.writer()], params, takes_objects, window: vec![0; length] }
    }

    /// Puts a blob that is completely in the window.
    fn put_whole(&mut self, length: usize) -> Result<BlobId> {
        let bytes = &self.window[..length];
        let id = id_of(ObjectKind::Data, bytes);
        self.store.check_not_purged(id.into())?;
        self.writers[0].put(ObjectKind::Data, id, bytes)?;
        Ok(id.into())
    }

    /// Puts a blob that is too long to be stored whole, with `filled` bytes of it in the window. `prefix` was put by an earlier reading.
    fn put_large(
        &mut self,
        reading: &mut Reading<'_>,
        (filled, step): (usize, Step),
        prefix: Option<Prefix>,
        (last, adoption): (&Layout, Option<&mut ReflinkCopy<'a>>),
    ) -> Result<Put> {
        let predictor = CutPredictor::new(last, self.params);
        if reading.is_shared() && self.writers.len() == 1 {
            self.writers.resize_with(parallel::workers(), || self.session.writer());
        }
        let count = if reading.is_shared() { self.writers.len() } else { 1 };
        let writers = &mut self.writers[..count];
        let mut file = LargeFile::new((&mut self.window, filled), self.params, writers, (predictor, adoption));
        if let Some(prefix) = prefix {
            file = file.resume(prefix);
        }
        let interruption = match file.put(reading, step) {
            Err(error) if error.kind() == ErrorKind::NotInTime => Some(error),
            put => put.map(|()| None)?,
        };
        let (blob, layout) = file.finish();
        Ok(Put { blob, layout: Some(layout), interruption })
    }

    /// Puts what follows a prefix of a large file.
    fn put_rest(&mut self, reading: &mut Reading<'_>, prefix: Prefix, last: &Layout) -> Result<Put> {
        reading.skip_to(prefix.layout.size())?;
        let mut filled = 0;
        let step = self.more(reading, &mut filled)?;
        self.put_large(reading, (filled, step), Some(prefix), (last, None))
    }

    /// Puts everything that is read, whole or in chunks.
    fn put(&mut self, reading: &mut Reading<'_>, last: &Layout, adoption: Option<&mut ReflinkCopy<'a>>) -> Result<Put> {
        let mut filled = 0;
        loop {
            match self.more(reading, &mut filled)? {
                Step::End if filled as u64 <= self.params.whole => {
                    return Ok(Put { blob: self.put_whole(filled)?, layout: None, interruption: None });
                }
                // A hole in a short file is not worth a layout.
                Step::Hole(length) if filled as u64 + length <= self.params.whole => {
                    let end = filled + length as usize;
                    self.window[filled..end].fill(0);
                    filled = end;
                }
                Step::Data(_) if filled < self.window.len() - self.params.maximum() => {}
                step => return self.put_large(reading, (filled, step), None, (last, adoption)),
            }
        }
    }

    /// Puts everything that is read; a large file as a reflink copy, if that is possible.
    fn put_or_adopt(&mut self, reading: &mut Reading<'_>, last: &Layout) -> Result<Put> {
        let Some(mut adopting) = reflink::begin(self.session, &mut self.writers[0], self.params, reading, last)? else {
            return self.put(reading, last, None);
        };
        let mut put = self.put(reading, last, Some(&mut adopting.adoption))?;
        if adopting.restart_from_copy(reading)? {
            put = self.put(reading, last, Some(&mut adopting.adoption))?;
        }
        adopting.adoption.finish(&mut self.writers[0])?;
        Ok(put)
    }

    /// Puts the chunks of an existing layout that the store has lost. That layout stays valid, and may have other chunks than
    /// the new one, because holes were elsewhere.
    fn put_as_recorded(&mut self, reading: &Reading<'_>, blob: BlobId) -> Result<()> {
        let (Some(file), Ok(layout)) = (reading.file(), self.store.layout(blob)) else { return Ok(()) };
        let mut buffer = Vec::new();
        for (start, piece) in layout.pieces_with_offsets() {
            if let Piece::Chunk { id, length } = piece
                && !self.session.contains(ObjectKind::Data, id.object_id())
            {
                buffer.resize(length as usize, 0);
                let is_read = fs::read_exact_at(file, &mut buffer, start).is_ok();
                // If the file has changed, the caller notices.
                if is_read && id_of(ObjectKind::Data, &buffer) == id.object_id() {
                    self.writers[0].put(ObjectKind::Data, id.object_id(), &buffer)?;
                }
            }
        }
        Ok(())
    }

    /// Fills the window until enough is there, or a long hole or the end follows.
    fn more(&mut self, reading: &mut Reading<'_>, filled: &mut usize) -> Result<Step> {
        let enough = self.window.len() - self.params.maximum();
        let step = reading.next(&mut self.window[*filled..enough], self.params.target.into())?;
        if let Step::Data(length) = step {
            *filled += length;
        }
        Ok(step)
    }
}

impl Sink for StoreSink<'_> {
    const STORES: bool = true;

    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId> {
        // Without a layout, cut points are searched for.
        let last = reading.last().filter(|_| reading.expected() > self.params.whole);
        let last = last.and_then(|blob| self.store.layout(blob).ok()).unwrap_or_default();
        let put = match Prefix::stored(self.store, self.session, reading) {
            Some(prefix) => self.put_rest(reading, prefix, &last)?,
            None => self.put_or_adopt(reading, &last)?,
        };
        let Put { blob, layout, interruption } = put;
        if let Some(interruption) = interruption {
            if let Some(layout) = layout.filter(|_| !self.store.is_purged(blob)) {
                large::put_layout(&mut self.writers[0], blob, &layout)?;
                reading.set_stored_prefix(blob, layout.size());
            }
            return Err(interruption);
        }
        self.store.check_not_purged(blob)?;
        if let Some(layout) = layout {
            large::put_layout(&mut self.writers[0], blob, &layout)?;
            if self.store.is_in_doubt() {
                self.put_as_recorded(reading, blob)?;
            }
        }
        Ok(blob)
    }

    fn object(&mut self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        if !self.takes_objects {
            return Ok(Some(bytes));
        }
        self.writers[0].put(kind, id, &bytes)?;
        Ok(None)
    }

    fn finish(self) -> Result<()> {
        self.writers.into_iter().try_for_each(Writer::finish)
    }
}
