//! Reads what is still readable of a damaged pack, for `repair`.
//!
//! A damaged table is used entry by entry: the checksums of frames and the ids of objects tell which entries are right. If no
//! table is left, the catalog may know the objects of the pack.

use std::collections::BTreeMap;
use std::fs::File;

use super::compress::{Codec, Decoder};
use super::pack::{Footer, Frame, Record, Table, format, path_of};
use super::pack_set::Store;
use crate::error::Result;
use crate::fs;
use crate::id::{ObjectId, PackId};
use crate::object::{ObjectKind, id_of};

/// Receives an object that was read and verified.
pub type Receive<'r> = dyn FnMut(ObjectKind, ObjectId, &[u8]) -> Result<()> + 'r;

/// Number of bytes that are searched at once for a table.
const WINDOW: u64 = 1 << 20;

/// Frames and objects according to a table that may be damaged. `None` for an unreadable entry.
struct Entries {
    /// Start of the first frame, and end of the last one, if known.
    start: Option<u64>,
    end: Option<u64>,
    frames: Vec<Frame>,
    records: Vec<Option<Record>>,
    /// Number of known bytes of the frames' checksums.
    checksum: usize,
    /// The table is intact, so bytes that no record covers have no meaning.
    is_exact: bool,
    /// The mask hides objects of the pack, so bytes that no record covers may be those of hidden objects.
    has_hidden: bool,
}

impl Store {
    /// Calls `receive` with every object that can still be read from the file of a pack and matches its id. Reads nothing
    /// if the file is missing. Fails only if `receive` fails.
    pub fn salvage(&self, pack: PackId, receive: &mut Receive<'_>) -> Result<()> {
        let Ok(file) = fs::open(&path_of(&self.directory, pack)) else { return Ok(()) };
        let Ok(stat) = fs::stat_file(&file) else { return Ok(()) };
        let mask = self.mask().and_then(|mask| mask.of(pack));
        // The catalog does not hide what the mask hides.
        let cataloged = || if mask.is_none() { self.cataloged(pack) } else { None };
        let Some(mut entries) = find_table(&file, stat.size, pack).or_else(cataloged) else { return Ok(()) };
        if let Some(mask) = mask {
            entries.has_hidden = true;
            let hidden = (0..).zip(&mut entries.records).filter(|(n, _)| mask.is_hidden(*n));
            hidden.for_each(|(_, record)| *record = None);
        }
        let mut source = Source { file, size: stat.size, decoder: Decoder::default(), decoded: Vec::new() };
        source.read(&entries, receive)
    }

    /// The entries of a pack in the catalog.
    fn cataloged(&self, pack: PackId) -> Option<Entries> {
        let number = self.packs.iter().position(|known| known.id == pack)? as u32;
        let entries = self.catalog.as_ref()?.entries().flatten();
        let of_pack = entries.filter_map(|(kind, id, location)| Some((kind, id, location?)));
        let mut frames: Vec<Frame> = Vec::new();
        let mut records = Vec::new();
        let mut located: Vec<_> = of_pack.filter(|(_, _, location)| location.pack == number).collect();
        located.sort_unstable_by_key(|(_, _, location)| *location);
        for (kind, id, location) in located {
            if frames.last() != Some(&location.frame) {
                frames.push(location.frame);
            }
            let frame_number = frames.len() as u32 - 1;
            records.push(Some(Record { kind, id, frame_number, offset: location.offset, length: location.length }));
        }
        Some(Entries { start: None, end: None, frames, records, checksum: 4, is_exact: true, has_hidden: false })
            .filter(|entries| !entries.records.is_empty())
    }
}

/// Finds the table of a pack: by the footer, or by its first bytes.
fn find_table(file: &File, size: u64, pack: PackId) -> Option<Entries> {
    let length = size.min(format::FOOTER as u64);
    let tail = read(file, size, size - length, length)?;
    if let Ok(footer) = Footer::decode(&tail, size)
        && let Some(mut bytes) = read(file, size, footer.table, footer.length)
    {
        // The footer has the two numbers at the start of the table, too.
        let has_right_id = format::id_of_table(&bytes) == pack;
        if !has_right_id {
            format::restore_table_head(&mut bytes, &tail[16..24]);
        }
        return entries(&bytes, footer.table, has_right_id);
    }
    let starts = find_magic(file, size);
    let tables = || {
        starts.iter().rev().filter_map(|&start| {
            let head = read(file, size, start, format::TABLE as u64)?;
            read(file, size, start, format::length_in_head(&head)).map(|bytes| (start, bytes))
        })
    };
    let is_right = |(_, bytes): &(u64, Vec<u8>)| format::id_of_table(bytes) == pack;
    if let Some((start, bytes)) = tables().find(is_right) {
        return entries(&bytes, start, true);
    }
    let ends_file = |(start, bytes): &(u64, Vec<u8>)| start + (bytes.len() + format::FOOTER) as u64 == size;
    tables().find(ends_file).and_then(|(start, bytes)| entries(&bytes, start, false))
}

