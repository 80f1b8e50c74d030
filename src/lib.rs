//! Version control for any data directory.
//!
//! The library does what the command `undo` does. [`workspace::Workspace`] is a directory and the repository that records it; its
//! methods save what they replace, so a program that uses them cannot lose data. They block, and never print or exit.
//!
//! # Open and commit
//!
//! [`Workspace::init`] makes a repository in a directory; [`Workspace::open`] finds the one at or above a directory.
//! [`Workspace::commit`] records the whole directory. Nothing is written if nothing has changed.
//!
//! ```
//! use undo::environment::Environment;
//! use undo::progress::Silent;
//! use undo::workspace::{CommitOptions, Workspace};
//!
//! # let directory = std::env::temp_dir().canonicalize()?.join(format!("undo-doc-commit-{}", std::process::id()));
//! # std::fs::create_dir(&directory)?;
//! std::fs::write(directory.join("notes.txt"), "first version\n")?;
//! let mut workspace = Workspace::init(&directory, None, Environment::from_process())?;
//! let options = CommitOptions { message: "first".into(), ..CommitOptions::default() };
//! let outcome = workspace.commit(&options, &Silent)?;
//! assert_eq!(outcome.totals.files, 1);
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Conditions that do not end an operation, for example ignore rules without effect, are [`workspace::Notice`]s:
//! [`Workspace::take_notices`] returns them.
//!
//! # Read
//!
//! [`Workspace::status`] and the `diff_` methods return [`workspace::Differences`], [`Workspace::log`] iterates over commits,
//! [`Workspace::list`] over the entries of a commit, and [`Workspace::read_file`] writes the content of a file. None of them
//! takes a lock. [`Workspace::export`] writes a commit to another directory or to an archive.
//!
//! # Restore
//!
//! [`Workspace::prepare_checkout`] and the other `prepare_` methods scan the directory, plan the changes and check that they
//! lose nothing. [`PreparedCheckout::actions`] is the plan; [`PreparedCheckout::apply`] records unsaved changes and then
//! carries out the plan. With [`dry_run`], the preparation takes no lock and writes nothing.
//!
//! ```
//! # use undo::environment::Environment;
//! # use undo::progress::Silent;
//! # use undo::workspace::{CommitOptions, Workspace};
//! use undo::workspace::CheckoutMode;
//!
//! # let directory = std::env::temp_dir().canonicalize()?.join(format!("undo-doc-restore-{}", std::process::id()));
//! # std::fs::create_dir(&directory)?;
//! # let file = directory.join("notes.txt");
//! # std::fs::write(&file, "first version\n")?;
//! # let mut workspace = Workspace::init(&directory, None, Environment::from_process())?;
//! # workspace.commit(&CommitOptions::default(), &Silent)?;
//! std::fs::write(&file, "second version\n")?;
//! let prepared = workspace.prepare_checkout("@", CheckoutMode::default(), &Silent)?;
//! for action in prepared.actions() {
//!     println!("{} {}", action.word(), action.path().display());
//! }
//! let outcome = prepared.apply(&Silent)?;
//! assert_eq!(std::fs::read_to_string(&file)?, "first version\n");
//! assert!(outcome.saved.is_some(), "the second version is in a separate commit");
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Workspace::find_undo`] and [`Workspace::find_redo`] find the state before or after the last operations;
//! [`Workspace::prepare_step`] prepares the checkout of that state.
//!
//! # Errors
//!
//! [`error::Error`] has a message, a hint and a kind. [`error::ErrorKind::Refused`] means that continuing could lose content;
//! the worktree is unchanged. After any error, opening the workspace again and repeating the call is safe.
//!
//! # Progress and cancelling
//!
//! Long operations report to a [`progress::Progress`]; [`progress::Silent`] ignores the reports. If [`progress::Task::add`]
//! returns [`progress::cancelled`], the operation stops with that error. A cancelled commit or verification has changed
//! nothing; a cancelled export leaves at most an empty directory. A cancelled checkout may leave the worktree half old, half new:
//! then [`Workspace::is_checkout_unfinished`] returns true, and [`Workspace::prepare_continue`] finishes the checkout, or
//! [`Workspace::find_undo`] and [`Workspace::prepare_step`] undo it.
//!
//! # Environments
//!
//! A workspace reads the clock, the time zone, the author and the command line from an [`environment::Environment`], and no
//! process-wide state. [`Environment::from_process`] takes them from the process; the `with_` methods replace them. Workspaces with
//! different environments can be used at the same time.
//!
//! # Reports
//!
//! [`report`] has the records that the command line prints with `--json`.
//!
//! [`Workspace::init`]: workspace::Workspace::init
//! [`Workspace::open`]: workspace::Workspace::open
//! [`Workspace::commit`]: workspace::Workspace::commit
//! [`Workspace::take_notices`]: workspace::Workspace::take_notices
//! [`Workspace::status`]: workspace::Workspace::status
//! [`Workspace::log`]: workspace::Workspace::log
//! [`Workspace::list`]: workspace::Workspace::list
//! [`Workspace::read_file`]: workspace::Workspace::read_file
//! [`Workspace::export`]: workspace::Workspace::export
//! [`Workspace::prepare_checkout`]: workspace::Workspace::prepare_checkout
//! [`Workspace::prepare_continue`]: workspace::Workspace::prepare_continue
//! [`Workspace::prepare_step`]: workspace::Workspace::prepare_step
//! [`Workspace::find_undo`]: workspace::Workspace::find_undo
//! [`Workspace::find_redo`]: workspace::Workspace::find_redo
//! [`Workspace::is_checkout_unfinished`]: workspace::Workspace::is_checkout_unfinished
//! [`PreparedCheckout::actions`]: workspace::PreparedCheckout::actions
//! [`PreparedCheckout::apply`]: workspace::PreparedCheckout::apply
//! [`dry_run`]: workspace::CheckoutMode::dry_run
//! [`Environment::from_process`]: environment::Environment::from_process

// docs/architecture.md describes the layers; tests/it/tidy.rs checks them.

// The rules of the public API.
#![cfg_attr(feature = "internals", allow(missing_docs))]
#![cfg_attr(not(feature = "internals"), warn(unnameable_types))]

// Layer 0: shared words, no I/O.
pub(crate) mod amount;
pub(crate) mod codec;
pub mod coding_agent;
pub mod environment;
pub mod error;
pub mod id;
pub(crate) mod keep_rule;
pub mod message;
pub(crate) mod metadata;
pub(crate) mod number;
pub(crate) mod parallel;
pub mod path;
pub mod progress;
pub(crate) mod quote;
pub(crate) mod serialize;
pub mod time;

// Layer 1: the operating system, object storage.
pub(crate) mod fs;
#[cfg(feature = "targets")]
pub(crate) mod remote;

// Layer 2: bytes ↔ values. Pure.
pub(crate) mod agent;
pub(crate) mod chunk;
pub(crate) mod hook_settings;
pub(crate) mod object;
#[cfg(feature = "targets")]
pub(crate) mod seal;
pub(crate) mod shell;

// Layer 3: objects by id, here and elsewhere.
pub(crate) mod store;
#[cfg(feature = "targets")]
pub(crate) mod target;

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
#[cfg(feature = "targets")]
pub(crate) mod transfer;

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
    pub use crate::commands::complete::protocol::SHELLS;
    pub use crate::commands::completions::VARIABLE;
    pub use crate::terminal::bug;
}

/// What the tests and benchmarks of this project call below the public API.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
