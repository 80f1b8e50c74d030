//! Targets: encrypted copies of commits elsewhere (`docs/targets.md`).
//!
//! A target is a set of files, each written once, in a folder, on a server over SSH, or in object storage. [`Target`] reads its log
//! and finds objects; packs and indexes are internal to this module. Nothing here decides what is copied.

mod create;
mod entry;
mod file;
mod files;
mod identity;
mod index;
mod keys;
mod local;
mod log;
mod pack;
mod reader;
mod record;
mod records;
mod state;
#[cfg(test)]
mod tests;
mod usage;

use std::sync::{Arc, Mutex};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::remote::Remote;
use crate::seal::Keyring;

pub use create::Secret;
pub use entry::{Change, Link, NewPack, StreamChange, Token, Writer};
pub use file::{FileName, StreamId};
pub use index::IndexFile;
pub use keys::Key;
pub use pack::{Builder as PackBuilder, Encoded, encoded_frame};
pub use reader::{Frames, by_frame};
pub use record::{FrameObject, Record};
pub use records::Records;
pub use state::{Pack, State, Stream};
pub use usage::{Part, Usage};

use local::Local;
use log::Log;
use reader::PageCache;

/// An open target, with the state of its log when it was read.
pub struct Target {
    remote: Arc<Remote>,
    /// Hash of the file `target`.
    identity: FileName,
    keyring: Arc<Keyring>,
    local: Local,
    writer: Writer,
    state: State,
    pages: Mutex<PageCache>,
}

impl Target {
    fn new(remote: &Arc<Remote>, identity: FileName, keyring: Keyring, environment: &Environment) -> Target {
        let local = Local::new(identity, environment);
        let writer = Writer { host: fs::host_name(), user: environment.author().to_owned(), time: environment.now() };
        let (remote, keyring) = (remote.clone(), Arc::new(keyring));
        Target { remote, identity, keyring, local, writer, state: State::default(), pages: Mutex::default() }
    }

    /// Hash of the file `target`, which differs from that of every other target.
    pub fn identity(&self) -> FileName {
        self.identity
    }

    /// The state after the last entry that was read.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The keys.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The storage.
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    fn log(&self) -> Log<'_> {
        Log { remote: &self.remote, keyring: &self.keyring, target: self.identity }
    }

    /// The log, with the state to change and the writer of new entries.
    fn log_and_state(&mut self) -> (Log<'_>, &mut State, &Writer) {
        let log = Log { remote: &self.remote, keyring: &self.keyring, target: self.identity };
        (log, &mut self.state, &self.writer)
    }

    /// Reads the entries that other writers have appended. Returns whether one of them removes something: files in use before may have
    /// been deleted.
    pub fn refresh(&mut self) -> Result<bool> {
        let (before, removal) = (self.state.last, self.state.last_removal);
        let (log, state, _) = self.log_and_state();
        log.read(state)?;
        self.note_state(before != self.state.last)?;
        Ok(self.state.last_removal != removal)
    }

    /// Whether work that has failed with this error may succeed with the state that is read now: something seems damaged, and others
    /// have condemned files meanwhile. The new state has other places for what was in them.
    pub fn has_moved(&mut self, error: &Error) -> bool {
        // If the log cannot be read, the damage is reported.
        error.kind() == ErrorKind::Damaged && self.refresh().unwrap_or(false)
    }

    /// Appends an entry with the change that `plan` makes for the current state. If another writer was faster, reads its entry
    /// and calls `plan` again. `None` from `plan` appends nothing.
    pub fn append(&mut self, mut plan: impl FnMut(&Target) -> Result<Option<Change>>) -> Result<Option<Link>> {
        loop {
            let Some(change) = plan(self)? else { return Ok(None) };
            let (log, state, writer) = self.log_and_state();
            let appended = log.append(state, writer, change)?;
            self.note_state(true)?;
            if appended.is_some() {
                return Ok(appended);
            }
        }
    }

    /// Reads the whole log, entry by entry, and relies on nothing that writers repeat or fold. Before files are deleted.
    pub fn reread(&mut self) -> Result<()> {
        let seen = self.local.seen()?;
        self.state = self.log().read_all()?;
        self.check_seen(seen)?;
        self.note_state(true)
    }

    /// Writes a fold of the state, from which readers start.
    pub fn write_fold(&self) -> Result<()> {
        self.log().write_fold(&self.state)
    }

    /// Keeps the newest entry that this machine has seen, and caches the state.
    fn note_state(&self, is_changed: bool) -> Result<()> {
        if let Some(last) = self.state.last.filter(|_| is_changed) {
            if self.local.seen()?.is_none_or(|seen| seen.number <= last.number) {
                self.local.save_seen(last)?;
            }
            self.local.cache_state(&self.keyring, &self.state);
            self.local.retain_indexes(|name| self.state.indexes.iter().any(|index| index.name == name));
        }
        Ok(())
    }

    /// Uploads packs beside other work with the target.
    pub fn uploader(&self) -> Uploader {
        Uploader { remote: self.remote.clone(), keyring: self.keyring.clone() }
    }

    /// Uploads an index file, and caches it. Sorts the records.
    pub fn put_index(&self, records: &mut Vec<Record>) -> Result<IndexFile> {
        let (file, bytes) = IndexFile::build(&self.keyring, records)?;
        self.remote.put(&file.name.index_key(), &bytes)?;
        self.local.cache_index(file.name, &bytes);
        Ok(file)
    }

    /// The stream with this id. [`ErrorKind::NotFound`] if there is none.
    pub fn stream(&self, id: StreamId) -> Result<&Stream> {
        self.state
            .streams
            .get(&id)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the target has no directory `{id}`")))
    }
}

/// Uploads packs.
pub struct Uploader {
    remote: Arc<Remote>,
    keyring: Arc<Keyring>,
}

impl Uploader {
    /// The keys.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// An empty pack.
    pub fn new_pack(&self) -> PackBuilder<'_> {
        PackBuilder::new(&self.keyring)
    }

    /// Uploads a pack. It becomes part of the target with the entry that adds it.
    pub fn put_pack(&self, pack: PackBuilder<'_>, is_meta: bool) -> Result<(NewPack, Vec<Record>)> {
        let sealed = pack.seal()?;
        self.remote.put_unless_interrupted(&sealed.name.pack_key(is_meta), &sealed.bytes)?;
        let size = sealed.bytes.len() as u64;
        Ok((NewPack { name: sealed.name, size, is_meta }, sealed.records))
    }
}
