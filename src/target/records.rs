//! All records of a target, for work on whole packs.

use std::collections::HashMap;

use super::Target;
use super::file::FileName;
use super::index::{IndexFile, Page};
use super::record::Record;
use crate::error::{Error, Result};
use crate::fs;
use crate::seal::ObjectName;

/// Where every object of a target is, sorted by name.
pub struct Records(Vec<Record>);

impl Target {
    /// Reads all indexes: 40 bytes an object. Of an object in several packs, has the record that [`Target::find`] returns.
    pub fn all_records(&self) -> Result<Records> {
        self.cache_indexes()?;
        let sizes: HashMap<u64, u64> = self.state.packs.iter().map(|(name, pack)| (name.prefix(), pack.size)).collect();
        let is_live = |record: &Record| {
            let end = u64::from(record.frame) + u64::from(record.length);
            sizes.get(&record.pack).is_some_and(|size| end <= *size)
        };
        // The last record of a name wins, as when objects are looked up.
        let mut records: Vec<Record> = self.state.records.iter().rev().copied().filter(is_live).collect();
        for index in self.state.indexes.iter().rev() {
            records.extend(self.index_records(index)?.into_iter().filter(is_live));
        }
        // The sort is stable, so the preferred record stays first.
        records.sort_by_key(|record| record.object.name);
        records.dedup_by_key(|record| record.object.name);
        Ok(Records(records))
    }

    /// Reads all records of an index, sorted by name. [`crate::error::ErrorKind::Damaged`] if any byte of the index differs: a page
    /// of another index would open, too.
    pub fn index_records(&self, index: &IndexFile) -> Result<Vec<Record>> {
        let cached = self.local.index_path(index.name).and_then(|path| fs::read(&path).ok()?);
        let bytes = match cached.filter(|bytes| FileName::of(bytes) == index.name) {
            Some(bytes) => bytes,
            None => self.read_file(index.name, &index.name.index_key())?,
        };
        let mut records = Vec::with_capacity(index.objects as usize);
        for page in 0..index.pages.len() {
            let range = index.page_range(page);
            let sealed = bytes.get(range.start as usize..range.end as usize);
            let page = index.open_page(&self.keyring, page, sealed.unwrap_or_default());
            let page = page.map_err(|error| error.context(format_args!("index `{}` of the target", index.name)))?;
            records.extend(page.records()?);
        }
        Ok(records)
    }

    /// Reads a page of an index, from the cache if possible.
    pub(super) fn index_page(&self, index: &IndexFile, page: usize) -> Result<Page> {
        let range = index.page_range(page);
        let cached = self.local.index_path(index.name).and_then(|path| {
            let file = fs::open(&path).ok()?;
            let mut bytes = vec![0; (range.end - range.start) as usize];
            fs::read_exact_at(&file, &mut bytes, range.start).ok()?;
            index.open_page(&self.keyring, page, &bytes).ok()
        });
        if let Some(page) = cached {
            return Ok(page);
        }
        let bytes = self.remote.get_range(&index.name.index_key(), range)?;
        let bytes = bytes.ok_or_else(|| Error::damaged(format!("index `{}` of the target is missing", index.name)))?;
        let opened = index.open_page(&self.keyring, page, &bytes);
        opened.map_err(|error| error.context(format_args!("index `{}` of the target", index.name)))
    }
}

impl Records {
    /// The number of an object among the records; `None` if the target does not have it.
    pub fn find(&self, name: ObjectName) -> Option<usize> {
        self.0.binary_search_by_key(&name, |record| record.object.name).ok()
    }

    /// All records.
    pub fn as_slice(&self) -> &[Record] {
        &self.0
    }
}
