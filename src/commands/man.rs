//! `undo man`: prints manual pages.

use clap_mangen::Man;

use crate::commands::{self, Context, complete};
use crate::error::{Error, ErrorKind, Result};

/// Print a manual page
///
/// Prints the page of a command, or of undo itself, in roff for `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo man commit | man -l -
  undo man > /usr/local/share/man/man1/undo.1")]
pub struct Args {
    /// Command to document
    #[arg(value_name = "COMMAND", add = complete::with(complete::commands_of))]
    command: Vec<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let page = page((context.command_line)(), &args.command)?;
    context.ui.bytes(&page)
}

/// Formats the page of a command, or of the whole program.
fn page(mut root: clap::Command, words: &[String]) -> Result<Vec<u8>> {
    let command = commands::find(&mut root, words).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("no command `{}`", words.join(" "))).hint("undo help")
    })?;
    let mut page = Vec::new();
    Man::new(command.clone())
        .manual("undo")
        .source(concat!("undo ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .expect("writing to memory does not fail");
    Ok(page)
}
