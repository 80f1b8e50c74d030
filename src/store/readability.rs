//! Checks that saved content can be read, before the only other copy of it is removed.

use std::collections::HashSet;
use std::io;

use super::pack::{Frame, Location, ReadWindow};
use super::pack_set::{Store, is_empty_data};
use crate::error::Result;
use crate::id::{BlobId, ChunkId};
use crate::object::ObjectKind;
use crate::object::layout::Piece;
use crate::parallel;

/// Minimum number of bytes of frames that one worker reads.
const LEAST: u64 = 4 << 20;

/// A blob whose copy in the worktree will be removed or replaced.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// The removed blob.
    pub blob: BlobId,
    /// The blob that replaces it.
    pub coming: Option<BlobId>,
}

/// A frame with content that will be removed. A large directory may need one for each file.
#[derive(Clone, Copy)]
struct Needed {
    pack: u32,
    stored: u32,
    frame: u64,
    checksum: [u8; 4],
    /// Number of the removed content.
    number: u32,
}

impl Store {
    /// Returns the numbers below `end` whose removed content cannot be read completely. Ignores chunks that the new
    /// content also has. Compares frames with their checksums but does not decode them: decoding was verified when they
    /// were written.
    pub fn unreadable(&self, end: usize, going: &dyn Fn(usize) -> Option<Outgoing>) -> Vec<usize> {
        let (mut needed, mut suspects) = (Vec::new(), Vec::new());
        for number in 0..end {
            let Some(going) = going(number) else { continue };
            match self.locations_of(going) {
                Ok(locations) => needed.extend(locations.iter().map(|location| Needed::new(location, number))),
                Err(_) => suspects.push(number),
            }
        }
        needed.sort_unstable_by_key(|needed| (needed.pack, needed.frame, needed.number));
        let frames: Vec<&[Needed]> = needed.chunk_by(|a, b| (a.pack, a.frame) == (b.pack, b.frame)).collect();
        suspects.extend(self.in_bad_frames(&frames));
        suspects.sort_unstable();
        suspects.dedup();
        // Another pack may have the same objects.
        suspects.retain(|number| going(*number).is_some_and(|going| !self.can_copy(going.blob)));
        suspects
    }

    fn can_copy(&self, blob: BlobId) -> bool {
        self.copy_blob(blob, &mut io::sink()).is_ok()
    }

    /// Whether a blob is present and readable.
    pub fn can_read(&self, blob: BlobId) -> bool {
        self.unreadable(1, &|_| Some(Outgoing { blob, coming: None })).is_empty()
    }

    /// Positions of the chunks that only the removed blob has.
    fn locations_of(&self, going: Outgoing) -> Result<Vec<Location>> {
        let location = |id| {
            let found = self.quick_locations(ObjectKind::Data, id).next();
            found.or_else(|| self.all_locations(ObjectKind::Data, id).next())
        };
        let id = going.blob.object_id();
        if is_empty_data(ObjectKind::Data, id) {
            return Ok(Vec::new());
        }
        if let Some(location) = location(id) {
            return Ok(vec![location]);
        }
        // If the new content cannot be read, all chunks count as removed.
        let staying = going.coming.and_then(|blob| self.chunks_of(blob).ok()).unwrap_or_default();
        let chunks = self.chunks_of(going.blob)?.into_iter().filter(|id| !staying.contains(id)).map(ChunkId::object_id);
        chunks.map(|id| location(id).ok_or_else(|| self.missing(ObjectKind::Data, id))).collect()
    }

    fn chunks_of(&self, blob: BlobId) -> Result<HashSet<ChunkId>> {
        Ok(self.layout(blob)?.pieces.iter().filter_map(Piece::chunk).collect())
    }

    /// Numbers of the contents that need a damaged frame.
    fn in_bad_frames(&self, frames: &[&[Needed]]) -> Vec<usize> {
        let check = |frames: &[&[Needed]]| -> Vec<usize> {
            let mut window = ReadWindow::default();
            let bad = frames.iter().filter(|frame| !self.is_as_written(&frame[0], &mut window));
            bad.flat_map(|frame| frame.iter().map(|needed| needed.number as usize)).collect()
        };
        let runs = parallel::split(frames, LEAST, |frame| frame[0].stored.into());
        parallel::map(runs.into_iter(), check).concat()
    }

    fn is_as_written(&self, needed: &Needed, window: &mut ReadWindow) -> bool {
        let pack = &self.packs[needed.pack as usize];
        window.frame(pack, needed.frame, needed.stored, &needed.checksum).is_ok()
    }
}

impl Needed {
    fn new(location: &Location, number: usize) -> Needed {
        let Frame { offset, stored, checksum: [a, b, c, d, ..], .. } = location.frame;
        Needed { pack: location.pack, stored, frame: offset, checksum: [a, b, c, d], number: number as u32 }
    }
}
