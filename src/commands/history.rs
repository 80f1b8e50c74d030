//! Whose history a command reads: that of the repository, or with `--target` of a target.

use crate::commands::Context;
#[cfg(feature = "targets")]
use crate::commands::targets::history::RemoteHistoryArgs;
use crate::error::Result;
use crate::workspace::Workspace;

/// The options that choose the history.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct HistoryArgs {
    #[cfg(feature = "targets")]
    #[command(flatten)]
    target: RemoteHistoryArgs,
}

impl HistoryArgs {
    /// Opens the workspace with the history that was asked for.
    pub fn workspace(&self, context: &Context<'_>) -> Result<Workspace> {
        #[cfg(feature = "targets")]
        return self.target.workspace(context);
        #[cfg(not(feature = "targets"))]
        context.workspace()
    }
    /// Prepares a walk through the whole history.
    pub fn read_ahead(&self, context: &Context<'_>, workspace: &Workspace) -> Result<()> {
        #[cfg(feature = "targets")]
        return workspace.read_history_ahead(context.ui.progress());
        #[cfg(not(feature = "targets"))]
        let _ = (context, workspace);
        #[cfg(not(feature = "targets"))]
        Ok(())
    }
}
