//! Command lines of shells: which of their commands are guarded, what these name, which directories they enter, and the scripts that
//! call `undo` before them.

mod braces;
mod deletions;
mod directories;
mod guard;
mod line;
mod only_undo;
mod operands;
mod script;
mod shells;
mod word;

pub use directories::Certainty;
pub use guard::{DEFAULT, Guards};
pub use only_undo::runs_only_undo;
pub use operands::{GuardedCommand, Operand, entered_directories, guarded_commands};
pub use script::script;
pub use shells::Shell;
