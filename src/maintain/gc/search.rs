//! Finds the objects that a sweep keeps, while other commands change the repository.

use std::collections::{BTreeMap, BTreeSet};

use super::roots::{KnownParents, Roots};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::mark::{Marking, purged_content};
use crate::id::{BlobId, CommitId, ObjectId, PackId};
use crate::object::references::Reference;
use crate::progress::{Progress, Task, Unit};
use crate::repo::Repository;
use crate::store::{Marks, Mask, PackMask};
use crate::time::Timestamp;

/// A search for everything that a sweep keeps. It follows the repository from one state to the next.
pub struct Search {
    /// The state that was searched last.
    repository: Repository,
    /// Marks of that state's store.
    marks: Marks,
    /// What that state keeps.
    roots: Roots,
    known: KnownParents,
    /// Hidden objects of each pack.
    masks: BTreeMap<PackId, PackMask>,
    horizon: Horizon,
}

/// What a sweep lets go.
#[derive(Clone, Copy, Debug)]
pub struct Horizon {
    /// When the collection began.
    pub now: Timestamp,
    /// What was forgotten or purged at this time or before goes.
    pub time: Timestamp,
}

impl Search {
    /// Marks everything that the current state keeps at this horizon. Needs no lock. Also returns the stored bytes that
    /// only forgotten commits need.
    pub fn new(repository: &Repository, horizon: Horizon, progress: &dyn Progress) -> Result<(Search, u64)> {
        Search::begin(repository, (horizon, true), progress)
    }

    /// Like [`Search::new`], without new objects that no commit refers to yet. If the mask is lost, objects that they refer
    /// to may be gone.
    pub fn without_young(repository: &Repository, horizon: Horizon, progress: &dyn Progress) -> Result<Search> {
        Search::begin(repository, (horizon, false), progress).map(|(search, _)| search)
    }

    fn begin(
        repository: &Repository,
        (horizon, with_young): (Horizon, bool),
        progress: &dyn Progress,
    ) -> Result<(Search, u64)> {
        let repository = Repository::open(repository.layout.clone(), repository.environment.clone())?;
        let task = progress.start("finding needed objects", Unit::Items, None);
        let mut known = KnownParents::default();
        let roots = known.roots(&repository, horizon.time, horizon.now)?;
        let store = repository.store();
        let mut marking = Marking::new(store, store.marks(), &roots.purged);
        marking.mark(roots.kept.iter().copied(), &*task)?;
        let mut recallable_bytes = 0;
        if !roots.recallable.is_empty() {
            let kept = marking.marks().bytes(store)?;
            marking.mark(roots.recallable.iter().copied(), &*task)?;
            recallable_bytes = marking.marks().bytes(store)? - kept;
        }
        if with_young {
            marking.skip_missing();
            marking.mark_packs(roots.young.iter().copied(), &*task)?;
        }
        let marks = marking.finish();
        Ok((Search { repository, marks, roots, known, masks: BTreeMap::new(), horizon }, recallable_bytes))
    }

    /// What the state keeps that was searched last.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// What the sweep lets go.
    pub fn horizon(&self) -> Horizon {
        self.horizon
    }

    /// Marks what other commands have added since. Returns the number of objects that were marked.
    pub fn follow(&mut self, task: &dyn Task) -> Result<u64> {
        let next = Repository::open(self.repository.layout.clone(), self.repository.environment.clone())?;
        let before = self.marks.count;
        self.mark_new(&next, task)?;
        self.repository = next;
        Ok(self.marks.count - before)
    }

    /// Like [`Search::follow`], for the repository of a transaction, and ends the search. Returns the mask that hides
    /// everything else, and what the state keeps.
    pub fn complete(mut self, locked: &Repository, task: &dyn Task) -> Result<(Mask, Roots)> {
        self.mark_new(locked, task)?;
        let mask = update_masks(locked, &mut self.marks, &mut self.masks, &self.roots.purged)?;
        Ok((mask, self.roots))
    }

    /// The mask that hides everything else in the state that was searched last. Packs whose marks do not change are not
    /// read again by [`Search::complete`].
    pub fn mask(&mut self) -> Result<Mask> {
        update_masks(&self.repository, &mut self.marks, &mut self.masks, &self.roots.purged)
    }

    /// Marks what another state keeps in addition.
    fn mark_new(&mut self, next: &Repository, task: &dyn Task) -> Result<()> {
        let (from, to) = (self.repository.store(), next.store());
        if from.mask() != to.mask() {
            let message = "another command has changed which objects are hidden";
            return Err(Error::new(ErrorKind::Locked, message).hint("run the command again"));
        }
        let roots = self.known.roots(next, self.horizon.time, self.horizon.now)?;
        let is_purged = |id: ObjectId| roots.purged.contains(&id.into());
        let marks = std::mem::replace(&mut self.marks, to.marks()).carry(from, to, is_purged)?;
        let mut marking = Marking::new(to, marks, &roots.purged);
        let is_new = |id: &&CommitId| !self.roots.kept.contains(id) && !self.roots.recallable.contains(id);
        marking.mark(roots.kept.iter().chain(&roots.recallable).filter(is_new).copied(), task)?;
        // The trees that refer to this content were read while it was purged.
        let returned = self.roots.purged.difference(&roots.purged).copied();
        marking.mark_objects(returned.filter(|&blob| to.contains_blob(blob)).map(Reference::Blob), task)?;
        // Nothing promises that what these objects refer to is stored.
        marking.skip_missing();
        marking.mark_packs(roots.young.difference(&self.roots.young).copied(), task)?;
        self.marks = marking.finish();
        self.roots = roots;
        Ok(())
    }
}

/// Updates the masks of packs whose marks have changed. Keeps the entries of replaced packs with purged content whose
/// files are still there, because other commands read them.
fn update_masks(
    repository: &Repository,
    marks: &mut Marks,
    masks: &mut BTreeMap<PackId, PackMask>,
    purged: &BTreeSet<BlobId>,
) -> Result<Mask> {
    let store = repository.store();
    marks.update_masks(store, masks, &purged_content(store, purged))?;
    let mut mask = Mask::default();
    masks.iter().for_each(|(id, pack)| mask.insert(*id, pack.clone()));
    let before = store.mask().into_iter().flat_map(Mask::packs);
    for (id, pack) in before.filter(|(id, pack)| pack.has_purged && !masks.contains_key(id)) {
        if fs::stat(&repository.layout.pack(id))?.is_some() {
            mask.insert(id, pack.clone());
        }
    }
    Ok(mask)
}
