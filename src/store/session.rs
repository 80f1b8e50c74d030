//! A write session, shared by several threads: tracks which objects were put, collects the packs of the writers,
//! flushes them, and renames them into place at the end, all or none.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::pack::file::{Builder, Sealed, publish};
use super::pack_set::{Store, is_empty_data};
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{IdHasher, ObjectId, PackId};
use crate::object::ObjectKind;
use crate::parallel::start_background;

/// Up to this many bytes of frames go into one pack, so that a small commit costs one flush.
const SMALL: u64 = 4 << 20;

/// Up to this many bytes of history go into a pack with file data.
const SIDECAR: u64 = 256 << 10;

/// Maximum number of packs that wait to be flushed. A writer that seals another one waits for the disk.
const QUEUE: usize = 4;

/// Context of the first error of a session.
const NOTHING: &str = "nothing was stored";

/// Packs and counts of a finished session. Durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// New packs.
    pub packs: Vec<PackId>,
    /// Bytes that the packs take on disk. A reflink pack counts only its table.
    pub bytes: u64,
    /// Number of new objects.
    pub objects: u64,
}

/// A write session, shared by threads. Knows which objects the store contains and which ones the session has put.
/// Dropping an unfinished session deletes what it has written.
pub struct Session<'s> {
    pub(super) store: &'s Store,
    /// Size of a full pack in bytes.
    pub(super) full: u64,
    /// Objects that were put, in shards by a byte of the id to avoid contention.
    put: [Mutex<Names>; 64],
    objects: AtomicU64,
    has_failed: AtomicBool,
    /// Set after the file system has failed to share blocks.
    pub(super) shares_nothing: AtomicBool,
    /// Held while a thread claims the chunks of a reflink copy: of two equal files, one must get all chunks.
    pub(super) claiming: Mutex<()>,
    state: Mutex<State>,
}

type Names = HashSet<(ObjectKind, ObjectId), BuildHasherDefault<IdHasher>>;

#[derive(Default)]
struct State {
    /// The first error of any writer. Nothing is written after it.
    failure: Option<Error>,
    /// Packs of finished writers, not sealed yet.
    data: Vec<Builder>,
    history: Vec<Builder>,
    flusher: Option<Flusher>,
}

impl Store {
    /// Begins a write session. Objects become part of the repository only when a transaction records their packs.
    pub fn session(&self) -> Session<'_> {
        let put = std::array::from_fn(|_| Mutex::default());
        Session {
            store: self,
            full: self.full_pack(),
            put,
            objects: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
            shares_nothing: AtomicBool::new(false),
            claiming: Mutex::default(),
            state: Mutex::default(),
        }
    }
}

