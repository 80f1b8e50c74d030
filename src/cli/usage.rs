//! Usage errors: what the parser found, told as every other failure is.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind as Kind};

use super::foreign_commands;
use crate::error::{Error, ErrorKind};

/// The parser's error in this project's words. The hint is what another tool's word is here, a likely correction, how the
/// command is written, or where its help is.
pub(super) fn error(error: &clap::Error, command: clap::Command, arguments: &[OsString]) -> Error {
    let place = place(command.clone(), arguments);
    let hint = other_tools(error, &place).unwrap_or_else(|| match correction(error, &command) {
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

fn other_tools(error: &clap::Error, place: &[String]) -> Option<String> {
    let hint = match (error.get(ContextKind::InvalidSubcommand), error.get(ContextKind::InvalidArg)) {
        (Some(ContextValue::String(name)), _) if place.is_empty() => foreign_commands::command(name),
        (None, Some(ContextValue::String(name))) => foreign_commands::option(place.first()?, name),
        _ => None,
    };
    hint.map(str::to_owned)
}

/// The first paragraph, in one line.
fn message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraph = text.trim_start_matches("error: ").lines().take_while(|line| !line.is_empty());
    let line = paragraph.map(str::trim).collect::<Vec<_>>().join(" ").replace('\'', "`");
    line.trim_end_matches(" found").to_owned()
}

/// What was probably meant. A mistyped command was more likely one for people than one for scripts: one of those is suggested only
/// where there is no other. An option that does not even begin alike is no help.
fn correction(error: &clap::Error, command: &clap::Command) -> Option<String> {
    // The likeliest stands last.
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

/// The command that the arguments are for, as it is typed: `op`, `log`.
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
