//! Large files read from front to back: the disk is asked for what comes next, and brings it while what came before is
//! worked on. By itself the system reads only a little ahead.

use std::fs::File;
use std::io::IoSliceMut;
use std::num::NonZeroU64;

use rustix::fs::Advice;
use rustix::io::ReadWriteFlags;

/// Bytes asked for ahead of the reader.
const AHEAD: u64 = 16 << 20;

/// The system takes at most so many at a time.
const STEP: u64 = 128 << 10;

/// How far has been asked.
#[derive(Debug, Default)]
pub struct ReadAhead {
    asked: u64,
}

impl ReadAhead {
    /// The reader is at `position`, and will read on up to `end`.
    pub fn reach(&mut self, file: &File, position: u64, end: u64) {
        let (start, stop) = (self.asked.max(position), end.min(position + AHEAD));
        if start < stop && start <= position + AHEAD / 2 {
            ask(file, start, stop);
            self.asked = stop;
        }
    }
}

/// Nothing is asked for if the last byte is in memory: then the others most likely are too.
fn ask(file: &File, start: u64, stop: u64) {
    if is_in_memory(file, stop - 1) {
        return;
    }
    for at in (start..stop).step_by(STEP as usize) {
        // Only a hint: what is not there by then is waited for.
        let _ = rustix::fs::fadvise(file, at, NonZeroU64::new(STEP.min(stop - at)), Advice::WillNeed);
    }
}

/// Whether a byte could be read without waiting for the disk.
fn is_in_memory(file: &File, offset: u64) -> bool {
    let mut byte = [0];
    let mut buffers = [IoSliceMut::new(&mut byte)];
    rustix::io::preadv2(file, &mut buffers, offset, ReadWriteFlags::NOWAIT).is_ok()
}
