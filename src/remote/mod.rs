//! Object storage for targets: a directory, a directory over SFTP, or a bucket of S3. The only sockets and network programs.
//!
//! A [`Remote`] has keys such as `log/0000000000000001`, each written once and never changed. Its calls block and can be made
//! from several threads at once. They retry what may be retried; no I/O happens before the first call.

mod address;
mod backend;
mod directory;
#[cfg(any(test, feature = "internals"))]
mod memory;
mod meter;
mod probe;
mod s3;
mod sftp;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Interrupts;
use crate::time::Timestamp;

use backend::{Attempt, Backend, Body, Failure};
use meter::Meter;

pub use address::{Address, S3Address, SftpAddress};
#[cfg(any(test, feature = "internals"))]
pub use memory::{Fault, Memory, Request};
pub use meter::Counts;
#[cfg(any(test, feature = "internals"))]
pub use meter::Kind;
pub use probe::{Creation, Probe};

/// Limits on the use of a remote.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Maximum number of requests at the same time; at least 1.
    pub connections: usize,
    /// Maximum bytes per second sent.
    pub upload: Option<u64>,
    /// Maximum bytes per second received.
    pub download: Option<u64>,
}

impl Default for Options {
    fn default() -> Options {
        Options { connections: 4, upload: None, download: None }
    }
}

/// Result of [`Remote::create`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The key has the bytes of this call.
    New,
    /// The key existed with other bytes, and has not changed.
    Exists,
}

/// A key in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The whole key.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// When the key was created, by the server's clock.
    pub modified: Timestamp,
}

/// A store of keys.
pub struct Remote {
    backend: Box<dyn Backend>,
    meter: Arc<Meter>,
    /// Pause before the first retry; each further one takes twice as long.
    pause: Duration,
}

/// Number of attempts of a request: with the pauses, about 12 seconds.
const ATTEMPTS: u32 = 8;

