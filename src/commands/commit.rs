//! `undo commit`: records the worktree.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::commands::context::Remedies;
use crate::commands::message::MessageArgs;
use crate::commands::{Context, background, complete, init};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs;
use crate::number::pluralize;
use crate::object::commit::{Reason, Uncovered};
use crate::path::selection::PathSelection;
use crate::quote::shell_word;
use crate::repo::Repository;
use crate::report::changes::Tally;
use crate::report::commits::{Amended, Committed, ExpectedCommit};
use crate::snapshot::Outcome;
use crate::time;
use crate::workspace::{AutomaticOptions, AutomaticOutcome, CommitOptions, Deadline, Workspace};

/// Record the current state of the directory
///
/// Records the whole directory, or only PATHs. Changes no file of the directory.
/// If nothing has changed, creates no commit and succeeds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo commit -m \"before the upgrade\"
  undo commit && ./risky-script
  undo commit --init          create a repository here if there is none
  undo commit --amend -m \"before the upgrade of db1\"")]
pub struct Args {
    #[command(flatten)]
    message: MessageArgs,
    /// Create a repository in the current directory if there is none
    #[arg(long)]
    init: bool,
    /// Record the directory even if a checkout in it was interrupted
    #[arg(short, long)]
    force: bool,
    /// Exit with status 6 if the recorded changes look like an accident or an attack
    #[arg(long)]
    strict: bool,
    /// Make an automatic commit beside the branch, for hooks and cron jobs; does not change `@` or `status`
    #[arg(long, conflicts_with_all = ["init", "force", "strict", "author", "amend", "dry_run", "paths"])]
    auto: bool,
    /// Record within this time, such as 2s or 500ms, or record nothing and exit with status 9
    #[arg(long, value_name = "DURATION", value_parser = parse_deadline, conflicts_with_all = ["amend", "dry_run"])]
    deadline: Option<Duration>,
    /// Author [default: the setting `user.name`, or your user name]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    author: Option<String>,
    /// Replace the message or author of the current commit; record no changes
    #[arg(long, conflicts_with_all = ["init", "force", "strict", "dry_run", "paths"])]
    amend: bool,
    /// Only show what would be recorded
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Record only these paths; keep all others as in the last commit
    #[arg(value_name = "PATH", add = complete::with(complete::live_paths))]
    paths: Vec<PathBuf>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    // Before taking the lock, which the writer of the message may need.
    let message = args.message.read(context)?;
    if args.amend {
        return amend(context, args, message);
    }
    if args.auto {
        return commit_automatically(context, args, message.unwrap_or_default());
    }
    let repository = open(context, args)?;
    let mut workspace = Workspace::of(repository, context.cwd.clone())?;
    let selection = context.selection(&workspace, &args.paths)?;
    let current: Vec<_> = workspace.view().at().into_iter().collect();
    let paths = workspace
        .selected_paths(&selection, &current, context.ui.progress())
        .map_err(|error| offer_message(context, args, error))?;
    let has_message = message.as_ref().is_some_and(|message| !message.is_empty());
    let (message, author) = (message.unwrap_or_default(), args.author.clone());
    let options = CommitOptions { message, author, paths, force: args.force, deadline: args.deadline };
    let progress = context.ui.progress();
    if args.dry_run {
        let prepared =
            workspace.prepare_commit(options, progress).map_err(|error| offer_message(context, args, error))?;
        let expected = prepared.expected().clone();
        let shown = ExpectedCommit { tally: Tally::from(expected.counts), bytes_read: expected.bytes_read };
        context.report_alongside(&expected.findings, &Remedies::OF_CHANGES, || context.ui.show(&shown))?;
        let exit = report(context, args, &mut workspace, &expected);
        return Ok(exit.or(report_purged(context, &selection, &expected)));
    }
    let outcome = workspace.commit(&options, progress).map_err(|error| offer_message(context, args, error))?;
    let committed = committed(&outcome, &workspace.repository);
    let ways = Remedies { show: "undo show --stat", back: Some("undo checkout @~") };
    context.report_alongside(&outcome.findings, &ways, || context.ui.outcome(&committed))?;
    let exit = report(context, args, &mut workspace, &outcome);
    let exit = exit.or(report_purged(context, &selection, &outcome));
    background::start_if_needed(&workspace);
    if let Some(id) = committed.id.filter(|_| outcome.created && !committed.suspicious) {
        context.ui.hint(format_args!("to restore this state: undo checkout {}", id.short()));
    } else if !outcome.created && has_message {
        context.ui.hint("there is no new commit, so the message was dropped; to label this state: undo tag NAME");
    }
    Ok(exit)
}

/// Parses a duration above zero: `2s`, `500ms`.
fn parse_deadline(text: &str) -> Result<Duration, String> {
    time::parse_deadline(text).ok_or_else(|| "not a duration such as `2s` or `500ms`".to_owned())
}

