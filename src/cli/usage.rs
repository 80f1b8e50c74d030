//! Converts errors of clap, the argument parser, to usage errors.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use clap::error::{ContextKind, ContextValue, ErrorKind as Kind};

use super::foreign_commands;
use crate::error::{Error, ErrorKind, Result};
use crate::history::suggestions::close_names;
use crate::quote::shell_word;

/// Converts an error of the parser. The hint is the equivalent of another tool's command, a likely correction, the usage of
/// the command, or the command that shows its help.
pub(super) fn convert(error: &clap::Error, command: clap::Command, arguments: &[OsString]) -> Error {
    let place = place(command.clone(), arguments);
    let found = foreign_hint(error, &place).or_else(|| separator_hint(error, &place, arguments));
    let found = found.or_else(|| restore_hint(error, &place, arguments));
    let hint = found.unwrap_or_else(|| match correction(error, &command, &place) {
        Some(name) => format!("did you mean `{name}`?"),
        None => match (error.kind(), error.get(ContextKind::Usage)) {
            (Kind::MissingRequiredArgument | Kind::MissingSubcommand, Some(usage)) => {
                let usage = usage.to_string().replacen("Usage: ", "usage: ", 1);
                usage.lines().next().unwrap_or_default().to_owned()
            }
            (Kind::UnknownArgument, _) if dashed_path(error, &place).is_some() => {
                let word = dashed_path(error, &place).unwrap_or_default();
                format!("to name a path that begins with `-`: undo {} -- {word}", place.join(" "))
            }
            _ => ["undo help"].into_iter().chain(place.iter().map(String::as_str)).collect::<Vec<_>>().join(" "),
        },
    });
    Error::new(ErrorKind::Usage, number_problem(error, &place).unwrap_or_else(|| message(error))).hint(hint)
}

/// [`ErrorKind::Usage`] if nothing follows `--`: in a script, an empty list of paths must not mean all paths.
pub(super) fn check_separator(arguments: &[OsString]) -> Result<()> {
    match arguments.iter().position(|argument| argument == "--") {
        Some(at) if at + 1 == arguments.len() => {
            Err(Error::new(ErrorKind::Usage, "nothing follows `--`").hint("name paths after `--`, or leave it out"))
        }
        _ => Ok(()),
    }
}

/// The hint for paths of `checkout` that lack a `--`.
fn separator_hint(error: &clap::Error, place: &[String], arguments: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else { return None };
    if let Some(hint) = quoting_hint(error, arguments) {
        return Some(hint);
    }
    if error.kind() != Kind::UnknownArgument || place != ["checkout"] || wrong.starts_with('-') {
        return None;
    }
    let at = arguments.iter().rposition(|argument| *argument == **wrong)?;
    let word = |argument: &OsString| shell_word(argument.as_bytes()).into_owned();
    let (before, after) = arguments[1..].split_at(at - 1);
    let words: Vec<String> = before.iter().map(word).chain(["--".to_owned()]).chain(after.iter().map(word)).collect();
    Some(format!("to restore only some paths: undo {}", words.join(" ")))
}

/// The hint for `checkout -- PATH`, which git reads as paths of the index.
fn restore_hint(error: &clap::Error, place: &[String], arguments: &[OsString]) -> Option<String> {
    if error.kind() != Kind::MissingRequiredArgument || place != ["checkout"] {
        return None;
    }
    let at = arguments.iter().position(|argument| argument == "--")?;
    let words: Vec<_> = arguments[at + 1..].iter().map(|argument| shell_word(argument.as_bytes())).collect();
    Some(format!("to restore paths from the last commit: undo restore {}", words.join(" ")))
}

