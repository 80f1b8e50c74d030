//! Shares the blocks of large files: a reflink copy of a file becomes a pack whose frames are the chunks in place
//! (`docs/format.md`, "Packs").

use std::collections::HashSet;
use std::fs::File;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::compress::Codec;
use super::pack::file::{Sealed, stage};
use super::pack::{Frame, Pack, PackType, Record, format};
use super::pack_set::Store;
use super::session::Session;
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::fs::{self, TempFile};
use crate::id::ObjectId;
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};

/// File systems share blocks of this size. Table and footer begin within the last block, which is then no longer
/// shared.
pub(super) const BLOCK: u64 = 4096;

/// A reflink copy of a file that may become a pack. No other process has it open, so its content does not change.
/// Dropping it deletes the copy.
pub struct ReflinkCopy<'s> {
    session: &'s Session<'s>,
    staged: TempFile,
    frames: Vec<Frame>,
    records: Vec<Record>,
}

impl Session<'_> {
    /// Makes a reflink copy of a file. `None` if reflinks are disabled or the file system does not support them.
    pub fn reflink(&self, file: &File) -> Result<Option<ReflinkCopy<'_>>> {
        if !self.store.options().reflink || self.shares_nothing.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let staged = stage(&self.store.directory, "pack")?;
        // An error of the file appears again when the file is read.
        if fs::reflink(file, staged.file()).unwrap_or(false) {
            return Ok(Some(ReflinkCopy::new(self, staged)));
        }
        self.shares_nothing.store(true, Ordering::Relaxed);
        Ok(None)
    }
}

impl<'s> ReflinkCopy<'s> {
    /// Wraps a staged copy.
    pub(super) fn new(session: &'s Session<'s>, staged: TempFile) -> ReflinkCopy<'s> {
        ReflinkCopy { session, staged, frames: Vec::new(), records: Vec::new() }
    }

    /// The copy.
    pub fn file(&self) -> &File {
        self.staged.file()
    }

    /// Removes all pieces that were added.
    pub fn start_over(&mut self) {
        self.frames.clear();
        self.records.clear();
    }

    /// Adds the next pieces. Runs of zeros become frames without an object, because frames must cover the whole file.
    pub fn add(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            let stored = piece.length() as u32;
            let checksum = match *piece {
                Piece::Chunk { id, .. } => *id.0.first_chunk().expect("an id has more than 8 bytes"),
                Piece::Zeros { length } => format::checksum(&vec![0; length as usize]),
            };
            if let Piece::Chunk { id, length } = *piece {
                let frame_number = self.frames.len() as u32;
                self.records.push(Record {
                    kind: ObjectKind::Data,
                    id: id.object_id(),
                    frame_number,
                    offset: 0,
                    length,
                });
            }
            let frame = Frame { offset: self.length(), stored, raw: stored, codec: Codec::Stored, level: 0, checksum };
            self.frames.push(frame);
        }
    }

    /// Turns the copy into a pack if most of it is new. Otherwise passes the new chunks to the writer and deletes the
    /// copy, which would keep blocks allocated after the file is deleted.
    pub fn finish(self, writer: &mut Writer<'_>) -> Result<()> {
        let session = self.session;
        session.check()?;
        let is_new = |record: &&Record| session.claim(record.kind, record.id);
        let new: Vec<Record> = {
            let _alone = session.claiming.lock().unwrap_or_else(PoisonError::into_inner);
            self.records.iter().filter(is_new).copied().collect()
        };
        let bytes: u64 = new.iter().map(|record| u64::from(record.length)).sum();
        let put = if bytes > self.length() / 2 { self.seal() } else { self.copy(&new, writer) };
        // Claimed objects are in no pack after a failure.
        put.map_err(|error| session.poison(error))
    }

    /// Total length of the frames.
    fn length(&self) -> u64 {
        self.frames.last().map_or(0, |frame| frame.offset + u64::from(frame.stored))
    }

    /// Appends table and footer, and passes the pack to the session.
    fn seal(mut self) -> Result<()> {
        let end = self.length();
        let mut seen: HashSet<ObjectId> = HashSet::new();
        self.records.retain(|record| seen.insert(record.id));
        let is_masked = |id| self.session.store.is_masked(id);
        let (id, tail) = format::encode_tail(PackType::Reflinked, &mut self.frames, &mut self.records, end, &is_masked);
        fs::set_len(self.file(), end)?;
        fs::write_all_at(self.file(), &tail, end)?;
        let bytes = end % BLOCK + tail.len() as u64;
        self.session.flush(Sealed { id, bytes, file: self.staged })
    }

    /// Stores chunks in ordinary packs.
    fn copy(&self, chunks: &[Record], writer: &mut Writer<'_>) -> Result<()> {
        let mut buffer = Vec::new();
        for &Record { kind, id, frame_number, length, .. } in chunks {
            buffer.resize(length as usize, 0);
            fs::read_exact_at(self.file(), &mut buffer, self.frames[frame_number as usize].offset)?;
            if id_of(kind, &buffer) != id {
                let path = fs::path_of(self.file());
                return Err(Error::damaged(format!(
                    "`{}` gave different bytes when it was read twice",
                    path.display()
                )));
            }
            writer.add(kind, id, &buffer)?;
        }
        Ok(())
    }
}

impl Store {
    /// The reflink pack that seems to hold exactly the content of a layout, followed by the table. `None` also if
    /// reflinks are disabled.
    pub fn reflink_pack(&self, layout: &Layout) -> Option<File> {
        if !self.options().reflink {
            return None;
        }
        let (start, first) =
            layout.pieces_with_offsets().find_map(|(start, piece)| Some((start, piece.chunk()?.object_id())))?;
        let size = layout.size();
        // The blocks of hidden chunks may be gone.
        let is_whole = |pack: &&Pack| {
            !pack.has_hidden()
                && pack.table().is_ok_and(|table| table.pack_type == PackType::Reflinked)
                && pack.data_length().is_ok_and(|it| it == size)
        };
        let mut locations =
            self.quick_locations(ObjectKind::Data, first).filter(|location| location.frame.offset == start);
        locations.find_map(|location| Some(self.pack(&location)).filter(is_whole))?.file().ok()
    }
}
