//! Whether a file is worth adopting: large, without holes, of bytes that cannot be compressed and are not in the store.
//! Looked at in a few places; what is seen here decides what is tried, and nothing else.

use std::fs::File;

use crate::chunk::Params;
use crate::error::Result;
use crate::fs;
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};
use crate::store::{Adoption, Session, Writer};
use crate::worktree::Reading;

/// Smaller files are copied. A pack of this size is not merged with others any more, and one more file to flush and to open
/// costs little beside it.
const LARGE: u64 = 16 << 20;

/// So many places of so many bytes are looked at.
const PLACES: u64 = 8;
const SAMPLE: usize = 128 << 10;

/// The adoption of a file of which nothing has been read, and which held `last` before. From then on its copy is read.
pub fn begin<'s>(
    session: &'s Session<'s>,
    writer: &mut Writer<'_>,
    params: Params,
    reading: &mut Reading<'_>,
    last: &Layout,
) -> Result<Option<Adoption<'s>>> {
    let size = reading.expected();
    let Some(file) = reading.plain_file().filter(|_| size >= LARGE.max(params.whole + 1) && session.can_adopt()) else {
        return Ok(None);
    };
    // First: where nothing can be shared, nothing needs to be looked at.
    let Some(adoption) = session.adopt(file)? else { return Ok(None) };
    if holds_most(adoption.file(), last) || !is_incompressible(adoption.file(), size, writer)? {
        return Ok(None);
    }
    reading.turn_to(fs::duplicate(adoption.file())?);
    Ok(Some(adoption))
}

/// Whether most of what it held stands where it stood.
fn holds_most(file: &File, last: &Layout) -> bool {
    let mut buffer = Vec::new();
    let (mut start, mut found, mut next) = (0, 0, 0);
    for piece in &last.pieces {
        if let Piece::Chunk { id, length } = *piece
            && start >= next
        {
            next += last.size() / PLACES;
            buffer.resize(length as usize, 0);
            // Who reads all of it tells what cannot be read.
            let is_read = fs::read_at(file, &mut buffer, start).is_ok_and(|read| read == buffer.len());
            found += u64::from(is_read && id_of(ObjectKind::Data, &buffer) == id.object_id());
        }
        start += piece.length();
    }
    found > PLACES / 2
}

fn is_incompressible(file: &File, size: u64, writer: &mut Writer<'_>) -> Result<bool> {
    let mut samples = vec![0; PLACES as usize * SAMPLE];
    let mut filled = 0;
    for place in 0..PLACES {
        let offset = (size - SAMPLE as u64) / (PLACES - 1) * place;
        filled += fs::read_at(file, &mut samples[filled..filled + SAMPLE], offset).unwrap_or(0);
    }
    writer.is_incompressible(&samples[..filled])
}
