//! The options that give a commit message: `-m` and `-F`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;

/// `-m` and `-F`.
#[derive(Debug, clap::Args)]
pub struct MessageArgs {
    /// Commit message; each one is a paragraph
    #[arg(short, long = "message", value_name = "MSG", allow_hyphen_values = true)]
    messages: Vec<String>,
    /// Read the message from FILE, or from stdin if it is `-`
    #[arg(short = 'F', long, value_name = "FILE", conflicts_with = "messages", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
}

impl MessageArgs {
    /// Whether there is an option with a message.
    pub fn is_given(&self) -> bool {
        self.file.is_some() || !self.messages.is_empty()
    }

    /// The given message; `None` without an option. Waits for the writer of stdin, so must not be called under the lock.
    pub fn read(&self, context: &Context<'_>) -> Result<Option<String>> {
        match &self.file {
            None if self.messages.is_empty() => Ok(None),
            None => Ok(Some(self.messages.join("\n\n"))),
            Some(file) if file == Path::new("-") => read_stdin().map(Some),
            Some(file) => {
                let bytes = fs::read_any(&context.place(file)?)?.ok_or_else(|| no_file(file))?;
                decode(bytes, file).map(Some)
            }
        }
    }
}

/// Reads a message from stdin.
pub fn read_stdin() -> Result<String> {
    let (mut bytes, name) = (Vec::new(), Path::new("stdin"));
    io::stdin().lock().read_to_end(&mut bytes).map_err(|cause| Error::io("read", name, cause))?;
    decode(bytes, name)
}

fn decode(bytes: Vec<u8>, name: &Path) -> Result<String> {
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::new(ErrorKind::Usage, format!("the message in `{}` is not UTF-8", name.display()))
            .hint("convert it first: iconv -t UTF-8")
    })?;
    // The final line end belongs to the file, not to the message.
    Ok(text.trim_end_matches('\n').to_owned())
}

fn no_file(path: &Path) -> Error {
    Error::new(ErrorKind::NotFound, format!("no file `{}`", path.display())).hint("give the message with -m")
}
