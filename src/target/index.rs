//! The index of a target: where each object is.
//!
//! New records stand in the log, or if they are many in a file: sealed pages of records sorted by name. What the log says of the
//! file tells which page may have a name, and whether the file may have it at all.

use std::ops::Range;

use super::file::FileName;
use super::record::{RECORD, Record};
use crate::codec::Encoder;
use crate::error::{Error, Result};
use crate::object::fields::{self, Field, fields};
use crate::seal::{Keyring, OVERHEAD, ObjectName, Purpose};

/// Number of records in a page.
const PAGE: usize = 4096;

/// Maximum number of objects of an index with a filter, which every reader of the log loads.
const MAX_FILTERED: usize = 1 << 18;

/// Number of bits that a name sets in a filter of 8 bits a name: of 50 names that are not there, one seems to be.
const FILTER_BITS: u64 = 5;

/// What the log says of an index file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexFile {
    /// Name of the file.
    pub name: FileName,
    /// Number of objects.
    pub objects: u64,
    /// The first 8 bytes of the first name in each page.
    pub pages: Vec<u64>,
    /// A Bloom filter of the names; empty for a large index.
    pub filter: Vec<u8>,
}

fields!(IndexFile: name, objects, pages, filter);

impl IndexFile {
    /// Encodes an index file. Returns it with its bytes. Sorts the records, and removes those with the same name as another.
    pub fn build(keyring: &Keyring, records: &mut Vec<Record>) -> Result<(IndexFile, Vec<u8>)> {
        records.sort_unstable_by_key(|record| record.object.name);
        records.dedup_by_key(|record| record.object.name);
        let (mut bytes, mut pages) = (Vec::new(), Vec::new());
        for (number, page) in records.chunks(PAGE).enumerate() {
            pages.push(first_bytes(page[0].object.name));
            let mut encoder = Encoder::new();
            page.iter().for_each(|record| record.put(&mut encoder));
            keyring.seal_into(Purpose::Index, &place(number), encoder.as_slice(), &mut bytes)?;
        }
        let filter = if records.len() <= MAX_FILTERED { filter(records) } else { Vec::new() };
        let file = IndexFile { name: FileName::of(&bytes), objects: records.len() as u64, pages, filter };
        Ok((file, bytes))
    }

    /// Whether the index may have a name.
    pub fn may_have(&self, name: ObjectName) -> bool {
        let bits = self.filter.len() as u64 * 8;
        bits == 0 || bits_of(name, bits).all(|bit| self.filter[(bit / 8) as usize] >> (bit % 8) & 1 == 1)
    }

    /// Numbers of the pages that may have a name: one, or more if names with the same first bytes continue on the next page.
    pub fn pages_of(&self, name: ObjectName) -> Range<usize> {
        let first = first_bytes(name);
        let end = self.pages.partition_point(|page| *page <= first);
        let start = self.pages.partition_point(|page| *page < first).saturating_sub(1);
        start..end
    }

    /// The bytes of a page in the file.
    pub fn page_range(&self, page: usize) -> Range<u64> {
        let start = page * (PAGE * RECORD + OVERHEAD);
        let records = (self.objects as usize - page * PAGE).min(PAGE);
        start as u64..(start + records * RECORD + OVERHEAD) as u64
    }

    /// Size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.pages.len().checked_sub(1).map_or(0, |last| self.page_range(last).end)
    }

    /// Opens a page.
    pub fn open_page(&self, keyring: &Keyring, page: usize, sealed: &[u8]) -> Result<Page> {
        let plain = keyring.open(Purpose::Index, &place(page), sealed)?;
        if plain.len() % RECORD != 0 {
            return Err(Error::damaged("invalid index page"));
        }
        Ok(Page(plain))
    }
}

/// A decoded page.
pub struct Page(Vec<u8>);

impl Page {
    /// The record of an object.
    pub fn find(&self, name: ObjectName) -> Option<Record> {
        let (records, _) = self.0.as_chunks::<RECORD>();
        let at = records.binary_search_by(|record| record[..16].cmp(&name.0)).ok()?;
        fields::decode("index record", &records[at]).ok()
    }

    /// All records.
    pub fn records(&self) -> Result<Vec<Record>> {
        self.0.as_chunks::<RECORD>().0.iter().map(|record| fields::decode("index record", record)).collect()
    }
}

/// A page opens only with its number.
fn place(page: usize) -> [u8; 8] {
    (page as u64).to_le_bytes()
}

fn first_bytes(name: ObjectName) -> u64 {
    u64::from_be_bytes(*name.0.first_chunk().expect("a name has 16 bytes"))
}

fn filter(records: &[Record]) -> Vec<u8> {
    let mut filter = vec![0; records.len()];
    let bits = filter.len() as u64 * 8;
    for record in records {
        bits_of(record.object.name, bits).for_each(|bit| filter[(bit / 8) as usize] |= 1 << (bit % 8));
    }
    filter
}

/// Names are hashes, so their halves serve as two independent hashes.
fn bits_of(name: ObjectName, bits: u64) -> impl Iterator<Item = u64> {
    let first = first_bytes(name);
    let second = u64::from_be_bytes(*name.0.last_chunk().expect("a name has 16 bytes"));
    (0..FILTER_BITS).map(move |n| first.wrapping_add(n.wrapping_mul(second)) % bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::record::FrameObject;

    fn record(n: u32) -> Record {
        let hash = blake3::hash(&n.to_le_bytes());
        let name = ObjectName(std::array::from_fn(|at| hash.as_bytes()[at]));
        Record { pack: 7, frame: n, length: 10, object: FrameObject { name, offset: n, length: 3 } }
    }

    #[test]
    fn every_record_is_found_and_few_others_seem_to_be_there() {
        let keyring = Keyring::create().unwrap();
        let mut records: Vec<Record> = (0..10_000).map(record).collect();
        let (file, bytes) = IndexFile::build(&keyring, &mut records).unwrap();
        assert_eq!((file.pages.len(), file.size()), (3, bytes.len() as u64));
        let pages: Vec<Page> = (0..3)
            .map(|n| {
                let range = file.page_range(n);
                file.open_page(&keyring, n, &bytes[range.start as usize..range.end as usize]).unwrap()
            })
            .collect();
        for n in 0..10_000 {
            let name = record(n).object.name;
            assert!(file.may_have(name));
            let found: Vec<Record> = file.pages_of(name).filter_map(|page| pages[page].find(name)).collect();
            assert_eq!(found, [record(n)]);
        }
        let wrong = (10_000..20_000).filter(|n| file.may_have(record(*n).object.name)).count();
        assert!(wrong < 400, "{wrong} of 10,000");
    }

    #[test]
    fn a_page_opens_only_in_its_place() {
        let keyring = Keyring::create().unwrap();
        let (file, bytes) = IndexFile::build(&keyring, &mut (0..5).map(record).collect()).unwrap();
        assert!(file.open_page(&keyring, 0, &bytes).is_ok());
        assert!(file.open_page(&keyring, 1, &bytes).is_err());
    }
}
