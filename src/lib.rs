//! `undo`: version control for any data directory.
//!
//! The house, from the ground up. A room uses only rooms on lower floors; `tests/it/tidy.rs` checks it.
//! `docs/architecture.md` is the guided tour.

// Floor 0: words that everyone uses. No I/O.
pub mod codec;
pub mod environment;
pub mod error;
pub mod id;
pub mod metadata;
pub mod number;
pub mod parallel;
pub mod path;
pub mod progress;
pub mod quote;
pub mod time;

// Floor 1: the operating system.
pub mod fs;

// Floor 2: bytes ↔ values. Pure.
pub mod chunk;
pub mod object;

// Floor 3: objects by id.
pub mod store;

// Floor 4: settings, journal, refs.
pub mod repo;

// Floor 5: ways of looking.
pub mod alarm;
pub mod diff;
pub mod history;
pub mod worktree;

// Floor 6: the verbs.
pub mod checkout;
pub mod compare;
pub mod effect;
pub mod maintain;
pub mod snapshot;

// Layer 7: the public API.
pub mod workspace;

// Layer 8: records and text.
pub mod report;
pub mod terminal;

// Layer 9: the command line.
pub mod cli;
pub mod commands;
pub mod plumbing;
