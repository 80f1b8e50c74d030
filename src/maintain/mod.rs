//! Maintains a repository: verification and repair.

pub mod repair;
pub mod verify;
