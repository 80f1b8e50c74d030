//! Decides whether to store a file as a reflink copy: if it is large, has no holes, cannot be compressed, and is not in the store.
//! Samples of the file decide; an error costs only space or time. Also decides whether to read the file or its copy.

use std::fs::File;

use crate::chunk::Params;
use crate::error::Result;
use crate::fs::{self, Stat};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};
use crate::store::{ReflinkCopy, Session, Writer};
use crate::worktree::Reading;

/// Smaller files are copied. A pack of this size is not merged with others any more, and one more file to flush and to open
/// costs little beside it.
const LARGE: u64 = 16 << 20;

/// Number and size of the samples.
const PLACES: u64 = 8;
const SAMPLE: usize = 128 << 10;

/// Seconds that a file must have been left unchanged before it was copied, so that it can be read in place of the copy:
/// a writer that had started by then has finished. Later changes have a later ctime, because making the copy flushed
/// the file, so a store through a mapping faults first.
const AT_REST: i64 = 2;

/// A file on its way to be adopted.
pub struct Adopting<'s, 'f> {
    /// Takes the pieces.
    pub adoption: ReflinkCopy<'s>,
    /// The file and its stat when it was copied, if it is read itself: it may be in memory, where its copy never is.
    in_place: Option<(&'f File, Stat)>,
}

/// The adoption of a file of which nothing has been read, and which held `last` before.
pub fn begin<'s, 'f>(
    session: &'s Session<'s>,
    writer: &mut Writer<'_>,
    params: Params,
    reading: &mut Reading<'f>,
    last: &Layout,
) -> Result<Option<Adopting<'s, 'f>>> {
    let size = reading.expected();
    let Some(file) = reading.plain_file().filter(|_| size >= LARGE.max(params.whole + 1)) else {
        return Ok(None);
    };
    // First: where nothing can be shared, nothing needs to be looked at.
    let Some(adoption) = session.reflink(file)? else { return Ok(None) };
    let in_place = at_rest(file, adoption.file())?.map(|stat| (file, stat));
    let looked_at = if in_place.is_some() { file } else { adoption.file() };
    if holds_most(looked_at, last) || !is_incompressible(looked_at, size, writer)? {
        return Ok(None);
    }
    if in_place.is_none() {
        reading.switch_to_copy(fs::duplicate(adoption.file())?);
    }
    Ok(Some(Adopting { adoption, in_place }))
}

impl Adopting<'_, '_> {
    /// If what was read may not be what was copied, turns to the copy, from its beginning; says whether it did.
    pub fn restart_from_copy(&mut self, reading: &mut Reading<'_>) -> Result<bool> {
        let Some((file, before)) = self.in_place.take() else { return Ok(false) };
        if fs::stat_file(file)?.is_same(&before) {
            return Ok(false);
        }
        self.adoption.start_over();
        reading.switch_to_copy(fs::duplicate(self.adoption.file())?);
        Ok(true)
    }
}

/// The stat of a file that has just been copied, if every later change will show in it.
fn at_rest(file: &File, copy: &File) -> Result<Option<Stat>> {
    let (stat, now) = (fs::stat_file(file)?, fs::stat_file(copy)?.ctime);
    let is_at_rest = stat.ctime.seconds < now.seconds - AT_REST && fs::file_system_of(copy)?.clock_slack == 0;
    Ok(Some(stat).filter(|_| is_at_rest))
}

/// Whether most of what it held stands where it stood.
fn holds_most(file: &File, last: &Layout) -> bool {
    let mut buffer = Vec::new();
    let (mut found, mut next) = (0, 0);
    for (start, piece) in last.pieces_with_offsets() {
        if let Piece::Chunk { id, length } = piece
            && start >= next
        {
            next += last.size() / PLACES;
            buffer.resize(length as usize, 0);
            // Read errors are reported when the whole file is read.
            let is_read = fs::read_at(file, &mut buffer, start).is_ok_and(|read| read == buffer.len());
            found += u64::from(is_read && id_of(ObjectKind::Data, &buffer) == id.object_id());
        }
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
