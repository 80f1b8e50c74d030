//! `undo export`: writes a commit to a new directory or an archive.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::commands::history::HistoryArgs;
use crate::commands::{Context, complete};
use crate::error::{ErrorKind, Exit, Result};
use crate::export::Exported;
use crate::id::ObjectId;
use crate::report::checkouts::ExportRecord;

/// Write a commit, or a directory of it, to a new directory or an archive
///
/// DEST is a new or empty directory, a `.tar`, `.tar.gz` or `.tar.zst` file, or `-` for a tar archive on stdout.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo export v1 /tmp/v1
  undo export @ backup.tar.zst
  undo export @~3:data /tmp/data      a directory of a commit
  undo export v1 reports '*.csv'      some paths
  undo export @~1 - | ssh host tar -x
  undo export @ /tmp/lost --target s3://bucket/undo     from a target")]
pub struct Args {
    /// Commit, and directory in it
    #[arg(value_name = "REV[:DIR]", add = complete::with(complete::revision_paths))]
    what: OsString,
    /// Destination
    #[arg(value_name = "DEST", add = complete::with(complete::live_paths))]
    destination: PathBuf,
    /// Export only these paths
    #[arg(value_name = "PATH", add = complete::with(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user
    #[arg(long)]
    trust_owner: bool,
    #[command(flatten)]
    history: HistoryArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let (workspace, progress) = (args.history.workspace(context)?, context.ui.progress());
    let (id, path) = context.commit_path(&workspace, &args.what)?;
    let path = path.unwrap_or_default();
    let selection = context.selection_in(&workspace, &args.paths, &[id])?;
    if args.destination == Path::new("-") {
        let exported = context.ui.data(|out| workspace.export_tar(id, &path, &selection, out, progress))?;
        return Ok(report_inexact(context, &exported));
    }
    let destination = context.place(&args.destination)?;
    let exported = workspace.export(id, &path, &selection, &destination, args.trust_owner, progress)?;
    context.ui.outcome(&record(id.object_id(), &args.destination, &exported))?;
    Ok(report_inexact(context, &exported))
}

/// The record of an export.
pub fn record<'o>(id: ObjectId, destination: &Path, exported: &'o Exported) -> ExportRecord<'o> {
    ExportRecord { id, destination: destination.display().to_string(), exported }
}

/// Lists paths that are not exact. Returns whether that makes the export incomplete.
pub fn report_inexact(context: &Context<'_>, exported: &Exported) -> Exit {
    context.report_reasons("not exported exactly", &exported.inexact);
    context.report_reasons("damaged in the repository, and not exported", &exported.damaged);
    context.report_paths("not exported, because the content was purged", &exported.purged);
    let unstable = context.warn_unstable(&exported.unstable);
    match exported.inexact.is_empty() && exported.purged.is_empty() && unstable == Exit::SUCCESS {
        _ if !exported.damaged.is_empty() => ErrorKind::Damaged.exit(),
        true => Exit::SUCCESS,
        false => Exit::INCOMPLETE,
    }
}
