//! `undo mklinks`: creates a table of hard links from groups of paths.

use crate::commands::Context;
use crate::error::Result;
use crate::plumbing::records;
use crate::plumbing::tree_input::Lines;
use crate::report::plumbing::Id;
use crate::snapshot::mktree::put_links;

/// Create a table of hard links
///
/// Each line on stdin has the paths of one file, separated by TABs. Prints the id of the table, or nothing if there are no
/// lines.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  printf 'a/one\\tb/two\\n' | undo mklinks
  undo cat-file -p \"$links\" | undo mklinks")]
pub struct Args {}

pub fn run(context: &Context<'_>, _: &Args) -> Result<()> {
    let mut repository = context.repository()?;
    // Before taking the lock, which the writer of the lines may need.
    let links = Lines::new(&mut records::stdin(context), context.ui.options().nul).groups()?;
    let mut transaction = repository.begin()?;
    let session = transaction.repository().store().session();
    let id = put_links(&mut session.writer(), &links)?;
    let stored = session.finish()?;
    transaction.keep(&stored)?;
    id.iter().try_for_each(|id| context.ui.show(&Id::new(id.object_id())))
}
