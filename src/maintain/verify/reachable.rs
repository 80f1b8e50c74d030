//! Checks every object that commits refer to: that it exists, can be read, and describes other objects correctly.

use std::collections::BTreeSet;
use std::io;

use super::packs::BrokenObjects;
use super::totals::TreeTotals;
use super::{Damage, Deadline, Reporter, is_damage};
use crate::error::{Error, Result};
use crate::history::objects::ObjectType;
use crate::history::reachable::{self, ReachableObject, ReachableObjects};
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::object::{ObjectKind, Objects};
use crate::parallel;
use crate::path::RepoPathBuf;
use crate::progress::{Progress, Task, Unit};
use crate::repo::Repository;
use crate::store::Store;

/// Number of large blobs to collect before all workers hash them.
const BATCH: usize = 1024;

/// How thoroughly to check.
#[derive(Clone, Copy)]
pub(in crate::maintain) struct Options<'d> {
    /// Read large blobs and compare them with their ids. Otherwise their chunks must be present.
    pub hashes_large: bool,
    /// When to stop.
    pub deadline: Deadline<'d>,
}

/// Checks all reachable objects. Returns the number of commits, and whether the deadline left time for all of them.
pub(in crate::maintain) fn check(
    repository: &Repository,
    broken: &BrokenObjects,
    options: Options<'_>,
    reporter: &mut Reporter<'_>,
    progress: &dyn Progress,
) -> Result<(u64, bool)> {
    let store = repository.store();
    let from = WalkOptions { from: starting_points(repository), ..WalkOptions::default() };
    let task = progress.start("following history", Unit::Items, None);
    let check = ObjectCheck {
        store,
        broken,
        options,
        reporter,
        totals: TreeTotals::new(store),
        large: Vec::new(),
        current: CurrentCommit::default(),
        commits: 0,
        task: &*task,
    };
    check.run(ReachableObjects::new(store, reachable::walked(repository, from)?))
}

/// Commits from which all others can be reached, also those that can be recalled.
fn starting_points(repository: &Repository) -> Vec<CommitId> {
    let view = repository.view();
    let recallable = view.forgotten.keys().copied().filter(|id| view.can_recall(*id));
    let unfinished = repository.state().intent.iter().flat_map(|intent| intent.from.into_iter().chain([intent.to]));
    let all: BTreeSet<CommitId> = view.starting_points().chain(unfinished).chain(recallable).collect();
    all.into_iter().collect()
}

/// The commit being checked, and its objects that no newer commit has.
#[derive(Default)]
struct CurrentCommit {
    commit: Option<CommitId>,
    /// Nodes of directories, parents before children.
    trees: Vec<ReachableObject>,
    has_new_links: bool,
    /// Path of the last large blob, whose chunks follow.
    large: Option<RepoPathBuf>,
}

struct ObjectCheck<'l, 't> {
    store: &'l Store,
    broken: &'l BrokenObjects,
    options: Options<'l>,
    reporter: &'l mut Reporter<'t>,
    totals: TreeTotals<'l>,
    /// Large blobs to hash, with the commits in which they were found.
    large: Vec<(Option<CommitId>, ReachableObject)>,
    current: CurrentCommit,
    commits: u64,
    task: &'l dyn Task,
}

impl ObjectCheck<'_, '_> {
    fn run(mut self, objects: ReachableObjects<'_>) -> Result<(u64, bool)> {
        for found in objects {
            if self.options.deadline.is_over() {
                return Ok((self.commits, false));
            }
            match found {
                Ok(object) => self.check(object)?,
                Err(unreadable) => {
                    if unreadable.object.as_ref().is_some_and(|object| object.object_type == ObjectType::Commit) {
                        self.end_commit()?;
                    }
                    self.report_unreadable(unreadable.object, unreadable.error)?;
                }
            }
            self.task.add(1)?;
        }
        self.end_commit()?;
        self.hash_large()?;
        Ok((self.commits, true))
    }

