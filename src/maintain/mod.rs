//! Maintains a repository: garbage collection, verification, repair and statistics.

pub mod gc;
pub mod repair;
pub mod stats;
pub mod verify;
