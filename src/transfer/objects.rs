//! Reads single objects of a target, and caches the frames that they are in.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    target: Target,
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
        RemoteObjects { target, connections, frames: Mutex::default(), kept: Mutex::default() }
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Number of requests at the same time.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// The verified bytes of the first of these objects; `None` if the target does not have it. If it is not cached, the others are
    /// fetched, too.
    pub fn object(&self, kind: ObjectKind, ids: &[ObjectId]) -> Result<Option<Arc<[u8]>>> {
        if let Some(kept) = ids.first().and_then(|id| lock(&self.kept).get(&(kind, *id)).cloned()) {
            return Ok(Some(kept));
        }
        let Some(first) = ids.first().and_then(|id| self.find(kind, *id).transpose()).transpose()? else {
            return Ok(None);
        };
        let cached = lock(&self.frames).get(&first.record);
        let frame = match cached {
            Some(frame) => frame,
            None => self.fetch(kind, first, &ids[1..])?,
        };
        Ok(Some(first.object_in(&frame)?.into()))
    }

    /// Fetches all of these objects that the target has, and keeps them in memory.
    pub fn keep(&self, kind: ObjectKind, ids: &[ObjectId], progress: &dyn Progress) -> Result<()> {
        let mut wanted = ids.iter().filter_map(|id| self.find(kind, *id).transpose()).collect::<Result<Vec<_>>>()?;
        let task = progress.start("reading", Unit::Bytes, None);
        let fetched = download::download(
            &self.target,
            &mut wanted,
            self.connections,
            &*task,
            || (),
            |(), wanted, bytes| Ok(((wanted.kind, wanted.id), bytes.into())),
        )?;
        lock(&self.kept).extend(fetched);
        Ok(())
    }

    fn find(&self, kind: ObjectKind, id: ObjectId) -> Result<Option<Wanted>> {
        let record = self.target.find(self.target.keyring().name(kind, id))?;
        Ok(record.map(|record| Wanted { kind, id, record }))
    }

    /// Fetches the frames of objects. Returns that of the first one.
    fn fetch(&self, kind: ObjectKind, first: Wanted, others: &[ObjectId]) -> Result<Arc<Vec<u8>>> {
        let mut wanted = vec![first];
        for id in others {
            wanted.extend(self.find(kind, *id)?);
        }
        let fetched = self.fetch_frames(wanted)?;
        let found = fetched.into_iter().find(|frame| frame.key == key(&first.record));
        found.map(|frame| frame.bytes).ok_or_else(|| download::missing(first.kind, first.id))
    }

    /// Fetches the frames of objects that are not in the cache.
    fn fetch_frames(&self, mut wanted: Vec<Wanted>) -> Result<Vec<Frame>> {
        wanted.retain(|wanted| lock(&self.frames).get(&wanted.record).is_none());
        let mut small = BTreeSet::new();
        for one in &wanted {
            let (_, pack) = self.target.pack(one.record.pack)?;
            if pack.is_meta && pack.size <= SMALL_PACK as u64 {
                small.insert(one.record.pack);
            }
        }
        wanted.retain(|wanted| !small.contains(&wanted.record.pack));
        let mut fetched = download::frames(&self.target, &mut wanted, self.connections, &Silent)?;
        fetched.extend(download::whole_packs(&self.target, &small, self.connections)?);
        let mut frames = lock(&self.frames);
        fetched.iter().for_each(|frame| frames.put(frame));
        Ok(fetched)
    }
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
