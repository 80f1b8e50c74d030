//! The repository: its files, settings and journal, and transactions, which change refs.

mod begin;
pub mod config;
mod directories;
pub mod disk;
mod disk_growth;
mod effective;
pub mod format;
mod git_ignore;
pub mod heads;
mod init;
pub mod journal;
pub mod layout;
mod leftovers;
pub mod membership;
mod new_commits;
mod no_sync;
pub mod opened;
mod other_worktree;
pub mod outside;
mod permission;
pub mod refname;
#[cfg(feature = "targets")]
mod remote_view;
mod repository;
mod reserve;
pub mod running;
pub mod sharing;
pub mod staged_markers;
mod store_name;
#[cfg(test)]
mod tests;
mod thin;
pub mod transaction;
mod unnamed;
mod unrecorded_run;

pub use layout::Layout;
pub use leftovers::{REMOVAL_DELAY, UNNAMED_COMMITS_DELAY, UnneededFile, unneeded_files};
pub use membership::Joining;
pub use repository::Repository;
pub use transaction::{NewOperation, Transaction};
