//! The catalog: the tables of many packs as one sorted list, mapped, so that opening costs the same whatever it holds.
//!
//! A cache, and never believed: each entry has a checksum, and where the entries around an id are not whole the tables of
//! the packs are asked. Losing it costs time.

mod build;

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::fs::Map;
use crate::id::{IdPrefix, LENGTH, ObjectId, PackId};
use crate::object::ObjectKind;
use crate::store::compress::Codec;
use crate::store::pack::{Place, format};

pub use build::build;

/// "undo-cat" | version u16 | zero 6
const HEAD: usize = 16;

/// id 32 | kind u8 | codec u8 | zero u16 | pack u32 | frame offset u64 | stored u32 | raw u32 | offset u32 | length u32 |
/// first bytes of the frame's checksum 4 | checksum of the entry 4
const ENTRY: usize = 72;

/// id 32 | size u64 | objects u64
const PACK: usize = 48;

/// Entries before those whose id begins with a later pair of bytes, u32 for each pair.
const FANOUT: usize = 4 << 16;

/// entries u64 | packs u32 | version u16 | zero u16 | file length u64 | checksum 32 | "undo-cat"
const TRAILER: usize = 64;

const MAGIC: &[u8; 8] = b"undo-cat";
const VERSION: u16 = 1;

/// A pack that the catalog knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Its name.
    pub id: PackId,
    /// Its bytes on disk.
    pub size: u64,
    /// Its objects.
    pub objects: u64,
}

/// An open catalog.
pub struct Catalog {
    map: Map,
    entries: usize,
    covered: Vec<Covered>,
    /// What the packs that it covers are called in the store; `None` for those that are not in its set.
    numbers: Vec<Option<u32>>,
}

/// Where it is, below the repository folder.
pub fn path_in(directory: &Path) -> PathBuf {
    directory.join("catalog")
}

impl Catalog {
    /// Opens it; `None` if there is none that can be used.
    pub fn open(directory: &Path) -> Option<Catalog> {
        let map = Map::open(&path_in(directory)).ok()??;
        let (entries, covered) = decode(&map).ok()?;
        let numbers = vec![None; covered.len()];
        Some(Catalog { map, entries, covered, numbers })
    }

    /// Tells what each pack is called in the store.
    pub fn number(&mut self, number: impl Fn(PackId) -> Option<u32>) {
        self.numbers = self.covered.iter().map(|covered| number(covered.id)).collect();
    }

    /// The packs that it covers, with their numbers in the store.
    pub fn covered(&self) -> impl Iterator<Item = (&Covered, Option<u32>)> {
        self.covered.iter().zip(self.numbers.iter().copied())
    }

