//! The command line: global options, grouped help, usage errors, and dispatch to `commands` and `plumbing`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind as ClapKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser};

use crate::commands::{self, Context, help};
use crate::environment::{Durability, Environment, LockWait};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs;
use crate::plumbing;
use crate::terminal::{Options, Ui, When};
use crate::time;

mod foreign_commands;
mod interrupts;
mod usage;

/// Version control for any data directory
///
/// Run `undo commit` before a risky change. One command restores the directory exactly.
#[derive(Debug, Parser)]
#[command(name = "undo", version, styles = STYLES, max_term_width = 100)]
#[command(disable_help_subcommand = true, disable_help_flag = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(flatten)]
    Porcelain(commands::Command),
    #[cfg(feature = "targets")]
    #[command(flatten)]
    Targets(commands::targets::Command),
    #[command(flatten)]
    Plumbing(plumbing::Command),
}

/// Options allowed before and after the command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Run as if started in DIR; each further DIR is relative to the one before
    // clap identifies arguments by field name, so no command may have an argument with the name of a global option.
    #[arg(short = 'C', global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    start: Vec<PathBuf>,
    /// Print no status and no hints
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print more
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Print JSON, one object per line
    #[arg(long, global = true)]
    json: bool,
    /// End records with NUL, and print names unquoted
    #[arg(short = 'z', long = "null", global = true)]
    null: bool,
    /// When to use colours: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    #[arg(hide_possible_values = true, value_parser = when())]
    color: When,
    /// Do not show long output in a pager
    #[arg(long, global = true)]
    no_pager: bool,
    /// When to show progress: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    #[arg(hide_possible_values = true, value_parser = when())]
    progress: When,
    /// How long to wait for another command: `30s`, `5min` or `forever` [default: 5s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = lock_wait)]
    wait: Option<LockWait>,
    /// Unsafe: do not wait for the disk; a power failure may lose commits
    #[arg(long, global = true)]
    no_sync: bool,
    /// Print help
    #[arg(short, long, global = true, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

/// Parses the values of `--color` and `--progress`.
fn when() -> impl TypedValueParser<Value = When> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|word| match word.as_str() {
        "always" => When::Always,
        "never" => When::Never,
        _ => When::Auto,
    })
}

/// Parses the value of `--wait`: `forever`, a number of seconds, or a duration like `30s` or `2 min`.
fn lock_wait(text: &str) -> Result<LockWait, String> {
    if text == "forever" {
        return Ok(LockWait::Forever);
    }
    let limit = match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => time::parse_duration(text),
    };
    limit.map(LockWait::For).ok_or_else(|| "give a duration like `30s` or `5min`, or `forever`".to_owned())
}

impl Global {
    fn environment(&self) -> Environment {
        let durability = if self.no_sync { Durability::NoSync } else { Durability::Synced };
        Environment::from_process().with_durability(durability).with_lock_wait(self.wait.unwrap_or_default())
    }

    fn options(&self) -> Options {
        Options {
            json: self.json,
            quiet: self.quiet,
            verbose: self.verbose,
            color: self.color,
            progress: self.progress,
            pager: !self.no_pager,
            nul: self.null,
        }
    }
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Yellow.on_default().bold())
    .usage(AnsiColor::Yellow.on_default().bold())
    .literal(AnsiColor::Green.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// The groups of commands in `undo help`. Each command is in exactly one group.
const GROUPS: &[(&str, &[&str])] = &[
    ("Record", &["init", "commit", "run", "shell-hook", "agent"]),
    ("Examine", &["status", "log", "show", "diff", "ls", "cat"]),
    ("Restore", &["checkout", "restore", "undo", "redo", "op", "revive", "export"]),
    ("Branches and tags", &["branch", "tag"]),
    #[cfg(feature = "targets")]
    ("Copies elsewhere", &["target", "push", "pull", "clone", "drill"]),
    ("Maintenance", &["stores", "stats", "forget", "recall", "purge", "gc", "verify", "repair"]),
    ("Setup", &["config", "completions", "man", "help"]),
];

/// The complete command line, for help, completion and documentation.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    // clap defers the arguments of each command until it is parsed; the help templates need all of them.
    command.build();
    let template = overview_template(&command);
    command.get_subcommands_mut().for_each(set_template);
    command.help_template(template)
}

fn set_template(command: &mut clap::Command) {
    command.get_subcommands_mut().for_each(set_template);
    let template = command_template(command);
    *command = std::mem::take(command).help_template(template);
}

