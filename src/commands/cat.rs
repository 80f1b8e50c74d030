//! `undo cat`: the bytes of a recorded file.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history;
use crate::id::CommitId;
use crate::object::{Content, Objects};
use crate::path::RepoPath;
use crate::quote::shell_word;
use crate::repo::Repository;

/// Print a file as it was recorded
///
/// Byte for byte, to stdout. Of a symbolic link, where it points.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo cat @:notes.txt
  undo cat v1:data.csv > data-v1.csv")]
pub struct Args {
    /// Which commit, and which file in it
    #[arg(value_name = "REV:PATH", add = ArgValueCompleter::new(complete::revision_paths))]
    what: OsString,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (id, Some(path)) = context.commit_path(&repository, &args.what, "cat")? else {
        return Err(Error::new(ErrorKind::Usage, format!("`{}` names no path", args.what.display()))
            .hint(format!("undo cat {}:PATH", shell_word(args.what.as_bytes()))));
    };
    print(context, &repository, id, &path)
}

/// Prints the file at a path of a commit.
pub fn print(context: &Context<'_>, repository: &Repository, id: CommitId, path: &RepoPath) -> Result<Exit> {
    let place = format!("{}:{}", id.short(), path.display());
    let entry = history::recorded(repository.store(), id, path)?;
    match &entry.content {
        Content::File { blob, .. } => context.ui.data(|out| repository.store().copy_blob(*blob, out))?,
        Content::Symlink { target } => context.ui.data(|out| {
            out.write_all(target).map_err(|error| Error::io("write to", "stdout".as_ref(), error))?;
            Ok(target.len() as u64)
        })?,
        Content::Directory { .. } => {
            return Err(Error::new(ErrorKind::Usage, format!("`{place}` is a directory"))
                .hint(format!("undo ls {}", shell_word(place.as_bytes()))));
        }
        _ => {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("`{place}` has no content: it is a {}", entry.kind().word()),
            ));
        }
    };
    let torn = repository.store().commit(id)?.torn.into_iter().filter(|torn| **torn == *path).collect::<Vec<_>>();
    Ok(context.warn_unstable(&torn))
}
