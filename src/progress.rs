//! How the library tells how far long work has come. It never prints: `ui` shows bars, tests count.

use std::sync::Arc;

/// Receives what long work reports. Shared by all threads of a command.
pub trait Progress: Send + Sync {
    /// Work begins; the bar goes when the returned task is dropped.
    ///
    /// `label` is a present participle ("recording"); `total` is in `unit`s where it is known.
    fn start(&self, label: &'static str, unit: Unit, total: Option<u64>) -> Arc<dyn Task>;
}

/// What a task counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, shown as sizes with a rate.
    Bytes,
    /// Files or other things.
    Items,
}

/// One piece of long work. Cheap to call: once a file or a buffer, from any thread.
pub trait Task: Send + Sync {
    /// This many units more are done.
    fn add(&self, units: u64);
    /// The total became known. What is only known so far is none.
    fn set_total(&self, total: u64);
}

/// Reports to nobody.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &'static str, _: Unit, _: Option<u64>) -> Arc<dyn Task> {
        Arc::new(Silent)
    }
}

impl Task for Silent {
    fn add(&self, _: u64) {}
    fn set_total(&self, _: u64) {}
}