/// Template of `undo help`, which lists the commands in groups.
fn overview_template(command: &clap::Command) -> String {
    let (head, name) = (STYLES.get_header(), STYLES.get_literal());
    let mut text = format!("{}\n\n{{usage-heading}} {{usage}}\n", description(command));
    for (title, names) in GROUPS {
        text.push_str(&format!("\n{head}{title}:{head:#}\n"));
        for subcommand in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {name}{:<12}{name:#} {about}\n", subcommand.get_name()));
        }
    }
    let plumbing: Vec<&str> = help::plumbing(command).map(clap::Command::get_name).collect();
    text.push_str(&format!("\n{head}For scripts{head:#} (undo help plumbing):\n"));
    text.push_str(&indented(&plumbing.join(", ")));
    text.push_str(&format!("\n{head}Options:{head:#}\n{{options}}{{after-help}}"));
    text
}

fn indented(paragraph: &str) -> String {
    wrapped(paragraph).lines().map(|line| format!("  {line}\n")).collect()
}

/// Template of the help of one command: the long description, then one line for each option.
fn command_template(command: &clap::Command) -> String {
    format!("{}\n\n{{usage-heading}} {{usage}}\n\n{{all-args}}{{after-help}}", description(command))
}

fn description(command: &clap::Command) -> String {
    let text = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    text.lines().map(wrapped).collect::<Vec<_>>().join("\n")
}

/// Wraps an ASCII paragraph at 79 columns.
fn wrapped(paragraph: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in paragraph.split(' ') {
        if width > 0 && width + 1 + word.len() > 79 {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += word.len();
    }
    text
}

/// Parses the command line, runs the command, and returns the exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    fs::keep_owner_rights();
    fs::survive_file_size_limit();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parse = |command: clap::Command| {
        command.try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches))
    };
    // The help templates are built only to show help.
    let parsed = match parse(Cli::command()) {
        Err(error) if error.kind() != ClapKind::DisplayVersion => parse(command()),
        parsed => parsed,
    };
    let mut cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return finish_unparsed(&error, &arguments),
    };
    cli.global.start = directories(cli.global.start, &arguments);
    let environment = cli.global.environment();
    let ui = Ui::new(cli.global.options(), environment.clone());
    let environment = environment.with_wait_report(ui.wait_report());
    if let Err(error) = usage::check_separator(&arguments) {
        return ui.finish(Err(error));
    }
    interrupts::install(&ui, &environment);
    let result = run_command(&ui, environment, cli);
    ui.finish(result)
}

/// All values of `-C`. Of a global option that stands before and after the command, clap keeps only the values after it.
fn directories(parsed: Vec<PathBuf>, arguments: &[OsString]) -> Vec<PathBuf> {
    if arguments.iter().filter(|argument| argument.as_encoded_bytes().starts_with(b"-C")).count() < 2 {
        return parsed;
    }
    // Everything from the command on belongs to an unknown command here.
    let options = Global::augment_args(clap::Command::new("undo")).disable_help_flag(true);
    let Ok(options) = options.allow_external_subcommands(true).try_get_matches_from(arguments) else { return parsed };
    let command_and_rest =
        options.subcommand().map_or(0, |(_, rest)| 1 + rest.get_many::<OsString>("").unwrap_or_default().len());
    let rest = arguments[..1].iter().chain(&arguments[arguments.len() - command_and_rest..]);
    let after = Cli::command().try_get_matches_from(rest).and_then(|matches| Cli::from_arg_matches(&matches));
    let before = options.get_many::<PathBuf>("start").unwrap_or_default().cloned();
    before.chain(after.map(|cli| cli.global.start).unwrap_or_default()).collect()
}

/// Enters the directories of `-C` and runs the command.
fn run_command(ui: &Ui, environment: Environment, cli: Cli) -> Result<Exit> {
    for directory in &cli.global.start {
        std::env::set_current_dir(directory).map_err(|error| {
            Error::new(ErrorKind::Usage, format!("cannot enter `{}`", directory.display())).with_source(error)
        })?;
    }
    let (cwd, is_removed) = match fs::current_dir() {
        Err(error) if error.is_not_found() => (fs::above_removed_dir().ok_or(error)?, true),
        result => (result?, false),
    };
    let context = Context { ui, cwd, environment, is_removed, command_line: command };
    let result = match cli.command {
        Some(Command::Plumbing(command)) => plumbing::run(&context, command),
        Some(Command::Porcelain(command)) => commands::run(&context, command),
        #[cfg(feature = "targets")]
        Some(Command::Targets(command)) => commands::targets::run(&context, command),
        None => commands::overview::run(&context).map(Exit::from),
    };
    result.map_err(|error| context.explain_owners(error))
}

