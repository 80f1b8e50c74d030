//! Copies commits to targets and back.

pub mod association;
pub mod collect;
mod commits;
mod download;
pub mod fetch;
pub mod forget;
mod maintain;
mod mark;
#[cfg(test)]
mod model;
pub mod objects;
mod plan;
pub mod pull;
pub mod push;
mod repack;
pub mod repair;
pub mod reseal;
mod search;
mod spool;
pub mod upload;
pub mod verify;
