//! `undo commit`: records the worktree.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;

use crate::checkout;
use crate::commands::context::Remedies;
use crate::commands::{Context, complete, init};
use crate::compare::{Comparison, Side};
use crate::diff;
use crate::error::{ErrorKind, Exit, Result};
use crate::number::pluralize;
use crate::object::commit::Uncovered;
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::report::changes::Tally;
use crate::report::commits::Committed;
use crate::snapshot::{self, Outcome};

/// Record the current state of the directory
///
/// Records the whole directory, or only PATHs. Writes nothing outside `.undo`.
/// If nothing has changed, creates no commit and succeeds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo commit -m \"before the upgrade\"
  undo commit && ./risky-script
  undo commit --init          create a repository here if there is none")]
pub struct Args {
    /// Commit message
    #[arg(short, long, value_name = "MSG", default_value = "", hide_default_value = true)]
    message: String,
    /// Create a repository in the current directory if there is none
    #[arg(long)]
    init: bool,
    /// Record the directory even if a checkout in it was interrupted
    #[arg(short, long)]
    force: bool,
    /// Exit with status 6 if the recorded changes look like an accident or an attack
    #[arg(long)]
    strict: bool,
    /// Only show what would be recorded
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Record only these paths; keep all others as in the last commit
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(complete::live_paths))]
    paths: Vec<PathBuf>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut repository = open(context, args)?;
    let worktree = context.worktree(&repository)?;
    let paths = context.paths(&repository, &args.paths)?;
    if args.dry_run {
        let (paths, _) = snapshot::with_database_files(&repository, &worktree, &paths)?;
        return plan(context, &repository, &paths, args.strict);
    }
    let message = args.message.clone();
    let options = snapshot::Options { message, paths, ..snapshot::Options::default() };
    let mut transaction = repository.begin()?;
    if !args.force {
        checkout::check_no_mix(transaction.repository())?;
    }
    let (outcome, scan) = snapshot::take(&mut transaction, &worktree, &options, context.ui.progress())?;
    drop(transaction);
    let committed = committed(&outcome, &repository);
    let ways = Remedies { show: "undo show --stat", back: "undo checkout @~" };
    context.report_alongside(&outcome.findings, &ways, || context.ui.outcome(&committed))?;
    context.warn_damage(outcome.damage.as_deref());
    context.warn_about_rules(&scan.ignore_warnings);
    let (one, several) = ("recorded together with its database file", "recorded together with their database files");
    context.report_paths(pluralize(outcome.journals.len(), one, several), &outcome.journals);
    context.warn_about_index(&scan);
    context.warn_about_clock(outcome.future_parent.filter(|_| outcome.created));
    let exit = context.warn_incomplete(&outcome.uncovered, &outcome.torn, &outcome.without_attributes);
    context.hint_consistent_copies(&worktree, &outcome.torn);
    let exit = exit.or(context.warn_about_mounts(&outcome.mounted_over));
    if outcome.created {
        let is_new = |one: &&Uncovered| !outcome.mounted_over.contains(&one.path);
        context.report_left_out(&outcome.uncovered.iter().filter(is_new).cloned().collect::<Vec<_>>());
        if let Some(id) = committed.id.filter(|_| !committed.suspicious) {
            context.ui.hint(format_args!("to restore this state: undo checkout {}", id.short()));
        }
    } else if !args.message.is_empty() {
        context.ui.hint("there is no new commit, so the message was dropped; to label this state: undo tag NAME");
    }
    Ok(if args.strict && committed.suspicious { Exit::SUSPICIOUS } else { exit })
}

fn open(context: &Context<'_>, args: &Args) -> Result<Repository> {
    let opened = match args.force || args.dry_run {
        true => context.repository(),
        // It says so itself.
        false => context.repository_to_finish(),
    };
    match opened {
        Err(error) if error.kind() == ErrorKind::NoRepository && args.init => {
            init::make_here(context, &args.paths, error)
        }
        result => result,
    }
}

fn plan(context: &Context<'_>, repository: &Repository, paths: &[RepoPathBuf], strict: bool) -> Result<Exit> {
    let worktree = context.worktree(repository)?;
    let old = Side::commit(repository, repository.view().at())?;
    let new = Side::live(repository, &worktree, paths, context.ui.progress())?;
    let options = diff::Options { paths: paths.to_vec(), ..diff::Options::default() };
    let comparison = Comparison { repository, worktree: Some(&worktree), old: &old, new: &new };
    let (counts, findings) = comparison.watched(&options, &mut |_| Ok(()))?;
    context.report_alongside(&findings, &Remedies::OF_CHANGES, || context.ui.show(&Tally::from(counts)))?;
    let exit = match &new {
        Side::Live(scan) => context.warn_about_scan(scan).or(context.warn_about_mounts(&comparison.mounted_over()?)),
        _ => Exit::DONE,
    };
    Ok(if strict && !findings.alarms.is_empty() { Exit::SUSPICIOUS } else { exit })
}

fn committed(outcome: &Outcome, repository: &Repository) -> Committed {
    Committed {
        id: outcome.commit,
        branch: repository.view().current.clone(),
        created: outcome.created,
        added: outcome.changes.added,
        modified: outcome.changes.modified,
        deleted: outcome.changes.deleted,
        ignored: outcome.ignored,
        files: outcome.totals.files,
        bytes: outcome.totals.bytes,
        bytes_read: outcome.bytes_read,
        bytes_stored: outcome.bytes_stored,
        uncovered: outcome.uncovered.clone(),
        torn: outcome.torn.clone(),
        journals: outcome.journals.clone(),
        without_attributes: outcome.without_attributes.clone(),
        suspicious: !outcome.findings.alarms.is_empty(),
    }
}