/// Prints help and version on stdout; reports anything else as a usage error. The global options are not parsed, so this
/// searches the arguments for the options that the output depends on.
fn finish_unparsed(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let options = || arguments.iter().take_while(|argument| *argument != "--");
    let color = if options().any(|argument| argument == "--color=never") { When::Never } else { When::Auto };
    let json = options().any(|argument| argument == "--json");
    match error.kind() {
        ClapKind::DisplayHelp | ClapKind::DisplayVersion | ClapKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let ui = Ui::new(Options { color, ..Options::default() }, Environment::from_process());
            ui.finish(ui.help(&error.render().ansi().to_string()).map(|()| Exit::SUCCESS))
        }
        _ => {
            let ui = Ui::new(Options { json, color, ..Options::default() }, Environment::from_process());
            ui.finish(Err(usage::convert(error, command(), arguments)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn commands_are_in_one_group_each() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let command = command();
        let mut all: Vec<&str> =
            command.get_subcommands().filter(|one| !one.is_hide_set()).map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        all.sort_unstable();
        assert_eq!(grouped, all);
    }

    #[test]
    fn global_options_work_before_and_after_the_command() {
        for line in [["undo", "--json", "status"], ["undo", "status", "--json"]] {
            let matches = command().try_get_matches_from(line).unwrap();
            assert!(Cli::from_arg_matches(&matches).unwrap().global.json);
        }
    }

    #[test]
    fn commands_that_run_programs_are_known_to_the_shell() {
        let runs = |line: &str| !crate::shell::runs_only_undo(line.as_bytes());
        let command = command();
        let takes_value = |one: &&clap::Arg| one.get_action().takes_values();
        for option in command.get_arguments().filter(takes_value) {
            let long = option.get_long().map(|name| format!("--{name}"));
            for name in option.get_short().map(|letter| format!("-{letter}")).into_iter().chain(long) {
                assert!(
                    runs(&format!("undo {name} value run rm")) && !runs(&format!("undo {name} run status")),
                    "{name}"
                );
            }
        }
        let mut found = Vec::new();
        for subcommand in command.get_subcommands() {
            let is_program =
                |one: &&clap::Arg| one.get_value_names().unwrap_or_default().iter().any(|name| *name == "CMD");
            for argument in subcommand.get_arguments().filter(is_program) {
                let option = argument.get_long().map(|name| format!("--{name}")).unwrap_or_default();
                assert!(runs(&format!("undo {} {option} rm", subcommand.get_name())), "{}", subcommand.get_name());
                found.push(subcommand.get_name());
            }
        }
        assert!(found.contains(&"run") && found.contains(&"diff"), "{found:?}");
    }

    #[test]
    fn argument_names_differ_from_global_options() {
        let command = command();
        let globals: Vec<_> =
            command.get_arguments().filter(|one| one.is_global_set()).map(|one| one.get_id()).collect();
        assert!(globals.len() > 5, "{globals:?}");
        for subcommand in command.get_subcommands() {
            let own = subcommand.get_arguments().filter(|one| !one.is_global_set()).map(|one| one.get_id());
            let shared: Vec<_> = own.filter(|id| globals.contains(id)).collect();
            assert!(shared.is_empty(), "{}: {shared:?}", subcommand.get_name());
        }
    }

    #[test]
    fn text_values_may_begin_with_a_hyphen() {
        const TEXT: [&str; 6] = ["MSG", "TEXT", "TIME", "FORMAT", "REASON", "PATTERN"];
        fn check(command: &clap::Command) -> usize {
            let is_text = |one: &&clap::Arg| {
                let names = one.get_value_names().unwrap_or_default();
                !one.is_positional() && names.iter().any(|name| TEXT.contains(&name.as_str()))
            };
            let arguments: Vec<_> = command.get_arguments().filter(is_text).collect();
            for one in &arguments {
                assert!(one.is_allow_hyphen_values_set(), "{} {}", command.get_name(), one.get_id());
            }
            arguments.len() + command.get_subcommands().map(check).sum::<usize>()
        }
        assert!(check(&command()) > 8);
    }

    #[test]
    fn each_directory_is_relative_to_the_one_before() {
        for line in
            ["undo -C a -C b log", "undo -Ca log -C b", "undo log -C a -C b", "undo --json -C a --color never -C b"]
        {
            let matches = command().try_get_matches_from(line.split(' ')).unwrap();
            let parsed = Cli::from_arg_matches(&matches).unwrap().global.start;
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(directories(parsed, &arguments), ["a", "b"].map(PathBuf::from), "{line}");
        }
    }

    #[test]
    fn unknown_commands_are_corrected() {
        let error = command().try_get_matches_from(["undo", "comit"]).unwrap_err();
        assert_eq!(error.kind(), ClapKind::InvalidSubcommand);
        assert!(error.render().to_string().contains("'commit'"));
    }
}
