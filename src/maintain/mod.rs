//! Maintains a repository: verification, repair and statistics.

pub mod repair;
pub mod stats;
pub mod verify;
