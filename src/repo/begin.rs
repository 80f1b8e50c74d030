//! Begins transactions: takes the lock, reads the journal again, and checks that the repository can be changed.

use std::path::Path;
use std::time::Duration;

use crate::environment::{Environment, LockWait, Phase};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::FileLock;
use crate::quote::shell_path;
use crate::repo::format::Format;
use crate::repo::journal::{Loaded, RepairedJournal};
use crate::repo::repository::STILL_READABLE;
use crate::repo::{Layout, Repository, Transaction, config, git_ignore, journal, leftovers, no_sync, reserve, sharing};

/// How long another command may hold the lock of a run to find out who has it.
const LOOK: Duration = Duration::from_millis(100);

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Change,
    /// To record a directory that may not be known yet.
    Join,
    Repair,
}

impl Repository {
    /// Takes the lock, waiting as long as the environment says, and reads the journal again. [`ErrorKind::Refused`] if another directory
    /// that shares the repository has an unfinished checkout.
    pub fn begin(&mut self) -> Result<Transaction<'_>> {
        self.begin_by(&acquire, Purpose::Change)
    }

    /// Like [`Repository::begin`], but waits for the lock only this long.
    pub fn begin_within(&mut self, limit: Duration) -> Result<Transaction<'_>> {
        let wait = LockWait::For(limit);
        self.begin_by(&|path, environment| FileLock::acquire(path, environment, wait), Purpose::Change)
    }

    /// Whether `undo run` is running a command in this directory. Waits for nothing.
    pub fn is_run_running(&self) -> Result<bool> {
        Ok(FileLock::text(&self.layout.run_lock())?.is_some())
    }

    /// Like [`Repository::begin`], for a directory that may not be known yet.
    pub(super) fn begin_to_join(&mut self) -> Result<Transaction<'_>> {
        self.begin_by(&acquire, Purpose::Join)
    }

    /// Like [`Repository::begin`], but waits for the lock without a limit and calls `tell` once with its holder. Only a
    /// signal ends the wait: [`ErrorKind::Interrupted`].
    pub fn begin_waiting(&mut self, tell: &dyn Fn(&Error)) -> Result<Transaction<'_>> {
        self.begin_by(&|path, environment| FileLock::acquire_interruptibly(path, environment, tell), Purpose::Change)
    }

    /// Makes the journal of the repository at or above `start` usable again. `None` if it is not damaged, or if there is no
    /// repository. Before it is opened, because without a readable checkpoint it cannot be. A dry run writes nothing.
    pub fn repair_journal(
        start: &Path,
        environment: &Environment,
        is_dry_run: bool,
    ) -> Result<Option<RepairedJournal>> {
        let Ok(layout) = Layout::discover(start) else { return Ok(None) };
        let Ok(format) = Format::open(&layout.format()) else { return Ok(None) };
        if matches!(journal::load(&layout.journal()), Ok(Loaded { damage: None, .. })) {
            return Ok(None);
        }
        format.check_writable()?;
        if is_dry_run {
            return journal::preview(&layout.journal());
        }
        let permitted = |error| layout.not_permitted(error);
        let _lock = acquire(&layout.lock(), environment).map_err(permitted)?;
        journal::repair(&layout.journal(), environment.durability()).map_err(permitted)
    }

    /// Like [`Repository::begin`], but begins although the mask is damaged.
    pub fn begin_repair(&mut self) -> Result<Transaction<'_>> {
        self.begin_by(&acquire, Purpose::Repair)
    }

    fn begin_by(
        &mut self,
        acquire: &dyn Fn(&Path, &Environment) -> Result<FileLock>,
        purpose: Purpose,
    ) -> Result<Transaction<'_>> {
        self.format.check_writable()?;
        let began = self.environment.now();
        let lock = acquire(&self.layout.lock(), &self.environment).map_err(|error| self.layout.not_permitted(error))?;
        self.config = self.load_settings().config;
        no_sync::flush_unsynced(&self.layout, self.environment.durability())?;
        self.reload()?;
        match purpose {
            Purpose::Repair => self.check_journal()?,
            _ => self.check_undamaged()?,
        }
        if purpose != Purpose::Join {
            self.membership.check(&self.layout)?;
            self.name_directory();
            self.rename_worktree_files();
        }
        self.check_same_worktree()?;
        leftovers::clean(&self.layout);
        sharing::ensure(&self.layout, self.config.is_shared)?;
        // Best effort: a failure only leaves the folder visible to git.
        let _ = git_ignore::ensure(&self.layout);
        let _ = reserve::allocate(&self.layout.reserve());
        match self.unfinished() {
            Some(_) => self.environment.set_phase(Phase::Applying),
            None => self.environment.advance_phase(Phase::Idle, Phase::Locked),
        }
        let is_moved = purpose == Purpose::Change && self.is_moved();
        let mut transaction = Transaction::new(self, lock, began);
        if is_moved {
            match transaction.record_directory() {
                // The command may free space. Its own record has the new path too.
                Err(error) if error.kind() == ErrorKind::NoSpace => {}
                result => result?,
            }
        }
        Ok(transaction)
    }

    /// Fails if a transaction could not begin, except because of the lock. For dry runs, which take no lock.
    pub fn check_usable(&self) -> Result<()> {
        self.format.check_writable()?;
        self.check_undamaged()?;
        self.membership.check(&self.layout)?;
        self.check_same_worktree()
    }

    /// Like [`Repository::check_usable`], but ignores damage.
    pub fn check_repairable(&self) -> Result<()> {
        self.format.check_writable()?;
        self.membership.check(&self.layout)?;
        self.check_same_worktree()
    }

    /// Fails if the journal is damaged.
    fn check_journal(&self) -> Result<()> {
        journal::load(&self.layout.journal())?.damage.map_or(Ok(()), |_| self.check_undamaged())
    }

    fn load_settings(&self) -> config::Loaded {
        config::load(&self.layout.config(), self.environment.user_settings())
    }

    /// [`ErrorKind::Refused`] if settings of the repository are invalid. For commands that remove what these may keep.
    pub fn check_settings(&self) -> Result<()> {
        if self.load_settings().is_valid() {
            return Ok(());
        }
        let message = "nothing is removed while settings of the repository are ignored, which may say what to keep";
        Err(Error::new(ErrorKind::Refused, message)
            .hint(format!("correct the file with a text editor: {}", shell_path(&self.layout.config()))))
    }

    fn check_undamaged(&self) -> Result<()> {
        let Some(damage) = self.warnings.first() else { return Ok(()) };
        let hint = damage.hint_text().unwrap_or_else(|| STILL_READABLE.to_owned());
        Err(Error::damaged(damage.to_string()).hint(hint))
    }

    /// Takes the right to run a command in this worktree and to record its changes, until it is dropped. Waits for other
    /// commands that look who holds it, but no longer, because the holder may be an `undo run` that contains this one. Does not
    /// lock the repository.
    pub fn begin_run(&self) -> Result<FileLock> {
        self.membership.check(&self.layout)?;
        let lock = FileLock::acquire(&self.layout.run_lock(), &self.environment, LockWait::For(LOOK));
        lock.map_err(|error| match error.kind() {
            ErrorKind::Locked => error.hint("one `undo run` at a time in a directory: wait until that one has ended"),
            _ => self.layout.not_permitted(error),
        })
    }
}

impl Repository {
    /// Takes the right to collect garbage, until it is dropped. Does not lock the repository. Deletes what an interrupted
    /// collection has left.
    pub fn begin_gc(&self) -> Result<FileLock> {
        self.check_usable()?;
        let lock = acquire_now(&self.layout.gc_lock(), &self.environment).map_err(|error| match error.kind() {
            ErrorKind::Locked => error.hint("one `undo gc` at a time: wait until that one has ended"),
            _ => self.layout.not_permitted(error),
        })?;
        leftovers::clean_gc(&self.layout);
        Ok(lock)
    }
}

fn acquire_now(path: &Path, environment: &Environment) -> Result<FileLock> {
    FileLock::acquire(path, environment, LockWait::For(Duration::ZERO))
}

fn acquire(path: &Path, environment: &Environment) -> Result<FileLock> {
    FileLock::acquire(path, environment, environment.lock_wait())
}
