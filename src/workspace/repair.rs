//! Repairs the repository.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::Result;
use crate::maintain::repair::{self, Outcome, Sources};
use crate::maintain::verify::Damage;
use crate::progress::Progress;
use crate::repo::Repository;
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
    /// Makes a damaged journal of the repository at or above `directory` usable again. Returns its damage, and whether operations may
    /// be missing; `None` if it is not damaged, or if there is no repository. Call it before opening the repository, which fails without a
    /// readable checkpoint. A dry run writes nothing.
    pub fn repair_journal(
        directory: &Path,
        environment: &Environment,
        is_dry_run: bool,
    ) -> Result<Option<(Damage, Option<Damage>)>> {
        let repaired = Repository::repair_journal(directory, environment, is_dry_run)?;
        Ok(repaired.map(repair::journal_damage))
    }

    /// Recovers lost objects from damaged packs, the worktree and other repositories, and restores commits of packs that the journal
    /// does not name. Adds packs, and removes only packs whose content is in other packs. One operation; none if nothing changes.
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