/// Records the directory beside the branch.
fn commit_automatically(context: &Context<'_>, args: &Args, message: String) -> Result<Exit> {
    // What it would warn of makes an automatic commit fail.
    let mut workspace = context.workspace_to_finish()?;
    let message = if message.is_empty() { "automatic commit".to_owned() } else { message };
    let options =
        AutomaticOptions { message, deadline: args.deadline.map(Deadline::after), ..AutomaticOptions::default() };
    match workspace.commit_automatically(&options, context.ui.progress())? {
        AutomaticOutcome::Recorded(outcome) => {
            context.ui.outcome(&Committed { automatic: true, ..committed(&outcome, &workspace.repository) })?;
            let exit = report(context, args, &mut workspace, &outcome);
            if outcome.created {
                background::start_if_needed(&workspace);
            }
            Ok(exit)
        }
        AutomaticOutcome::RunIsRunning(_) => {
            context.ui.status("nothing recorded: `undo run` is running in this directory and records it");
            Ok(Exit::SUCCESS)
        }
        AutomaticOutcome::Undecided(refusal) => Err(refusal.context("nothing was recorded")),
    }
}

/// If no path exists, the user may have typed a message: offers `-m`.
fn offer_message(context: &Context<'_>, args: &Args, error: Error) -> Error {
    let exists = |path: &PathBuf| context.place(path).is_ok_and(|path| fs::exists(&path).unwrap_or(true));
    if error.kind() != ErrorKind::NotFound || args.message.is_given() || args.paths.iter().any(exists) {
        return error;
    }
    let words: Vec<_> = args.paths.iter().map(|path| path.as_os_str().as_bytes()).collect();
    let text = words.join(&b' ');
    if text.contains(&b'/') && !text.contains(&b' ') {
        return error;
    }
    let message = format!("to give a message: undo commit -m {}", shell_word(&text));
    error.hint(match text.contains(&b' ') {
        true => message,
        false => format!("to list changed paths: undo status; {message}"),
    })
}

/// Replaces message and author of the current commit.
fn amend(context: &Context<'_>, args: &Args, message: Option<String>) -> Result<Exit> {
    if message.is_none() && args.author.is_none() {
        return Err(
            Error::new(ErrorKind::Usage, "`--amend` needs a new message or author").hint("undo commit --amend -m MSG")
        );
    }
    if message.as_ref().is_some_and(|message| message.trim().is_empty()) {
        return Err(Error::new(ErrorKind::Usage, "the new message is empty").hint("undo commit --amend -m MSG"));
    }
    let (old, new) = context.workspace()?.amend(message, args.author.clone())?;
    context.ui.outcome(&Amended { id: new, replaced: old })?;
    if new != old {
        context.ui.hint("to undo: undo undo");
    }
    Ok(Exit::SUCCESS)
}

/// Reports what a commit lacks, or in a dry run would lack.
fn report(context: &Context<'_>, args: &Args, workspace: &mut Workspace, outcome: &Outcome) -> Exit {
    context.report_notices(&workspace.take_notices());
    let (one, several) = ("recorded together with its database file", "recorded together with their database files");
    context.report_paths(pluralize(outcome.journals.len(), one, several), &outcome.journals);
    context.warn_about_clock(outcome.future_parent.filter(|_| outcome.created));
    let exit = context.warn_incomplete(&outcome.uncovered, &outcome.torn, &outcome.without_attributes);
    context.hint_consistent_copies(&workspace.worktree, &outcome.torn);
    let exit = exit.or(context.warn_about_mounts(&outcome.mounted_over));
    if outcome.created {
        let is_new = |one: &&Uncovered| !outcome.mounted_over.contains(&one.path);
        context.report_left_out(&outcome.uncovered.iter().filter(is_new).cloned().collect::<Vec<_>>());
    }
    if args.strict && !outcome.findings.alarms.is_empty() { Exit::SUSPICIOUS } else { exit }
}

/// Reports purged content that the user asked to record by name. Returns whether there is any.
fn report_purged(context: &Context<'_>, selection: &PathSelection, outcome: &Outcome) -> Exit {
    if selection.included().is_empty() {
        return Exit::SUCCESS;
    }
    let is_purged = |one: &&Uncovered| one.reason == Reason::Purged && selection.selects(&one.path);
    let purged: Vec<_> = outcome.uncovered.iter().filter(is_purged).cloned().collect();
    if !outcome.created {
        context.report_left_out(&purged);
    }
    if purged.is_empty() { Exit::SUCCESS } else { Exit::INCOMPLETE }
}

fn open(context: &Context<'_>, args: &Args) -> Result<Repository> {
    let opened = match args.force {
        true => context.repository(),
        // The commit itself refuses an unfinished checkout.
        false => context.repository_to_finish(),
    };
    match opened {
        Err(error) if error.kind() == ErrorKind::NoRepository && args.init && !args.dry_run => {
            init::make_here(context, &args.paths, error)
        }
        result => result,
    }
}

fn committed(outcome: &Outcome, repository: &Repository) -> Committed {
    Committed {
        automatic: false,
        id: outcome.commit,
        branch: repository.view().current.clone(),
        created: outcome.created,
        changes: outcome.changes,
        renamed: outcome.counts.renamed,
        ignored: outcome.counts.ignored,
        files: outcome.totals.files,
        bytes: outcome.totals.bytes,
        bytes_read: outcome.bytes_read,
        bytes_stored: outcome.bytes_stored,
        disk_growth: outcome.disk_growth,
        uncovered: outcome.uncovered.clone(),
        torn: outcome.torn.clone(),
        journals: outcome.journals.clone(),
        without_attributes: outcome.without_attributes.clone(),
        suspicious: !outcome.findings.alarms.is_empty(),
    }
}
