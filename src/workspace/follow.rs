//! Walks the history of one path, and continues at the old path where the path was renamed.

use crate::error::Result;
use crate::history::walk::{Walk, WalkOptions, WalkedCommit};
use crate::history::{self, entry_at};
use crate::object::Objects;
use crate::path::RepoPathBuf;
use crate::path::selection::PathSelection;

use super::{DiffOptions, RenameOptions, Workspace};

impl Workspace {
    /// Commits that change a path, newest first, each with its path in that commit and, if the commit renamed it, the path
    /// before. Without `renames`, and before the oldest rename, the same as [`Workspace::log`].
    ///
    /// After a rename, the walk continues at the parents of the commit that made it; other branches are not followed.
    pub fn follow(
        &self,
        options: WalkOptions,
        path: RepoPathBuf,
        renames: Option<RenameOptions>,
    ) -> Result<impl Iterator<Item = Result<(WalkedCommit, Vec<RepoPathBuf>)>> + '_> {
        let options = WalkOptions { paths: PathSelection::of_paths(vec![path.clone()]), ..options };
        let walk = history::walk(&self.repository, options.clone())?;
        Ok(Follow { workspace: self, walk, options, path, renames })
    }
}

struct Follow<'w> {
    workspace: &'w Workspace,
    walk: Walk<'w>,
    options: WalkOptions,
    path: RepoPathBuf,
    renames: Option<RenameOptions>,
}

impl Iterator for Follow<'_> {
    type Item = Result<(WalkedCommit, Vec<RepoPathBuf>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let walked = match self.walk.next()? {
            Ok(walked) => walked,
            Err(error) => return Some(Err(error)),
        };
        if let Some(limit) = &mut self.options.limit {
            *limit -= 1;
        }
        let mut paths = vec![self.path.clone()];
        match self.origin(&walked) {
            Err(error) => return Some(Err(error)),
            Ok(None) => {}
            Ok(Some(from)) => {
                paths.push(from.clone());
                if let Err(error) = self.continue_at(from, &walked) {
                    return Some(Err(error));
                }
            }
        }
        Some(Ok((walked, paths)))
    }
}

impl Follow<'_> {
    /// The path that a commit renamed to the current one.
    fn origin(&self, WalkedCommit { commit, parents, .. }: &WalkedCommit) -> Result<Option<RepoPathBuf>> {
        let store = self.workspace.repository.store();
        let (Some(renames), Some(&parent)) = (self.renames, parents.first()) else { return Ok(None) };
        let is_in_commit = entry_at(store, &commit.root, &self.path)?.is_some();
        if !is_in_commit || entry_at(store, &store.commit(parent)?.root, &self.path)?.is_some() {
            return Ok(None);
        }
        let options = DiffOptions { renames: Some(renames), ..DiffOptions::default() };
        let mut from = None;
        self.workspace.diff_commit(commit, options)?.for_each(&mut |change| {
            if change.path == self.path {
                from = change.renamed.map(|rename| rename.from);
            }
            Ok(())
        })?;
        Ok(from)
    }

    fn continue_at(&mut self, path: RepoPathBuf, commit: &WalkedCommit) -> Result<()> {
        self.path = path.clone();
        let (from, paths) = (commit.parents.clone(), PathSelection::of_paths(vec![path]));
        self.options = WalkOptions { from, paths, ..self.options.clone() };
        self.walk = history::walk(&self.workspace.repository, self.options.clone())?;
        Ok(())
    }
}