impl Session<'_> {
    /// Whether the store or the session contains an object.
    pub fn contains(&self, kind: ObjectKind, id: ObjectId) -> bool {
        self.names(id).contains(&(kind, id)) || self.store.knows(kind, id)
    }

    /// Seals and flushes all packs and their directories. Returns no pack if nothing was new. Fails if any writer has
    /// failed; then nothing is stored.
    pub fn finish(self) -> Result<Stored> {
        let state = std::mem::take(&mut *self.state());
        let durability = self.store.options().durability;
        // An error of the flusher comes first, because it may have caused the error of a writer.
        let flushed = state.flusher.map_or(Ok(Vec::new()), Flusher::finish);
        let mut sealed = flushed.map_err(|error| error.context(NOTHING))?;
        if let Some(failure) = state.failure {
            return Err(failure.context(NOTHING));
        }
        for builder in combine(state.data, state.history)? {
            let mut pack = builder.seal(&|id| self.store.is_masked(id))?;
            pack.sync(durability)?;
            sealed.push(pack);
        }
        let packs: Vec<PackId> = sealed.iter().map(|pack| pack.id).collect();
        let bytes = sealed.iter().map(|pack| pack.bytes).sum();
        publish(&self.store.directory, sealed, durability)?;
        Ok(Stored { packs, bytes, objects: self.objects.load(Ordering::Relaxed) })
    }

    /// Fails if any writer has failed.
    pub(super) fn check(&self) -> Result<()> {
        if !self.has_failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.state().failure.as_ref().map_or(Ok(()), |failure| Err(failure.copy().context(NOTHING)))
    }

    /// Keeps the first error: the objects that the failed thread had claimed are not stored.
    pub(super) fn poison(&self, error: Error) -> Error {
        self.state().failure.get_or_insert_with(|| error.copy());
        self.has_failed.store(true, Ordering::Relaxed);
        error
    }

    /// Claims the right to put an object. Returns `false` if it is present or another thread has claimed it.
    pub(super) fn claim(&self, kind: ObjectKind, id: ObjectId) -> bool {
        // The session is checked first because it is in memory.
        if is_empty_data(kind, id) || self.names(id).contains(&(kind, id)) || self.store.knows(kind, id) {
            return false;
        }
        let is_new = self.names(id).insert((kind, id));
        self.objects.fetch_add(is_new.into(), Ordering::Relaxed);
        is_new
    }

    /// Takes the packs of a finished writer.
    pub(super) fn leave(&self, data: Builder, history: Builder) {
        let mut state = self.state();
        state.data.push(data);
        state.history.push(history);
    }

    /// Flushes a full pack in the background.
    pub(super) fn flush(&self, mut pack: Sealed) -> Result<()> {
        let durability = self.store.options().durability;
        let mut state = self.state();
        let sender = match state.flusher.get_or_insert_with(|| Flusher::start(durability)) {
            Flusher::Thread(sender, _) => sender.clone(),
            Flusher::Here(flushed) => {
                pack.sync(durability)?;
                flushed.push(pack);
                return Ok(());
            }
        };
        drop(state);
        // The queue closes early only after a flush has failed. Joining the thread returns that error.
        sender.send(pack).map_err(|_| Error::new(ErrorKind::Io, "cannot flush an earlier pack"))
    }

    fn names(&self, id: ObjectId) -> MutexGuard<'_, Names> {
        // Not the first byte, which selects the bucket in the hash table.
        let ObjectId([.., last]) = id;
        self.put[usize::from(last) % self.put.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // Removes queued packs. After `finish` there are none.
        if let Some(flusher) = self.state().flusher.take() {
            drop(flusher.finish());
        }
    }
}

/// Combines the packs of the writers into as few as possible: packs in memory are appended to a pack with a file or to
/// each other, and history joins data if there is little of either.
fn combine(data: Vec<Builder>, history: Vec<Builder>) -> Result<Vec<Builder>> {
    let mut data = join(data)?;
    let mut history = join(history)?;
    let size = |packs: &[Builder]| packs.iter().map(Builder::size).sum::<u64>();
    let is_little = size(&history) <= SIDECAR || size(&history) + size(&data) <= SMALL;
    if is_little
        && let Some(into) = data.first_mut()
        && let Some(last) = history.pop_if(|last| last.is_in_memory())
    {
        into.absorb(&last)?;
    }
    data.append(&mut history);
    Ok(data)
}

fn join(packs: Vec<Builder>) -> Result<Vec<Builder>> {
    let (in_memory, mut joined): (Vec<_>, Vec<_>) =
        packs.into_iter().filter(|pack| !pack.is_empty()).partition(Builder::is_in_memory);
    for pack in in_memory {
        match joined.first_mut() {
            Some(first) => first.absorb(&pack)?,
            None => joined.push(pack),
        }
    }
    Ok(joined)
}

/// Flushes full packs.
enum Flusher {
    /// In a separate thread.
    Thread(SyncSender<Sealed>, JoinHandle<Result<Vec<Sealed>>>),
    /// Immediately, if the system starts no more threads: the flushed packs.
    Here(Vec<Sealed>),
}

impl Flusher {
    fn start(durability: Durability) -> Flusher {
        let (sender, receiver) = sync_channel(QUEUE);
        match start_background(move || flush_all(&receiver, durability)) {
            Some(thread) => Flusher::Thread(sender, thread),
            None => Flusher::Here(Vec::new()),
        }
    }

    /// Returns all flushed packs.
    fn finish(self) -> Result<Vec<Sealed>> {
        match self {
            Flusher::Thread(sender, thread) => {
                drop(sender);
                let failed = |_| Err(Error::new(ErrorKind::Internal, "the thread that flushes has failed"));
                thread.join().unwrap_or_else(failed)
            }
            Flusher::Here(flushed) => Ok(flushed),
        }
    }
}

fn flush_all(receiver: &Receiver<Sealed>, durability: Durability) -> Result<Vec<Sealed>> {
    let mut flushed = Vec::new();
    for mut pack in receiver {
        pack.sync(durability)?;
        flushed.push(pack);
    }
    Ok(flushed)
}
