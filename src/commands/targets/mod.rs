//! The commands for targets: copies elsewhere.

mod clone;
mod drill;
pub mod forget;
pub mod history;
mod in_target;
mod key;
pub mod maintain;
mod pull;
mod push;
pub mod secrets;
pub mod stats;
mod target;

use crate::commands::declare_commands;
use crate::error::{Exit, Result};

pub use in_target::InTarget;

declare_commands! {
/// The commands for targets. The doc comment of each `Args` is the help of the command.
enum Command {
    Target(target),
    Push(push),
    Pull(pull),
    Clone(clone),
    Drill(drill),
}
}
