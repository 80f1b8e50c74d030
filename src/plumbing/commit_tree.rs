//! `undo commit-tree`: creates a commit from a tree.

use crate::commands::message::{self, MessageArgs};
use crate::commands::{Context, complete};
use crate::error::Result;
use crate::history::{objects, when};
use crate::repo::Repository;
use crate::report::plumbing::Id;
use crate::snapshot::{self, CommitMessage, CommitSpec};
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
    #[command(flatten)]
    message: MessageArgs,
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
    let message = match args.message.read(context)? {
        Some(message) => message,
        None => message::read_stdin()?,
    };
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
            message: CommitMessage {
                message,
                author: self.author.clone(),
                date: self.date.as_ref().map(|date| when::exact(date)).transpose()?,
                ..CommitMessage::default()
            },
        })
    }
}
