//! `undo cat`: prints a recorded file.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::commands::history::HistoryArgs;
use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::quote::shell_word;
use crate::workspace::Workspace;

/// Print a recorded file
///
/// Prints the exact bytes; for a symbolic link, its target.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo cat @:notes.txt
  undo cat v1:data.csv > data-v1.csv
  undo cat --target sftp://me@nas/backups/undo @:notes.txt     from a target")]
pub struct Args {
    /// Commit, and path of the file in it
    #[arg(value_name = "REV:PATH", add = complete::with(complete::revision_paths))]
    what: OsString,
    #[command(flatten)]
    history: HistoryArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let workspace = args.history.workspace(context)?;
    let (id, Some(path)) = context.commit_path(&workspace, &args.what)? else {
        return Err(Error::new(ErrorKind::Usage, format!("`{}` has no path", args.what.display()))
            .hint(format!("undo cat {}:PATH", shell_word(args.what.as_bytes()))));
    };
    print(context, &workspace, id, &path)
}

/// Prints the file at a path of a commit.
pub fn print(context: &Context<'_>, workspace: &Workspace, id: CommitId, path: &RepoPath) -> Result<Exit> {
    let mut is_torn = false;
    context.ui.data(|out| {
        let (bytes, torn) = workspace.read_file(id, path, out).map_err(|error| {
            context.explain_missing(workspace, error, |id, path| {
                format!("undo cat {}", shell_word(&[id.short().as_bytes(), b":", path.as_bytes()].concat())).into()
            })
        })?;
        is_torn = torn;
        Ok(bytes)
    })?;
    Ok(context.warn_unstable(&Vec::from_iter(is_torn.then(|| path.to_owned()))))
}
