//! The user's pager, for long output on a terminal.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{AwaitedChild, AwaitedInput};

/// Variables that name the pager; the first one that is set counts.
const VARIABLES: [&str; 2] = ["UNDO_PAGER", "PAGER"];

const HINT: &str = "set `PAGER` to an existing program, or use --no-pager";

/// A running pager.
pub struct Pager {
    child: AwaitedChild,
    /// The script of a pager that a shell runs: only the shell learns whether the pager starts.
    script: Option<String>,
}

impl Pager {
    /// Starts the pager of [`VARIABLES`], by default `less -FRX` (short output stays on the screen, colours pass), and returns
    /// the pipe to it. A shell runs a value that is more than plain words. `None` for no pager.
    pub fn start() -> Result<Option<(Pager, AwaitedInput)>> {
        let Some(pager) = VARIABLES.iter().find_map(|name| std::env::var(name).ok()) else {
            return Ok(spawn(Command::new("less"), None).ok());
        };
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
    pub fn wait(self) -> Result<()> {
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

fn spawn(mut command: Command, script: Option<String>) -> io::Result<(Pager, AwaitedInput)> {
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let (child, input) = AwaitedChild::new(command.stdin(Stdio::piped()).spawn()?);
    Ok((Pager { child, script }, input))
}

fn failed(program: &str, cause: io::Error) -> Error {
    Error::io("run", Path::new(program), cause).hint(HINT)
}

/// Whether a character has no meaning to a shell.
fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || " -_./+,:@".contains(letter)
}