/// Pause before the first retry.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Remote {
    /// Does no I/O: the first request connects.
    pub fn new(address: Address, options: Options) -> Remote {
        let meter = Arc::new(Meter::new(options));
        let backend: Box<dyn Backend> = match &address {
            Address::Directory(path) => Box::new(directory::Directory::new(path, meter.clone())),
            Address::S3(address) => Box::new(s3::S3::new(address, None, meter.clone())),
            Address::Sftp(address) => Box::new(sftp::Sftp::new(address, meter.clone())),
        };
        Remote { backend, meter, pause: FIRST_PAUSE }
    }

    /// A remote in memory. `before` is called before each request and decides what happens to it; it may block. Retries follow
    /// without a pause.
    #[cfg(any(test, feature = "internals"))]
    pub fn in_memory(
        memory: &Arc<Memory>,
        options: Options,
        before: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Remote {
        let meter = Arc::new(Meter::new(options));
        let backend = memory::Connection::new(memory.clone(), meter.clone(), before);
        Remote { backend: Box::new(backend), meter, pause: Duration::ZERO }
    }

    /// A remote in S3 with this key, instead of the credentials of the environment.
    #[cfg(any(test, feature = "internals"))]
    pub fn with_key(address: S3Address, key: (&str, &str), options: Options) -> Remote {
        let meter = Arc::new(Meter::new(options));
        let key = (key.0.to_owned(), key.1.to_owned());
        let backend = Box::new(s3::S3::new(&address, Some(key), meter.clone()));
        Remote { backend, meter, pause: FIRST_PAUSE }
    }

    /// Creates a key with these bytes, atomically and durably, unless it exists. If an earlier attempt of this call created the
    /// key and its answer was lost, the result is [`Created::New`].
    pub fn create(&self, key: &str, bytes: &[u8]) -> Result<Created> {
        check(key)?;
        let body = Body { bytes, stops: false };
        self.retry(|| match self.backend.create(key, body)? {
            Created::New => Ok(Created::New),
            Created::Exists => match self.backend.read(key, None)? {
                Some(found) if found == bytes => Ok(Created::New),
                Some(_) => Ok(Created::Exists),
                None => Err(Failure::transient(unstable(key))),
            },
        })
    }

    /// Writes a key whose name is the hash of its bytes. An existing key of this name is not read: it has the same bytes.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        self.put_body(key, Body { bytes, stops: false })
    }

    /// Like [`Remote::put`]; stops if a signal is noted by [`crate::fs::Interrupts`].
    pub fn put_unless_interrupted(&self, key: &str, bytes: &[u8]) -> Result<()> {
        self.put_body(key, Body { bytes, stops: true })
    }

    fn put_body(&self, key: &str, body: Body<'_>) -> Result<()> {
        check(key)?;
        body.check()?;
        let created = self.retry(|| self.backend.create(key, body));
        created.map(drop).map_err(|error| body.check().err().unwrap_or(error))
    }

    /// Reads a key; `None` if it does not exist.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        check(key)?;
        self.retry(|| self.backend.read(key, None))
    }

    /// Reads exactly these bytes of a key; `None` if the key does not exist. [`ErrorKind::Damaged`] if it is too short.
    pub fn get_range(&self, key: &str, range: Range<u64>) -> Result<Option<Vec<u8>>> {
        check(key)?;
        if range.start >= range.end {
            return Err(Error::new(ErrorKind::Internal, format!("the range {range:?} of `{key}` is empty")));
        }
        self.retry(|| self.backend.read(key, Some(range.clone())))
    }

    /// Lists the keys in a folder (`log`, `data/3f`) and in its subfolders, sorted; with `after`, only those greater than this
    /// key. A missing folder has none.
    pub fn list(&self, folder: &str, after: Option<&str>) -> Result<Vec<Listed>> {
        check(folder)?;
        let mut keys = self.retry(|| self.backend.list(folder, after))?;
        keys.retain(|key| is_key(&key.name) && after.is_none_or(|after| key.name.as_str() > after));
        keys.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(keys)
    }

    /// Deletes keys. Missing keys are skipped.
    pub fn delete(&self, keys: &[String]) -> Result<()> {
        keys.iter().try_for_each(|key| check(key))?;
        let (queue, failure) = (Mutex::new(keys.iter()), Mutex::new(None));
        let work = || {
            while let Some(key) = lock(&queue).next().filter(|_| lock(&failure).is_none()) {
                if let Err(error) = self.retry(|| self.backend.delete(key)) {
                    lock(&failure).get_or_insert(error);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.meter.connections().min(keys.len()) {
                // Where the system starts no more threads, the others do the work.
                let _ = std::thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        lock(&failure).take().map_or(Ok(()), Err)
    }

    /// Number of requests and bytes so far.
    pub fn counts(&self) -> Counts {
        self.meter.counts()
    }

    fn retry<T>(&self, mut attempt: impl FnMut() -> Attempt<T>) -> Result<T> {
        let mut pause = self.pause;
        for number in 1.. {
            match attempt() {
                // An interrupted command should end soon.
                Err(failure) if failure.is_transient && number < ATTEMPTS && Interrupts::last().is_none() => {
                    self.meter.count_retry();
                    std::thread::sleep(pause);
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                result => return result.map_err(|failure| failure.error),
            }
        }
        unreachable!("the last attempt returns")
    }
}

/// Error for a key that exists when it is created, and not when it is read.
fn unstable(key: &str) -> Error {
    Error::new(ErrorKind::Unreachable, format!("the storage reports that `{key}` exists, and that it does not"))
}

/// Fails unless this is a valid key or folder.
fn check(key: &str) -> Result<()> {
    if is_key(key) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Internal, format!("`{key}` is not a key")))
}

/// Whether this is a path of lower-case letters, digits and hyphens. Everything else in a target is not ours: temporary files
/// have a dot in their name.
fn is_key(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    name.split('/').all(is_part)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
