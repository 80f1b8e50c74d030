//! Decoded frames that are kept for a while, so that reading a directory tree decodes each frame once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Frames that are kept together have at most so many bytes.
const CAPACITY: usize = 16 << 20;

/// A frame beyond this is not kept: it holds one large object, which is rarely asked for twice.
const LARGEST: usize = 512 << 10;

/// All that a frame is decoded by: pack, offset, stored length, raw length, codec. A damaged catalog may err in any.
pub type Key = (u32, u64, u32, u32, u8);

/// Shared by all threads that read through one store.
#[derive(Default)]
pub struct Cache {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Each frame, and whether it was asked for since it was last looked at for eviction.
    frames: HashMap<Key, (Arc<Vec<u8>>, bool)>,
    /// In the order of looking.
    order: VecDeque<Key>,
    bytes: usize,
}

impl Cache {
    /// A frame, if it is held.
    pub fn get(&self, key: Key) -> Option<Arc<Vec<u8>>> {
        let mut held = self.lock();
        let (frame, is_used) = held.frames.get_mut(&key)?;
        *is_used = true;
        Some(Arc::clone(frame))
    }

    /// Keeps a frame, and lets others go that nobody asked for again.
    pub fn put(&self, key: Key, frame: &Arc<Vec<u8>>) {
        if frame.len() > LARGEST {
            return;
        }
        let mut held = self.lock();
        if held.frames.contains_key(&key) {
            return;
        }
        held.frames.insert(key, (Arc::clone(frame), false));
        held.order.push_back(key);
        held.bytes += frame.len();
        while held.bytes > CAPACITY {
            held.evict();
        }
    }

    /// Forgets all: the numbers of packs have changed.
    pub fn clear(&self) {
        *self.lock() = Held::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        // A thread that panicked here has at most left a frame uncounted.
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Held {
    /// Second chance: the oldest frame goes, unless it was asked for since.
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

    fn key(n: u64) -> Key {
        (0, n, 0, 0, 0)
    }

    #[test]
    fn it_stays_within_its_bounds_and_keeps_what_is_asked_for() {
        let cache = Cache::default();
        let frame = Arc::new(vec![0; LARGEST]);
        for n in 0..100 {
            cache.put(key(n), &frame);
            assert!(cache.get(key(0)).is_some(), "lost at {n}");
        }
        let held = cache.held.lock().unwrap();
        assert!(held.bytes <= CAPACITY && held.order.len() == held.frames.len());
        assert_eq!(held.bytes, held.frames.len() * LARGEST);
    }

    #[test]
    fn a_large_frame_is_not_kept() {
        let cache = Cache::default();
        cache.put(key(0), &Arc::new(vec![0; LARGEST + 1]));
        assert!(cache.get(key(0)).is_none());
    }
}
