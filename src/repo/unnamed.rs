//! Commits in packs that the journal does not name. A killed command leaves them, and so does a journal that was cut off, which
//! reads like the former (decision 7).

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::id::{CommitId, PackId};
use crate::object::ObjectKind;
use crate::repo::journal::{self, State};
use crate::repo::layout::Layout;
use crate::repo::leftovers;
use crate::repo::repository::Repository;
use crate::store::{Mask, Store};

/// Finds the commits that only packs have which the journal does not name.
pub struct UnnamedCommits<'r> {
    layout: &'r Layout,
    state: &'r State,
    store: &'r Store,
    /// Packs that the journal records as replaced.
    replaced: OnceCell<BTreeSet<PackId>>,
}

impl<'r> UnnamedCommits<'r> {
    pub fn new(layout: &'r Layout, state: &'r State, store: &'r Store) -> UnnamedCommits<'r> {
        UnnamedCommits { layout, state, store, replaced: OnceCell::new() }
    }

    /// The commits of a pack that the journal does not name. None if it was replaced, or if it is unreadable.
    pub fn of_pack(&self, pack: PackId) -> Vec<CommitId> {
        if self.is_replaced(pack) {
            return Vec::new();
        }
        let listing = self.store.list_pack(pack);
        let commits = listing.objects().into_iter().flatten().filter(|object| object.kind == ObjectKind::Commit);
        let is_unnamed = |id: &CommitId| {
            !self.store.contains_here(ObjectKind::Commit, id.object_id()) && !self.state.view.forgotten.contains_key(id)
        };
        commits.map(|object| object.id.into()).filter(is_unnamed).collect()
    }

    /// Packs that the journal neither names nor records as replaced.
    pub fn packs(&self) -> Result<Vec<PackId>> {
        let unnamed = leftovers::unnamed_packs(self.layout, &self.state.packs)?;
        Ok(unnamed.into_iter().map(|(id, _)| id).filter(|id| !self.is_replaced(*id)).collect())
    }

    /// Whether a pack was replaced by others. Its commits are in those, or gone. The mask keeps the replaced packs with purged
    /// content.
    fn is_replaced(&self, pack: PackId) -> bool {
        let is_masked = |mask: &Mask| mask.of(pack).is_some();
        // A damaged segment only keeps a pack longer.
        let replaced = || journal::replaced_packs(&self.layout.journal()).unwrap_or_default();
        self.store.mask().is_some_and(is_masked) || self.replaced.get_or_init(replaced).contains(&pack)
    }
}

impl Repository {
    /// The packs with commits that only packs have which the journal does not name, and these commits.
    pub fn unnamed_commits(&self) -> Result<BTreeMap<PackId, Vec<CommitId>>> {
        let commits = UnnamedCommits::new(&self.layout, &self.state, &self.store);
        let of_packs = commits.packs()?.into_iter().map(|pack| (pack, commits.of_pack(pack)));
        let mut unnamed: BTreeMap<_, _> = of_packs.filter(|(_, commits)| !commits.is_empty()).collect();
        if !unnamed.is_empty() {
            // Other processes may have recorded packs since the journal was read.
            let now = Repository::open(self.layout.clone(), self.environment.clone())?;
            unnamed.retain(|pack, _| !now.state.packs.contains(pack));
        }
        Ok(unnamed)
    }

    /// Packs that the journal neither names nor records as replaced.
    pub fn unnamed_packs(&self) -> Result<Vec<PackId>> {
        UnnamedCommits::new(&self.layout, &self.state, &self.store).packs()
    }
}
