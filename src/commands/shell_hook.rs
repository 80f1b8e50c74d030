//! `undo shell-hook`: prints the hook of a shell, which calls the same command before guarded commands.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::commands::{Context, background};
use crate::environment::Phase;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs;
use crate::quote::visible;
use crate::shell::{Guards, Shell, guarded_commands, script};
use crate::workspace::{
    AutomaticOutcome, Deadline, ShellSettings, find_threatened, is_inside_run, mounts_among, record_before,
};

/// Record directories before destructive shell commands
///
/// Prints the hook of the shell. Before a command such as `rm -r`, the hook records the directories that the command may change, in
/// an automatic commit beside the branch. Other commands start no process.
///
/// The setting `shell.guard` lists the commands. With `shell.strict`, a command is refused if its state could not be recorded. Both
/// apply to new shells. `UNDO_GUARD=off` before a command runs it unrecorded. docs/shell.md says what is not
/// covered.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  eval \"$(undo shell-hook bash)\"                          at the end of ~/.bashrc
  eval \"$(undo shell-hook zsh)\"                           at the end of ~/.zshrc
  undo shell-hook fish | source                           in ~/.config/fish/config.fish
  undo config --global shell.guard \"default, kubectl delete\"
  undo config --global shell.strict true")]
pub struct Args {
    /// Shell to print the hook of
    #[arg(value_name = "SHELL", value_parser = shell_name())]
    shell: Shell,
    /// Record before this command line (used by the hook)
    #[arg(long, hide = true, value_name = "LINE", allow_hyphen_values = true)]
    before: Option<OsString>,
    /// Fail if the state before the command line is incomplete, as `shell.strict` asks for
    #[arg(long, hide = true, requires = "before")]
    strict: bool,
    /// Patterns match names that begin with a dot, too
    #[arg(long, hide = true, requires = "before")]
    dotfiles: bool,
    /// Variable that the command line uses
    #[arg(long = "variable", hide = true, value_name = "NAME=VALUE", requires = "before", allow_hyphen_values = true)]
    variables: Vec<OsString>,
    /// Alias that the command line uses
    #[arg(long = "alias", hide = true, value_name = "NAME=TEXT", requires = "before", allow_hyphen_values = true)]
    aliases: Vec<OsString>,
}

/// Time in which all directories must be recorded.
const LIMIT: Duration = Duration::from_secs(10);

/// Parses the name of a shell.
fn shell_name() -> impl TypedValueParser<Value = Shell> {
    let names = Shell::ALL.map(Shell::name);
    PossibleValuesParser::new(names).map(|word| Shell::from_name(&word).expect("the parser accepts only shells"))
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let settings = ShellSettings::load(&context.environment);
    settings.problems.iter().for_each(|problem| context.ui.warning(problem));
    match &args.before {
        Some(line) => Ok(record(context, args, line, &settings.guards)),
        None => {
            context.ui.bytes(script(args.shell, &settings.guards, settings.is_strict).as_bytes())?;
            Ok(Exit::SUCCESS)
        }
    }
}

