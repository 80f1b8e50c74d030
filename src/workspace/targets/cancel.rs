//! Cancels an operation when a signal asks for it, so that files of the operation are removed before the process ends.

use std::sync::Arc;

use crate::error::Result;
use crate::fs::Interrupts;
use crate::progress::{Progress, Task, Unit};

/// Progress that fails after a signal that [`Interrupts`] has noted.
pub(in crate::workspace) struct CancelledBySignals<'p> {
    pub progress: &'p dyn Progress,
    /// What the interrupted operation leaves, for the message.
    pub left: &'static str,
}

struct CancelledTask(Arc<dyn Task>, &'static str);

impl Progress for CancelledBySignals<'_> {
    fn start(&self, label: &'static str, unit: Unit, total: Option<u64>) -> Arc<dyn Task> {
        Arc::new(CancelledTask(self.progress.start(label, unit, total), self.left))
    }
}

impl Task for CancelledTask {
    fn add(&self, units: u64) -> Result<()> {
        Interrupts::check(self.1)?;
        self.0.add(units)
    }

    fn set_total(&self, total: u64) {
        self.0.set_total(total);
    }
}
