//! Merges the tables of packs into one list, a 256th of it in memory at a time, and writes the catalog.

use std::path::Path;

use super::{Covered, FARTHEST, HEAD, MAGIC, VERSION, encode_tail, path_in, put_entry};
use crate::codec::Encoder;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::ObjectId;
use crate::object::ObjectKind;
use crate::store::pack::file::stage;
use crate::store::pack::{Location, Pack, Table, format};

/// Position in the objects of one kind in one table.
struct Cursor<'a> {
    /// Number of the pack in the catalog.
    pack: u32,
    kind: ObjectKind,
    table: Table<'a>,
    next: usize,
    end: usize,
}

/// An object in a table.
pub type Entry = (ObjectId, ObjectKind, Location);

/// Writes the catalog of these packs and renames it into place. It is a cache, so nothing is flushed.
pub fn build(directory: &Path, packs: &[&Pack]) -> Result<()> {
    let tables = packs.iter().map(|pack| pack.table()).collect::<Result<Vec<_>>>()?;
    let covered = |(pack, table): (&&Pack, &Table<'_>)| {
        Ok(Covered { id: pack.id, size: pack.size()?, objects: table.len() as u64 })
    };
    let covered = packs.iter().zip(&tables).map(covered).collect::<Result<Vec<_>>>()?;
    let total: u64 = covered.iter().map(|pack| pack.objects).sum();
    if total > u64::from(u32::MAX) || covered.iter().any(|pack| pack.size > FARTHEST) {
        return Err(Error::new(ErrorKind::Unsupported, "too many objects, or a pack too large, for a catalog"));
    }
    let staged = stage(directory, "catalog")?;
    let file = staged.file();
    let mut head = Encoder::new();
    head.raw(MAGIC).u16(VERSION).raw(&[0; HEAD - 10]);
    fs::write_all(file, head.as_slice())?;
    let (mut fanout, mut count) = (Vec::with_capacity(1 << 16), 0);
    merge(&tables, |entries| {
        let mut encoder = Encoder::new();
        let mut rest = entries.iter().peekable();
        for second in 0..=u8::MAX {
            while let Some((id, kind, location)) = rest.next_if(|(id, ..)| id.0[1] == second) {
                count += 1;
                put_entry(&mut encoder, *id, *kind, location);
            }
            fanout.push(count);
        }
        fs::write_all(file, encoder.as_slice())
    })?;
    fs::write_all(file, &encode_tail(total, &covered, &fanout))?;
    staged.rename(&path_in(directory))
}

/// Passes the objects of all tables to `each` in 256 parts, one for each first byte of an id. A part is sorted by id, kind and
/// number of the table, so that equal sets of packs yield equal bytes.
pub fn merge(tables: &[Table<'_>], mut each: impl FnMut(&[Entry]) -> Result<()>) -> Result<()> {
    let mut cursors = Vec::new();
    for (n, table) in (0..).zip(tables) {
        cursors.extend(ObjectKind::ALL.map(|kind| cursor(n, kind, *table)));
    }
    (0..=u8::MAX).try_for_each(|first| {
        let mut entries = Vec::new();
        cursors.iter_mut().for_each(|cursor| cursor.take(first, &mut entries));
        entries.sort_unstable_by_key(|(id, kind, location)| (*id, *kind, location.pack));
        each(&entries)
    })
}

fn cursor<'a>(pack: u32, kind: ObjectKind, table: Table<'a>) -> Cursor<'a> {
    let bound = |kind: u8| {
        let mut key = [0; format::KEY];
        key[0] = kind;
        table.lower_bound(&key)
    };
    Cursor { pack, kind, table, next: bound(kind as u8), end: bound(kind as u8 + 1) }
}

impl Cursor<'_> {
    /// Takes the objects whose id begins with this byte.
    fn take(&mut self, first: u8, entries: &mut Vec<Entry>) {
        while self.next < self.end {
            let record = self.table.record(self.next);
            let ObjectId([byte, ..]) = record.id;
            if byte != first {
                return;
            }
            entries.push((record.id, self.kind, Location::new(self.pack, &self.table, self.next)));
            self.next += 1;
        }
    }
}
