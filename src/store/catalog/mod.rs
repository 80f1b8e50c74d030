//! The catalog: the tables of many packs in one sorted list. Only the requested parts are read, so opening costs the
//! same whatever the size.
//!
//! The catalog is a cache and is never trusted: each entry has a checksum, and if the entries around an id are
//! unreadable or damaged, the tables of the packs are used. Losing the catalog only costs time.

mod build;

use std::path::{Path, PathBuf};

use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::fs::{BlockFile, Bytes};
use crate::id::{IdPrefix, LENGTH, ObjectId, PackId};
use crate::object::ObjectKind;
use crate::store::compress::Codec;
use crate::store::pack::{Frame, Location, format};

pub use build::{build, merge};

/// "undo-cat" | version u16 | zero 6
const HEAD: usize = 16;

/// id 32 | kind u8 | codec u8 | frame offset 6 | pack u32 | record u32 | stored u32 | raw u32 | offset u32 | length u32 |
/// first bytes of the frame's checksum 4 | checksum of the entry 4
const ENTRY: usize = 72;

/// Frames at and after this offset do not fit in an entry.
const FARTHEST: u64 = 1 << 48;

/// id 32 | size u64 | objects u64
const PACK: usize = 48;

/// For each pair of bytes, u32: number of entries whose id begins with a smaller pair or the same.
const FANOUT: usize = 4 << 16;

/// entries u64 | packs u32 | version u16 | zero u16 | file length u64 | checksum 32 | "undo-cat"
const TRAILER: usize = 64;

const MAGIC: &[u8; 8] = b"undo-cat";
const VERSION: u16 = 1;

/// A pack in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Id of the pack.
    pub id: PackId,
    /// Size on disk in bytes.
    pub size: u64,
    /// Number of objects.
    pub objects: u64,
}

/// Block size in bytes. Small, because ids are looked up in random order.
const READ: usize = 16 << 10;

/// Maximum number of blocks in memory: 32 MiB, the entries of half a million objects.
const KEPT: usize = 2048;

/// Block size in bytes for reading all entries.
const READ_ALL: usize = ENTRY << 14;

/// An open catalog.
pub struct Catalog {
    file: BlockFile,
    entries: usize,
    covered: Vec<Covered>,
    /// Number of each covered pack in the store. `None` for packs that are not in the store.
    numbers: Vec<Option<u32>>,
}

/// Entries whose ids have the same first two bytes.
struct Bucket {
    /// Number of the first entry.
    first: usize,
    bytes: Bytes,
}

impl Bucket {
    fn entries(&self) -> &[[u8; ENTRY]] {
        self.bytes.as_chunks().0
    }
}

/// Path of the catalog below the repository folder.
pub fn path_in(directory: &Path) -> PathBuf {
    directory.join("catalog")
}

impl Catalog {
    /// Opens the catalog. `None` if it is missing or unusable.
    pub fn open(directory: &Path) -> Option<Catalog> {
        let file = BlockFile::open(&path_in(directory), READ, KEPT).ok()??;
        let (entries, covered) = decode(&file).ok()?;
        let numbers = vec![None; covered.len()];
        Some(Catalog { file, entries, covered, numbers })
    }

    /// Sets the number of each pack in the store.
    pub fn number(&mut self, number: impl Fn(PackId) -> Option<u32>) {
        self.numbers = self.covered.iter().map(|covered| number(covered.id)).collect();
    }

    /// The covered packs with their numbers in the store.
    pub fn covered(&self) -> impl Iterator<Item = (&Covered, Option<u32>)> {
        self.covered.iter().zip(self.numbers.iter().copied())
    }

