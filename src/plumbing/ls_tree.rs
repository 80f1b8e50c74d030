//! `undo ls-tree`: lists the entries of a tree.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::commands::{Context, complete};
use crate::error::Result;
use crate::history::listing::{self, ListOptions, SelectedPaths};
use crate::history::objects;
use crate::report::entries::EntryTotals;
use crate::terminal::text::{Form, Format, TreeLine};

/// List the entries of a tree
///
/// Lists all entries, or those at PATHs: `PATH` is an entry, `PATH/` the entries in it. `mktree` reads this format.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls-tree @
  undo ls-tree -r -z @~3 data/
  undo ls-tree -r --format '%(objectname) %(path)' v1")]
pub struct Args {
    /// Tree, commit, or REV:PATH
    #[arg(value_name = "TREE", add = complete::with(complete::revision_paths))]
    tree: String,
    /// List only these paths, relative to TREE
    #[arg(value_name = "PATH")]
    paths: Vec<OsString>,
    /// Descend into directories
    #[arg(short)]
    recursive: bool,
    /// List only directories
    #[arg(short = 'd')]
    only_trees: bool,
    /// With -r, also list directories
    #[arg(short = 't')]
    with_trees: bool,
    /// Print file sizes after the ids
    #[arg(short, long)]
    long: bool,
    /// Print only paths
    #[arg(long, conflicts_with = "long")]
    name_only: bool,
    /// Print lines in this format: %(path), %(objectname) …
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["long", "name_only"], allow_hyphen_values = true)]
    format: Option<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let (form, options) = (args.form()?, args.options()?);
    let repository = context.repository()?;
    let tree = objects::treeish(&repository, &args.tree)?.tree;
    let mut totals = EntryTotals::default();
    for found in listing::list(repository.store(), tree, options) {
        let (path, entry) = found?;
        totals.count(&entry);
        context.ui.show(&TreeLine { path: &path, entry: &entry, form: &form })?;
    }
    context.ui.show(&totals)
}

impl Args {
    fn form(&self) -> Result<Form> {
        Ok(match &self.format {
            Some(format) => Form::Format(Format::parse(format)?),
            None if self.long => Form::Long,
            None if self.name_only => Form::Name,
            None => Form::Line,
        })
    }

    fn options(&self) -> Result<ListOptions> {
        let mut paths = SelectedPaths::default();
        self.paths.iter().try_for_each(|path| paths.add(path.as_bytes()))?;
        let (recursive, with_trees, only_trees) = (self.recursive, self.with_trees, self.only_trees);
        Ok(ListOptions { recursive, with_trees, only_trees, paths })
    }
}
