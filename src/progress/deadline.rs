//! Deadlines: a time by which a command must have recorded.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Progress, Task, Unit};

/// A time by which a command must have recorded.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    began: Instant,
    limit: Duration,
}

impl Deadline {
    /// The deadline that is this far from now.
    pub fn after(limit: Duration) -> Deadline {
        Deadline { began: Instant::now(), limit }
    }

    /// The time that is left; zero after the deadline.
    pub fn remaining(&self) -> Duration {
        self.limit.saturating_sub(self.began.elapsed())
    }

    /// [`ErrorKind::NotInTime`] after the deadline.
    pub fn check(&self) -> Result<()> {
        if self.remaining().is_zero() { Err(self.passed()) } else { Ok(()) }
    }

    fn limit_text(&self) -> String {
        SignedDuration::try_from(self.limit).map_or_else(|_| "forever".to_owned(), |limit| format!("{limit:#}"))
    }

    /// The error for a command that was not in time.
    pub fn passed(&self) -> Error {
        let message = format!("could not record within {}; nothing was recorded", self.limit_text());
        Error::new(ErrorKind::NotInTime, message).hint("to record without a deadline: undo commit")
    }

    /// The error for a search for repositories that was not in time.
    pub fn passed_searching(&self, directory: &Path) -> Error {
        let (directory, limit) = (directory.display(), self.limit_text());
        let message = format!("the search for repositories from `{directory}` did not end within {limit}");
        Error::new(ErrorKind::NotInTime, message)
    }

    /// Like [`Deadline::passed`], because waiting for a lock has used up the time.
    pub fn passed_waiting(&self, held: &Error) -> Error {
        let message = format!("could not record within {}; nothing was recorded: {held}", self.limit_text());
        Error::new(ErrorKind::NotInTime, message).hint("to record without a deadline: undo commit")
    }
}

/// Progress that ends with [`ErrorKind::NotInTime`] at a deadline.
pub struct UntilDeadline<'p> {
    /// Receives the reports.
    pub progress: &'p dyn Progress,
    /// The end, if there is one.
    pub deadline: Option<Deadline>,
}

/// A task of such a progress.
struct LimitedTask {
    task: Arc<dyn Task>,
    deadline: Deadline,
}

impl Progress for UntilDeadline<'_> {
    fn start(&self, label: &'static str, unit: Unit, total: Option<u64>) -> Arc<dyn Task> {
        let task = self.progress.start(label, unit, total);
        match self.deadline {
            Some(deadline) => Arc::new(LimitedTask { task, deadline }),
            None => task,
        }
    }
}

impl Task for LimitedTask {
    fn add(&self, units: u64) -> Result<()> {
        self.deadline.check()?;
        self.task.add(units)
    }

    fn set_total(&self, total: u64) {
        self.task.set_total(total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn a_task_ends_with_the_deadline() {
        let start = |limit| {
            UntilDeadline { progress: &Silent, deadline: Some(Deadline::after(limit)) }.start("", Unit::Items, None)
        };
        assert!(start(Duration::from_secs(3600)).add(1).is_ok());
        let error = start(Duration::ZERO).add(1).unwrap_err();
        assert_eq!((error.kind(), error.exit().0), (ErrorKind::NotInTime, 9));
        assert_eq!(error.to_string(), "could not record within 0s; nothing was recorded");
    }
}
