//! `undo purge`: destroys content in all of history.

use std::path::PathBuf;

use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Result};
use crate::number::pluralize;
use crate::report::purge::{FileRecord, PurgeSummary, Relation};
use crate::workspace::PurgeSelection;

/// Destroy recorded content, in all commits
///
/// Purges all contents that any commit has at these paths, such as a password or a dump recorded by mistake. From then on no
/// command reads the content, and no commit records it again. Its bytes leave the disk with `undo gc`, 7 days later or with
/// --now. Commits keep their ids, and the name, size and hash of each file: a short secret can be guessed from its hash. Commit
/// messages stay, too, also in the operation log.
///
/// Lists other files with the same content, which is purged there too, and files that share parts of it, which stay. Files in
/// the directory are unchanged. Only the `undo undo` that follows directly takes a purge back.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo purge -n secrets.env         show what would be purged
  undo purge secrets.env
  undo purge '*.dump'               also in deleted directories
  undo purge --blob @~3:key.pem     one content, not all versions of the file")]
pub struct Args {
    /// Paths whose contents to purge
    #[arg(value_name = "PATH", required_unless_present = "blobs", conflicts_with = "blobs", add = complete::with(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    /// Purge this content (id, prefix of an id, or REV:PATH); repeatable
    #[arg(long = "blob", id = "blobs", value_name = "ID")]
    blobs: Vec<String>,
    /// Show what would be purged, without purging
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    context.check_no_null("undo purge --json")?;
    let mut workspace = context.workspace()?;
    let selected = match args.blobs.as_slice() {
        [] => {
            let paths = context.selection(&workspace, &args.paths)?;
            if paths.included().is_empty() {
                return Err(Error::new(ErrorKind::Usage, "only exclusions given").hint("undo purge PATH"));
            }
            PurgeSelection::Paths(paths)
        }
        names => PurgeSelection::Blobs(workspace.find_blobs(names)?),
    };
    let progress = context.ui.progress();
    let found = match args.dry_run {
        true => workspace.preview_purge(&selected, progress)?,
        false => workspace.purge(&selected, progress)?,
    };
    let lists =
        [(&found.selected, Relation::Selected), (&found.same, Relation::Same), (&found.sharing, Relation::Sharing)];
    for (files, relation) in lists {
        files.iter().try_for_each(|file| context.ui.show(&FileRecord::new(file, relation)))?;
    }
    let one = "a pattern selects a file of the same name, but not this one, which stays";
    let several = "patterns select files of the same names, but not these, which stay";
    let named_alike: Vec<_> = found.named_alike.iter().cloned().collect();
    context.report_paths(pluralize(named_alike.len(), one, several), &named_alike);
    let summary = PurgeSummary {
        contents: found.blobs.len() as u64,
        bytes: found.blobs.iter().map(|blob| blob.size).sum(),
        purged_before: found.purged_before,
        dry_run: args.dry_run,
    };
    if args.dry_run {
        return context.ui.show(&summary);
    }
    context.ui.outcome(&summary)?;
    if !found.blobs.is_empty() {
        context.ui.hint("to undo, before any other operation: undo undo");
        context.ui.hint("the bytes leave the disk with `undo gc` in 7 days; at once, for good: undo gc --now");
        #[cfg(feature = "targets")]
        for copy in workspace.copies()?.iter().filter(|copy| copy.pushed.is_some()) {
            let name = &copy.name;
            context.ui.hint(format!("to remove it from target {name}: undo push {name} && undo gc --target {name}"));
        }
    }
    Ok(())
}
