//! Command lines of shells: which of their commands are guarded, what these name, and the scripts that call `undo` before them.

mod guard;
mod line;
mod operands;
mod script;

pub use guard::{DEFAULT, Guards};
pub use operands::{GuardedCommand, Operand, guarded_commands};
pub use script::{Shell, script};
