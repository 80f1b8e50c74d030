//! `undo commit-tree`: creates a commit from a tree.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::{objects, when};
use crate::repo::Repository;
use crate::report::plumbing::Id;
use crate::snapshot::{self, CommitSpec};
use crate::worktree::Worktree;

/// Create a commit from a tree
///
/// Prints the id of the commit. Moves no ref; use `update-ref` to add it to the history. Reads the message from stdin unless
/// -m or -F is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo commit-tree $(undo write-tree) -p @ -m \"by hand\"
  undo update-ref @ $(undo commit-tree v1 -p @ -m \"as it was in v1\")")]
pub struct Args {
    /// Tree, or a commit whose content to reuse
    #[arg(value_name = "TREE", add = complete::with(complete::revision_paths))]
    tree: String,
    /// Id of its hard links, as `write-tree` and `mklinks` print it
    #[arg(value_name = "LINKS")]
    links: Option<String>,
    /// Parent commit; may be given several times
    #[arg(short, long = "parent", value_name = "PARENT", add = complete::with(complete::revisions))]
    parents: Vec<String>,
    /// Commit message; each one is a paragraph
    #[arg(short, long = "message", value_name = "MSG", allow_hyphen_values = true)]
    messages: Vec<String>,
    /// Read the message from FILE, or from stdin if it is `-`
    #[arg(short = 'F', long, value_name = "FILE", conflicts_with = "messages", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Author [default: as configured]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    author: Option<String>,
    /// Commit time [default: now], as RFC 3339 or as decimal seconds and `±HH:MM`
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    date: Option<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let mut repository = context.repository()?;
    let worktree = Worktree::of(&repository)?;
    // Before taking the lock, which the writer of the message may need.
    let message = args.message(context)?;
    let mut transaction = repository.begin()?;
    let given = args.given(transaction.repository(), message)?;
    let id = snapshot::commit_tree(&mut transaction, &worktree, given)?;
    context.ui.show(&Id::new(id.object_id()))
}

impl Args {
    fn given(&self, repository: &Repository, message: String) -> Result<CommitSpec> {
        Ok(CommitSpec {
            tree: objects::treeish(repository, &self.tree)?,
            links: self.links.as_ref().map(|links| objects::links(repository, links)).transpose()?,
            parents: self.parents.iter().map(|parent| objects::commit(repository, parent)).collect::<Result<_>>()?,
            message,
            author: self.author.clone(),
            date: self.date.as_ref().map(|date| when::exact(date)).transpose()?,
        })
    }

    fn message(&self, context: &Context<'_>) -> Result<String> {
        if !self.messages.is_empty() {
            return Ok(self.messages.join("\n\n"));
        }
        let file = self.file.as_deref().filter(|file| *file != Path::new("-"));
        let (bytes, name) = match file {
            Some(file) => (fs::read_any(&context.place(file)?)?.ok_or_else(|| no_file(file))?, file),
            None => (stdin()?, Path::new("stdin")),
        };
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::new(ErrorKind::Usage, format!("the message in `{}` is not UTF-8", name.display()))
                .hint("convert it first: iconv -t UTF-8")
        })?;
        // The final line end belongs to the file, not to the message.
        Ok(text.trim_end_matches('\n').to_owned())
    }
}

fn stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|cause| Error::io("read", Path::new("stdin"), cause))?;
    Ok(bytes)
}

fn no_file(path: &Path) -> Error {
    Error::new(ErrorKind::NotFound, format!("no file `{}`", path.display())).hint("give the message with -m")
}
