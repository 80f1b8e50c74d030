//! `undo pull`: adds commits of a target to the history.

use crate::commands::targets::secrets::PasswordArgs;
use crate::commands::{Context, complete};
use crate::error::Result;
use crate::report::targets::Pulled;
use crate::workspace::targets::PullOptions;

/// Add commits of other directories in a target to the history
///
/// Changes no file of the directory. Branches get the name of their host: `laptop/main`. With --from, pulls the commits of one
/// directory, which may be this one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo pull nas
  undo pull nas --from laptop:/home/me/project
  undo checkout laptop/main")]
pub struct Args {
    /// Name of the target [default: the only one]
    #[arg(value_name = "NAME", add = complete::with(complete::targets))]
    name: Option<String>,
    /// The directory to pull: its path, `host:path` or id
    #[arg(long, value_name = "DIRECTORY")]
    from: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let mut workspace = context.workspace()?;
    let mut target = args.password.open(context, &workspace, args.name.as_deref())?;
    let stream = args.from.as_deref().map(|from| target.find_stream(Some(from))).transpose()?;
    let outcome = workspace.pull(&mut target, &PullOptions { stream }, context.ui.progress())?;
    context.ui.outcome(&Pulled::new(&target.settings().name, &outcome))
}
