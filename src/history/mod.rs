//! History: from what a person types to commits, and the order in which commits are told.

pub mod bytes;
mod costs;
pub mod edits;
mod entry;
pub mod graph;
pub mod instructions;
pub mod listing;
pub mod objects;
pub mod past;
mod path_filter;
pub mod reach;
pub mod revision;
#[cfg(test)]
mod tests;
pub mod timeline;
mod unknown;
pub mod walk;
pub mod when;

pub use costs::Costs;
pub use entry::{entry_at, entry_in, mounted_over, recorded};
pub use revision::{resolve, resolve_path, resolve_range};
pub use walk::walk;
