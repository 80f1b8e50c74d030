//! Counts requests, and limits how many run at the same time and how fast bytes move.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::remote::{Options, lock};

/// Number of requests and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that create a key.
    pub creates: u64,
    /// Requests that read a key or a part of one.
    pub reads: u64,
    /// Requests that list keys: one per 1,000 keys on S3.
    pub lists: u64,
    /// Requests that delete a key.
    pub deletes: u64,
    /// Requests that were sent again. The numbers above include them.
    pub retries: u64,
    /// Bytes of keys sent.
    pub uploaded: u64,
    /// Bytes of keys received.
    pub downloaded: u64,
}

impl Counts {
    /// Number of all requests.
    pub fn requests(&self) -> u64 {
        self.creates + self.reads + self.lists + self.deletes
    }
}

/// Kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Creates a key.
    Create,
    /// Reads a key or a part of one.
    Read,
    /// Lists keys.
    List,
    /// Deletes a key.
    Delete,
}

/// Shared by the requests of a remote.
pub(super) struct Meter {
    connections: usize,
    running: Mutex<usize>,
    ended: Condvar,
    counts: Mutex<Counts>,
    upload: Option<Rate>,
    download: Option<Rate>,
}

/// A running request. Dropping it lets another one start.
pub(super) struct Running<'m>(&'m Meter);

impl Meter {
    pub fn new(options: Options) -> Meter {
        Meter {
            connections: options.connections.max(1),
            running: Mutex::default(),
            ended: Condvar::new(),
            counts: Mutex::default(),
            upload: options.upload.map(Rate::new),
            download: options.download.map(Rate::new),
        }
    }

    /// Maximum number of requests at the same time.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Waits until a request may start, and counts it.
    pub fn start(&self, kind: Kind) -> Running<'_> {
        let running = lock(&self.running);
        let is_busy = |running: &mut usize| *running >= self.connections;
        *self.ended.wait_while(running, is_busy).unwrap_or_else(PoisonError::into_inner) += 1;
        let mut counts = lock(&self.counts);
        *match kind {
            Kind::Create => &mut counts.creates,
            Kind::Read => &mut counts.reads,
            Kind::List => &mut counts.lists,
            Kind::Delete => &mut counts.deletes,
        } += 1;
        Running(self)
    }

    /// Counts bytes that are sent, and waits until the limit permits it.
    pub fn upload(&self, bytes: usize) {
        wait(self.upload_pause(bytes));
    }

    /// Like [`Meter::upload`]; returns the time to wait.
    pub fn upload_pause(&self, bytes: usize) -> Duration {
        lock(&self.counts).uploaded += bytes as u64;
        self.upload.as_ref().map_or(Duration::ZERO, |rate| rate.pay(bytes, Instant::now()))
    }

    /// Counts bytes that were received, and waits until more may follow.
    pub fn download(&self, bytes: usize) {
        wait(self.download_pause(bytes));
    }

    /// Like [`Meter::download`]; returns the time to wait.
    pub fn download_pause(&self, bytes: usize) -> Duration {
        lock(&self.counts).downloaded += bytes as u64;
        self.download.as_ref().map_or(Duration::ZERO, |rate| rate.pay(bytes, Instant::now()))
    }

    pub fn count_retry(&self) {
        lock(&self.counts).retries += 1;
    }

    pub fn counts(&self) -> Counts {
        *lock(&self.counts)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *lock(&self.0.running) -= 1;
        self.0.ended.notify_one();
    }
}

fn wait(pause: Duration) {
    if !pause.is_zero() {
        std::thread::sleep(pause);
    }
}

/// Bytes that are sent or received between two waits.
pub(super) const PIECE: usize = 64 << 10;

/// Unused time that may be made up for.
const BURST: Duration = Duration::from_millis(100);

/// A maximum rate.
struct Rate {
    bytes_per_second: u64,
    /// When all bytes so far have been paid for.
    paid: Mutex<Instant>,
}

impl Rate {
    fn new(bytes_per_second: u64) -> Rate {
        Rate { bytes_per_second: bytes_per_second.max(1), paid: Mutex::new(Instant::now()) }
    }

    /// Time to wait before more bytes follow these.
    fn pay(&self, bytes: usize, now: Instant) -> Duration {
        let mut paid = lock(&self.paid);
        let start = now.checked_sub(BURST).map_or(*paid, |earliest| earliest.max(*paid));
        *paid = start + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        paid.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_limits_the_bytes_of_all_threads_together() {
        let (rate, now) = (Rate::new(1_000_000), Instant::now());
        let waits: Vec<_> = (0..20).map(|_| rate.pay(100_000, now)).collect();
        let total = *waits.last().unwrap();
        assert!((Duration::from_millis(1_890)..=Duration::from_millis(2_000)).contains(&total), "{total:?}");
        let later = now + Duration::from_secs(10);
        assert_eq!(rate.pay(100_000, later), Duration::ZERO, "the burst is free");
        assert_eq!(rate.pay(100_000, later), Duration::from_millis(100), "unused time is not saved up");
    }

    #[test]
    fn requests_wait_for_a_free_connection() {
        let meter = Meter::new(Options { connections: 2, ..Options::default() });
        let most = Mutex::new((0, 0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _running = meter.start(Kind::Read);
                    let mut now = lock(&most);
                    now.0 += 1;
                    now.1 = now.1.max(now.0);
                    drop(now);
                    std::thread::sleep(Duration::from_millis(2));
                    lock(&most).0 -= 1;
                });
            }
        });
        assert_eq!(lock(&most).1, 2);
        assert_eq!(meter.counts().reads, 8);
    }
}
