//! Copies commits to targets and back.

pub mod association;
mod commits;
mod download;
pub mod fetch;
pub mod objects;
mod plan;
pub mod pull;
pub mod push;
mod spool;
pub mod upload;
