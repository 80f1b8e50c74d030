//! Converts errors of clap, the argument parser, to usage errors.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind as Kind};

use super::foreign_commands;
use crate::error::{Error, ErrorKind};

/// Converts an error of the parser. The hint is the equivalent of another tool's command, a likely correction, the usage of
/// the command, or the command that shows its help.
pub(super) fn convert(error: &clap::Error, command: clap::Command, arguments: &[OsString]) -> Error {
    let place = place(command.clone(), arguments);
    let hint = foreign_hint(error, &place).unwrap_or_else(|| match correction(error, &command) {
        Some(name) => format!("did you mean `{name}`?"),
        None => match (error.kind(), error.get(ContextKind::Usage)) {
            (Kind::MissingRequiredArgument | Kind::MissingSubcommand, Some(usage)) => {
                usage.to_string().replacen("Usage: ", "usage: ", 1)
            }
            _ => ["undo help"].into_iter().chain(place.iter().map(String::as_str)).collect::<Vec<_>>().join(" "),
        },
    });
    Error::new(ErrorKind::Usage, message(error)).hint(hint)
}

fn foreign_hint(error: &clap::Error, place: &[String]) -> Option<String> {
    let hint = match (error.get(ContextKind::InvalidSubcommand), error.get(ContextKind::InvalidArg)) {
        (Some(ContextValue::String(name)), _) if place.is_empty() => foreign_commands::command_hint(name),
        (None, Some(ContextValue::String(name))) => foreign_commands::option_hint(place.first()?, name),
        _ => None,
    };
    hint.map(str::to_owned)
}

/// The first paragraph of clap's message, joined to one line.
fn message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraph = text.trim_start_matches("error: ").lines().take_while(|line| !line.is_empty());
    let line = paragraph.map(str::trim).collect::<Vec<_>>().join(" ").replace('\'', "`");
    line.trim_end_matches(" found").to_owned()
}

/// A likely correction. Suggests a plumbing command only if no other command is similar, and an option only if it starts with
/// the same letter.
fn correction(error: &clap::Error, command: &clap::Command) -> Option<String> {
    // Sorted by similarity, the most similar last.
    if let Some(ContextValue::Strings(names)) = error.get(ContextKind::SuggestedSubcommand) {
        let is_listed = |name: &&String| command.find_subcommand(name).is_some_and(|one| !one.is_hide_set());
        return names.iter().rev().find(is_listed).or(names.last()).cloned();
    }
    match (error.get(ContextKind::InvalidArg), error.get(ContextKind::SuggestedArg)) {
        (Some(ContextValue::String(wrong)), Some(ContextValue::String(name)))
            if wrong.as_bytes().get(2) == name.as_bytes().get(2) =>
        {
            Some(name.clone())
        }
        _ => None,
    }
}

/// The names of the given command and subcommand: `op`, `log`.
fn place(command: clap::Command, arguments: &[OsString]) -> Vec<String> {
    let mut place = Vec::new();
    let Ok(matches) = command.ignore_errors(true).try_get_matches_from(arguments) else { return place };
    let mut matches = &matches;
    while let Some((name, below)) = matches.subcommand() {
        place.push(name.to_owned());
        matches = below;
    }
    place
}
