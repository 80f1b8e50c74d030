//! Reads history: commits, the entries and files in them, operations.

use std::io::Write;

use crate::error::{Error, ErrorKind, Result};
use crate::history::automatic::{self, Event};
use crate::history::listing::{self, ListOptions};
use crate::history::timeline::Timeline;
use crate::history::walk::{WalkOptions, WalkedCommit};
use crate::history::{self, Costs};
use crate::id::CommitId;
use crate::object::operation::View;
use crate::object::{Commit, Content, Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::quote::{shell_word, visible};

use super::Workspace;

impl Workspace {
    /// The refs: branches, tags, and which branch and commit are current.
    pub fn view(&self) -> &View {
        self.repository.view()
    }

    /// The commit that a revision names: `@`, `@~3`, a prefix of an id, a branch, a tag, `@{10 minutes ago}`.
    pub fn resolve(&self, revision: &str) -> Result<CommitId> {
        history::resolve(&self.repository, revision)
    }

    /// The commit of a revision, and for `REV:path` the path.
    pub fn resolve_path(&self, text: &str) -> Result<(CommitId, Option<RepoPathBuf>)> {
        history::resolve_path(&self.repository, text.as_bytes())
    }

    /// The commits of a range `A..B`; `None` if the text is not a range.
    pub fn resolve_range(&self, text: &str) -> Result<Option<(CommitId, CommitId)>> {
        history::resolve_range(&self.repository, text)
    }

    /// Reads a commit.
    pub fn read_commit(&self, id: CommitId) -> Result<Commit> {
        self.repository.store().commit(id)
    }

    /// Commits, newest first, read as the iterator advances. An error of kind [`ErrorKind::Damaged`] concerns one commit:
    /// the iterator continues with the next one.
    pub fn log(&self, options: WalkOptions) -> Result<impl Iterator<Item = Result<WalkedCommit>> + '_> {
        history::walk(&self.repository, options)
    }

    /// Number of bytes that each commit added to the store.
    pub fn costs(&self) -> Costs {
        Costs::new(&self.repository)
    }

    /// The entry at a path of a commit. [`ErrorKind::NotFound`] if the commit has no such entry.
    pub fn entry(&self, commit: CommitId, path: &RepoPath) -> Result<Entry> {
        history::recorded(self.repository.store(), commit, path)
    }

    /// Entries at or below a path of a commit, in path order: of a directory, the entries in it, or with `recursive` all
    /// entries below it.
    pub fn list(
        &self,
        commit: CommitId,
        path: &RepoPath,
        recursive: bool,
    ) -> Result<impl Iterator<Item = Result<(RepoPathBuf, Entry)>> + '_> {
        let (entry, path) = (self.entry(commit, path)?, path.to_owned());
        let options = ListOptions { recursive, with_trees: true, ..ListOptions::default() };
        let below = entry.tree().map(|tree| listing::list(self.repository.store(), tree, options));
        let single = below.is_none().then(|| Ok((path.clone(), entry)));
        let full = move |(below, entry): (RepoPathBuf, Entry)| (path.join_path(&below), entry);
        Ok(single.into_iter().chain(below.into_iter().flatten().map(move |found| found.map(&full))))
    }

    /// Writes the content of a recorded file, or the target of a symbolic link. Returns the number of bytes, and whether
    /// the file changed while it was recorded.
    pub fn read_file(&self, commit: CommitId, path: &RepoPath, to: &mut dyn Write) -> Result<(u64, bool)> {
        let place = [commit.short().as_bytes(), b":", path.as_bytes()].concat();
        let shown = visible(&place);
        let entry = self.entry(commit, path)?;
        let written = match &entry.content {
            Content::File { blob, .. } if self.repository.store().is_purged(*blob) => {
                let hint = format!("other versions may exist: undo log -- {}", shell_word(path.as_bytes()));
                return Err(Error::new(ErrorKind::Purged, format!("the content of `{shown}` was purged")).hint(hint));
            }
            Content::File { blob, .. } => self.repository.store().copy_blob(*blob, to)?,
            Content::Symlink { target } => {
                to.write_all(target).map_err(|error| Error::io("write to", "the output".as_ref(), error))?;
                target.len() as u64
            }
            Content::Directory { .. } => {
                return Err(Error::new(ErrorKind::Usage, format!("`{shown}` is a directory"))
                    .hint(format!("undo ls {}", shell_word(&place))));
            }
            _ => {
                let message = format!("`{shown}` has no content: it is a {}", entry.kind().word());
                return Err(Error::new(ErrorKind::Usage, message));
            }
        };
        Ok((written, self.read_commit(commit)?.torn.iter().any(|torn| **torn == *path)))
    }

    /// Events of this directory that made automatic commits, or found nothing new; newest first.
    pub fn events(&self) -> impl Iterator<Item = Result<Event>> + '_ {
        automatic::events(&self.repository)
    }

    /// The operations and the position of `undo` and `redo` among them.
    pub fn operations(&self) -> Timeline {
        Timeline::open(&self.repository)
    }
}
