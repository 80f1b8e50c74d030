//! The repository: where its files are, its settings, its journal, and the one way refs change.

pub mod config;
mod directories;
pub mod disk;
mod foreign;
pub mod format;
mod git_ignore;
pub mod init;
pub mod journal;
pub mod layout;
mod leftovers;
mod lineage;
pub mod opened;
mod permission;
pub mod refname;
mod repository;
mod reserve;
pub mod sharing;
pub mod standing;
#[cfg(test)]
mod tests;
pub mod transaction;
mod unrecorded_run;
mod unsynced;

pub use foreign::Foreign;
pub use layout::Layout;
pub use leftovers::{Superfluous, superfluous};
pub use repository::Repository;
pub use standing::{Joining, Standing};
pub use transaction::{Draft, Transaction};