    /// Positions of an object, in packs of the store.
    pub fn find(&self, kind: ObjectKind, id: ObjectId) -> impl Iterator<Item = Location> + '_ {
        let of_object = self.entries_from(id.0).take_while(move |entry| entry[..LENGTH] == id.0);
        of_object.filter(move |entry| entry[LENGTH] == kind as u8).filter_map(|entry| self.location(&entry).ok())
    }

    /// The entries whose ids have the same first two bytes and are not less than this one.
    fn entries_from(&self, id: [u8; LENGTH]) -> impl Iterator<Item = [u8; ENTRY]> + use<> {
        let bucket = self.bucket(&id).ok();
        let before = |bucket: &Bucket| bucket.entries().partition_point(|entry| entry[..LENGTH] < id[..]);
        let start = bucket.as_ref().map_or(0, before);
        (start..).map_while(move |n| bucket.as_ref()?.entries().get(n).copied())
    }

    /// Decodes each entry; `None` for an entry that is unreadable or damaged. The position is `None` if the pack is not
    /// in the store.
    pub fn entries(&self) -> impl Iterator<Item = Option<(ObjectKind, ObjectId, Option<Location>)>> + '_ {
        let (mut part, mut start) = (None, 0);
        (0..self.entries).map(move |n| {
            if n >= start {
                let count = (self.entries - n).min(READ_ALL / ENTRY);
                part = Some((n, self.read_entries(n, count).ok()));
                start = n + count;
            }
            let (first, bytes) = part.as_ref()?;
            let entry = match bytes {
                Some(bytes) => &bytes[(n - first) * ENTRY..][..ENTRY],
                None => &self.read_entries(n, 1).ok()?,
            };
            let kind = ObjectKind::from_byte(entry[LENGTH]).filter(|_| has_checksum(entry))?;
            Some((kind, id_of(entry), self.location(entry).ok()))
        })
    }

    /// Objects of a kind whose ids match a prefix, sorted by id; one for each copy.
    pub fn matching<'a>(
        &'a self,
        kind: ObjectKind,
        prefix: &'a IdPrefix,
    ) -> impl Iterator<Item = (ObjectId, Location)> + 'a {
        // A prefix has two bytes at least, so its ids are in one bucket.
        let entries = self.entries_from(prefix.first()).filter(move |entry| entry[LENGTH] == kind as u8);
        let located = entries.filter_map(|entry| Some((id_of(&entry), self.location(&entry).ok()?)));
        located.take_while(|(id, _)| prefix.matches(&id.0))
    }

    /// Whether the entries near this id are readable and intact. If so, an object that is not among them is in none of
    /// the packs.
    pub fn is_sound(&self, id: &[u8; LENGTH]) -> bool {
        self.check_near(id).unwrap_or(false)
    }

    fn check_near(&self, id: &[u8; LENGTH]) -> Result<bool> {
        let bucket = self.bucket(id)?;
        // The neighbours prove the bounds of the bucket.
        let is_neighbour = |n: usize, is_ordered: fn(&[u8], &[u8]) -> bool| {
            let entry = self.read_entries(n, 1)?;
            Ok::<_, Error>(has_checksum(&entry) && is_ordered(&entry[..2], &id[..2]))
        };
        let before = bucket.first == 0 || is_neighbour(bucket.first - 1, |entry, id| entry < id)?;
        let end = bucket.first + bucket.entries().len();
        let behind = end == self.entries || is_neighbour(end, |entry, id| entry > id)?;
        let is_whole = |entry: &[u8; ENTRY]| has_checksum(entry) && entry[..2] == id[..2];
        Ok(before && behind && bucket.entries().iter().all(is_whole))
    }

    fn read_entries(&self, first: usize, count: usize) -> Result<Bytes> {
        self.file.read((HEAD + first * ENTRY) as u64, count * ENTRY)
    }

    /// The entries whose ids have the same first two bytes. Damaged numbers yield wrong entries, but within bounds.
    fn bucket(&self, id: &[u8; LENGTH]) -> Result<Bucket> {
        let n = usize::from(id[0]) << 8 | usize::from(id[1]);
        let fanout = self.file.size() - (TRAILER + FANOUT) as u64;
        // End of the previous bucket, and end of this one.
        let before = n.saturating_sub(1);
        let ends = self.file.read(fanout + 4 * before as u64, 4 * (n - before + 1))?;
        let end_of = |at: usize| {
            let bytes = ends[4 * at..][..4].try_into().expect("4 bytes");
            (u32::from_le_bytes(bytes) as usize).min(self.entries)
        };
        let first = if n == 0 { 0 } else { end_of(0) };
        let end = end_of(n - before).max(first);
        // Ids are hashes, so all buckets have about the same size.
        if end - first > self.entries / 256 + 4096 {
            return Err(Error::damaged("invalid catalog"));
        }
        Ok(Bucket { first, bytes: self.read_entries(first, end - first)? })
    }

    /// Decodes an entry. Fails if it is damaged or its pack is not in the store.
    fn location(&self, entry: &[u8]) -> Result<Location> {
        let mut decoder = Decoder::new("catalog entry", &entry[LENGTH + 1..]);
        if !has_checksum(entry) {
            return Err(decoder.invalid("wrong checksum"));
        }
        let codec = Codec::from_byte(decoder.u8()?)?;
        let [a, b, c, d, e, f] = decoder.array()?;
        let frame = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        let number = self.numbers.get(decoder.u32()? as usize).copied().flatten();
        let Some(pack) = number else { return Err(decoder.invalid("pack of another set")) };
        let (record, stored, raw) = (decoder.u32()?, decoder.u32()?, decoder.u32()?);
        let (offset, length, [a, b, c, d]) = (decoder.u32()?, decoder.u32()?, decoder.array()?);
        if raw > format::LONGEST || offset.checked_add(length).is_none_or(|end| end > raw) {
            return Err(decoder.invalid("length out of range"));
        }
        let frame = Frame { offset: frame, stored, raw, codec, level: 0, checksum: [a, b, c, d, 0, 0, 0, 0] };
        Ok(Location { pack, frame, offset, length, record })
    }
}

