//! Reads ahead in large files, so that the disk works while earlier bytes are processed. The system alone reads only a
//! little ahead.

use std::fs::File;
use std::io::IoSliceMut;
use std::num::NonZeroU64;

use rustix::fs::Advice;
use rustix::io::ReadWriteFlags;

/// Number of bytes to read ahead.
const AHEAD: u64 = 16 << 20;

/// Maximum number of bytes in one request.
const STEP: u64 = 128 << 10;

/// Position up to which bytes were requested.
#[derive(Debug, Default)]
pub struct ReadAhead {
    requested: u64,
}

impl ReadAhead {
    /// Requests bytes for a reader at `position` that will read up to `end`.
    pub fn advance(&mut self, file: &File, position: u64, end: u64) {
        let (start, stop) = (self.requested.max(position), end.min(position + AHEAD));
        if start < stop && start <= position + AHEAD / 2 {
            request(file, start, stop);
            self.requested = stop;
        }
    }
}

/// Requests nothing if the last byte is in memory, because the others most likely are too.
fn request(file: &File, start: u64, stop: u64) {
    if is_in_memory(file, stop - 1) {
        return;
    }
    for at in (start..stop).step_by(STEP as usize) {
        // A failure only makes the reader wait.
        let _ = rustix::fs::fadvise(file, at, NonZeroU64::new(STEP.min(stop - at)), Advice::WillNeed);
    }
}

/// Whether a byte is in the page cache.
fn is_in_memory(file: &File, offset: u64) -> bool {
    let mut byte = [0];
    let mut buffers = [IoSliceMut::new(&mut byte)];
    rustix::io::preadv2(file, &mut buffers, offset, ReadWriteFlags::NOWAIT).is_ok()
}
