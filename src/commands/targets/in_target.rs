//! The options of commands that work on a target instead of the repository.

use crate::commands::targets::secrets::PasswordArgs;
use crate::commands::{Context, complete};
use crate::error::Result;
use crate::workspace::Workspace;
use crate::workspace::targets::OpenTarget;

/// A target to work on.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Options for targets")]
pub struct InTarget {
    /// Work on this target instead of the repository
    #[arg(long, value_name = "NAME", add = complete::with(complete::targets))]
    target: Option<String>,
    /// What opens it, or another target that the command reads.
    #[command(flatten)]
    pub password: PasswordArgs,
}

impl InTarget {
    /// Opens the target, with the workspace that names it; `None` if no target was named.
    pub fn open(&self, context: &Context<'_>) -> Result<Option<(Workspace, OpenTarget)>> {
        let Some(name) = &self.target else { return Ok(None) };
        let workspace = context.workspace()?;
        let target = self.password.open(context, &workspace, Some(name))?;
        Ok(Some((workspace, target)))
    }
}
