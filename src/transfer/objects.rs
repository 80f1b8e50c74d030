//! Reads single objects of a target, and caches the frames that they are in.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::error::Result;
use crate::id::ObjectId;
use crate::object::ObjectKind;
use crate::progress::{Progress, Silent, Unit};
use crate::target::{Record, Target};

use super::download::{self, Frame, Wanted};
use super::upload::SMALL_PACK;

/// Maximum number of bytes in the cache. Readers fetch less than that together.
const CAPACITY: usize = 64 << 20;

/// The objects of a target.
pub struct RemoteObjects {
    target: RwLock<Target>,
    /// Number of requests at the same time.
    connections: usize,
    frames: Mutex<Frames>,
    /// Objects that stay in memory.
    kept: Mutex<Kept>,
}

type Kept = HashMap<(ObjectKind, ObjectId), Arc<[u8]>>;

impl RemoteObjects {
    /// The objects of an open target.
    pub fn new(target: Target, connections: usize) -> RemoteObjects {
        RemoteObjects { target: RwLock::new(target), connections, frames: Mutex::default(), kept: Mutex::default() }
    }

    /// Reads from the target. If a file was deleted meanwhile, reads the log and calls `read` again. `read` must not read from this object.
    pub fn read<T>(&self, mut read: impl FnMut(&Target) -> Result<T>) -> Result<T> {
        loop {
            let (number, result) = {
                let target = self.target.read().unwrap_or_else(PoisonError::into_inner);
                (target.state().number(), read(&target))
            };
            let Err(error) = result else { return result };
            let mut target = self.target.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have read the log.
            if target.state().number() == number && !target.has_moved(&error) {
                return Err(error);
            }
        }
    }

    /// Number of requests so far.
    #[cfg(any(test, feature = "internals"))]
    pub fn counts(&self) -> crate::remote::Counts {
        self.target.read().unwrap_or_else(PoisonError::into_inner).remote().counts()
    }

    /// Number of requests at the same time.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Changes the target. `change` must not read from this object.
    pub fn write<T>(&self, change: impl FnOnce(&mut Target) -> Result<T>) -> Result<T> {
        change(&mut self.target.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The verified bytes of the first of these objects; `None` if the target does not have it. If it is not cached, the others are
    /// fetched, too.
    pub fn object(&self, kind: ObjectKind, ids: &[ObjectId]) -> Result<Option<Arc<[u8]>>> {
        self.read(|target| self.object_in(target, kind, ids))
    }

    fn object_in(&self, target: &Target, kind: ObjectKind, ids: &[ObjectId]) -> Result<Option<Arc<[u8]>>> {
        if let Some(kept) = ids.first().and_then(|id| lock(&self.kept).get(&(kind, *id)).cloned()) {
            return Ok(Some(kept));
        }
        let Some(first) = ids.first().and_then(|id| find(target, kind, *id).transpose()).transpose()? else {
            return Ok(None);
        };
        let cached = lock(&self.frames).get(&first.record);
        let frame = match cached {
            Some(frame) => frame,
            None => self.fetch(target, kind, first, &ids[1..])?,
        };
        Ok(Some(first.object_in(&frame)?.into()))
    }

    /// Fetches those of these objects that the target has and that are not kept, and keeps them in memory.
    pub fn keep(&self, kind: ObjectKind, ids: &[ObjectId], progress: &dyn Progress) -> Result<()> {
        let task = progress.start("reading", Unit::Bytes, None);
        let absent: Vec<ObjectId> = {
            let kept = lock(&self.kept);
            ids.iter().copied().filter(|id| !kept.contains_key(&(kind, *id))).collect()
        };
        let fetched = self.read(|target| {
            let found = absent.iter().filter_map(|id| find(target, kind, *id).transpose());
            let mut wanted = found.collect::<Result<Vec<_>>>()?;
            let each = |(): &mut (), wanted: &Wanted, bytes: &[u8]| Ok(((wanted.kind, wanted.id), bytes.into()));
            download::download(target, &mut wanted, self.connections, &*task, || (), each)
        })?;
        lock(&self.kept).extend(fetched);
        Ok(())
    }

    /// Fetches the frames of objects. Returns that of the first one.
    fn fetch(&self, target: &Target, kind: ObjectKind, first: Wanted, others: &[ObjectId]) -> Result<Arc<Vec<u8>>> {
        let mut wanted = vec![first];
        for id in others {
            wanted.extend(find(target, kind, *id)?);
        }
        let fetched = self.fetch_frames(target, wanted)?;
        let found = fetched.into_iter().find(|frame| frame.key == key(&first.record));
        found.map(|frame| frame.bytes).ok_or_else(|| download::missing(first.kind, first.id))
    }

    /// Fetches the frames of objects that are not in the cache.
    fn fetch_frames(&self, target: &Target, mut wanted: Vec<Wanted>) -> Result<Vec<Frame>> {
        wanted.retain(|wanted| lock(&self.frames).get(&wanted.record).is_none());
        let mut small = BTreeSet::new();
        for one in &wanted {
            let (_, pack) = target.pack(one.record.pack)?;
            if pack.is_meta && pack.size <= SMALL_PACK as u64 {
                small.insert(one.record.pack);
            }
        }
        wanted.retain(|wanted| !small.contains(&wanted.record.pack));
        let mut fetched = download::frames(target, &mut wanted, self.connections, &Silent)?;
        fetched.extend(download::whole_packs(target, &small, self.connections)?);
        let mut frames = lock(&self.frames);
        fetched.iter().for_each(|frame| frames.put(frame));
        Ok(fetched)
    }
}

fn find(target: &Target, kind: ObjectKind, id: ObjectId) -> Result<Option<Wanted>> {
    let record = target.find(target.keyring().name(kind, id))?;
    Ok(record.map(|record| Wanted { kind, id, record, is_file: false }))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(record: &Record) -> (u64, u32) {
    (record.pack, record.frame)
}

/// Decoded frames, oldest first.
#[derive(Default)]
struct Frames {
    frames: HashMap<(u64, u32), Arc<Vec<u8>>>,
    order: VecDeque<(u64, u32)>,
    bytes: usize,
}

impl Frames {
    fn get(&self, record: &Record) -> Option<Arc<Vec<u8>>> {
        self.frames.get(&key(record)).cloned()
    }

    fn put(&mut self, frame: &Frame) {
        if self.frames.insert(frame.key, frame.bytes.clone()).is_some() {
            return;
        }
        self.order.push_back(frame.key);
        self.bytes += frame.bytes.len();
        while self.bytes > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.frames.remove(&oldest).map_or(0, |frame| frame.len());
        }
    }
}
