//! Passwords: asks for them, or runs a command that prints one.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Ui;
use crate::error::{Error, ErrorKind, Result};

impl Ui {
    /// Prompts for a password on the terminal, without echo. `None` without a terminal or an answer.
    pub fn ask_password(&self, question: &str) -> Option<String> {
        if !self.stderr_is_terminal || self.flush().is_err() {
            return None;
        }
        rpassword::prompt_password(format!("{question}: ")).ok().filter(|password| !password.is_empty())
    }
}

/// Runs a command of the shell with these variables, and returns what it prints. The command uses the standard input and the
/// standard error of this process. [`ErrorKind::Usage`] if it fails.
pub fn output_of(command: &str, variables: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).envs(variables.iter().copied()).stdin(Stdio::inherit()).stderr(Stdio::inherit());
    let output = shell.output().map_err(|cause| Error::io("run", Path::new("/bin/sh"), cause))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::new(ErrorKind::Usage, format!("the command `{command}` failed: {}", output.status)))
}
