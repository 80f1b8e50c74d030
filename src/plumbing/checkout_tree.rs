//! `undo checkout-tree`: writes a tree into a new directory.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::commands::{Context, complete, export};
use crate::diff::linked;
use crate::error::{Exit, Result};
use crate::export::{Source, export_to_directory};
use crate::history::objects;
use crate::id::ObjectId;
use crate::object::commit::unread;
use crate::object::{Entry, Objects};
use crate::repo::Repository;
use crate::report::plumbing::Materialised;

/// Write a tree into a new directory
///
/// Restores the recorded tree exactly, with its hard links. Does not change the worktree or the repository.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo checkout-tree /tmp/v1 v1
  undo checkout-tree /tmp/now $(undo write-tree)")]
pub struct Args {
    /// New or empty directory
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: PathBuf,
    /// Tree, commit, or REV:PATH
    #[arg(value_name = "TREE", add = complete::with(complete::revision_paths))]
    tree: String,
    /// Id of its hard links, as `write-tree` and `mklinks` print it
    #[arg(value_name = "LINKS")]
    links: Option<String>,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user
    #[arg(long)]
    trust_owner: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (id, source) = args.source(&repository)?;
    let path = context.place(&args.directory)?;
    let exported = export_to_directory(&repository, source, &path, args.trust_owner, context.ui.progress())?;
    context.ui.show(&Materialised(export::record(id, &args.directory, &exported)))?;
    Ok(export::report_inexact(context, &exported))
}

impl Args {
    /// The tree to write, and its id or that of its commit.
    fn source(&self, repository: &Repository) -> Result<(ObjectId, Source)> {
        let store = repository.store();
        let named = objects::treeish(repository, &self.tree)?;
        let links = self.links.as_ref().map(|links| objects::links(repository, links)).transpose()?;
        let id = named.commit.as_ref().map_or(named.tree.object_id(), |commit| commit.id().object_id());
        let is_root_known = named.entry.is_some();
        let root = match named.entry.clone() {
            // Paths are joined from entry names, and the root must have an empty one.
            Some(entry) => Entry { name: Vec::new(), ..entry },
            None => Entry::directory(named.tree, store.tree(named.tree)?.totals()?),
        };
        if let Some(links) = links {
            linked::check(store, &root, links)?;
        }
        let (links, objects) = (links.or(named.links()), HashMap::new());
        let (unstable, uncovered) = named.commit.map(|commit| (commit.torn, commit.uncovered)).unwrap_or_default();
        let unread = unread(&uncovered).cloned().collect();
        Ok((id, Source { root, links, objects, unstable, unread, is_root_known, limits: None }))
    }
}
