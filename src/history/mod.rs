//! Resolves revisions, walks commits and finds what they contain.

pub mod agent_events;
pub mod agent_prompts;
pub mod agent_revisions;
pub mod automatic;
pub mod bytes;
pub mod candidates;
mod costs;
mod entry;
pub mod folding;
pub mod graph;
mod last_version;
pub mod listing;
pub mod mark;
pub mod objects;
mod path_filter;
pub mod reachable;
pub mod reflog;
pub mod retention;
mod reverted;
pub mod revision;
mod selection_filter;
pub mod stored_size;
pub mod suggestions;
#[cfg(test)]
mod tests;
mod text_pattern;
pub mod thinning;
pub mod timeline;
pub mod walk;
pub mod when;

pub use costs::Costs;
pub use entry::{entry_at, entry_in, mounted_over, recorded};
pub use last_version::last_version;
pub use revision::{resolve, resolve_path, resolve_range};
pub use walk::walk;
