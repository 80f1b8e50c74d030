//! Finds and reads objects of a target.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::Target;
use super::file::FileName;
use super::index::{IndexFile, Page};
use super::pack;
use super::record::Record;
use super::state::Pack;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::seal::{ObjectName, Purpose};

/// Maximum number of index pages in memory: 10 MiB.
const PAGES: usize = 64;

/// Index pages that were read last.
#[derive(Default)]
pub struct PageCache {
    pages: HashMap<(FileName, usize), Arc<Page>>,
    order: Vec<(FileName, usize)>,
    /// The records of the log by name, and the hash of the last entry that they are from.
    recent: (Option<FileName>, HashMap<ObjectName, Record>),
}

/// Sealed frames of a pack.
pub struct Frames {
    bytes: Vec<u8>,
    start: u64,
}

impl Target {
    /// Where an object is; `None` if the target does not have it.
    pub fn find(&self, name: ObjectName) -> Result<Option<Record>> {
        let is_live = |record: &Record| self.state.pack(record.pack).is_some();
        if let Some(record) = self.recent(name).filter(is_live) {
            return Ok(Some(record));
        }
        for index in self.state.indexes.iter().rev().filter(|index| index.may_have(name)) {
            for number in index.pages_of(name) {
                let found = self.page(index, number)?.find(name);
                if let Some(record) = found.filter(is_live) {
                    return Ok(Some(record));
                }
            }
        }
        Ok(None)
    }

    fn recent(&self, name: ObjectName) -> Option<Record> {
        let mut cache = self.page_cache();
        let last = self.state.last.map(|link| link.hash);
        if cache.recent.0 != last {
            let records = self.state.records.iter().filter(|record| self.state.pack(record.pack).is_some());
            cache.recent = (last, records.map(|record| (record.object.name, *record)).collect());
        }
        cache.recent.1.get(&name).copied()
    }

    fn page(&self, index: &IndexFile, number: usize) -> Result<Arc<Page>> {
        let key = (index.name, number);
        if let Some(page) = self.page_cache().pages.get(&key) {
            return Ok(page.clone());
        }
        let page = Arc::new(self.index_page(index, number)?);
        let mut cache = self.page_cache();
        if cache.order.len() >= PAGES {
            let oldest = cache.order.remove(0);
            cache.pages.remove(&oldest);
        }
        cache.order.push(key);
        cache.pages.insert(key, page.clone());
        Ok(page)
    }

    fn page_cache(&self) -> MutexGuard<'_, PageCache> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Caches all index files, before many objects are looked up.
    pub fn cache_indexes(&self) -> Result<()> {
        for index in &self.state.indexes {
            let Some(path) = self.local.index_path(index.name) else { continue };
            if fs::stat(&path)?.is_some_and(|stat| stat.size == index.size()) {
                continue;
            }
            self.local.cache_index(index.name, &self.read_file(index.name, &index.name.index_key())?);
        }
        Ok(())
    }

    /// The pack in use whose name has this prefix.
    pub fn pack(&self, prefix: u64) -> Result<(FileName, Pack)> {
        self.state.pack(prefix).ok_or_else(|| Error::damaged("a pack of the target is missing"))
    }

    /// Reads a part of a pack that contains whole frames.
    pub fn read_frames(&self, name: FileName, pack: Pack, range: Range<u64>) -> Result<Frames> {
        let (key, start) = (name.pack_key(pack.is_meta), range.start);
        let bytes = if start == 0 && range.end == pack.size {
            self.remote.get(&key)?
        } else {
            self.remote.get_range(&key, range)?
        };
        let missing = || Error::damaged(format!("pack `{key}` of the target is missing"));
        Ok(Frames { bytes: bytes.ok_or_else(missing)?, start })
    }

    /// The frames of a whole pack, by offset, with the records of their objects.
    pub fn read_table(&self, name: FileName, pack: Pack) -> Result<(Frames, BTreeMap<u32, Vec<Record>>)> {
        let frames = self.read_frames(name, pack, 0..pack.size)?;
        if FileName::of(&frames.bytes) != name {
            return Err(Error::damaged(format!("pack `{}` of the target is damaged", name.pack_key(pack.is_meta))));
        }
        let records = pack::records(name, &pack::open_table(&self.keyring, &frames.bytes)?);
        Ok((frames, by_frame(records)))
    }

    /// What is left of a damaged pack: its bytes, and the records of its table if that is intact. `None` if nothing is left.
    pub fn read_damaged(&self, name: FileName, pack: Pack) -> Result<Option<(Frames, Option<Vec<Record>>)>> {
        let bytes = match self.remote.get(&name.pack_key(pack.is_meta)) {
            Err(error) if error.kind() == ErrorKind::Damaged => None,
            bytes => bytes?,
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let records = pack::open_table(&self.keyring, &bytes).ok().map(|table| pack::records(name, &table));
        Ok(Some((Frames { bytes, start: 0 }, records)))
    }

    /// Opens the frame of a record.
    pub fn open_frame(&self, frames: &Frames, record: &Record) -> Result<Vec<u8>> {
        self.keyring.open(Purpose::Frame, &[], frames.sealed(record)?).map_err(|error| {
            let pack = self.state.pack(record.pack).map(|(name, pack)| name.pack_key(pack.is_meta));
            error.context(format_args!("pack `{}` of the target", pack.unwrap_or_default()))
        })
    }
}

/// Sorts records by the offset of their frame.
pub fn by_frame(records: Vec<Record>) -> BTreeMap<u32, Vec<Record>> {
    let mut frames: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
    records.into_iter().for_each(|record| frames.entry(record.frame).or_default().push(record));
    frames
}

impl Frames {
    /// The sealed frame of a record.
    pub fn sealed(&self, record: &Record) -> Result<&[u8]> {
        let start = u64::from(record.frame).checked_sub(self.start);
        let frame = start.and_then(|start| self.bytes.get(start as usize..)?.get(..record.length as usize));
        frame.ok_or_else(|| Error::damaged("a frame lies outside its pack"))
    }
}