/// The hint for `@{prompt 3}` without quotes, which a shell splits.
fn quoting_hint(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let is_split = |pair: &[OsString]| pair[0].as_bytes().starts_with(b"@{") && pair[1].as_bytes().ends_with(b"}");
    let at = arguments.windows(2).position(is_split).filter(|_| error.kind() == Kind::UnknownArgument)?;
    let revision = [arguments[at].as_bytes(), b" ", arguments[at + 1].as_bytes()].concat();
    let (before, after) = (&arguments[1..at], &arguments[at + 2..]);
    let words =
        before.iter().map(|word| word.as_bytes()).chain([&*revision]).chain(after.iter().map(|word| word.as_bytes()));
    let words: Vec<String> = words.map(|word| shell_word(word).into_owned()).collect();
    Some(format!("quote the revision, which has a space: undo {}", words.join(" ")))
}

/// Describes an argument that should be a number; `None` if the error has another cause.
fn number_problem(error: &clap::Error, place: &[String]) -> Option<String> {
    let (Some(ContextValue::String(value)), Some(ContextValue::String(argument))) =
        (error.get(ContextKind::InvalidValue), error.get(ContextKind::InvalidArg))
    else {
        return None;
    };
    let cause = std::error::Error::source(error)?.to_string();
    let are_steps = matches!(place, [command] if command == "undo" || command == "redo");
    let problem = match cause.as_str() {
        "number too large to fit in target type" => "is too large".to_owned(),
        _ if value.parse::<u128>().is_ok_and(|count| count > u128::from(u32::MAX)) => "is too large".to_owned(),
        _ if are_steps => "is not a number of steps: give 1 or more".to_owned(),
        "invalid digit found in string" | "cannot parse integer from empty string" => not_a_count(value).to_owned(),
        cause => {
            let least = cause.split_once(" is not in ")?.1.split("..").next()?;
            format!("is too small: give {least} or more")
        }
    };
    let place = if argument.starts_with('-') { format!(" (`{argument}`)") } else { String::new() };
    Some(format!("`{}` {problem}{place}", value.escape_debug()))
}

/// Why a text is not a count of 0 or more.
fn not_a_count(text: &str) -> &'static str {
    match text.parse::<f64>() {
        Ok(_) if text.parse::<i128>().is_ok() => "is too small: give 0 or more",
        Ok(number) if number.is_finite() => "is not a whole number",
        _ => "is not a number",
    }
}

fn foreign_hint(error: &clap::Error, place: &[String]) -> Option<String> {
    let hint = match (error.get(ContextKind::InvalidSubcommand), error.get(ContextKind::InvalidArg)) {
        (Some(ContextValue::String(name)), _) if place.is_empty() => foreign_commands::command_hint(name),
        (None, Some(ContextValue::String(name))) => foreign_commands::option_hint(place.first()?, name),
        _ => None,
    };
    hint.map(str::to_owned)
}

/// An unknown option of one letter, of a command that has few options.
fn dashed_path(error: &clap::Error, place: &[String]) -> Option<String> {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else { return None };
    let takes_paths = matches!(place, [command] if ["restore", "purge"].contains(&command.as_str()));
    (takes_paths && wrong.starts_with('-') && !wrong.starts_with("--"))
        .then(|| shell_word(wrong.as_bytes()).into_owned())
}

/// The first paragraph of clap's message, joined to one line.
fn message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraph = text.trim_start_matches("error: ").lines().take_while(|line| !line.is_empty());
    let line = paragraph.map(str::trim).collect::<Vec<_>>().join(" ").replace('\'', "`");
    let line = line.replacen("unrecognized subcommand", "unknown command", 1);
    line.trim_end_matches(" found").to_owned()
}

/// A likely correction. Suggests a plumbing command only if no other command is similar, and an option only if it starts with
/// the same letter.
fn correction(error: &clap::Error, command: &clap::Command, place: &[String]) -> Option<String> {
    if let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) {
        let parent = place.iter().try_fold(command, |command, name| command.find_subcommand(name))?;
        let (hidden, listed): (Vec<_>, Vec<_>) = parent.get_subcommands().partition(|one| one.is_hide_set());
        let nearest = |commands: Vec<&clap::Command>| {
            let names: Vec<&str> = commands.into_iter().map(clap::Command::get_name).collect();
            close_names(typed, &names).first().map(|name| (*name).to_owned())
        };
        return nearest(listed).or_else(|| nearest(hidden));
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
