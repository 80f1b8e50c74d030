//! Stdin with a deadline, for input of programs that may never end it.

use std::io::{self, ErrorKind, Read};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::progress::deadline::Deadline;

/// Stdin. After the deadline, reads fail with [`ErrorKind::TimedOut`].
pub struct TimedStdin {
    deadline: Deadline,
}

impl TimedStdin {
    /// Reads until the deadline.
    pub fn until(deadline: Deadline) -> TimedStdin {
        TimedStdin { deadline }
    }
}

impl Read for TimedStdin {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let stdin = io::stdin();
        loop {
            let left = self.deadline.remaining();
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            // `None`, for a time longer than any `Timespec`, waits without a limit.
            let limit = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], limit.as_ref()) {
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