/// Decodes a table that starts at an offset.
fn entries(bytes: &[u8], offset: u64, is_exact: bool) -> Option<Entries> {
    let table = Table::of(bytes).ok()?;
    let frames = (0..table.frame_count()).map(|n| table.unchecked_frame(n)).collect();
    let records = (0..table.len()).map(|n| table.try_record(n).ok()).collect();
    Some(Entries {
        start: Some(table.pack_type.start()),
        end: Some(offset),
        frames,
        records,
        checksum: 8,
        is_exact,
        has_hidden: false,
    })
}

/// Positions in the file where a table may start.
fn find_magic(file: &File, size: u64) -> Vec<u64> {
    let magic = format::TABLE_MAGIC;
    let (mut found, mut start) = (Vec::new(), 0);
    while start < size {
        let length = (WINDOW + magic.len() as u64 - 1).min(size - start);
        if let Some(bytes) = read(file, size, start, length) {
            let here = bytes.windows(magic.len()).enumerate().filter(|(_, window)| window == magic);
            found.extend(here.map(|(at, _)| start + at as u64));
        }
        start += WINDOW;
    }
    found
}

/// Bytes of the file; `None` if they are unreadable or behind its end.
fn read(file: &File, size: u64, start: u64, length: u64) -> Option<Vec<u8>> {
    if start.checked_add(length).is_none_or(|end| end > size) {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    fs::read_exact_at(file, &mut bytes, start).ok().map(|()| bytes)
}

/// A damaged pack file.
struct Source {
    file: File,
    size: u64,
    decoder: Decoder,
    decoded: Vec<u8>,
}

impl Source {
    /// Reads all frames.
    fn read(&mut self, entries: &Entries, receive: &mut Receive<'_>) -> Result<()> {
        let mut end = entries.start;
        let mut by_frame: BTreeMap<u32, Vec<&Record>> = BTreeMap::new();
        entries.records.iter().flatten().for_each(|it| by_frame.entry(it.frame_number).or_default().push(it));
        for (number, recorded) in entries.frames.iter().enumerate() {
            let next = entries.frames.get(number + 1).map(|frame| frame.offset).or(entries.end);
            let records = by_frame.remove(&(number as u32)).unwrap_or_default();
            let length = records.iter().map(|record| record.offset.saturating_add(record.length)).max();
            if records.is_empty() && (entries.is_exact || entries.has_hidden) {
                end = Some(recorded.offset.saturating_add(recorded.stored.into()));
                continue;
            }
            let mut candidates = vec![*recorded];
            if !entries.is_exact {
                candidates.extend(variants(*recorded, end, next, length));
            }
            let found = self.decode(&candidates, entries.checksum, &records);
            end = Some(found.map_or(*recorded, |(frame, _)| frame))
                .map(|frame| frame.offset.saturating_add(frame.stored.into()));
            if let Some((_, is_verified)) = found {
                let reads_gaps = !entries.is_exact && !entries.has_hidden;
                self.receive_objects(records, is_verified, reads_gaps, receive)?;
            }
        }
        Ok(())
    }

    /// Decodes the candidate that yields the most objects. Returns it, and whether its checksum was right.
    fn decode(&mut self, candidates: &[Frame], checksum: usize, records: &[&Record]) -> Option<(Frame, bool)> {
        let mut best: Option<(usize, Frame, bool, Vec<u8>)> = None;
        for &frame in candidates.iter().filter(|frame| frame.raw.max(frame.stored) <= format::LONGEST) {
            let Some(bytes) = read(&self.file, self.size, frame.offset, frame.stored.into()) else { continue };
            let is_right = is_almost(&frame.checksum[..checksum], blake3::hash(&bytes).as_bytes());
            if self.decoder.decode(frame.codec, &bytes, frame.raw as usize, &mut self.decoded).is_err() {
                continue;
            }
            let count = records.iter().filter(|record| self.object(record, is_right).is_some()).count();
            let is_complete = is_right && count == records.len();
            if best.as_ref().is_none_or(|(most, _, was_right, _)| (count, is_right) > (*most, *was_right)) {
                best = Some((count, frame, is_right, std::mem::take(&mut self.decoded)));
            }
            if is_complete {
                break;
            }
        }
        let (_, frame, is_right, decoded) = best?;
        self.decoded = decoded;
        Some((frame, is_right))
    }

    /// The bytes of an object in the decoded frame, if they match its id.
    fn object(&self, record: &Record, is_verified: bool) -> Option<&[u8]> {
        let bytes = self.decoded.get(record.offset as usize..)?.get(..record.length as usize)?;
        is_object(record.kind, record.id, bytes, is_verified).then_some(bytes)
    }

    /// Passes on the objects of the decoded frame. What lies between them may be an object with a damaged record.
    fn receive_objects(
        &self,
        mut records: Vec<&Record>,
        is_verified: bool,
        reads_gaps: bool,
        receive: &mut Receive<'_>,
    ) -> Result<()> {
        records.sort_unstable_by_key(|record| record.offset);
        let (mut end, mut is_data) = (0, None);
        for record in records {
            let start = record.offset as usize;
            let Some(bytes) = self.object(record, is_verified) else { continue };
            is_data = Some(record.kind == ObjectKind::Data);
            if reads_gaps && start > end {
                receive_unrecorded(&self.decoded[end..start], is_data, is_verified, receive)?;
            }
            receive(record.kind, record.id, bytes)?;
            end = end.max(start + bytes.len());
        }
        if !reads_gaps || end == self.decoded.len() {
            return Ok(());
        }
        receive_unrecorded(&self.decoded[end..], is_data, is_verified, receive)
    }
}

/// What a damaged entry of a frame may have been: with another offset, length, or codec. `end` is that of the frame before,
/// `next` the offset of the next one, `length` what the objects need.
fn variants(recorded: Frame, end: Option<u64>, next: Option<u64>, length: Option<u32>) -> Vec<Frame> {
    let mut variants = Vec::new();
    for offset in [recorded.offset, end.unwrap_or(recorded.offset)] {
        let between = next.and_then(|next| u32::try_from(next.checked_sub(offset)?).ok());
        for stored in [recorded.stored, between.unwrap_or(recorded.stored)] {
            for codec in [recorded.codec, Codec::Stored, Codec::Zstd, Codec::Deflate] {
                let raws =
                    if codec == Codec::Stored { [stored; 2] } else { [recorded.raw, length.unwrap_or(recorded.raw)] };
                variants.extend(raws.map(|raw| Frame { offset, stored, raw, codec, ..recorded }));
            }
        }
    }
    variants
}

/// Whether a checksum is that of a hash, or a damaged copy of it: bytes that differ have another hash in every byte.
fn is_almost(checksum: &[u8], hash: &[u8; 32]) -> bool {
    let equal = checksum.iter().zip(hash).filter(|(a, b)| a == b).count();
    equal == checksum.len() || equal >= 5
}

/// Whether bytes are the object with an id. Layouts do not verify themselves, so their frame must be verified.
fn is_object(kind: ObjectKind, id: ObjectId, bytes: &[u8], is_verified: bool) -> bool {
    match kind {
        ObjectKind::Layout => is_verified && layout_id(bytes) == Some(id),
        kind => id_of(kind, bytes) == id,
    }
}

/// The blob that a layout names.
fn layout_id(bytes: &[u8]) -> Option<ObjectId> {
    bytes.get(2..34)?.first_chunk().map(|id| ObjectId(*id))
}

/// Passes on bytes without a valid record as the object that they probably are.
fn receive_unrecorded(bytes: &[u8], is_data: Option<bool>, is_verified: bool, receive: &mut Receive<'_>) -> Result<()> {
    let kind = bytes.first().and_then(|byte| ObjectKind::from_byte(*byte)).filter(|kind| *kind != ObjectKind::Data);
    match kind {
        Some(ObjectKind::Layout) if is_data != Some(true) => {
            if let Some(id) = layout_id(bytes).filter(|_| is_verified) {
                receive(ObjectKind::Layout, id, bytes)?;
            }
        }
        Some(kind) if is_data != Some(true) => receive(kind, id_of(kind, bytes), bytes)?,
        _ => {}
    }
    if is_data == Some(false) { Ok(()) } else { receive(ObjectKind::Data, id_of(ObjectKind::Data, bytes), bytes) }
}
