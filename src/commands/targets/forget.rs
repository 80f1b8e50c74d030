//! `undo forget --target`: removes commits of a directory from a target.

use crate::commands::Context;
use crate::commands::targets::InTarget;
use crate::error::Result;
use crate::report::retention::ForgetSummary;
use crate::workspace::Workspace;
use crate::workspace::targets::OpenTarget;

/// A directory in a target.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Options for targets")]
pub struct DirectoryInTarget {
    #[command(flatten)]
    target: InTarget,
    /// The directory in the target: its path, `host:path` or id [default: this one]
    #[arg(long, value_name = "DIRECTORY", requires = "target")]
    from: Option<String>,
    /// Remove the whole directory from the target
    #[arg(long, requires_all = ["target", "from"], conflicts_with_all = ["revisions", "only_automatic", "keep_last", "keep_hourly",
        "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "keep_within", "keep_tag"])]
    all: bool,
}

/// What to forget in a target.
pub enum Forget {
    /// Commits of the history that this workspace has; the name of its target.
    Commits(Box<Workspace>, String),
    /// The directory that `from` names.
    Directory(Box<OpenTarget>),
}

impl DirectoryInTarget {
    /// Opens the target; `None` if no target was named.
    pub fn open(&self, context: &Context<'_>) -> Result<Option<Forget>> {
        let Some((workspace, target)) = self.target.open(context)? else { return Ok(None) };
        if self.all {
            return Ok(Some(Forget::Directory(Box::new(target))));
        }
        let name = target.settings().name.clone();
        Ok(Some(Forget::Commits(Box::new(workspace.with_target(target, self.from.as_deref())?), name)))
    }

    /// Removes a directory.
    pub fn forget_directory(&self, context: &Context<'_>, target: &mut OpenTarget, is_dry_run: bool) -> Result<()> {
        let directory = target.find_stream(self.from.as_deref())?;
        let forgotten = target.commits_of(directory)?;
        if !is_dry_run {
            target.forget_directory(directory)?;
        }
        let summary = ForgetSummary { forgotten, kept: 0, dry_run: is_dry_run, bytes: None, named: true };
        context.ui.show(&summary)?;
        if !is_dry_run {
            hint(context, &target.settings().name);
        }
        Ok(())
    }
}

/// Tells how the space comes free.
pub fn hint(context: &Context<'_>, target: &str) {
    context.ui.hint(format!("to free the space: undo gc --target {target}"));
}
