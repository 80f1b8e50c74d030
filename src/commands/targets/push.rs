//! `undo push`: copies the history to a target.

use crate::commands::targets::secrets::PasswordArgs;
use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::report::targets::Pushed;
use crate::workspace::Workspace;
use crate::workspace::targets::{OpenTarget, PushOptions, PushOutcome, push_when_quiet};

/// Copy the history to a target
///
/// Sends only what the target lacks, encrypted. With REV, pushes only these commits. An interrupted push continues where it was. A
/// push never removes anything from the target.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo push                   to the only target
  undo push nas
  undo push nas @             only the newest commit
  undo push nas v1..@         a range

See also: undo target, undo clone")]
pub struct Args {
    /// Name of the target [default: the only one]
    #[arg(value_name = "NAME", add = complete::with(complete::targets))]
    name: Option<String>,
    /// Commits to push [default: all]
    #[arg(value_name = "REV", add = complete::with(complete::revisions))]
    revisions: Vec<String>,
    /// Wait until there are no more changes, then push in the background to the targets whose settings ask for it
    #[arg(long, hide = true, conflicts_with = "name")]
    auto: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    if args.auto {
        fs::become_background();
        // `status` tells that a copy is behind.
        let mut push = |workspace: &mut Workspace, name: &str| drop(push(context, args, workspace, name));
        return push_when_quiet(&context.cwd, &context.environment, &mut push);
    }
    let mut workspace = context.workspace()?;
    if workspace.view().heads.is_empty() {
        return Err(
            Error::new(ErrorKind::NotFound, "nothing to push: this repository has no commits").hint("undo commit")
        );
    }
    let name = workspace.target_settings(args.name.as_deref())?.name.clone();
    let (target, outcome) = push(context, args, &mut workspace, &name)?;
    if outcome.is_new_stream {
        context.ui.warning(
            "another copy of this repository has pushed to the target, so this directory now has a separate entry there",
        );
    }
    if outcome.lacks_identity {
        context
            .ui
            .warning("the file `target` of the target is missing or damaged, so no other machine can open the target");
        context.ui.hint(format!("undo repair --target {name}"));
    }
    context.ui.outcome(&Pushed::new(&target, &outcome))
}

fn push(
    context: &Context<'_>,
    args: &Args,
    workspace: &mut Workspace,
    name: &str,
) -> Result<(OpenTarget, PushOutcome)> {
    let commits = match args.revisions.is_empty() {
        true => None,
        false => Some(commits(context, workspace, &args.revisions)?),
    };
    let _lock = workspace.begin_push(name)?;
    let mut target = args.password.open(context, workspace, Some(name))?;
    let outcome = workspace.push(&mut target, &PushOptions { commits }, context.ui.progress());
    let outcome = outcome.map_err(|error| match error.kind() {
        ErrorKind::Interrupted => error.hint(format!("to continue: undo push {}", target.settings().name)),
        _ => error,
    })?;
    Ok((target, outcome))
}

/// The commits that revisions and ranges name.
fn commits(context: &Context<'_>, workspace: &Workspace, revisions: &[String]) -> Result<Vec<crate::id::CommitId>> {
    let mut commits = Vec::new();
    for text in revisions {
        match workspace.resolve_range(text)? {
            Some(range) => commits.extend(workspace.commits_of_range(range)?),
            None => commits.push(context.revision(workspace, text)?),
        }
    }
    Ok(commits)
}
