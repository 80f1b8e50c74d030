//! The repository: where its files are, its settings, its journal, and the one way refs change.

pub mod config;
pub mod disk;
mod foreign;
pub mod format;
pub mod init;
pub mod journal;
pub mod layout;
mod leftovers;
mod lineage;
pub mod refname;
mod repository;
mod reserve;
#[cfg(test)]
mod tests;
pub mod transaction;
mod unsynced;

pub use foreign::Foreign;
pub use layout::Layout;
pub use leftovers::{Superfluous, superfluous};
pub use repository::Repository;
pub use transaction::{Draft, Transaction};
