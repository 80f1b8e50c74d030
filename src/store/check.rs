//! Checks packs from the first byte to the last, and the catalog against their tables, for `verify`.

use std::path::PathBuf;

use super::catalog;
use super::pack::{Frame, FrameReader, Location, Pack, PackType, Record, Table, format};
use super::pack_set::Store;
use crate::error::{Error, Result};
use crate::fs;
use crate::id::{ObjectId, PackId};
use crate::object::{ObjectKind, id_of};

/// A damaged part of a pack.
#[derive(Debug)]
pub struct BrokenFrame {
    /// The damage; the message names the file.
    pub error: Error,
    /// Objects that cannot be read from this pack. Another pack may have them too.
    pub objects: Vec<(ObjectKind, ObjectId)>,
}

/// Counts of a checked pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackCounts {
    /// Number of objects.
    pub objects: u64,
    /// Size on disk in bytes.
    pub bytes: u64,
    /// Size of the frames in the file in bytes.
    pub frames: u64,
}

impl PackCounts {
    /// Adds the counts of another pack.
    pub fn add(&mut self, other: PackCounts) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.frames += other.frames;
    }
}

/// Damage of a catalog.
#[derive(Debug, Default)]
pub struct CatalogCheck {
    /// Path and size of the catalog if it, or a part of it, is unusable. This costs time, but no data.
    pub unsound: Option<(PathBuf, u64)>,
    /// Intact entries that contradict the packs.
    pub wrong: Vec<Error>,
}

impl Store {
    /// Opens a pack again and checks all of it: header, footer, table, each frame and the id of each object. Ignores
    /// hidden objects, and frames that have no others. Calls `report` for each broken part and continues. Fails with
    /// [`crate::error::ErrorKind::Damaged`] if the table cannot be read; the message names the file.
    pub fn check_pack(&self, id: PackId, broken: &mut dyn FnMut(BrokenFrame)) -> Result<PackCounts> {
        // A pack that is already open may have been deleted since.
        let pack = self.pack_file(id);
        check_header(&pack)?.into_iter().for_each(&mut *broken);
        check_frames(&pack, 0, &mut |_| true, broken)?;
        count(&pack)
    }

    /// Like [`Store::check_pack`], but reads no frame: only header, footer and table.
    pub fn check_structure(&self, id: PackId, broken: &mut dyn FnMut(BrokenFrame)) -> Result<PackCounts> {
        let pack = self.pack_file(id);
        check_header(&pack)?.into_iter().for_each(broken);
        count(&pack)
    }

    /// Checks frames of a pack, beginning with number `first`. Calls `continues` before each one with its size in the
    /// file. Returns the number of the first frame that was not checked, and whether frames are left.
    pub fn check_pack_part(
        &self,
        id: PackId,
        first: u32,
        continues: &mut dyn FnMut(u64) -> bool,
        broken: &mut dyn FnMut(BrokenFrame),
    ) -> Result<(u32, bool)> {
        check_frames(&self.pack_file(id), first, continues, broken)
    }

    /// Compares the catalog with the tables of the packs that can be read.
    pub fn check_catalog(&self) -> Result<CatalogCheck> {
        let path = catalog::path_in(&self.directory);
        let file = fs::stat(&path)?.map(|stat| (path, stat.size));
        let mut check = CatalogCheck::default();
        let Some(catalog) = &self.catalog else {
            // The catalog is not opened if there are no packs.
            check.unsound = file.filter(|_| !self.packs.is_empty());
            return Ok(check);
        };
        let tables: Vec<Option<Table<'_>>> = self.packs.iter().map(|pack| pack.table().ok()).collect();
        let mut found = vec![0; tables.len()];
        for entry in catalog.entries() {
            let Some((kind, id, location)) = entry else {
                check.unsound.clone_from(&file);
                continue;
            };
            let Some(table) = location.and_then(|location| tables[location.pack as usize]) else { continue };
            let pack = location.map_or(0, |location| location.pack);
            if table.find(kind, id).map(|n| Location::new(pack, &table, n)) == location {
                found[pack as usize] += 1;
            } else {
                check.wrong.push(Error::damaged(format!("the catalog is wrong about {} `{id}`", kind.word())));
            }
        }
        let covered = catalog.covered().filter_map(|(_, number)| number);
        let lacking = covered.filter(|&n| tables[n as usize].is_some_and(|table| found[n as usize] < table.len()));
        match lacking.count() {
            0 => {}
            _ if check.unsound.is_some() || !check.wrong.is_empty() => {}
            packs => check.wrong.push(Error::damaged(format!("the catalog lacks objects of {packs} packs"))),
        }
        Ok(check)
    }
}

