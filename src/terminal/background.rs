//! Starts this program again in the background, without terminal, input and output.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// Starts this program with other arguments. Does not wait for it. Does nothing if `UNDO_TIME` fixes the clock: the script
/// then decides which commands run.
pub fn start_in_background(arguments: &[&OsStr]) -> Result<()> {
    if std::env::var_os("UNDO_TIME").is_some() {
        return Ok(());
    }
    let program = std::env::current_exe().map_err(|cause| Error::io("find", Path::new("undo"), cause))?;
    let mut command = Command::new(&program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A push in the background must not ask for the password of a key.
    command.env("SSH_ASKPASS_REQUIRE", "never");
    command.spawn().map_err(|cause| Error::io("run", &program, cause)).map(drop)
}