    /// The places of an object, in packs of the store.
    pub fn find(&self, kind: ObjectKind, id: ObjectId) -> impl Iterator<Item = Place> + '_ {
        let bucket = self.bucket(&id.0);
        let start = self.lower_bound(bucket.clone(), &id.0);
        (start..bucket.end)
            .map(|n| self.entry(n))
            .take_while(move |entry| entry[..LENGTH] == id.0)
            .filter(move |entry| entry[LENGTH] == kind as u8)
            .filter_map(|entry| self.place(entry).ok())
    }

    /// What each entry says; `None` for one that is not as it was written. Its place is `None` if the pack is not in the store.
    pub fn entries(&self) -> impl Iterator<Item = Option<(ObjectKind, ObjectId, Option<Place>)>> + '_ {
        (0..self.entries).map(|n| {
            let entry = self.entry(n);
            let kind = ObjectKind::from_byte(entry[LENGTH]).filter(|_| has_checksum(entry))?;
            Some((kind, ObjectId(std::array::from_fn(|n| entry[n])), self.place(entry).ok()))
        })
    }

    /// Ids of a kind that begin so, sorted, each as often as it is held.
    pub fn matching<'a>(&'a self, kind: ObjectKind, prefix: &'a IdPrefix) -> impl Iterator<Item = ObjectId> + 'a {
        let first = prefix.first();
        // A prefix has two bytes at least, so its ids are in one bucket.
        let bucket = self.bucket(&first);
        let start = self.lower_bound(bucket.clone(), &first);
        (start..bucket.end)
            .map(|n| self.entry(n))
            .filter(move |entry| entry[LENGTH] == kind as u8 && self.place(entry).is_ok())
            .map(|entry| ObjectId(std::array::from_fn(|n| entry[n])))
            .take_while(|id| prefix.matches(&id.0))
    }

    /// Whether the entries near this id are as they were written, so that an object which is not found among them is in
    /// none of the packs.
    pub fn is_sound(&self, id: &[u8; LENGTH]) -> bool {
        let bucket = self.bucket(id);
        let is_whole = |n: usize| has_checksum(self.entry(n));
        // The neighbours show that the bucket begins and ends where it should.
        let before = bucket.start.checked_sub(1).is_none_or(|n| is_whole(n) && self.entry(n)[..2] < id[..2]);
        let behind = bucket.end == self.entries || (is_whole(bucket.end) && self.entry(bucket.end)[..2] > id[..2]);
        before && behind && bucket.into_iter().all(|n| is_whole(n) && self.entry(n)[..2] == id[..2])
    }

    fn entry(&self, n: usize) -> &[u8] {
        &self.map[HEAD + n * ENTRY..][..ENTRY]
    }

    /// The entries whose id has the same first two bytes. Damaged numbers give a range that is wrong and within bounds.
    fn bucket(&self, id: &[u8; LENGTH]) -> Range<usize> {
        let n = usize::from(id[0]) << 8 | usize::from(id[1]);
        let fanout = &self.map[self.map.len() - TRAILER - FANOUT..][..FANOUT];
        let end_of = |n: usize| {
            let bytes = fanout[4 * n..][..4].try_into().expect("4 bytes");
            (u32::from_le_bytes(bytes) as usize).min(self.entries)
        };
        let start = if n == 0 { 0 } else { end_of(n - 1) };
        start..end_of(n).max(start)
    }

    fn lower_bound(&self, bucket: Range<usize>, id: &[u8; LENGTH]) -> usize {
        let (mut low, mut high) = (bucket.start, bucket.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)[..LENGTH] < id[..] { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// What an entry says; an error if it is damaged or its pack is not in the store.
    fn place(&self, entry: &[u8]) -> Result<Place> {
        let mut decoder = Decoder::new("catalog entry", &entry[LENGTH + 1..]);
        if !has_checksum(entry) {
            return Err(decoder.invalid("wrong checksum"));
        }
        let (codec, _) = (Codec::from_byte(decoder.u8()?)?, decoder.u16()?);
        let number = self.numbers.get(decoder.u32()? as usize).copied().flatten();
        let Some(pack) = number else { return Err(decoder.invalid("pack of another set")) };
        let (frame, stored, raw) = (decoder.u64()?, decoder.u32()?, decoder.u32()?);
        let (offset, length, checksum) = (decoder.u32()?, decoder.u32()?, decoder.array()?);
        if raw > format::LONGEST || offset.checked_add(length).is_none_or(|end| end > raw) {
            return Err(decoder.invalid("length out of range"));
        }
        Ok(Place { pack, frame, stored, raw, codec, checksum, offset, length })
    }
}

fn has_checksum(entry: &[u8]) -> bool {
    let (body, sum) = entry.split_at(ENTRY - 4);
    sum == format::checksum::<4>(body)
}

/// Adds an entry; the place has the number of the pack in the catalog.
fn put_entry(encoder: &mut Encoder, id: ObjectId, kind: ObjectKind, place: &Place) {
    let start = encoder.position();
    encoder.raw(&id.0).u8(kind as u8).u8(place.codec as u8).u16(0).u32(place.pack).u64(place.frame);
    encoder.u32(place.stored).u32(place.raw).u32(place.offset).u32(place.length).raw(&place.checksum);
    let sum = format::checksum::<4>(&encoder.as_slice()[start..]);
    encoder.raw(&sum);
}

/// What comes behind the entries.
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

/// The entries are not part of it: opening would cost as much as reading them all.
fn checksum(list: &[u8], trailer: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(list).update(trailer).finalize().as_bytes()
}

/// How many entries there are, and the packs.
fn decode(file: &[u8]) -> Result<(usize, Vec<Covered>)> {
    let Some((body, trailer)) = file.split_last_chunk::<TRAILER>() else {
        return Err(Error::damaged("invalid catalog"));
    };
    let mut decoder = Decoder::new("catalog", trailer);
    let (entries, packs) = (decoder.u64()?, decoder.u32()?);
    let (version, zero, length) = (decoder.u16()?, decoder.u16()?, decoder.u64()?);
    let sum = decoder.array::<32>()?;
    let is_known = decoder.raw(8)? == MAGIC && (version, zero) == (VERSION, 0) && file.starts_with(MAGIC);
    let list = u64::from(packs) * PACK as u64;
    let expected =
        entries.checked_mul(ENTRY as u64).and_then(|size| size.checked_add(list + (HEAD + FANOUT + TRAILER) as u64));
    if !is_known || expected != Some(length) || length != file.len() as u64 {
        return Err(decoder.invalid("wrong length"));
    }
    let start = body.len() - FANOUT - list as usize;
    let list = &body[start..start + list as usize];
    if checksum(list, &trailer[..24]) != sum {
        return Err(decoder.invalid("wrong checksum"));
    }
    let mut decoder = Decoder::new("catalog", list);
    let packs = (0..packs).map(|_| {
        let id = PackId(decoder.array()?);
        Ok(Covered { id, size: decoder.u64()?, objects: decoder.u64()? })
    });
    Ok((entries as usize, packs.collect::<Result<_>>()?))
}
