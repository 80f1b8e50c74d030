//! `undo run`: records, runs a command, records what it did, and takes that back on request.

mod verdict;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::commands::{Context, background, complete};
use crate::effect::Guard;
use crate::environment::Phase;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs;
use crate::object::RunInfo;
use crate::object::run_info::words;
use crate::quote::shell_word;
use crate::workspace::{INSIDE_RUN, is_inside_run};

use verdict::OnFail;

/// Run a command and record the directory before and after
///
/// The command uses the terminal, and `undo run` exits with its status. Its changes are summarized on stderr and recorded,
/// so one `undo undo` reverts them. A guard is a limit: if the command reaches it, all its changes are undone, and the exit
/// status is 6.
#[derive(Debug, clap::Args)]
#[command(after_help = "Guards: added<N, deleted<N and changed<N limit the number of paths, or with N% their share;
grown<SIZE limits the growth in bytes, with K, M, G or T. A path that was renamed without an edit is
neither added nor deleted. Quote guards: shells interpret `<`.

Exit status: that of the command, 128 + N if signal N ended it, 127 if it was not found, 126 if
it could not be started, 125 if undo failed. See `undo help exit-codes`.

Examples:
  undo run -- make install
  undo run --rollback -- ./clean-up.sh          try it out
  undo run --on-fail rollback -- ./migrate.sh
  undo run --guard 'deleted<100' --guard 'changed<5%' -- rsync -a --delete /src/ data/")]
pub struct Args {
    /// What to do with the changes of a failed command [default: ask on a terminal, else keep]
    #[arg(long, value_name = "WHAT")]
    on_fail: Option<OnFail>,
    /// Always undo the changes, to try out a command
    #[arg(long)]
    rollback: bool,
    /// Undo the changes unless they stay below this limit
    #[arg(long, value_name = "BOUND")]
    guard: Vec<Guard>,
    /// Commit message [default: the command line]
    #[arg(short, long, value_name = "MSG", allow_hyphen_values = true)]
    message: Option<String>,
    /// Command to run, and its arguments
    #[arg(value_name = "CMD", required = true, trailing_var_arg = true)]
    #[arg(add = complete::with(complete::programs_or_paths))]
    command: Vec<OsString>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut workspace = context.workspace_to_finish().map_err(not_run)?;
    let mut lock = match workspace.lock_run() {
        Err(error) if error.kind() == ErrorKind::Locked && is_inside_run(&workspace.repository.layout.worktree) => {
            return run_inside(context, args);
        }
        lock => lock.map_err(not_run)?,
    };
    let command = words(&args.command);
    let before = workspace.record_before_run(&mut lock, &command, context.ui.progress());
    context.report_notices(&workspace.take_notices());
    let before = before.map_err(not_run)?;
    let incomplete = verdict::report_recorded(context, &workspace, &before.outcome);
    let inside = (INSIDE_RUN, workspace.repository.layout.worktree.as_os_str());
    let ended = fs::run_program(&args.command, &[inside]).map_err(|error| {
        // Nothing has changed.
        workspace.repository.forget_unrecorded_run();
        not_started(error, &args.command)
    })?;
    workspace.repository.environment.set_phase(Phase::CommandRan);
    let ran =
        RunInfo { command, exit: ended.exit, duration: ended.duration.as_millis().try_into().unwrap_or(u64::MAX) };
    let ended_by = |error: Error| after_command(error.context(format_args!("after `{}`", ran.short())));
    let on_wait =
        |held: &Error| context.ui.warning(format_args!("waiting to record the changes of `{}`: {held}", ran.short()));
    let after = workspace.record_after_run(&before, &ran, args.message.as_deref(), &on_wait, context.ui.progress());
    context.report_notices(&workspace.take_notices());
    let after = after.map_err(ended_by)?;
    let is_known = after.outcome.uncovered == before.outcome.uncovered && after.outcome.torn.is_empty();
    let incomplete = match is_known {
        true => incomplete,
        false => verdict::report_recorded(context, &workspace, &after.outcome).or(incomplete),
    };
    let exit =
        verdict::carry_out(context, &mut workspace, args, &ran, (&before, &after), incomplete).map_err(ended_by)?;
    background::start_if_needed(&workspace);
    Ok(exit)
}

/// Runs the command and leaves the recording to the outer `undo run`.
fn run_inside(context: &Context<'_>, args: &Args) -> Result<Exit> {
    if args.rollback || args.on_fail == Some(OnFail::Rollback) || !args.guard.is_empty() {
        let message =
            "a rollback or guard is not possible inside another `undo run`, which records the changes of both";
        return Err(not_run(
            Error::new(ErrorKind::Refused, message).hint("give these options to the outer `undo run`"),
        ));
    }
    context.ui.status("note: the outer `undo run` records the changes of this command");
    let ended = fs::run_program(&args.command, &[]).map_err(|error| not_started(error, &args.command))?;
    Ok(Exit(ended.exit))
}

/// The status of a failure before the command ran. A lock held by another run keeps its own status.
fn not_run(error: Error) -> Error {
    if error.kind() == ErrorKind::Locked { error } else { error.ends_with(Exit::NOT_RUN) }
}

/// The status of a failure after the command ran. An interrupt keeps its own status.
fn after_command(error: Error) -> Error {
    if error.kind() == ErrorKind::Interrupted { error } else { error.ends_with(Exit::NOT_RUN) }
}

/// The error of a command that could not be started. One word with a space may be a line for a shell.
fn not_started(error: Error, command: &[OsString]) -> Error {
    match command {
        _ if !error.is_not_found() => {
            error.hint("check that the file is an executable program: ls -l").ends_with(Exit::NOT_STARTED)
        }
        [line] if line.as_bytes().contains(&b' ') => {
            let hint = format!("to run a line in a shell: undo run -- sh -c {}", shell_word(line.as_bytes()));
            error.hint(hint).ends_with(Exit::NO_PROGRAM)
        }
        _ => error.ends_with(Exit::NO_PROGRAM),
    }
}
