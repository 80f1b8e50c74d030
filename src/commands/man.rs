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
    let man = Man::new(command.clone()).manual("undo").source(concat!("undo ", env!("CARGO_PKG_VERSION")));
    man.render(&mut page).expect("writing to memory does not fail");
    Ok(with_usage(&page, &command.render_usage().to_string()))
}

/// Replaces the synopsis, which lacks the names of values, by the usage of the help.
fn with_usage(page: &[u8], usage: &str) -> Vec<u8> {
    const SYNOPSIS: &str = ".SH SYNOPSIS\n";
    let text = String::from_utf8_lossy(page);
    let Some((before, (_, after))) =
        text.split_once(SYNOPSIS).and_then(|(before, rest)| Some((before, rest.split_once("\n.SH ")?)))
    else {
        return page.to_vec();
    };
    let lines =
        usage.trim_start_matches("Usage:").lines().map(|line| line.trim().replace('\\', "\\e").replace('-', "\\-"));
    let lines = lines.collect::<Vec<_>>().join("\n.br\n");
    format!("{before}{SYNOPSIS}{lines}\n.SH {after}").into_bytes()
}
