//! `undo rev-parse`: prints the ids of revisions and objects.

use std::os::unix::ffi::OsStrExt;

use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Result};
use crate::history::{objects, resolve_range};
use crate::id::ObjectId;
use crate::report::plumbing::{Id, Location};
use crate::report::values::PathBytes;

/// Print the ids of revisions and objects
///
/// Prints one id per line; for a range `A..B`, the id of B, then `^` and the id of A.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo rev-parse @~3
  undo rev-parse --verify --short \"$revision\"
  undo rev-parse @:data/a.csv     the id that b3sum prints")]
pub struct Args {
    /// Revisions, REV:PATH, or ids of any objects, which may be abbreviated
    #[arg(value_name = "NAME", add = complete::with(complete::revision_paths))]
    names: Vec<String>,
    /// Fail unless exactly one NAME is given
    #[arg(long)]
    verify: bool,
    /// Print only the first N digits
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "8")]
    #[arg(value_parser = clap::value_parser!(u8).range(4..=64))]
    short: Option<u8>,
    /// First print the commits of all branches and tags
    #[arg(long)]
    all: bool,
    /// Print the root of the worktree
    #[arg(long, conflicts_with_all = ["names", "verify", "short", "all"])]
    show_toplevel: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let repository = context.repository()?;
    if args.show_toplevel {
        context.ui.show(&Location { path: PathBytes(repository.layout.worktree.as_os_str().as_bytes().to_vec()) })?;
        return Ok(());
    }
    if args.verify && (args.names.len() != 1 || args.all) {
        let message = format!("--verify needs exactly one name, not {}", args.names.len());
        return Err(Error::new(ErrorKind::Usage, message).hint("undo rev-parse --verify @"));
    }
    let view = repository.view();
    let refs = view.branches.values().chain(view.tags.values()).filter(|_| args.all);
    refs.into_iter().try_for_each(|id| show(context, args, false, id.object_id()))?;
    for name in &args.names {
        match resolve_range(&repository, name)? {
            Some(_) if args.verify => return Err(several(name)),
            Some((from, to)) => {
                show(context, args, false, to.object_id())?;
                show(context, args, true, from.object_id())?;
            }
            None => show(context, args, false, objects::find(&repository, name)?.id)?,
        }
    }
    Ok(())
}

fn show(context: &Context<'_>, args: &Args, excluded: bool, id: ObjectId) -> Result<()> {
    let digits = args.short.map_or(64, usize::from);
    context.ui.show(&Id { id: id.to_string()[..digits].to_owned(), excluded })
}

fn several(name: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("`{name}` is a range, not a single commit")).hint("leave out --verify")
}
