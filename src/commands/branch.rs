//! `undo branch`: manages branches.

use crate::commands::{Context, complete, refs};
use crate::error::Result;
use crate::workspace::RefKind;

/// List, create, rename or delete branches
///
/// A branch is a name that follows new commits. Deleting a branch deletes no commit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo branch                    list branches
  undo branch --list 'feature/*' list branches that match a pattern
  undo branch trial              create a branch here
  undo branch trial v1           create a branch at another commit
  undo branch -m trial kept      rename
  undo branch -d kept            delete")]
pub struct Args {
    /// Name of the new branch
    #[arg(value_name = "NAME", add = complete::with(complete::branches))]
    name: Option<String>,
    // Not a doc comment: rustdoc takes the brackets for a link.
    #[arg(value_name = "REV", help = "Commit of the new branch [default: @]",
          add = complete::with(complete::revisions))]
    revision: Option<String>,
    /// List branches whose names match one of the patterns, or all; `*` also matches `/`
    #[arg(short, long, value_name = "GLOB", num_args = 0.., add = complete::with(complete::branches))]
    #[arg(conflicts_with_all = ["name", "delete", "force_delete", "rename"])]
    list: Option<Vec<String>>,
    /// Move the branch if it exists already
    #[arg(short, long, requires = "name")]
    force: bool,
    /// Print the name of the current branch
    #[arg(long, conflicts_with_all = ["name", "list", "delete", "force_delete", "rename"])]
    show_current: bool,
    /// Delete branches; their commits stay
    #[arg(short, long, value_name = "NAME", num_args = 1.., conflicts_with_all = ["name", "rename"],
          add = complete::with(complete::branches))]
    delete: Vec<String>,
    /// Delete branches, even if they are current in another directory that is not there now
    #[arg(short = 'D', value_name = "NAME", num_args = 1.., conflicts_with_all = ["name", "rename", "delete"],
          add = complete::with(complete::branches))]
    force_delete: Vec<String>,
    /// Rename a branch, or the current one if only NEW is given
    #[arg(short = 'm', long = "rename", value_names = ["OLD", "NEW"], num_args = 1..=2, conflicts_with = "name",
          add = complete::with(complete::branches))]
    rename: Vec<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    match (args.name.as_deref(), args.rename.as_slice()) {
        (_, [new]) => refs::rename(context, RefKind::Branch, None, new),
        (_, [old, new]) => refs::rename(context, RefKind::Branch, Some(old), new),
        _ if !args.delete.is_empty() => refs::delete(context, RefKind::Branch, &args.delete, false),
        _ if !args.force_delete.is_empty() => refs::delete(context, RefKind::Branch, &args.force_delete, true),
        (Some(name), _) => refs::create(context, RefKind::Branch, name, args.revision.as_deref(), args.force),
        _ if args.show_current => refs::show_current(context),
        (None, _) => refs::list(context, RefKind::Branch, args.list.as_deref().unwrap_or_default()),
    }
}
