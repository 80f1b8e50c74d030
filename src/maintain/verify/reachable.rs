//! All that commits lead to, each object once: it is there, it is what it should be, and what it says of others is so.

use std::collections::BTreeSet;

use super::contents::{self, Large};
use super::packs::Lost;
use super::totals::Sums;
use super::{Damage, Told, is_damage};
use crate::error::{Error, Result};
use crate::history::objects::Type;
use crate::history::reachable::{self, Object, Reach};
use crate::history::walk;
use crate::id::CommitId;
use crate::object::{ObjectKind, Objects};
use crate::path::RepoPathBuf;
use crate::progress::{Progress, Task, Unit};
use crate::repo::Repository;
use crate::store::Store;

/// Number of large blobs that are collected before all workers hash them.
const BATCH: usize = 1024;

/// Looks at everything; gives how many commits there are.
pub(super) fn check(
    repository: &Repository,
    broken: &Lost,
    told: &mut Told<'_>,
    progress: &dyn Progress,
) -> Result<u64> {
    let store = repository.store();
    let options = walk::Options { from: beginnings(repository), ..walk::Options::default() };
    let task = progress.start("following history", Unit::Items, None);
    let (sums, blobs) = (Sums::new(store), Vec::new());
    let look = Look { store, broken, told, sums, blobs, at: At::default(), commits: 0, task: &*task };
    look.at_all(Reach::new(store, reachable::walked(repository, options)?))
}

/// The commits from which all others are come to.
fn beginnings(repository: &Repository) -> Vec<CommitId> {
    let view = repository.view();
    let refs = view.branches.values().chain(view.tags.values()).copied();
    let unfinished = repository.state().intent.iter().flat_map(|intent| intent.from.into_iter().chain([intent.to]));
    let all: BTreeSet<CommitId> = view.heads.iter().copied().chain(refs).chain(unfinished).collect();
    all.into_iter().collect()
}

/// The commit at hand, and what is new in it.
#[derive(Default)]
struct At {
    commit: Option<CommitId>,
    /// Nodes of directories, each before those in it.
    trees: Vec<Object>,
    has_new_links: bool,
    /// The path of the large blob that was met last: its chunks follow.
    large: Option<RepoPathBuf>,
}

struct Look<'l, 't> {
    store: &'l Store,
    broken: &'l Lost,
    told: &'l mut Told<'t>,
    sums: Sums<'l>,
    /// Large blobs to be hashed.
    blobs: Vec<Large>,
    at: At,
    commits: u64,
    task: &'l dyn Task,
}

impl Look<'_, '_> {
    fn at_all(mut self, reach: Reach<'_>) -> Result<u64> {
        for found in reach {
            match found {
                Ok(object) => self.take(object)?,
                Err(lost) => {
                    if lost.object.as_ref().is_some_and(|object| object.is == Type::Commit) {
                        self.end_commit()?;
                    }
                    self.lost(lost.object, lost.error)?;
                }
            }
            self.task.add(1)?;
        }
        self.end_commit()?;
        self.hash_large()?;
        Ok(self.commits)
    }

    /// An object that is there.
    fn take(&mut self, object: Object) -> Result<()> {
        if object.is == Type::Commit {
            self.end_commit()?;
            self.at.commit = Some(object.id.into());
            self.commits += 1;
        }
        let readable = match object.is {
            Type::Attributes => self.store.attributes(object.id.into()).map(drop),
            _ => self.is_readable(&object),
        };
        if let Err(error) = readable {
            return self.lost(Some(object), error);
        }
        match object.is {
            Type::Tree => self.at.trees.push(object),
            Type::Links => self.at.has_new_links = true,
            Type::Blob if self.is_large(&object) => {
                self.at.large.clone_from(&object.path);
                self.blobs.push(Large { id: object.id, commit: self.at.commit, path: object.path });
                if self.blobs.len() == BATCH {
                    self.hash_large()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Fails if the object is in a broken part of a pack, and nowhere else.
    fn is_readable(&self, object: &Object) -> Result<()> {
        let broken = object.is.kinds().iter().filter(|&&kind| self.broken.contains_key(&(kind, object.id)));
        broken.into_iter().try_for_each(|&kind| self.store.object(kind, object.id).map(drop))
    }

    fn is_large(&self, object: &Object) -> bool {
        let is_there = |kind| self.store.locate(kind, object.id).is_some();
        !is_there(ObjectKind::Data) && is_there(ObjectKind::Layout)
    }

    /// Looks at what the commit at hand says as a whole.
    fn end_commit(&mut self) -> Result<()> {
        let At { commit, trees, has_new_links, .. } = std::mem::take(&mut self.at);
        let Some(id) = commit else { return Ok(()) };
        let mut wrong = Vec::new();
        // From the last to the first: what is in a directory comes before it.
        for tree in trees.into_iter().rev() {
            // A node that could be read a moment ago, and was told of otherwise.
            let _ = self.sums.add(tree.id.into(), &tree.path.unwrap_or_default(), &mut wrong);
        }
        let commit = self.store.commit(id)?;
        self.sums.commit(&commit, &mut wrong);
        for (path, error) in wrong {
            let is = if path.is_root() { "commit" } else { "tree" };
            self.told.damage(Damage { commit: Some(id), paths: vec![path], ..Damage::new(is, error) })?;
        }
        if let (Some(links), true) = (commit.links, has_new_links)
            && let Err(error) = self.store.links(links)
        {
            self.told.damage(Damage {
                id: Some(links.object_id()),
                commit: Some(id),
                ..Damage::new(Type::Links.word(), error)
            })?;
        }
        Ok(())
    }

    fn hash_large(&mut self) -> Result<()> {
        contents::check(self.store, std::mem::take(&mut self.blobs), self.told)
    }

    fn lost(&mut self, object: Option<Object>, error: Error) -> Result<()> {
        if !is_damage(&error) {
            return Err(error);
        }
        let Some(object) = object else { return self.told.damage(Damage::new(Type::Commit.word(), error)) };
        if object.is == Type::Blob && object.path.is_some() && object.path == self.at.large {
            // A chunk: whoever hashes the whole tells it.
            return Ok(());
        }
        let pack = object.is.kinds().iter().find_map(|&kind| self.broken.get(&(kind, object.id))).copied();
        let commit = if object.is == Type::Commit { Some(object.id.into()) } else { self.at.commit };
        let paths = object.path.into_iter().collect();
        let damage = Damage::new(object.is.word(), error);
        self.told.damage(Damage { id: Some(object.id), pack, commit, paths, ..damage })
    }
}
