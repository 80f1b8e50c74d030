//! `undo tag`: names that stay.

use clap_complete::engine::ArgValueCompleter;

use crate::commands::{Context, complete, refs};
use crate::error::{Exit, Result};
use crate::workspace::RefKind;

/// List, make, rename or delete tags
///
/// A tag is a name that stays at its commit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo tag                  list them
  undo tag v1               name the current commit
  undo tag before-upgrade @~2
  undo tag -m v1 v1.0       rename
  undo tag -d v1            delete")]
pub struct Args {
    /// The new tag
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete::tags))]
    name: Option<String>,
    /// Where; `@` by default
    #[arg(value_name = "REV", add = ArgValueCompleter::new(complete::revisions))]
    revision: Option<String>,
    /// List them all
    #[arg(long, conflicts_with_all = ["name", "delete", "rename"])]
    list: bool,
    /// Delete these
    #[arg(short, long, value_name = "NAME", num_args = 1.., conflicts_with_all = ["name", "rename"],
          add = ArgValueCompleter::new(complete::tags))]
    delete: Vec<String>,
    /// Rename a tag
    #[arg(short = 'm', long = "rename", value_names = ["OLD", "NEW"], num_args = 2, conflicts_with = "name",
          add = ArgValueCompleter::new(complete::tags))]
    rename: Vec<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    match (args.name.as_deref(), args.rename.as_slice()) {
        (_, [old, new]) => refs::rename(context, RefKind::Tag, Some(old), new),
        _ if !args.delete.is_empty() => refs::delete(context, RefKind::Tag, &args.delete),
        (Some(name), _) => refs::create(context, RefKind::Tag, name, args.revision.as_deref()),
        (None, _) => refs::list(context, RefKind::Tag),
    }
}