/// Checks the header, which an adopted pack does not have.
fn check_header(pack: &Pack) -> Result<Option<BrokenFrame>> {
    if pack.table()?.pack_type != PackType::Plain {
        return Ok(None);
    }
    let mut header = [0; format::HEADER];
    let read = pack.read(&mut header, 0);
    let is_right = |()| if header == format::encode_header() { Ok(()) } else { Err(pack.damaged("invalid header")) };
    Ok(read.and_then(is_right).err().map(|error| BrokenFrame { error, objects: Vec::new() }))
}

/// Checks frames from number `first` on while `continues` returns true. Returns the number of the first frame that was
/// not checked, and whether frames are left.
fn check_frames(
    pack: &Pack,
    first: u32,
    continues: &mut dyn FnMut(u64) -> bool,
    broken: &mut dyn FnMut(BrokenFrame),
) -> Result<(u32, bool)> {
    let table = pack.table()?;
    let records = (0..).zip(table.records()).map(|(n, record)| (pack.is_hidden(n), record));
    let mut records: Vec<(bool, Record)> = records.filter(|(_, record)| record.frame_number >= first).collect();
    records.sort_unstable_by_key(|(is_hidden, record)| (record.frame_number, *is_hidden));
    let mut reader = FrameReader::default();
    let mut rest = &records[..];
    for n in first..table.frame_count() {
        let frame = table.frame(n);
        if !continues(frame.stored.into()) {
            return Ok((n, true));
        }
        let (these, others) = rest.split_at(rest.partition_point(|(_, record)| record.frame_number == n));
        let visible = these.iter().take_while(|(is_hidden, _)| !is_hidden).map(|(_, record)| *record);
        let visible: Vec<Record> = visible.collect();
        if these.is_empty() || !visible.is_empty() {
            check_frame(&mut reader, pack, &frame, &visible).map_or_else(&mut *broken, |()| ());
        }
        rest = others;
    }
    Ok((table.frame_count(), false))
}

fn count(pack: &Pack) -> Result<PackCounts> {
    let table = pack.table()?;
    let frames = (0..table.frame_count()).map(|n| u64::from(table.frame(n).stored)).sum();
    Ok(PackCounts { objects: pack.visible()?.count() as u64, bytes: pack.size()?, frames })
}

/// Checks a frame and the objects in it.
fn check_frame(reader: &mut FrameReader, pack: &Pack, frame: &Frame, records: &[Record]) -> Result<(), BrokenFrame> {
    let objects = |records: &[&Record]| records.iter().map(|record| (record.kind, record.id)).collect();
    let all = || objects(&records.iter().collect::<Vec<_>>());
    let bytes = reader.read(pack, frame, &frame.checksum).map_err(|error| BrokenFrame { error, objects: all() })?;
    let broken: Vec<&Record> = records.iter().filter(|record| !is_whole(record, bytes)).collect();
    let Some(Record { kind, id, .. }) = broken.first() else { return Ok(()) };
    let error = pack.damaged(format_args!("{} `{id}` does not match its id", kind.word()));
    Err(BrokenFrame { error, objects: objects(&broken) })
}

/// Whether an object matches its id. Layouts are verified with their blobs.
fn is_whole(record: &Record, raw: &[u8]) -> bool {
    let bytes = &raw[record.offset as usize..][..record.length as usize];
    record.kind == ObjectKind::Layout || id_of(record.kind, bytes) == record.id
}
