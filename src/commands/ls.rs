//! `undo ls`: lists the files of a commit.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::commands::history::HistoryArgs;
use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Result};
use crate::id::CommitId;
use crate::path::glob::Slashes;
use crate::path::selection::{Spec, is_pattern};
use crate::path::{RepoPath, RepoPathBuf};
use crate::quote::shell_word;
use crate::report::entries::{EntryRecord, EntryTotals};
use crate::terminal::text::ListedEntry;
use crate::workspace::Workspace;
use crate::workspace::selection::no_match;

/// List the files of a commit
///
/// Reads the history only; does not touch the directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls                 the current commit
  undo ls @~3:data -l     a directory, three commits ago
  undo ls 'v1:*.csv'      all paths that match a pattern
  undo ls -R -z v1        every path, for scripts
  undo ls --target /mnt/backup/undo")]
pub struct Args {
    /// Commit, and path or pattern in it
    #[arg(value_name = "REV[:PATH]", default_value = "@", add = complete::with(complete::revision_paths))]
    what: OsString,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    /// Descend into directories
    #[arg(short = 'R', long)]
    recursive: bool,
    #[command(flatten)]
    history: HistoryArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let workspace = args.history.workspace(context)?;
    let (id, path) = args.resolve(context, &workspace)?;
    let entries = workspace.list(id, path.directory(), args.recursive || path.is_pattern()).map_err(|error| {
        context.explain_missing(&workspace, error, |id, path| {
            format!("undo ls {}", shell_word(&[id.short().as_bytes(), b":", path.as_bytes()].concat())).into()
        })
    })?;
    context.ui.page_long_output();
    let mut totals = EntryTotals::default();
    for entry in entries {
        let (found, entry) = entry?;
        let is_listed = match &path {
            Listed::Path(_) => true,
            Listed::Pattern(pattern) if args.recursive => pattern.covers(&found),
            Listed::Pattern(pattern) => pattern.matches(&found),
        };
        if is_listed {
            totals.count(&entry);
            context.ui.show(&ListedEntry { record: EntryRecord::new(&found, &entry), is_long: args.long })?;
        }
    }
    match &path {
        Listed::Pattern(pattern) if totals.is_empty() => Err(no_match(pattern.pattern_text().unwrap_or_default())),
        _ => context.ui.show(&totals),
    }
}

/// What to list of a commit.
enum Listed {
    /// The entry at a path, or the content of that directory.
    Path(RepoPathBuf),
    /// All paths that match.
    Pattern(Spec),
}

impl Listed {
    fn directory(&self) -> &RepoPath {
        match self {
            Listed::Path(path) => path,
            Listed::Pattern(pattern) => pattern.start(),
        }
    }

    fn is_pattern(&self) -> bool {
        matches!(self, Listed::Pattern(_))
    }
}

impl Args {
    /// The commit, and the path or pattern in it. A pattern without a commit is relative to the current directory.
    fn resolve(&self, context: &Context<'_>, workspace: &Workspace) -> Result<(CommitId, Listed)> {
        let resolved = context.commit_path(workspace, &self.what);
        let (id, path) = match resolved {
            Err(error) if error.kind() == ErrorKind::NotFound && is_pattern(self.what.as_bytes()) => {
                let selection = context.selection(workspace, &[PathBuf::from(&self.what)])?;
                let pattern = selection.included().first().cloned().ok_or(error)?;
                return Ok((workspace.resolve("@")?, Listed::Pattern(pattern)));
            }
            resolved => resolved?,
        };
        let path = path.unwrap_or_default();
        if !is_pattern(path.as_bytes()) || workspace.entry(id, &path).is_ok() {
            return Ok((id, Listed::Path(path)));
        }
        let pattern = Spec::pattern(RepoPathBuf::default(), path.as_bytes(), Slashes::Ordinary, path.as_bytes());
        let pattern = pattern.map_err(|invalid| {
            let message = format!("`{}` is not a valid pattern: {}", self.what.display(), invalid.describe());
            Error::new(ErrorKind::Usage, message).hint("undo help paths")
        })?;
        Ok((id, Listed::Pattern(pattern)))
    }
}