/// Records before the guarded commands of a line. Succeeds only if everything that the commands may change is recorded.
fn record(context: &Context<'_>, args: &Args, line: &OsStr, guards: &Guards) -> Exit {
    // While it is stopped, it would keep its lock, and the shell would run the line.
    fs::ignore_stop_key();
    fs::exit_on_interrupt(&context.environment, |phase| {
        let problem = match phase {
            // Of several directories, some are recorded.
            Phase::Recording | Phase::Recorded => "may be only partly recorded",
            _ => "was not recorded",
        };
        let message = format!("interrupted: the state before this command {problem}");
        context.ui.error_text(&Error::new(ErrorKind::Interrupted, message))
    });
    let deadline = Deadline::after(LIMIT);
    let split = |pair: &OsString| {
        let (name, text) = pair.as_bytes().split_at(pair.as_bytes().iter().position(|&byte| byte == b'=')?);
        Some((name.to_vec(), text[1..].to_vec()))
    };
    let variables: Vec<_> = args.variables.iter().filter_map(split).collect();
    let variable = |name: &str| {
        let passed = variables.iter().find(|(known, _)| known == name.as_bytes());
        passed.map(|(_, value)| value.clone()).or_else(|| fs::variable(name))
    };
    let aliases: Vec<_> = args.aliases.iter().filter_map(split).collect();
    let commands = guarded_commands(line.as_bytes(), args.shell, guards, &aliases, &variable);
    let seconds = LIMIT.as_secs();
    let interrupt = if args.strict { "refuses the command" } else { "skips the recording" };
    let announcement = |doing: &str| format!("{doing} before this command, for up to {seconds} s (Ctrl-C {interrupt})");
    let threatened = context.ui.announce(&announcement("searching for repositories"), || {
        find_threatened(&commands, &context.cwd, args.dotfiles, deadline, &context.environment)
    });
    let mut exit = Exit::SUCCESS;
    for (_, problem) in &threatened.problems {
        exit = exit.or(context.ui.error(problem));
    }
    for (directory, lost) in threatened.unattached {
        let shown = visible(directory.as_os_str().as_bytes());
        exit = exit.or(context.ui.error(&lost.context(format!("{shown} was not recorded before this command"))));
    }
    for directory in &threatened.directories {
        let shown = visible(directory.as_os_str().as_bytes());
        let record = || record_one(context, args, (directory, &threatened.named), line, deadline);
        let recorded = context.ui.announce(&announcement(&format!("recording {shown}")), record);
        exit = exit.or(match recorded {
            Ok(recorded) => recorded,
            Err(error) => context.ui.error(&error.context(format!("{shown} was not recorded before this command"))),
        });
    }
    for deleted in &threatened.deleted_stores {
        context.ui.warning(deleted);
        exit = exit.or(deleted.exit());
    }
    if threatened.has_unknown_paths {
        let unknown = "cannot tell which paths this command names; they may not be recorded";
        context.ui.warning(unknown);
        exit = exit.or(ErrorKind::Refused.exit());
    }
    if !threatened.deleted_stores.is_empty() && !args.strict {
        context.ui.hint("to refuse such commands in new shells: undo config --global shell.strict true");
    }
    exit
}

/// Records a directory before a line that names these paths.
fn record_one(
    context: &Context<'_>,
    args: &Args,
    (directory, named): (&Path, &[PathBuf]),
    line: &OsStr,
    deadline: Deadline,
) -> Result<Exit> {
    let progress = context.ui.progress();
    let line = line.as_bytes();
    let (workspace, outcome) = record_before(directory, args.shell, line, deadline, &context.environment, progress)?;
    if matches!(&outcome, AutomaticOutcome::Recorded(outcome) if outcome.created) {
        background::start_if_needed(&workspace);
    }
    let mounts = match &outcome {
        AutomaticOutcome::Recorded(outcome) => mounts_among(named, directory, outcome),
        _ => Vec::new(),
    };
    context.report_paths("not recorded before this command, because something is mounted there", &mounts);
    let exit = if mounts.is_empty() { Exit::SUCCESS } else { Exit::INCOMPLETE };
    match outcome {
        // In strict mode, what an earlier commit lacks counts as well.
        AutomaticOutcome::Recorded(outcome) if outcome.created || args.strict => {
            Ok(context.warn_incomplete(&outcome.uncovered, &outcome.torn, &outcome.without_attributes).or(exit))
        }
        AutomaticOutcome::Recorded(_) => Ok(exit),
        // That run was started to record the commands of this shell together.
        AutomaticOutcome::RunIsRunning(_) if is_inside_run(directory) => Ok(Exit::SUCCESS),
        AutomaticOutcome::RunIsRunning(refusal) => Err(refusal),
        // The user was asked before.
        AutomaticOutcome::Undecided(_) if !args.strict => Ok(Exit::SUCCESS),
        AutomaticOutcome::Undecided(refusal) => Err(refusal),
    }
}
