//! The repository: its files, settings and journal, and transactions, which change refs.

pub mod config;
mod directories;
pub mod disk;
pub mod format;
mod git_ignore;
pub mod init;
pub mod journal;
pub mod layout;
mod leftovers;
mod new_commits;
mod no_sync;
pub mod opened;
mod other_worktree;
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

pub use layout::Layout;
pub use leftovers::{UnneededFile, unneeded_files};
pub use repository::Repository;
pub use standing::{Joining, Standing};
pub use transaction::{NewOperation, Transaction};
