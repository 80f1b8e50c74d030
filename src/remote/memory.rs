//! A target in memory, for tests: several remotes share it, and a callback decides what happens to each request.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::error::{Error, ErrorKind};
use crate::remote::backend::{Attempt, Backend, Body, Failure, check_length};
use crate::remote::meter::{Kind, Meter};
use crate::remote::{Created, Listed, lock};
use crate::time::Timestamp;

/// The content of a storage. Tests may read and damage it.
#[derive(Debug)]
pub struct Memory {
    keys: Mutex<BTreeMap<String, (Vec<u8>, Timestamp)>>,
    /// The server's clock, in seconds since 1970.
    now: AtomicU64,
    /// Whether creating a key replaces an existing one, as servers do that do not know conditions.
    overwrites: bool,
}

impl Memory {
    /// Creates an empty storage.
    pub fn new() -> Arc<Memory> {
        Memory::build(false)
    }

    /// Creates an empty storage that ignores conditions: a second `create` replaces the bytes.
    pub fn without_conditions() -> Arc<Memory> {
        Memory::build(true)
    }

    fn build(overwrites: bool) -> Arc<Memory> {
        Arc::new(Memory { keys: Mutex::default(), now: AtomicU64::new(1_800_000_000), overwrites })
    }

    /// Advances the server's clock, which otherwise stands still.
    pub fn advance(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    /// All keys and their bytes.
    pub fn content(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.keys).iter().map(|(key, (bytes, _))| (key.clone(), bytes.clone())).collect()
    }

    /// The bytes of a key.
    pub fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        lock(&self.keys).get(key).map(|(bytes, _)| bytes.clone())
    }

    /// Replaces or adds a key.
    pub fn set(&self, key: &str, bytes: &[u8]) {
        lock(&self.keys).insert(key.to_owned(), (bytes.to_owned(), self.time()));
    }

    fn time(&self) -> Timestamp {
        Timestamp { seconds: self.now.load(Ordering::Relaxed).cast_signed(), nanoseconds: 0 }
    }

    /// Removes a key.
    pub fn remove(&self, key: &str) {
        lock(&self.keys).remove(key);
    }

    /// An independent copy, with which an old state can be served again.
    pub fn copy(&self) -> Arc<Memory> {
        let (keys, now) = (Mutex::new(lock(&self.keys).clone()), AtomicU64::new(self.now.load(Ordering::Relaxed)));
        Arc::new(Memory { keys, now, overwrites: self.overwrites })
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Created {
        let mut keys = lock(&self.keys);
        if !self.overwrites && keys.contains_key(key) {
            return Created::Exists;
        }
        keys.insert(key.to_owned(), (bytes.to_owned(), self.time()));
        Created::New
    }
}

/// A request that is about to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// 1 for the first request of this remote.
    pub number: u64,
    /// What it does.
    pub kind: Kind,
    /// The key, or the folder of a listing.
    pub key: String,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// It succeeds.
    #[default]
    None,
    /// It is lost on its way to the server. The remote retries.
    LoseRequest,
    /// It is carried out and the answer is lost. The remote retries.
    LoseAnswer,
    /// It is carried out twice; the second answer arrives.
    Double,
    /// The server refuses it: [`ErrorKind::Refused`].
    Refuse,
    /// The server cannot be reached: [`ErrorKind::Unreachable`].
    Unreachable,
    /// The process ends before it: this and all later requests fail with [`ErrorKind::Interrupted`].
    Stop,
    /// It is carried out, and then the process ends.
    StopAfter,
}

/// Access of one remote to a [`Memory`].
pub(super) struct Connection<F> {
    memory: Arc<Memory>,
    meter: Arc<Meter>,
    before: F,
    requests: AtomicU64,
    is_stopped: AtomicBool,
}

impl<F: Fn(&Request) -> Fault> Connection<F> {
    pub fn new(memory: Arc<Memory>, meter: Arc<Meter>, before: F) -> Connection<F> {
        Connection { memory, meter, before, requests: AtomicU64::new(0), is_stopped: AtomicBool::new(false) }
    }

    fn request<T>(&self, kind: Kind, key: &str, work: impl Fn(&Memory) -> T) -> Attempt<T> {
        let _running = self.meter.start(kind);
        if self.is_stopped.load(Ordering::SeqCst) {
            return Err(stopped());
        }
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = (self.before)(&Request { number, kind, key: key.to_owned() });
        let is_carried_out = matches!(fault, Fault::None | Fault::LoseAnswer | Fault::Double | Fault::StopAfter);
        let answer = is_carried_out.then(|| work(&self.memory));
        let lost = || Error::new(ErrorKind::Unreachable, format!("request {number} or its answer was lost: `{key}`"));
        match (fault, answer) {
            (Fault::None, Some(answer)) => Ok(answer),
            (Fault::Double, Some(_)) => Ok(work(&self.memory)),
            (Fault::Refuse, _) => {
                Err(Error::new(ErrorKind::Refused, format!("the storage refuses request {number}: `{key}`")).into())
            }
            (Fault::Unreachable, _) => Err(Error::new(ErrorKind::Unreachable, "the storage cannot be reached").into()),
            (Fault::Stop | Fault::StopAfter, _) => {
                self.is_stopped.store(true, Ordering::SeqCst);
                Err(stopped())
            }
            (Fault::LoseRequest | Fault::LoseAnswer, _) | (_, None) => Err(Failure::transient(lost())),
        }
    }
}

fn stopped() -> Failure {
    Error::new(ErrorKind::Interrupted, "the process was stopped by a test").into()
}

impl<F: Fn(&Request) -> Fault + Send + Sync> Backend for Connection<F> {
    fn create(&self, key: &str, body: Body<'_>) -> Attempt<Created> {
        self.meter.upload(body.bytes.len());
        self.request(Kind::Create, key, |memory| memory.create(key, body.bytes))
    }

    fn read(&self, key: &str, range: Option<Range<u64>>) -> Attempt<Option<Vec<u8>>> {
        let Some(mut bytes) = self.request(Kind::Read, key, |memory| memory.bytes(key))? else { return Ok(None) };
        if let Some(range) = &range {
            let end = bytes.len().min(usize::try_from(range.end).unwrap_or(usize::MAX));
            bytes = bytes[end.min(usize::try_from(range.start).unwrap_or(usize::MAX))..end].to_owned();
        }
        check_length(key, &bytes, range.as_ref())?;
        self.meter.download(bytes.len());
        Ok(Some(bytes))
    }

    fn list(&self, folder: &str, after: Option<&str>) -> Attempt<Vec<Listed>> {
        let prefix = format!("{folder}/");
        self.request(Kind::List, folder, |memory| {
            let keys = lock(&memory.keys);
            let listed = keys.iter().filter(|(key, _)| key.starts_with(&prefix));
            let listed = listed.filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
            listed
                .map(|(key, (bytes, time))| Listed { name: key.clone(), size: bytes.len() as u64, modified: *time })
                .collect()
        })
    }

    fn delete(&self, key: &str) -> Attempt<()> {
        self.request(Kind::Delete, key, |memory| memory.remove(key))
    }
}
