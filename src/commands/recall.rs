//! `undo recall`: adds forgotten commits to the history again.

use crate::commands::{Context, complete};
use crate::error::{ErrorKind, Result};
use crate::report::End;
use crate::report::retention::{ForgottenLine, Recalled};

/// Return forgotten commits to the history
///
/// Without REV, lists the forgotten commits that can be recalled. `undo gc` removes a forgotten commit after 7 days.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo recall                 list forgotten commits
  undo recall 3f2a91bc

See also: undo help retention")]
pub struct Args {
    /// Forgotten commits
    #[arg(value_name = "REV", add = complete::with(complete::forgotten))]
    revisions: Vec<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    context.check_no_null("undo recall --json")?;
    let mut workspace = context.workspace()?;
    if args.revisions.is_empty() {
        let forgotten = workspace.forgotten();
        let count = forgotten.len() as u64;
        if forgotten.is_empty() {
            context.ui.status("no forgotten commits");
        }
        context.ui.page_long_output();
        forgotten.into_iter().try_for_each(|record| context.ui.show(&ForgottenLine::from(record)))?;
        return context.ui.show(&End { count });
    }
    let resolve = |text: &String| {
        workspace.resolve(text).map_err(|error| match error.kind() {
            ErrorKind::NotFound => error.hint("to list forgotten commits: undo recall"),
            _ => error,
        })
    };
    let commits = args.revisions.iter().map(resolve).collect::<Result<Vec<_>>>()?;
    let commits = workspace.recall(&commits)?;
    context.ui.outcome(&Recalled { commits })
}
