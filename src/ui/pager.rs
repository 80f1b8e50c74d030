//! The user's pager: long output where people read it.

use std::io::{self, BufWriter, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

/// A running pager and the pipe to it.
pub struct Pager {
    child: Child,
    /// Gone when the output has ended.
    input: Option<BufWriter<ChildStdin>>,
}

impl Pager {
    /// Starts `PAGER`, by default `less -FRX` (short output stays on the screen, colours pass). `None` if there is none.
    pub fn start() -> Option<Pager> {
        let mut command = match std::env::var("PAGER") {
            Ok(pager) if pager.is_empty() || pager == "cat" => return None,
            Ok(pager) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(pager);
                shell
            }
            Err(_) => Command::new("less"),
        };
        if std::env::var_os("LESS").is_none() {
            command.env("LESS", "FRX");
        }
        let mut child = command.stdin(Stdio::piped()).spawn().ok()?;
        let input = child.stdin.take()?;
        Some(Pager { child, input: Some(BufWriter::new(input)) })
    }

    /// Ends the output and waits until the user has read enough.
    pub fn wait(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
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
