//! Stdin with a deadline, for input of programs that may never end it.

use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Stdin. After the deadline, reads fail with [`ErrorKind::TimedOut`].
pub struct TimedStdin {
    began: Instant,
    limit: Duration,
}

impl TimedStdin {
    /// Reads until `limit` has passed.
    pub fn within(limit: Duration) -> TimedStdin {
        TimedStdin { began: Instant::now(), limit }
    }
}

impl Read for TimedStdin {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let stdin = io::stdin();
        loop {
            let left = self.limit.saturating_sub(self.began.elapsed());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            let limit = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            };
            match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&limit)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            match rustix::io::read(&stdin, &mut *to) {
                // The other end may have made the pipe non-blocking, and another process may have read from it.
                Err(Errno::INTR | Errno::AGAIN) => continue,
                result => return Ok(result?),
            }
        }
    }
}
