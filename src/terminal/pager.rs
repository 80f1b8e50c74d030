//! The user's pager: long output where people read it.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::{Error, ErrorKind, Result};

/// What to do where it cannot be started.
const HINT: &str = "set `PAGER` to a program that is there, or to `cat` for none";

/// A running pager and the pipe to it.
pub struct Pager {
    child: Child,
    /// Gone when the output has ended.
    input: Option<BufWriter<ChildStdin>>,
    /// What a shell was told to run: it is the shell that finds out whether that can be started.
    script: Option<String>,
}

impl Pager {
    /// Starts `PAGER`, by default `less -FRX` (short output stays on the screen, colours pass). `None` if there is none.
    /// A shell runs it if more than plain words are in it. Fails if it cannot be started.
    pub fn start() -> Result<Option<Pager>> {
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

    /// Ends the output and waits until the user has read enough. Fails if the shell could not start the pager.
    pub fn wait(&mut self) -> Result<()> {
        self.input = None;
        let code = self.child.wait().ok().and_then(|status| status.code());
        match &self.script {
            // Not permitted, and not found.
            Some(script) if matches!(code, Some(126 | 127)) => {
                let message = format!("the pager `{script}` could not be started, and what it was to show is lost");
                Err(Error::new(ErrorKind::Io, message).hint(HINT))
            }
            _ => Ok(()),
        }
    }
}

fn spawn(mut command: Command, script: Option<String>) -> io::Result<Pager> {
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    let input = child.stdin.take().map(BufWriter::new);
    Ok(Pager { child, input, script })
}

fn failed(program: &str, cause: io::Error) -> Error {
    Error::io("run", Path::new(program), cause).hint(HINT)
}

/// Whether it means nothing to a shell.
fn is_plain(letter: char) -> bool {
    letter.is_alphanumeric() || " -_./+,:@".contains(letter)
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.input {
            Some(input) => input.write(bytes),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.as_mut().map_or(Ok(()), Write::flush)
    }
}
