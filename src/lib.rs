//! `undo`: version control for any data directory.
//!
//! The library does what the command line does. [`workspace::Workspace`] is the way in; its methods cannot lose data.
//! `docs/architecture.md` describes the layers below, which `tests/it/tidy.rs` checks.

// The rules of the public API.
#![cfg_attr(feature = "internals", allow(missing_docs))]
#![cfg_attr(not(feature = "internals"), warn(unnameable_types))]

// Layer 0: shared words, no I/O.
pub(crate) mod codec;
pub mod environment;
pub mod error;
pub mod id;
pub(crate) mod metadata;
pub(crate) mod number;
pub(crate) mod parallel;
pub mod path;
pub mod progress;
pub(crate) mod quote;
pub mod time;

// Layer 1: the operating system.
pub(crate) mod fs;

// Layer 2: bytes ↔ values. Pure.
pub(crate) mod chunk;
pub(crate) mod object;

// Layer 3: objects by id.
pub(crate) mod store;

// Layer 4: settings, journal, refs.
pub(crate) mod repo;

// Layer 5: the directory, the past, differences.
pub(crate) mod alarm;
pub(crate) mod diff;
pub(crate) mod history;
pub(crate) mod worktree;

// Layer 6: changes a directory as a plan says.
pub(crate) mod apply;

// Layer 7: the verbs.
pub(crate) mod checkout;
pub(crate) mod compare;
pub(crate) mod effect;
pub(crate) mod export;
pub(crate) mod maintain;
pub(crate) mod snapshot;

// Layer 8: the public API.
pub mod workspace;

// Layer 9: records and text.
pub mod report;
pub(crate) mod terminal;

// Layer 10: the command line.
pub(crate) mod cli;
pub(crate) mod commands;
pub(crate) mod plumbing;

/// What the binary calls.
#[doc(hidden)]
pub mod binary {
    pub use crate::cli::{command, run};
    pub use crate::commands::completions::VARIABLE;
    pub use crate::terminal::bug;
}

/// What the tests and benchmarks of this project call below the public API.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