fn id_of(entry: &[u8]) -> ObjectId {
    ObjectId(*entry.first_chunk().expect("an entry begins with an id"))
}

fn has_checksum(entry: &[u8]) -> bool {
    let (body, sum) = entry.split_at(ENTRY - 4);
    sum == format::checksum::<4>(body)
}

/// Adds an entry. The pack number is the one in the catalog.
fn put_entry(encoder: &mut Encoder, id: ObjectId, kind: ObjectKind, location: &Location) {
    let start = encoder.position();
    let Location { pack, frame, offset, length, record } = location;
    encoder.raw(&id.0).u8(kind as u8).u8(frame.codec as u8).raw(&frame.offset.to_le_bytes()[..6]).u32(*pack);
    encoder.u32(*record).u32(frame.stored).u32(frame.raw).u32(*offset).u32(*length).raw(location.checksum());
    let sum = format::checksum::<4>(&encoder.as_slice()[start..]);
    encoder.raw(&sum);
}

/// Encodes everything after the entries.
fn encode_tail(entries: u64, covered: &[Covered], fanout: &[u32]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    for pack in covered {
        encoder.raw(&pack.id.0).u64(pack.size).u64(pack.objects);
    }
    let list = encoder.position();
    for &end in fanout {
        encoder.u32(end);
    }
    let start = encoder.position();
    let length = HEAD as u64 + entries * ENTRY as u64 + (start + TRAILER) as u64;
    encoder.u64(entries).u32(covered.len() as u32).u16(VERSION).u16(0).u64(length);
    let sum = checksum(&encoder.as_slice()[..list], &encoder.as_slice()[start..]);
    encoder.raw(&sum).raw(MAGIC);
    encoder.finish()
}

/// Does not cover the entries: opening would then have to read all of them.
fn checksum(list: &[u8], trailer: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(list).update(trailer).finalize().as_bytes()
}

/// Number of entries, and the packs.
fn decode(file: &BlockFile) -> Result<(usize, Vec<Covered>)> {
    let Some(body) = file.size().checked_sub(TRAILER as u64) else {
        return Err(Error::damaged("invalid catalog"));
    };
    let trailer = file.read(body, TRAILER)?;
    let mut decoder = Decoder::new("catalog", &trailer);
    let (entries, packs) = (decoder.u64()?, decoder.u32()?);
    let (version, zero, length) = (decoder.u16()?, decoder.u16()?, decoder.u64()?);
    let sum = decoder.array::<32>()?;
    let is_known = decoder.raw(8)? == MAGIC && (version, zero) == (VERSION, 0) && *file.read(0, 8)? == *MAGIC;
    let list = u64::from(packs) * PACK as u64;
    let expected =
        entries.checked_mul(ENTRY as u64).and_then(|size| size.checked_add(list + (HEAD + FANOUT + TRAILER) as u64));
    if !is_known || expected != Some(length) || length != file.size() {
        return Err(decoder.invalid("wrong length"));
    }
    let list = file.read(body - FANOUT as u64 - list, list as usize)?;
    if checksum(&list, &trailer[..24]) != sum {
        return Err(decoder.invalid("wrong checksum"));
    }
    let mut decoder = Decoder::new("catalog", &list);
    let packs = (0..packs).map(|_| {
        let id = PackId(decoder.array()?);
        Ok(Covered { id, size: decoder.u64()?, objects: decoder.u64()? })
    });
    Ok((entries as usize, packs.collect::<Result<_>>()?))
}
