//! Maintains a repository: garbage collection, the content to purge, verification, repair and statistics.

pub mod gc;
pub mod purge;
pub mod repair;
pub mod stats;
pub mod verify;
