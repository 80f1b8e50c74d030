//! What the completion scripts for bash, zsh and fish read: values and descriptions, each ended by NUL, since a name can have
//! any other byte.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use clap_complete::CompletionCandidate;
use clap_complete::engine;
use clap_complete::env::{Elvish, EnvCompleter, Powershell, Shells};

/// The protocols of all shells.
pub const SHELLS: Shells<'static> = Shells(&[&BYTES, &TEXT, &Elvish, &Powershell]);

/// Prints values of any bytes, for bash and zsh.
const BYTES: Protocol = Protocol { name: "bytes", accepts: |_| true };

/// Prints only values that are UTF-8 without a TAB: fish has no words of other bytes, and separates the description by a TAB.
const TEXT: Protocol =
    Protocol { name: "text", accepts: |value| value.to_str().is_some_and(|text| !text.contains('\t')) };

struct Protocol {
    /// The value of the environment variable that requests it.
    name: &'static str,
    /// Whether the shell can read a value.
    accepts: fn(&OsStr) -> bool,
}

impl EnvCompleter for Protocol {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is(&self, name: &str) -> bool {
        name == self.name
    }

    fn write_registration(&self, _: &str, _: &str, _: &str, _: &str, _: &mut dyn Write) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let found = complete(command, words, directory)?;
        for one in found.iter().filter(|one| (self.accepts)(one.get_value())) {
            let help = one.get_help().map(ToString::to_string).unwrap_or_default();
            for text in [one.get_value().as_bytes(), help.lines().next().unwrap_or_default().as_bytes()] {
                out.write_all(text)?;
                out.write_all(b"\0")?;
            }
        }
        Ok(())
    }
}

/// Completes the last word. Offers no options for an empty word.
fn complete(
    command: &mut clap::Command,
    words: Vec<OsString>,
    directory: Option<&Path>,
) -> io::Result<Vec<CompletionCandidate>> {
    let is_empty = words.last().is_none_or(|word| word.is_empty());
    if is_empty {
        // Otherwise the options displace hidden files.
        *command = without_visible_options(std::mem::take(command));
    }
    let last = words.len().saturating_sub(1);
    let mut found = engine::complete(command, words, last, directory)?;
    found.retain(|one| !is_empty || !is_option(one));
    Ok(found)
}

fn without_visible_options(command: clap::Command) -> clap::Command {
    command
        .mut_args(|argument| if argument.is_positional() { argument } else { argument.hide(true) })
        .mut_subcommands(without_visible_options)
}

/// Whether a candidate is an option, and not a value that begins with a hyphen.
fn is_option(candidate: &CompletionCandidate) -> bool {
    candidate.get_id().is_some() && candidate.get_value().as_bytes().starts_with(b"-")
}
