//! Repairs the repository.

use std::path::PathBuf;

use crate::error::Result;
use crate::maintain::repair::{self, Outcome, Sources};
use crate::progress::Progress;
use crate::snapshot;
use crate::store::Store;

use super::Workspace;

/// How to repair.
#[derive(Clone, Debug, Default)]
pub struct RepairOptions {
    /// Other repositories to copy lost objects from: directories with a repository, or repository folders.
    pub from: Vec<PathBuf>,
    /// Find out what a repair would recover, and write nothing.
    pub dry_run: bool,
}

impl Workspace {
    /// Recovers lost objects from damaged packs, the worktree and other repositories. Adds packs, and removes only packs
    /// whose content is in other packs. One operation; none if nothing changes.
    pub fn repair(&mut self, options: &RepairOptions, progress: &dyn Progress) -> Result<Outcome> {
        self.repair_with(options, Vec::new(), progress)
    }

    /// Like [`Workspace::repair`], with more stores to copy lost objects from.
    pub(super) fn repair_with(
        &mut self,
        options: &RepairOptions,
        others: Vec<Store>,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        let Workspace { repository, worktree, .. } = self;
        let store_files = snapshot::store_files;
        if options.dry_run {
            repository.check_repairable()?;
            let sources = Sources::open(repository, &options.from, others, worktree, store_files)?;
            return repair::preview(repository, &sources, progress);
        }
        let mut transaction = repository.begin_repair()?;
        let sources = Sources::open(transaction.repository(), &options.from, others, worktree, store_files)?;
        repair::repair(&mut transaction, &sources, progress)
    }
}
