//! Looking after a repository: whether all of it is there.

pub mod verify;
