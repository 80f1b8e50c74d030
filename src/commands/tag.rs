//! `undo tag`: manages tags.

use crate::commands::{Context, complete, refs};
use crate::error::Result;
use crate::workspace::RefKind;

/// List, create, rename or delete tags
///
/// A tag is a fixed name for a commit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo tag                  list tags
  undo tag -l 'v1.*'        list tags that match a pattern
  undo tag v1               tag the current commit
  undo tag before-upgrade @~2
  undo tag -m v1 v1.0       rename
  undo tag -d v1            delete")]
pub struct Args {
    /// Name of the new tag
    #[arg(value_name = "NAME", add = complete::with(complete::tags))]
    name: Option<String>,
    // Not a doc comment: rustdoc takes the brackets for a link.
    #[arg(value_name = "REV", help = "Commit of the new tag [default: @]",
          add = complete::with(complete::revisions))]
    revision: Option<String>,
    /// List tags whose names match one of the patterns, or all; `*` also matches `/`
    #[arg(short, long, value_name = "GLOB", num_args = 0.., add = complete::with(complete::tags))]
    #[arg(conflicts_with_all = ["name", "delete", "rename"])]
    list: Option<Vec<String>>,
    /// Move the tag if it exists already
    #[arg(short, long, requires = "name")]
    force: bool,
    /// Delete tags
    #[arg(short, long, value_name = "NAME", num_args = 1.., conflicts_with_all = ["name", "rename"],
          add = complete::with(complete::tags))]
    delete: Vec<String>,
    /// Rename a tag
    #[arg(short = 'm', long = "rename", value_names = ["OLD", "NEW"], num_args = 2, conflicts_with = "name",
          add = complete::with(complete::tags))]
    rename: Vec<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    match (args.name.as_deref(), args.rename.as_slice()) {
        (_, [old, new]) => refs::rename(context, RefKind::Tag, Some(old), new),
        _ if !args.delete.is_empty() => refs::delete(context, RefKind::Tag, &args.delete, false),
        (Some(name), _) => refs::create(context, RefKind::Tag, name, args.revision.as_deref(), args.force),
        (None, _) => refs::list(context, RefKind::Tag, args.list.as_deref().unwrap_or_default()),
    }
}
