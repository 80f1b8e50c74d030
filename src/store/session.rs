//! A session: what several threads write together. It knows what was put, gathers what the writers leave, flushes packs,
//! and gives them their names at the end, all or none.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::pack::Failure;
use super::pack::file::{Builder, Sealed, publish};
use super::pack_set::{Store, is_empty_data};
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{IdHasher, ObjectId, PackId};
use crate::object::ObjectKind;
use crate::parallel::start_background;

/// Up to this many bytes of frames become one pack, whatever they hold: a small commit costs one flush.
const SMALL: u64 = 4 << 20;

/// Fewer bytes of history than this share a pack with file data, as frames of their own.
const SIDECAR: u64 = 256 << 10;

/// Sealed packs that wait to be flushed; a writer that seals one more waits for the disk.
const QUEUE: usize = 4;

/// What is said before the first failure of a session.
const NOTHING: &str = "nothing was stored";

/// What a session wrote. Durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// New packs.
    pub packs: Vec<PackId>,
    /// What they take on disk. Of an adopted file only what is not its own: the table.
    pub bytes: u64,
    /// New objects.
    pub objects: u64,
}

/// Writing that is shared by threads: knows what the store holds and what the session has put so far.
/// Dropped without being finished it leaves nothing behind.
pub struct Session<'s> {
    pub(super) store: &'s Store,
    /// What was put, by a byte of the id, so that threads seldom wait for each other.
    put: [Mutex<Names>; 64],
    objects: AtomicU64,
    has_failed: AtomicBool,
    /// The file system has not shared the blocks of a file when it was asked to.
    pub(super) shares_nothing: AtomicBool,
    /// Held while the chunks of an adopted file are claimed: of two equal files one is to have them all.
    pub(super) claiming: Mutex<()>,
    state: Mutex<State>,
}

type Names = HashSet<(ObjectKind, ObjectId), BuildHasherDefault<IdHasher>>;

#[derive(Default)]
struct State {
    /// The first failure of any writer. After it nothing is written.
    failure: Option<Failure>,
    /// What writers left, not yet sealed.
    data: Vec<Builder>,
    history: Vec<Builder>,
    flusher: Option<Flusher>,
}

impl Store {
    /// Begins to write: nothing that is put is part of the repository before a transaction names its packs.
    pub fn session(&self) -> Session<'_> {
        let put = std::array::from_fn(|_| Mutex::default());
        Session {
            store: self,
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
    /// Whether the store or the session holds the object.
    pub fn contains(&self, kind: ObjectKind, id: ObjectId) -> bool {
        self.names(id).contains(&(kind, id)) || self.store.knows(kind, id)
    }

    /// Seals and flushes all packs and their directories. Nothing new: no pack.
    /// After the failure of any writer it fails, and nothing was stored.
    pub fn finish(self) -> Result<Stored> {
        let state = std::mem::take(&mut *self.state());
        let durability = self.store.options().durability;
        // What the flusher says comes first: it may be why a writer failed.
        let flushed = state.flusher.map_or(Ok(Vec::new()), Flusher::finish);
        let mut sealed = flushed.map_err(|error| error.context(NOTHING))?;
        if let Some(failure) = state.failure {
            return Err(failure.error().context(NOTHING));
        }
        for builder in combine(state.data, state.history)? {
            let mut pack = builder.seal()?;
            pack.sync(durability)?;
            sealed.push(pack);
        }
        let packs: Vec<PackId> = sealed.iter().map(|pack| pack.id).collect();
        let bytes = sealed.iter().map(|pack| pack.bytes).sum();
        publish(&self.store.directory, sealed, durability)?;
        Ok(Stored { packs, bytes, objects: self.objects.load(Ordering::Relaxed) })
    }

    /// Fails if any writer has failed before.
    pub(super) fn check(&self) -> Result<()> {
        if !self.has_failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        match &self.state().failure {
            Some(failure) => Err(failure.error().context(NOTHING)),
            None => Ok(()),
        }
    }

    /// Keeps the first failure: an object that was claimed by a thread that failed is nowhere.
    pub(super) fn poison(&self, error: Error) -> Error {
        self.state().failure.get_or_insert_with(|| Failure::of(&error));
        self.has_failed.store(true, Ordering::Relaxed);
        error
    }

    /// Takes the right to put an object; `false` if it is there, or another thread is putting it.
    pub(super) fn claim(&self, kind: ObjectKind, id: ObjectId) -> bool {
        // The session's own list first: it is short and in memory.
        if is_empty_data(kind, id) || self.names(id).contains(&(kind, id)) || self.store.knows(kind, id) {
            return false;
        }
        let is_new = self.names(id).insert((kind, id));
        self.objects.fetch_add(is_new.into(), Ordering::Relaxed);
        is_new
    }

    /// Takes what a writer has left.
    pub(super) fn leave(&self, data: Option<Builder>, history: Option<Builder>) {
        let mut state = self.state();
        state.data.extend(data);
        state.history.extend(history);
    }

    /// Flushes a full pack, while the writers go on.
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
        // The queue ends early only after a flush has failed; what failed is told when it is joined.
        sender.send(pack).map_err(|_| Error::new(ErrorKind::Io, "cannot flush an earlier pack"))
    }

    fn names(&self, id: ObjectId) -> MutexGuard<'_, Names> {
        // Not the first byte: it chooses the place in the hash table too.
        let ObjectId([.., last]) = id;
        self.put[usize::from(last) % self.put.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // Packs in the queue are removed before this returns. After `finish` there is none.
        if let Some(flusher) = self.state().flusher.take() {
            drop(flusher.finish());
        }
    }
}

/// Makes as few packs as sensible of what the writers left: those that are in memory join one that has a file or each
/// other, and history joins data where there is little of either.
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

    /// All packs that were given to it, durable.
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
