//! The files of a target: those that it no longer needs, and those that it lacks.

use std::collections::{BTreeMap, HashMap};

use super::Target;
use super::file::{CLOCK, DATA, FOLDS, FileName, INDEXES, LOG, META, log_number, name_in};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::remote::Listed;
use crate::time::Timestamp;

/// Number of folds that stay.
const FOLDS_KEPT: usize = 3;

/// Age in seconds below which a file that no entry names may belong to a push that is running.
const YOUNG: i64 = 24 * 3600;

impl Target {
    /// Packs and indexes that no entry names, and that are older than a day by the server's clock. The age is only a courtesy to
    /// pushes that are running: one whose packs were condemned sends them again.
    pub fn orphans(&self) -> Result<Vec<FileName>> {
        let mut orphans = Vec::new();
        let mut newest = Timestamp::default();
        for listed in self.listed()? {
            newest = newest.max(listed.modified);
            let name = listed.name.rsplit('/').next().and_then(FileName::parse);
            let Some(name) = name.filter(|name| !self.is_known(*name)) else { continue };
            orphans.push((name, listed.modified));
        }
        if orphans.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.server_time()?.max(newest);
        orphans.retain(|(_, modified)| now.seconds - modified.seconds >= YOUNG);
        Ok(orphans.into_iter().map(|(name, _)| name).collect())
    }

    /// The packs and indexes in use that are missing or have another size, with what is wrong.
    pub fn damaged_sizes(&self) -> Result<Vec<(FileName, Error)>> {
        let sizes: HashMap<String, u64> = self.listed()?.into_iter().map(|file| (file.name, file.size)).collect();
        let packs = self.state.packs.iter().map(|(name, pack)| (*name, name.pack_key(pack.is_meta), pack.size));
        let indexes = self.state.indexes.iter().map(|index| (index.name, index.name.index_key(), index.size()));
        let problem = |(name, key, size): (FileName, String, u64)| match sizes.get(&key) {
            None => Some((name, missing(&key))),
            Some(found) if *found != size => {
                Some((name, Error::damaged(format!("`{key}` of the target has {found} bytes instead of {size}"))))
            }
            Some(_) => None,
        };
        Ok(packs.chain(indexes).filter_map(problem).collect())
    }

    /// Reads an index in the storage, whatever the cache has. [`crate::error::ErrorKind::Damaged`] if it is not what was written.
    pub fn check_index(&self, name: FileName) -> Result<()> {
        self.read_file(name, &name.index_key()).map(drop)
    }

    /// One error for each key in force whose file is missing or damaged: the key no longer opens the target elsewhere. Nothing but
    /// another key replaces it.
    pub fn damaged_slots(&self) -> Result<Vec<Error>> {
        let mut damaged = Vec::new();
        for name in self.state.slots.keys() {
            match self.read_file(*name, &name.slot_key()) {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    let error = error.context("a key no longer opens the target on other machines");
                    damaged.push(error.hint(format!(
                        "to replace the key: undo target key add, then undo target key remove {}",
                        &name.to_string()[..8]
                    )));
                }
                read => drop(read?),
            }
        }
        Ok(damaged)
    }

    /// Reads a file whose name is the hash of its bytes. [`ErrorKind::Damaged`] if it is missing or has other bytes.
    pub(super) fn read_file(&self, name: FileName, key: &str) -> Result<Vec<u8>> {
        let bytes = self.remote.get(key)?.ok_or_else(|| missing(key))?;
        if FileName::of(&bytes) == name {
            return Ok(bytes);
        }
        Err(Error::damaged(format!("`{key}` of the target is damaged")))
    }

    /// The packs and indexes in the storage, used or not.
    fn listed(&self) -> Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for folder in [DATA, META, INDEXES] {
            listed.extend(self.remote.list(folder, None)?);
        }
        Ok(listed)
    }

    fn is_known(&self, name: FileName) -> bool {
        self.state.has_file(name) || self.state.condemned.contains_key(&name)
    }

    /// The condemned files by the number of the entry that condemned them.
    pub fn condemned_by_entry(&self) -> BTreeMap<u64, Vec<FileName>> {
        let mut by_entry: BTreeMap<u64, Vec<FileName>> = BTreeMap::new();
        for (name, condemned) in &self.state.condemned {
            by_entry.entry(condemned.number).or_default().push(*name);
        }
        by_entry
    }

    /// The keys under which a condemned file may be.
    pub fn keys_of(&self, name: FileName) -> Vec<String> {
        match self.state.condemned.get(&name).and_then(|condemned| condemned.pack) {
            Some(pack) => vec![name.pack_key(pack.is_meta)],
            None => vec![name.index_key(), name.pack_key(false), name.pack_key(true)],
        }
    }

    /// The keys of all folds but the newest ones, which readers start from.
    pub fn old_folds(&self) -> Result<Vec<String>> {
        let mut keys: Vec<String> = self.remote.list(FOLDS, None)?.into_iter().map(|file| file.name).collect();
        keys.truncate(keys.len().saturating_sub(FOLDS_KEPT));
        Ok(keys)
    }

    /// The server's time, and the times at which it received the entries of the log.
    pub fn entry_times(&self) -> Result<(Timestamp, HashMap<u64, Timestamp>)> {
        let listed = self.remote.list(LOG, None)?;
        let times = listed.iter().filter_map(|file| Some((log_number(name_in(LOG, &file.name)?)?, file.modified)));
        Ok((self.server_time()?, times.collect()))
    }

    /// The time of the server, from a file that is written for it.
    fn server_time(&self) -> Result<Timestamp> {
        let random: [u8; 16] = fs::random()?;
        let key = format!("{CLOCK}/{:032x}", u128::from_be_bytes(random));
        self.remote.put(&key, &random)?;
        let listed = self.remote.list(CLOCK, None)?;
        let time = listed.iter().find(|file| file.name == key).map(|file| file.modified);
        self.remote.delete(&listed.into_iter().map(|file| file.name).collect::<Vec<_>>())?;
        Ok(time.unwrap_or_default())
    }
}

fn missing(key: &str) -> Error {
    Error::damaged(format!("`{key}` of the target is missing"))
}
