//! All integration tests in one binary, except `tests/allocations.rs`, which needs a separate process.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

mod adopted;
mod agent_hook;
mod agent_settings;
mod alarm;
mod automatic;
mod clocks;
mod closed;
mod comparison;
mod completion;
mod concurrency;
mod cost;
mod crash;
mod databases;
mod dates;
mod docs_examples;
mod dry_run;
mod env;
mod errors;
mod exact;
mod export;
mod file_systems;
mod first_automatic;
mod fixtures;
mod forget;
mod format;
mod gc;
mod generated;
mod git;
mod git_patch;
mod in_use;
mod inodes;
mod interrupt;
mod json_keys;
mod kept;
mod kinds;
mod large_text;
mod mapped;
mod media;
mod model;
mod output;
mod outside;
mod owners;
mod partial;
mod paths;
mod pathspecs;
mod plumbing;
mod power_cut;
mod purge;
mod random;
mod remote;
mod renames;
mod repair;
mod rules;
mod run;
mod safety;
mod sandbox;
mod scenario;
mod servers;
mod shell;
mod skip;
mod targets;
mod tidy;
mod tree;
mod unstable;
mod user_settings;
mod verify;
mod volumes;
mod workers;
mod workspace;