    /// Checks an object that was found.
    fn check(&mut self, object: ReachableObject) -> Result<()> {
        if object.object_type == ObjectType::Commit {
            self.end_commit()?;
            self.current.commit = Some(object.id.into());
            self.commits += 1;
        }
        let readable = match object.object_type {
            ObjectType::Blob if self.store.is_purged(object.id.into()) => return Ok(()),
            ObjectType::Attributes => self.store.attributes(object.id.into()).map(drop),
            _ => self.check_readable(&object),
        };
        if let Err(error) = readable {
            return self.report_unreadable(Some(object), error);
        }
        match object.object_type {
            ObjectType::Tree => self.current.trees.push(object),
            ObjectType::Links => self.current.has_new_links = true,
            ObjectType::Blob if self.options.hashes_large && self.is_large(&object) => {
                self.current.large.clone_from(&object.path);
                self.large.push((self.current.commit, object));
                if self.large.len() == BATCH {
                    self.hash_large()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Fails if the only copy of the object is in a broken part of a pack.
    fn check_readable(&self, object: &ReachableObject) -> Result<()> {
        let broken = object.object_type.kinds().iter().filter(|&&kind| self.broken.contains_key(&(kind, object.id)));
        broken.into_iter().try_for_each(|&kind| self.store.object(kind, object.id).map(drop))
    }

    fn is_large(&self, object: &ReachableObject) -> bool {
        let has_location = |kind| self.store.locate(kind, object.id).is_some();
        !has_location(ObjectKind::Data) && has_location(ObjectKind::Layout)
    }

    /// Checks the totals and the hard links of the current commit.
    fn end_commit(&mut self) -> Result<()> {
        let CurrentCommit { commit, trees, has_new_links, .. } = std::mem::take(&mut self.current);
        let Some(id) = commit else { return Ok(()) };
        let mut wrong = Vec::new();
        // In reverse, so the content of a directory comes before the directory.
        for tree in trees.into_iter().rev() {
            // Ignores errors, because unreadable nodes have been reported before.
            let _ = self.totals.add(tree.id.into(), &tree.path.unwrap_or_default(), &mut wrong);
        }
        let commit = self.store.commit(id)?;
        self.totals.commit(&commit, &mut wrong);
        for (path, error) in wrong {
            let what = if path.is_root() { "commit" } else { "tree" };
            self.reporter.damage(Damage { commit: Some(id), paths: vec![path], ..Damage::new(what, error) })?;
        }
        if let (Some(links), true) = (commit.links, has_new_links)
            && let Err(error) = self.store.links(links)
        {
            self.reporter.damage(Damage {
                id: Some(links.object_id()),
                commit: Some(id),
                ..Damage::new(ObjectType::Links.word(), error)
            })?;
        }
        Ok(())
    }

    /// Compares large blobs with their ids, with all workers.
    fn hash_large(&mut self) -> Result<()> {
        let hash = |(commit, blob): (_, ReachableObject)| {
            let error = self.store.copy_blob(blob.id.into(), &mut io::sink()).err()?;
            let paths = blob.path.into_iter().collect();
            Some(Damage { id: Some(blob.id), commit, paths, ..Damage::new("blob", error) })
        };
        let large = std::mem::take(&mut self.large);
        parallel::for_each_result(large.into_iter(), hash, |damage| {
            damage.map_or(Ok(()), |damage| self.reporter.damage(damage))
        })
    }

    fn report_unreadable(&mut self, object: Option<ReachableObject>, error: Error) -> Result<()> {
        if !is_damage(&error) {
            return Err(error);
        }
        let Some(object) = object else { return self.reporter.damage(Damage::new(ObjectType::Commit.word(), error)) };
        if object.object_type == ObjectType::Blob && object.path.is_some() && object.path == self.current.large {
            // A chunk of a large blob. Hashing the blob reports the damage.
            return Ok(());
        }
        let pack = object.object_type.kinds().iter().find_map(|&kind| self.broken.get(&(kind, object.id))).copied();
        let commit =
            if object.object_type == ObjectType::Commit { Some(object.id.into()) } else { self.current.commit };
        let paths = object.path.into_iter().collect();
        let damage = Damage::new(object.object_type.word(), error);
        self.reporter.damage(Damage { id: Some(object.id), pack, commit, paths, ..damage })
    }
}
