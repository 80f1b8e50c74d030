//! Maintains a repository: verification.

pub mod verify;
