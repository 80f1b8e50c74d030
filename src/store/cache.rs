//! A bounded cache of decoded frames, so that reading a directory tree decodes each frame once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::pack::Frame;

/// Maximum number of bytes in the cache.
const CAPACITY: usize = 16 << 20;

/// Larger frames are not cached: they hold one large object, which is rarely read twice.
const LARGEST: usize = 512 << 10;

/// Number of the pack, and everything that decoding a frame depends on. A damaged catalog may be wrong about each of them.
pub type Key = (u32, Frame);

/// The cache of a store, shared by its threads.
#[derive(Default)]
pub struct Cache {
    frames: Mutex<Frames>,
}

#[derive(Default)]
struct Frames {
    /// Each frame, and whether it was read since the last check for eviction.
    frames: HashMap<Key, (Arc<Vec<u8>>, bool)>,
    /// Keys in the order of eviction checks.
    order: VecDeque<Key>,
    bytes: usize,
}

impl Cache {
    /// Returns a cached frame.
    pub fn get(&self, key: Key) -> Option<Arc<Vec<u8>>> {
        let mut frames = self.lock();
        let (frame, is_used) = frames.frames.get_mut(&key)?;
        *is_used = true;
        Some(Arc::clone(frame))
    }

    /// Caches a frame and evicts frames that were not read again.
    pub fn put(&self, key: Key, frame: &Arc<Vec<u8>>) {
        if frame.len() > LARGEST {
            return;
        }
        let mut frames = self.lock();
        if frames.frames.contains_key(&key) {
            return;
        }
        frames.frames.insert(key, (Arc::clone(frame), false));
        frames.order.push_back(key);
        frames.bytes += frame.len();
        while frames.bytes > CAPACITY {
            frames.evict();
        }
    }

    /// Empties the cache. Needed when pack numbers change.
    pub fn clear(&self) {
        *self.lock() = Frames::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Frames> {
        // A thread that panicked here has at most left a frame uncounted.
        self.frames.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Frames {
    /// Second-chance eviction: the oldest frame is evicted unless it was read since the last check.
    fn evict(&mut self) {
        let Some(key) = self.order.pop_front() else { return self.bytes = 0 };
        if let Some((_, is_used)) = self.frames.get_mut(&key)
            && std::mem::take(is_used)
        {
            return self.order.push_back(key);
        }
        if let Some((frame, _)) = self.frames.remove(&key) {
            self.bytes -= frame.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::pack::format::EMPTY_FRAME;

    fn key(n: u64) -> Key {
        (0, Frame { offset: n, ..EMPTY_FRAME })
    }

    #[test]
    fn cache_stays_bounded_and_keeps_used_frames() {
        let cache = Cache::default();
        let frame = Arc::new(vec![0; LARGEST]);
        for n in 0..100 {
            cache.put(key(n), &frame);
            assert!(cache.get(key(0)).is_some(), "lost at {n}");
        }
        let frames = cache.frames.lock().unwrap();
        assert!(frames.bytes <= CAPACITY && frames.order.len() == frames.frames.len());
        assert_eq!(frames.bytes, frames.frames.len() * LARGEST);
    }

    #[test]
    fn cache_skips_large_frames() {
        let cache = Cache::default();
        cache.put(key(0), &Arc::new(vec![0; LARGEST + 1]));
        assert!(cache.get(key(0)).is_none());
    }
}
