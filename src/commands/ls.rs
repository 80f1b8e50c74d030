//! `undo ls`: what a commit holds.

use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::history;
use crate::object::{Entry, Objects};
use crate::path::RepoPath;
use crate::ui::Ui;
use crate::ui::entries::{EntryRecord, EntryTotals};

/// List what a commit holds
///
/// Looks into history without touching the directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls                 the current commit
  undo ls @~3:data -l     a directory, three commits ago
  undo ls -R -z v1        every path, for programs")]
pub struct Args {
    /// Which commit, and where in it
    #[arg(value_name = "REV[:PATH]", default_value = "@", add = ArgValueCompleter::new(complete::revision_paths))]
    what: OsString,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    /// Descend into directories
    #[arg(short = 'R', long)]
    recursive: bool,
}

/// What is being listed, and how.
struct Listing<'a> {
    ui: &'a Ui,
    objects: &'a dyn Objects,
    args: &'a Args,
    totals: EntryTotals,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (id, path) = context.commit_path(&repository, &args.what, "ls")?;
    let path = path.unwrap_or_default();
    let entry = history::recorded(repository.store(), id, &path)?;
    context.ui.page_long_output();
    let mut listing = Listing { ui: context.ui, objects: repository.store(), args, totals: EntryTotals::default() };
    match entry.tree() {
        Some(_) => listing.directory(&path, &entry)?,
        None => listing.item(&path, &entry)?,
    }
    context.ui.show(&listing.totals)?;
    Ok(Exit::DONE)
}

impl Listing<'_> {
    fn directory(&mut self, path: &RepoPath, directory: &Entry) -> Result<()> {
        let Some(tree) = directory.tree() else { return Ok(()) };
        for entry in self.objects.tree(tree)?.entries {
            let below = path.join(&entry.name);
            self.item(&below, &entry)?;
            if self.args.recursive {
                self.directory(&below, &entry)?;
            }
        }
        Ok(())
    }

    fn item(&mut self, path: &RepoPath, entry: &Entry) -> Result<()> {
        self.totals.count(entry);
        self.ui.show(&EntryRecord::new(path, entry, self.args.long))
    }
}
