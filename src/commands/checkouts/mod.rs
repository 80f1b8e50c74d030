//! What `checkout`, `restore`, `undo`, `redo` and `op restore` share: show a prepared checkout, or apply it and report.

mod report;

use crate::commands::{Context, background};
use crate::error::{Exit, Result};
use crate::history::timeline::Destination;
use crate::object::operation::Verb;
use crate::progress::Progress;
use crate::workspace::{CheckoutMode, PreparedCheckout, Step, Workspace};

pub use report::report_inexact;

/// Options of all commands that change the directory.
#[derive(Debug, clap::Args)]
pub struct ModeArgs {
    /// Show the changes without making them
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Save and overwrite ignored files in the way, and replace files in use
    #[arg(short, long)]
    force: bool,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user
    #[arg(long)]
    trust_owner: bool,
}

/// Arguments of `undo` and `redo`.
#[derive(Debug, clap::Args)]
pub struct StepArgs {
    /// Number of operations
    #[arg(value_name = "N", default_value = "1", hide_default_value = true, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub count: u32,
    #[command(flatten)]
    pub mode: ModeArgs,
}

impl ModeArgs {
    pub fn mode(&self) -> CheckoutMode {
        CheckoutMode { force: self.force, trust_owner: self.trust_owner, dry_run: self.dry_run }
    }
}

/// What a checkout is reported as.
pub struct Reported<'r> {
    pub verb: Verb,
    /// The whole directory, and not only some paths.
    pub is_whole: bool,
    /// Where a step through operations leads.
    pub destination: Option<&'r Destination>,
}

/// Prepares a checkout. A dry run shows the plan; otherwise applies it and reports the outcome.
pub fn run(
    context: &Context<'_>,
    workspace: &mut Workspace,
    mode: CheckoutMode,
    reported: &Reported<'_>,
    prepare: impl for<'w> FnOnce(&'w mut Workspace, &dyn Progress) -> Result<PreparedCheckout<'w>>,
) -> Result<Exit> {
    let progress = context.ui.progress();
    if mode.dry_run {
        let mut prepared = prepare(workspace, progress)?;
        context.report_notices(&prepared.take_notices());
        let exit = report::plan(context, &prepared)?;
        return prepared.check().map(|()| exit);
    }
    let branch = workspace.repository.view().current.clone();
    let result = prepare(workspace, progress).and_then(|prepared| prepared.apply(progress));
    context.report_notices(&workspace.take_notices());
    let exit = report::outcome(context, workspace, reported, &result?, &branch)?;
    background::start_if_needed(workspace);
    Ok(exit)
}

/// Goes to another state among the operations.
pub fn step(
    context: &Context<'_>,
    workspace: &mut Workspace,
    mode: CheckoutMode,
    verb: Verb,
    step: impl Into<Step>,
) -> Result<Exit> {
    let step = step.into();
    let destination = step.destination.clone();
    if mode.dry_run {
        report::crossed(context, workspace, &destination)?;
    }
    let reported = Reported { verb: verb.clone(), is_whole: true, destination: Some(&destination) };
    run(context, workspace, mode, &reported, |workspace, progress| workspace.prepare_step(step, verb, mode, progress))
}
