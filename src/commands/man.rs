//! `undo man`: manual pages, made from the tree of commands.

use clap_mangen::Man;

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Exit, Result};

/// Print a manual page
///
/// In roff, for `man`: of undo itself, or of a command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo man commit | man -l -
  undo man > /usr/local/share/man/man1/undo.1")]
pub struct Args {
    /// Which command
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let page = page((context.command_line)(), args.command.as_deref())?;
    context.ui.data(|out| out.write_all(&page).map_err(|error| Error::io("write to", "stdout".as_ref(), error)))?;
    Ok(Exit::DONE)
}

/// The page of a command, or of the whole.
fn page(root: clap::Command, name: Option<&str>) -> Result<Vec<u8>> {
    let command = match name {
        None => root,
        Some(name) => root
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no command `{name}`")).hint("undo help"))?,
    };
    let mut page = Vec::new();
    Man::new(command)
        .manual("undo")
        .source(concat!("undo ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .expect("writing to memory does not fail");
    Ok(page)
}
