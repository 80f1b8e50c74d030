//! The options of commands that can read the history of a target instead of the repository's.

use crate::commands::targets::secrets::PasswordArgs;
use crate::commands::{Context, complete};
use crate::error::{ErrorKind, Result};
use crate::workspace::Workspace;
use crate::workspace::targets::{OpenTarget, TargetSettings};

/// A target, by its name in the settings or by its URL.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Options for targets")]
pub struct TargetArgs {
    /// Read from this target: its name, a folder, `sftp://user@host/path` or `s3://bucket/prefix`
    #[arg(long, value_name = "NAME|URL", add = complete::with(complete::targets))]
    pub target: Option<String>,
    /// URL of a server that is compatible with S3
    #[arg(long, value_name = "URL", requires = "target")]
    endpoint: Option<String>,
    /// Region of the bucket
    #[arg(long, value_name = "REGION", requires = "target")]
    region: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Whose history a command reads.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Options for targets")]
pub struct RemoteHistoryArgs {
    #[command(flatten)]
    place: TargetArgs,
    /// The directory in the target, if it has several: its path, `host:path` or id [default: this one]
    #[arg(long, value_name = "DIRECTORY", requires = "target")]
    from: Option<String>,
}

impl RemoteHistoryArgs {
    /// Opens the workspace with the history that was asked for.
    pub fn workspace(&self, context: &Context<'_>) -> Result<Workspace> {
        let Some(target) = &self.place.target else { return context.workspace() };
        let from = self.from.as_deref();
        match context.workspace() {
            Ok(workspace) => {
                let target = self.place.open(context, &workspace, target)?;
                workspace.with_target(target, from)
            }
            // A machine that has lost everything has no repository either.
            Err(error) if error.kind() == ErrorKind::NoRepository && is_url(target) => {
                Workspace::of_target(self.place.open_url(context, target)?, from, context.environment.clone())
            }
            Err(error) => Err(error),
        }
    }
}

impl TargetArgs {
    /// Opens a target by its name or URL.
    pub fn open(&self, context: &Context<'_>, workspace: &Workspace, target: &str) -> Result<OpenTarget> {
        let name = match is_url(target) {
            true => workspace.target_at(target).map(|settings| settings.name.clone()),
            false => Some(target.to_owned()),
        };
        match name {
            Some(name) => self.password.open(context, workspace, Some(&name)),
            None => self.open_url(context, target),
        }
    }

    fn open_url(&self, context: &Context<'_>, url: &str) -> Result<OpenTarget> {
        let (endpoint, region) = (self.endpoint.clone(), self.region.clone());
        let settings = TargetSettings { url: url.to_owned(), endpoint, region, ..TargetSettings::default() };
        self.password.open_with(context, url, &mut |ask| {
            OpenTarget::at(settings.clone(), &context.cwd, ask, &context.environment)
        })
    }
}

/// Whether the text is a URL or a path, not a name.
fn is_url(text: &str) -> bool {
    text.contains(['/', ':']) || text.starts_with('.')
}
