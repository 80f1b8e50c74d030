//! The user's pager, for long output on a terminal.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::{Error, ErrorKind, Result};

const HINT: &str = "set `PAGER` to an existing program, or to `cat` for no pager";

/// A running pager.
pub struct Pager {
    child: Child,
    /// The script of a pager that a shell runs: only the shell learns whether the pager starts.
    script: Option<String>,
}

impl Pager {
    /// Starts `PAGER`, by default `less -FRX` (short output stays on the screen, colours pass), and returns the pipe to it.
    /// A shell runs a value that is more than plain words. `None` for no pager.
    pub fn start() -> Result<Option<(Pager, ChildStdin)>> {
        let Ok(pager) = std::env::var("PAGER") else { return Ok(spawn(Command::new("less"), None).ok()) };
        let mut words = pager.split_whitespace();
        let Some(program) = words.next().filter(|_| pager != "cat") else { return Ok(None) };
        if !pager.chars().all(is_plain) {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(&pager);
            return spawn(shell, Some(pager)).map(Some).map_err(|cause| failed("sh", cause));
        }
        let mut command = Command::new(program);
        command.args(words);
        spawn(command, None).map(Some).map_err(|cause| failed(program, cause))
    }

    /// Waits until the user has quit the pager, whose input must be closed. Fails if the shell could not start it.
    pub fn wait(mut self) -> Result<()> {
        let code = self.child.wait().ok().and_then(|status| status.code());
        match &self.script {
            // A shell's status for a program that it may not run or cannot find.
            Some(script) if matches!(code, Some(126 | 127)) => {
                let message = format!("the pager `{script}` could not be started, so its output is lost");
                Err(Error::new(ErrorKind::Io, message).hint(HINT))
            }
            _ => Ok(()),
        }
    }
}

fn spawn(mut command: Command, script: Option<String>) -> io::Result<(Pager, ChildStdin)> {
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    let input = child.stdin.take().expect("stdin is piped");
    Ok((Pager { child, script }, input))
}

fn failed(program: &str, cause: io::Error) -> Error {
    Error::io("run", Path::new(program), cause).hint(HINT)
}

/// Whether a character has no meaning to a shell.
fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || " -_./+,:@".contains(letter)
}
