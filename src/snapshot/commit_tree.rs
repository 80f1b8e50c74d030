//! Commits an existing tree, without a ref.

use crate::diff::{LeftOut, linked};
use crate::error::{Error, ErrorKind, Result};
use crate::history::entry_at;
use crate::history::objects::Treeish;
use crate::id::{CommitId, LinksId};
use crate::object::{Commit, Entry, ObjectKind, Objects};
use crate::path::{REPOSITORY, RepoPath};
use crate::repo::{Repository, Transaction};
use crate::snapshot::commit::{self, CommitMessage, Content};
use crate::store::Session;
use crate::worktree::Worktree;

/// What to commit.
pub struct CommitSpec {
    /// The tree, or a commit whose content is taken.
    pub tree: Treeish,
    /// Hard links. `None` means those of the commit.
    pub links: Option<LinksId>,
    /// Parent commits.
    pub parents: Vec<CommitId>,
    /// Message, author and time.
    pub message: CommitMessage,
}

/// Makes the commit part of the repository. A tree without a commit gets the metadata of the worktree's root. [`ErrorKind::Usage`] if tree, links, parents and date do not fit.
pub fn commit_tree(transaction: &mut Transaction<'_>, worktree: &Worktree, given: CommitSpec) -> Result<CommitId> {
    let repository = transaction.repository();
    let session = repository.store().session();
    let commit = compose(repository, &session, worktree, given)?;
    let mut writer = session.writer();
    let id = Transaction::put_commit(&mut writer, &commit)?;
    writer.finish()?;
    let stored = session.finish()?;
    transaction.keep(&stored)?;
    Ok(id)
}

fn compose(repository: &Repository, session: &Session<'_>, worktree: &Worktree, given: CommitSpec) -> Result<Commit> {
    let store = repository.store();
    let parent = given.parents.first().map(|&id| store.commit(id)).transpose()?;
    check_parents(&given, parent.as_ref())?;
    let links = given.links.or(given.tree.links());
    let (root, uncovered, torn) = match given.tree.commit {
        Some(commit) => (commit.root, commit.uncovered, commit.torn),
        None => (as_root(store, session, worktree, &given.tree)?, Vec::new(), Vec::new()),
    };
    let marker = RepoPath::new(REPOSITORY).unwrap_or(RepoPath::root());
    if entry_at(store, &root, marker)?.is_some() {
        return Err(Error::new(ErrorKind::Usage, "the tree has a `.undo`, which no commit may have at its root")
            .hint("leave it out: undo ls-tree TREE, without that line, to undo mktree"));
    }
    if let Some(links) = given.links {
        linked::check(store, &root, links)?;
    }
    let left_out = LeftOut::new(&uncovered, &[]);
    let (counts, totals) = commit::count(store, parent.as_ref(), &root, links, left_out, &mut |_| ())?;
    let content = Content { root, links, totals, changes: counts.recorded(), uncovered, torn };
    Ok(commit::make(repository, given.parents, parent.as_ref(), content, given.message))
}

fn check_parents(given: &CommitSpec, parent: Option<&Commit>) -> Result<()> {
    for (n, id) in given.parents.iter().enumerate() {
        if given.parents[..n].contains(id) {
            return Err(Error::new(ErrorKind::Usage, format!("the parent {} is named twice", id.short()))
                .hint("name each parent once"));
        }
    }
    match (given.message.date, parent) {
        (Some((time, _)), Some(parent)) if time < parent.time => {
            let message =
                format!("{} is before its first parent, which is of {}", time.to_rfc3339(), parent.time.to_rfc3339());
            Err(Error::new(ErrorKind::Usage, message).hint("a commit cannot be older than its parent"))
        }
        _ => Ok(()),
    }
}

/// Root entry of a tree, with the metadata of the worktree's root.
fn as_root(store: &dyn Objects, session: &Session<'_>, worktree: &Worktree, treeish: &Treeish) -> Result<Entry> {
    let (metadata, attributes) = worktree.root_metadata()?;
    let bare = Entry::directory(treeish.tree, store.tree(treeish.tree)?.totals()?);
    let mut root = Entry { metadata, ..bare };
    if !attributes.is_empty() {
        let id = attributes.id();
        session.writer().put(ObjectKind::Attributes, id.object_id(), &attributes.encode())?;
        root.attributes = Some(id);
    }
    Ok(root)
}
