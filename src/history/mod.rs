//! History: from what a person types to commits, and the order in which commits are told.

pub mod graph;
pub mod revision;
pub mod walk;

pub use revision::{resolve, resolve_path};
