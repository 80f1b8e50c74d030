//! `undo revive`: recreates a missing directory from its history.

use std::path::{Path, PathBuf};

use crate::commands::{Context, checkouts, stores};
use crate::error::{Exit, Result};
use crate::number::Count;
use crate::quote::{shell_path, visible};
use crate::report::stores::RevivedRecord;
use crate::workspace::Workspace;
use crate::workspace::stores::{ReviveOptions, Revived};

/// Recreate a missing directory with its last state and its history
///
/// Works for directories whose history is outside (`undo init --outside`). The last state is the newest one that was recorded, automatic commits
/// included. DIR must be missing or empty. If it is interrupted, run it again to finish.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo stores                          list the directories that are missing
  undo revive shop
  undo revive new-place --from shop    restore it at another path")]
pub struct Args {
    /// The directory to create
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: PathBuf,
    /// Former path of the directory, or path or name of its store [default: DIR]
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    from: Option<PathBuf>,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user
    #[arg(long)]
    trust_owner: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let directory = context.place(&args.directory)?;
    let from = args.from.as_ref().map(|from| stores::from_argument(context, from)).transpose()?;
    let options = ReviveOptions { from, trust_owner: args.trust_owner };
    let (environment, progress) = (context.environment.clone(), context.ui.progress());
    let mut revived = Workspace::revive(&directory, &options, environment, progress)?;
    context.report_notices(&revived.workspace.take_notices());
    let record = RevivedRecord::new(&args.directory, &revived);
    context.ui.outcome(&record)?;
    report_doubts(context, &args.directory, &revived, &record);
    Ok(checkouts::report_inexact(context, &revived.checkout))
}

/// Names older states and other histories, in case the restored state is not the one that the user wants.
fn report_doubts(context: &Context<'_>, directory: &Path, revived: &Revived, record: &RevivedRecord) {
    for alarm in &record.alarms {
        let (count, of) = (Count(alarm.count), Count(alarm.of));
        context.ui.warning(format_args!(
            "the restored state has an alarm, `{}`: {count} of {of} files",
            visible(alarm.kind.as_bytes())
        ));
    }
    if !record.alarms.is_empty() {
        let directory = shell_path(directory);
        context.ui.hint(format_args!(
            "to list older states: undo -C {directory} log --all; to restore one: undo -C {directory} checkout ID"
        ));
    }
    if let Some(other) = revived.others.first() {
        context.ui.hint(format_args!(
            "another store has an older history of this path: undo revive NEW --from {}",
            shell_path(other)
        ));
    }
}
