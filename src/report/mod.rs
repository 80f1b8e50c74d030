//! Records: the outcome of each command as serializable values. `docs/json.md` is the contract.

pub mod agent;
pub mod alarms;
pub mod changes;
pub mod checkouts;
pub mod commits;
pub mod copies;
#[cfg(feature = "targets")]
pub mod drill;
pub mod entries;
pub mod gc;
pub mod hooks;
pub mod messages;
pub(crate) mod objects;
pub mod operations;
pub(crate) mod plumbing;
pub mod purge;
pub mod refs;
pub mod retention;
pub mod runs;
pub mod stats;
pub mod stores;
#[cfg(feature = "targets")]
pub mod targets;
pub mod values;
pub mod verify;

use serde::Serialize;

/// The end of a list.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct End {
    /// Number of items.
    pub count: u64,
}
