//! Writes the catalog: merges the tables of all packs into one list, a 256th of it in memory at a time.

use std::path::Path;

use super::{Covered, HEAD, MAGIC, VERSION, encode_tail, path_in, put_entry};
use crate::codec::Encoder;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::ObjectId;
use crate::object::ObjectKind;
use crate::store::pack::file::stage;
use crate::store::pack::{Pack, Place, Table, format};

/// Position in the objects of one kind in one table.
struct Cursor<'a> {
    /// Number of the pack in the catalog.
    pack: u32,
    kind: ObjectKind,
    table: Table<'a>,
    next: usize,
    end: usize,
}

/// Writes the catalog of these packs and renames it into place. It is a cache, so nothing is flushed.
pub fn build(directory: &Path, packs: &[&Pack]) -> Result<()> {
    let mut covered = Vec::with_capacity(packs.len());
    let mut cursors = Vec::new();
    for (number, pack) in packs.iter().enumerate() {
        let table = pack.table()?;
        covered.push(Covered { id: pack.id, size: pack.size()?, objects: table.len() as u64 });
        cursors.extend(ObjectKind::ALL.map(|kind| cursor(number as u32, kind, table)));
    }
    let total: u64 = covered.iter().map(|pack| pack.objects).sum();
    if total > u64::from(u32::MAX) {
        return Err(Error::new(ErrorKind::Unsupported, "too many objects for a catalog"));
    }
    let staged = stage(directory, "catalog")?;
    let file = staged.file();
    let mut head = Encoder::new();
    head.raw(MAGIC).u16(VERSION).raw(&[0; HEAD - 10]);
    fs::write_all(file, head.as_slice())?;
    let mut counts = vec![0u32; 1 << 16];
    for first in 0..=u8::MAX {
        let mut entries = Vec::new();
        cursors.iter_mut().for_each(|cursor| cursor.take(first, &mut entries));
        // Entries of the same object are sorted by pack number, so that equal sets of packs yield equal bytes.
        entries.sort_unstable_by_key(|(id, kind, place)| (*id, *kind, place.pack));
        let mut encoder = Encoder::new();
        for (id, kind, place) in &entries {
            counts[usize::from(id.0[0]) << 8 | usize::from(id.0[1])] += 1;
            put_entry(&mut encoder, *id, *kind, place);
        }
        fs::write_all(file, encoder.as_slice())?;
    }
    let fanout: Vec<u32> = counts
        .iter()
        .scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
        .collect();
    fs::write_all(file, &encode_tail(total, &covered, &fanout))?;
    staged.rename(&path_in(directory))
}

fn cursor(pack: u32, kind: ObjectKind, table: Table<'_>) -> Cursor<'_> {
    let bound = |kind: u8| {
        let mut key = [0; format::KEY];
        key[0] = kind;
        table.lower_bound(&key)
    };
    Cursor { pack, kind, table, next: bound(kind as u8), end: bound(kind as u8 + 1) }
}

impl Cursor<'_> {
    /// Takes the objects whose id begins with this byte.
    fn take(&mut self, first: u8, entries: &mut Vec<(ObjectId, ObjectKind, Place)>) {
        while self.next < self.end {
            let record = self.table.record(self.next);
            let ObjectId([byte, ..]) = record.id;
            if byte != first {
                return;
            }
            let frame = self.table.frame(record.frame_number);
            entries.push((record.id, self.kind, Place::new(self.pack, &frame, &record)));
            self.next += 1;
        }
    }
}
