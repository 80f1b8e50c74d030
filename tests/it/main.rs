//! One binary for all integration tests.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr, reason = "a failed test tells by panicking")]

mod env;
mod faces;
mod generated;
mod scenario;
mod tidy;
mod tree;
