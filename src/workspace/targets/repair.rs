//! Repairs a repository with objects of targets, and targets with those of a repository.

use crate::error::Result;
use crate::progress::Progress;
use crate::store::{Elsewhere, Store};
use crate::transfer::objects::RemoteObjects;
use crate::transfer::repair;
use crate::workspace::{RepairOptions, RepairOutcome, Workspace};

use super::OpenTarget;

pub use crate::transfer::repair::Outcome as RepairedTarget;

impl Workspace {
    /// Like [`Workspace::repair`]. Lost objects that are nowhere else come from these targets.
    pub fn repair_from(
        &mut self,
        targets: Vec<OpenTarget>,
        options: &RepairOptions,
        progress: &dyn Progress,
    ) -> Result<RepairOutcome> {
        let stores = targets.into_iter().map(|target| self.store_of(target)).collect::<Result<_>>()?;
        self.repair_with(options, stores, progress)
    }

    /// Replaces damaged files of a target by what can still be read of them, and sends what it lacks of the commits that this
    /// repository has.
    pub fn repair_target(
        &self,
        target: &mut OpenTarget,
        is_dry_run: bool,
        progress: &dyn Progress,
    ) -> Result<RepairedTarget> {
        let options = repair::Options { connections: target.connections(), is_dry_run };
        repair::repair(&self.repository, &mut target.target, &options, progress)
    }

    /// A store without packs that reads the objects of a target.
    fn store_of(&self, target: OpenTarget) -> Result<Store> {
        let connections = target.connections();
        let objects = RemoteObjects::new(target.target, connections);
        let mut store = self.repository.store().with_packs(&[])?;
        store.set_elsewhere(Elsewhere {
            commits: Vec::new(),
            fetch: Box::new(move |kind, ids| objects.object(kind, ids)),
        });
        Ok(store)
    }
}
