//! Fetches paths of a commit that only a target has, so that they can be restored (decision 59).

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::{entry_at, recorded};
use crate::id::CommitId;
use crate::number::plural;
use crate::object::operation::Verb;
use crate::object::references::{Reference, of_entry};
use crate::object::{Commit, ObjectKind};
use crate::path::selection::PathSelection;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::repo::NewOperation;
use crate::snapshot;
use crate::store::Store;
use crate::transfer::fetch;
use crate::workspace::Workspace;

impl Workspace {
    /// Fetches the selected paths of a commit in the history that `shown` has of a target. Returns a commit of this repository from
    /// which they can be restored: the commit itself if the repository has it, or else a new one, outside the branch, that has
    /// these paths and is otherwise like the current commit. An interrupted fetch keeps the content that it has fetched.
    ///
    /// [`ErrorKind::NotFound`] if neither the commit nor the directory has a path.
    pub fn fetch_paths(
        &mut self,
        shown: &Workspace,
        commit: CommitId,
        selection: &PathSelection,
        progress: &dyn Progress,
    ) -> Result<CommitId> {
        let Some(history) = &shown.remote_history else {
            return Err(Error::new(ErrorKind::Internal, "the workspace does not show a target"));
        };
        if self.repository.store().contains(ObjectKind::Commit, commit.object_id()) {
            return Ok(commit);
        }
        let (store, source) = (shown.repository.store(), shown.read_commit(commit)?);
        let at = self.repository.view().at();
        let commits: Vec<CommitId> = [commit].into_iter().chain(at).collect();
        let paths = shown.selected_paths(selection, &commits, progress)?;
        for path in &paths {
            if !fs::exists(&self.repository.layout.worktree.join(path.as_path()))? {
                recorded(store, commit, path)?;
            }
        }
        let roots = roots_of(store, &source, &paths)?;
        let connections = history.objects.connections();
        let mut transaction = self.repository.begin()?;
        let is_wanted = |blob| !store.is_purged(blob);
        let (mut stored, _) = history.objects.read(|target| {
            fetch::fetch_objects(&mut transaction, target, roots.clone(), &is_wanted, connections, None, progress)
        })?;
        let message = format!("{} of {}, fetched from a target", plural(paths.len() as u64, "path"), commit.short());
        let grafted = snapshot::graft(transaction.repository(), store, &source, &paths, message.clone())?;
        let Some((id, made)) = grafted else { return Ok(commits[commits.len() - 1]) };
        if made.packs.is_empty() && stored.packs.is_empty() {
            return Ok(id);
        }
        stored.packs.extend(made.packs);
        stored.bytes += made.bytes;
        stored.objects += made.objects;
        transaction.include(&stored.packs)?;
        let mut new = NewOperation {
            verb: Verb::Pull,
            description: message,
            commits: vec![id],
            stored,
            ..NewOperation::default()
        };
        let purged = &shown.repository.view().purged;
        new.history.purges = fetch::purges_elsewhere(transaction.repository(), purged);
        transaction.record(new)?;
        Ok(id)
    }
}

/// What the commit has at these paths, and the attributes of the directories above them.
fn roots_of(store: &Store, source: &Commit, paths: &[RepoPathBuf]) -> Result<Vec<Reference>> {
    let mut roots = Vec::new();
    for path in paths {
        if let Some(entry) = entry_at(store, &source.root, path)? {
            of_entry(&entry, &mut |reference| roots.push(reference));
        }
        let mut above: Option<&RepoPath> = path.parent();
        while let Some(directory) = above {
            let attributes = entry_at(store, &source.root, directory)?.and_then(|entry| entry.attributes);
            roots.extend(attributes.map(|id| Reference::Object(ObjectKind::Attributes, id.object_id())));
            above = directory.parent();
        }
    }
    Ok(roots)
}
