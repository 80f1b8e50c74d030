//! `undo mktree`: creates trees from entry lines.

use crate::commands::Context;
use crate::error::Result;
use crate::plumbing::records;
use crate::plumbing::tree_input::Lines;
use crate::report::plumbing::Id;
use crate::snapshot::mktree::Trees;

/// Create a tree from entry lines
///
/// Reads lines in the format of `ls-tree` from stdin, in any order, and prints the id of the tree. All objects in the lines
/// must exist.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls-tree @ | grep -v 'secret$' | undo mktree
  undo ls-tree -z @:data | undo mktree -z")]
pub struct Args {
    /// Create a tree from the lines up to each empty line
    #[arg(long)]
    batch: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let mut repository = context.repository()?;
    let mut records = records::answered(context);
    let mut lines = Lines::new(&mut records, context.ui.options().nul);
    // Before taking the lock, which the writer of the lines may need.
    let mut next = if args.batch { lines.next_tree()? } else { Some(lines.tree()?) };
    let mut transaction = repository.begin()?;
    let store = transaction.repository().store();
    let session = store.session();
    let mut trees = Trees::new(store, &session);
    while let Some(entries) = next {
        for (place, entry) in entries {
            trees.add(entry).map_err(|error| error.context(place))?;
        }
        context.ui.show(&Id::new(trees.put()?.object_id()))?;
        next = if args.batch { lines.next_tree()? } else { None };
    }
    trees.finish()?;
    let stored = session.finish()?;
    transaction.keep(&stored)
}
