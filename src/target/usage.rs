//! What a target takes in its storage.

use super::Target;
use super::file::{CLOCK, DATA, FOLDS, FileName, INDEXES, KEYS, LOG, META};
use crate::error::Result;
use crate::remote::Listed;

/// Files, and their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Number of files.
    pub files: u64,
    /// Size in bytes.
    pub bytes: u64,
}

/// The files of a target by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Packs in use with the content of files.
    pub data: Part,
    /// Other packs in use.
    pub meta: Part,
    /// Indexes in use.
    pub indexes: Part,
    /// Entries of the log.
    pub log: Part,
    /// Folds of the log.
    pub folds: Part,
    /// Key slots.
    pub keys: Part,
    /// Packs and indexes that are no longer needed and will be deleted.
    pub condemned: Part,
    /// Files that no entry of the log names: those of running and interrupted pushes.
    pub unnamed: Part,
}

impl Target {
    /// Lists all files, and adds up their sizes. Does not read them.
    pub fn usage(&self) -> Result<Usage> {
        let mut usage = Usage::default();
        for folder in [DATA, META, INDEXES, LOG, FOLDS, KEYS, CLOCK] {
            for file in self.remote.list(folder, None)? {
                let name = file.name.rsplit('/').next().and_then(FileName::parse);
                let is_used = name.is_some_and(|name| self.state.has_file(name));
                let is_condemned = name.is_some_and(|name| self.state.condemned.contains_key(&name));
                let part = match folder {
                    LOG => &mut usage.log,
                    FOLDS => &mut usage.folds,
                    KEYS => &mut usage.keys,
                    DATA if is_used => &mut usage.data,
                    META if is_used => &mut usage.meta,
                    INDEXES if is_used => &mut usage.indexes,
                    _ if is_condemned => &mut usage.condemned,
                    _ => &mut usage.unnamed,
                };
                part.add(&file);
            }
        }
        Ok(usage)
    }
}

impl Part {
    fn add(&mut self, file: &Listed) {
        self.files += 1;
        self.bytes += file.size;
    }
}

impl Usage {
    /// Size of all files in bytes.
    pub fn total(&self) -> u64 {
        let Usage { data, meta, indexes, log, folds, keys, condemned, unnamed } = self;
        [data, meta, indexes, log, folds, keys, condemned, unnamed].map(|part| part.bytes).iter().sum()
    }
}
