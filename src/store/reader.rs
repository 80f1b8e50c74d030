//! Reads objects: finds the position, decodes the frame, and verifies the bytes against the id.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::cache;
use super::pack::{FrameReader, Location, Pack};
use super::pack_set::{Store, is_empty_data};
use crate::error::Result;
use crate::id::ObjectId;
use crate::object::{ObjectKind, Objects, id_of};

/// Reads objects on one thread. Decodes each frame once if objects are read in the order of their locations.
pub struct Reader<'s> {
    store: &'s Store,
    frames: FrameReader,
    /// The frame that `frames` decoded last.
    decoded: Option<cache::Key>,
    /// The object that was verified last, and its place in the decoded frame.
    verified: Option<(ObjectKind, ObjectId, Range<usize>)>,
    /// The last object from elsewhere.
    fetched: Arc<[u8]>,
    /// Objects of the same kind that are likely to be read after the next one.
    following: Vec<ObjectId>,
}

impl Store {
    /// Creates a reader for one thread, which keeps the last decoded frame.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            store: self,
            frames: FrameReader::default(),
            decoded: None,
            verified: None,
            fetched: Arc::new([]),
            following: Vec::new(),
        }
    }

    /// Tries each position of an object until one yields the object. A catalog may be wrong, so the tables of the packs
    /// decide whether an object is missing or damaged.
    fn try_locations<T>(
        &self,
        kind: ObjectKind,
        id: ObjectId,
        mut attempt: impl FnMut(&Location) -> Result<T>,
    ) -> Result<(T, Location)> {
        let mut failure = None;
        let mut tried = Vec::new();
        for location in self.quick_locations(kind, id).chain(self.all_locations(kind, id)) {
            if tried.contains(&location) {
                continue;
            }
            match attempt(&location) {
                Ok(value) => return Ok((value, location)),
                // The tables come last, so their error is reported.
                Err(error) => failure = Some(error),
            }
            tried.push(location);
        }
        Err(failure.unwrap_or_else(|| self.missing(kind, id)))
    }

    /// The frame of an object, from the cache or decoded.
    fn frame(&self, kind: ObjectKind, location: &Location) -> Result<Arc<Vec<u8>>> {
        if let Some(frame) = self.cache.get(location.key()) {
            return Ok(frame);
        }
        let mut reader = self.idle_readers.lock().ok().and_then(|mut idle| idle.pop()).unwrap_or_default();
        self.decode(kind, location, &mut reader)?;
        let frame = Arc::new(reader.take_decoded());
        if let Ok(mut idle) = self.idle_readers.lock() {
            idle.push(reader);
        }
        self.cache.put(location.key(), &frame);
        Ok(frame)
    }

    /// Reads and decodes a frame.
    fn decode<'r>(&self, kind: ObjectKind, location: &Location, reader: &'r mut FrameReader) -> Result<&'r [u8]> {
        self.frames_decoded.fetch_add(1, Ordering::Relaxed);
        // The id of an object verifies its bytes, except for layouts. So frames of anything but data are verified as a
        // whole.
        let checksum = if kind == ObjectKind::Data { &[] } else { location.checksum() };
        reader.read(self.pack(location), &location.frame, checksum)
    }
}

/// Returns an object in its decoded frame, after verifying its bytes.
fn verified<'f>(pack: &Pack, kind: ObjectKind, id: ObjectId, location: &Location, frame: &'f [u8]) -> Result<&'f [u8]> {
    let start = location.offset as usize;
    let Some(bytes) = frame.get(start..).and_then(|rest| rest.get(..location.length as usize)) else {
        return Err(pack.damaged(format_args!("{} `{id}` lies outside its frame", kind.word())));
    };
    // A layout has the id of its blob, and is verified when the blob is read.
    if kind != ObjectKind::Layout && id_of(kind, bytes) != id {
        return Err(pack.damaged(format_args!("{} `{id}` does not match its id", kind.word())));
    }
    Ok(bytes)
}

impl Objects for Store {
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
        if is_empty_data(kind, id) {
            return Ok(Arc::new([]));
        }
        if let Some(bytes) = self.fetch_absent(kind, &[id])? {
            return Ok(bytes);
        }
        let attempt = |location: &Location| -> Result<Arc<[u8]>> {
            let frame = self.frame(kind, location)?;
            Ok(verified(self.pack(location), kind, id, location, &frame)?.into())
        };
        let found = self.try_locations(kind, id, attempt).map(|(bytes, _)| bytes);
        found.or_else(|error| self.successor().map_or(Err(error), |successor| successor.object(kind, id)))
    }
}

impl<'s> Reader<'s> {
    /// The verified bytes of an object, valid until the next call. Fails with [`crate::error::ErrorKind::Damaged`] if
    /// the object is missing or damaged.
    pub fn read(&mut self, kind: ObjectKind, id: ObjectId) -> Result<&[u8]> {
        if is_empty_data(kind, id) {
            return Ok(&[]);
        }
        if self.store.has_elsewhere() {
            let following = std::mem::take(&mut self.following);
            let ids: Vec<ObjectId> = std::iter::once(id).chain(following).collect();
            if let Some(bytes) = self.store.fetch_absent(kind, &ids)? {
                self.fetched = bytes;
                return Ok(&self.fetched);
            }
        }
        let range = match self.verified.take() {
            Some((last_kind, last_id, range)) if (last_kind, last_id) == (kind, id) => range,
            _ => {
                let location = match self.find(kind, id) {
                    Err(error) => {
                        let Some(successor) = self.store.successor() else { return Err(error) };
                        *self = successor.reader();
                        self.find(kind, id)?
                    }
                    found => found?,
                };
                location.offset as usize..(location.offset + location.length) as usize
            }
        };
        self.verified = Some((kind, id, range.clone()));
        Ok(&self.frames.decoded()[range])
    }

    /// Objects that are likely to be read after the next one: several can be fetched together.
    pub(super) fn expect(&mut self, following: impl Iterator<Item = ObjectId>) {
        if self.store.has_elsewhere() {
            self.following = following.collect();
        }
    }

    /// Decodes the frame of an object and verifies the object in it.
    fn find(&mut self, kind: ObjectKind, id: ObjectId) -> Result<Location> {
        let store = self.store;
        let ((), location) = store.try_locations(kind, id, |location| self.load(kind, id, location))?;
        Ok(location)
    }

    /// Decodes the frame if it is not the last one, and verifies the object in it.
    fn load(&mut self, kind: ObjectKind, id: ObjectId, location: &Location) -> Result<()> {
        let key = Some(location.key());
        if self.decoded != key {
            self.decoded = None;
            self.store.decode(kind, location, &mut self.frames)?;
            self.decoded = key;
        }
        verified(self.store.pack(location), kind, id, location, self.frames.decoded())?;
        Ok(())
    }
}
