//! An open repository: its files, and the state that the journal had when it was read.

use std::path::Path;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, ReadLock};
use crate::id::{CommitId, DirectoryId, OperationId};
use crate::object::operation::{Intent, View};
use crate::object::{Commit, Operation};
use crate::repo::Joining;
use crate::repo::config::{self, Config};
use crate::repo::format::Format;
use crate::repo::init;
use crate::repo::journal::{self, End, Loaded, Operations, State};
use crate::repo::layout::{Attachment, Layout};
use crate::repo::membership::Membership;
use crate::repo::other_worktree::OtherCheckout;
use crate::store::{Mask, Options, PurgedBlobs, Store};

/// An open repository, with the state of the journal when it was read.
pub struct Repository {
    /// Paths of its files.
    pub layout: Layout,
    /// Settings.
    pub config: Config,
    /// Clock, author, arguments and durability of this command.
    pub environment: Environment,
    pub(super) format: Format,
    /// Keeps replaced packs in place while they may be read.
    pub(super) read_lock: ReadLock,
    pub(super) store: Store,
    pub(super) state: State,
    pub(super) end: End,
    pub(super) warnings: Vec<Error>,
    setting_problems: Vec<Error>,
    /// Relation of the directory to the repository.
    pub(super) membership: Membership,
    /// Whether the unfinished checkout is in another directory.
    pub(super) is_in_other_worktree: bool,
}

impl Repository {
    /// Creates a repository for the directory `worktree`, with its store in the directory or at `store`, or attaches an
    /// existing store. [`ErrorKind::Exists`] if the directory has a repository.
    pub fn init(worktree: &Path, store: Option<&Path>, environment: Environment) -> Result<Repository> {
        Repository::init_as(worktree, store, &Joining::Ask, environment)
    }

    /// Like [`Repository::init`], for a store that another directory may use: [`ErrorKind::Refused`] if one does and
    /// `joining` does not declare what this one is.
    pub fn init_as(
        worktree: &Path,
        store: Option<&Path>,
        joining: &Joining,
        environment: Environment,
    ) -> Result<Repository> {
        let layout = init::init(worktree, store, joining, &environment)?;
        let joined = Repository::open(layout.clone(), environment).and_then(|mut repository| {
            // The intact content of a damaged repository can still be saved.
            if repository.warnings.is_empty()
                && !(repository.membership == Membership::Sole && *joining == Joining::Ask)
            {
                repository.join(joining)?;
            }
            Ok(repository)
        });
        if joined.is_err() && layout.attachment != Attachment::Own {
            let _ = fs::remove_file(&layout.marker());
        }
        joined
    }

    /// Opens the repository at or above `start`.
    pub fn discover(start: &Path, environment: Environment) -> Result<Repository> {
        Repository::open(Layout::discover(start)?, environment)
    }

    /// Opens the repository with these paths.
    pub fn open(layout: Layout, environment: Environment) -> Result<Repository> {
        Repository::load(&layout, environment, &|state| Membership::of(state, &layout))
            .map_err(|error| layout.not_permitted(error))
    }

    /// Opens a store to read it as one of its directories, which need not exist. A transaction cannot begin.
    pub fn open_detached(store: &Path, directory: DirectoryId, environment: Environment) -> Result<Repository> {
        let state = journal::load(&store.join("journal"))?.state;
        let known = state.directories.get(&directory).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the store `{}` does not know this directory", store.display()))
        })?;
        let layout = Layout::new(known.path(), store, Attachment::Store(Some(directory)));
        let membership = Membership::Known { id: directory, directory: known.clone(), is_recorded: true };
        Repository::load(&layout, environment, &|_| Ok(membership.clone())).map_err(|error| layout.not_permitted(error))
    }

    fn load(
        layout: &Layout,
        environment: Environment,
        identify: &dyn Fn(&State) -> Result<Membership>,
    ) -> Result<Repository> {
        if !fs::exists(&layout.format())? && is_unfinished(layout)? {
            let message = format!("the repository in `{}` is incomplete", layout.worktree.display());
            return Err(Error::new(ErrorKind::NoRepository, message).hint("to complete it, run there: undo init"));
        }
        // Before the journal is read: the packs that it names then stay.
        let read_lock = ReadLock::acquire(&layout.format());
        let format = Format::open(&layout.format())?;
        let settings = config::load(&layout.config(), environment.user_settings());
        let (config, setting_problems) = settings.with_problems();
        let Config { compression, reflink, .. } = config;
        let options = Options { chunk: format.chunk, compression, reflink, durability: environment.durability() };
        let Loaded { mut state, end, damage } = journal::load(&layout.journal())?;
        let membership = identify(&state)?;
        state.select_directory(membership.directory());
        let (mask, mask_damage) = read_mask(layout, &state)?;
        let store = open_store(layout, &state, mask, options, damage.is_some())?;
        let warnings = damage_warning(damage).chain(mask_damage).collect();
        let is_in_other_worktree = is_in_other_worktree(&state, layout);
        let layout = layout.clone();
        Ok(Repository {
            layout,
            config,
            environment,
            format,
            read_lock,
            store,
            state,
            end,
            warnings,
            setting_problems,
            membership,
            is_in_other_worktree,
        })
    }

    /// Whether no other process has read the journal before now and still uses the packs that it named then.
    pub fn is_only_reader(&mut self) -> bool {
        self.read_lock.exclusively(|| ())
    }

    /// Reads the journal again if other processes have written to it.
    pub fn reload(&mut self) -> Result<()> {
        if !self.warnings.is_empty() || !journal::ends_at(&self.layout.journal(), self.end)? {
            self.reread_journal()?;
        }
        self.update_membership()?;
        self.is_in_other_worktree = is_in_other_worktree(&self.state, &self.layout);
        Ok(())
    }

    fn reread_journal(&mut self) -> Result<()> {
        let Loaded { state, end, damage } = journal::load(&self.layout.journal())?;
        let (mask, mask_damage) = read_mask(&self.layout, &state)?;
        if state.packs != self.state.packs || mask.as_ref() != self.store.mask() || damage.is_some() {
            self.store = open_store(&self.layout, &state, mask, self.store.options().clone(), damage.is_some())?;
        }
        self.store.set_purged(purged_blobs(&state));
        (self.state, self.end, self.warnings) = (state, end, damage_warning(damage).chain(mask_damage).collect());
        Ok(())
    }

    /// Determines again the relation of the directory to the repository.
    pub(super) fn update_membership(&mut self) -> Result<()> {
        self.membership = Membership::of(&self.state, &self.layout)?;
        self.state.select_directory(self.membership.directory());
        Ok(())
    }

    /// The objects.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// All refs.
    pub fn view(&self) -> &View {
        &self.state.view
    }

    /// The nearest ancestors of a commit that are not forgotten. Without forgotten commits these are its parents. Every
    /// walk through the history follows them.
    pub fn parents(&self, commit: &Commit) -> Vec<CommitId> {
        self.state.view.kept_parents(&commit.parents)
    }

    /// Refs, packs, newest operation and unfinished checkout.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The damage of the mask that the journal names.
    pub fn mask_damage(&self) -> Result<Option<Error>> {
        read_mask(&self.layout, &self.state).map(|(_, damage)| damage)
    }

    /// The newest operation.
    pub fn operation(&self) -> Option<OperationId> {
        self.state.operation
    }

    /// The unfinished checkout of this directory.
    pub fn unfinished(&self) -> Option<&Intent> {
        self.state.intent.as_ref().filter(|_| !self.is_in_other_worktree)
    }

    /// The unfinished checkout of another directory that shares the repository.
    pub fn foreign(&self) -> Option<OtherCheckout<'_>> {
        self.state.intent.as_ref().filter(|_| self.is_in_other_worktree).map(OtherCheckout::of)
    }

    /// [`ErrorKind::Refused`] if another directory has an unfinished checkout.
    pub fn check_same_worktree(&self) -> Result<()> {
        self.foreign().map_or(Ok(()), |foreign| Err(foreign.refusal()))
    }

    /// Relation of the directory to the repository.
    pub fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Whether an operation was done in this directory, not in another one that uses the repository.
    pub fn is_own(&self, operation: &Operation) -> bool {
        operation.directory == self.state.directory()
    }

    /// Operations of this directory, newest first.
    pub fn own_operations(&self) -> impl Iterator<Item = Result<(OperationId, Operation)>> + '_ {
        self.operations().filter(|item| item.as_ref().map_or(true, |(_, operation)| self.is_own(operation)))
    }

    /// Damage of the journal: the newest history may be missing.
    pub fn warnings(&self) -> &[Error] {
        &self.warnings
    }

    /// Why settings are not in force.
    pub fn setting_problems(&self) -> &[Error] {
        &self.setting_problems
    }

    /// Operations of all directories, newest first.
    pub fn operations(&self) -> Operations {
        Operations::new(&self.layout.journal(), self.end, self.state.operation)
    }
}

/// Opens the packs of a state. The state of a damaged journal may be old, and its packs may have been merged since, so
/// all other pack files are opened too. Ids verify their objects.
pub(super) fn open_store(
    layout: &Layout,
    state: &State,
    mask: Option<Mask>,
    options: Options,
    is_old: bool,
) -> Result<Store> {
    let mut packs = state.packs.clone();
    if is_old {
        packs.extend(layout.pack_files()?.into_iter().map(|(id, _)| id));
    }
    let mut store = Store::open(&layout.repository, &Vec::from_iter(packs), mask, options.clone())?;
    store.set_purged(purged_blobs(state));
    let (journal, directory, old_packs) = (layout.journal(), layout.repository.clone(), state.packs.clone());
    // On a file system without locks, packs may be replaced and deleted while they are read.
    Ok(store.or_reopened(move || {
        let state = journal::load(&journal).ok()?.state;
        if state.packs == old_packs {
            return None;
        }
        let mask = state.mask().map(|id| Mask::read(&directory, id)).transpose().ok()?;
        let mut store = Store::open(&directory, &Vec::from_iter(state.packs.clone()), mask, options.clone()).ok()?;
        store.set_purged(purged_blobs(&state));
        Some(store)
    }))
}

/// The blobs that a state lists as purged.
pub(super) fn purged_blobs(state: &State) -> PurgedBlobs {
    PurgedBlobs::new(state.view.purged.iter().map(|(blob, purged)| (*blob, purged.size)))
}

fn is_in_other_worktree(state: &State, layout: &Layout) -> bool {
    state.intent.as_ref().map(OtherCheckout::of).is_some_and(|foreign| foreign.is_there(layout))
}

/// Reads the mask in force. If it is damaged, everything in the packs can be read, but nothing may be written: hidden
/// objects would count as stored, although what they refer to may be gone.
pub(super) fn read_mask(layout: &Layout, state: &State) -> Result<(Option<Mask>, Option<Error>)> {
    match state.mask().map(|id| Mask::read(&layout.repository, id)).transpose() {
        Ok(mask) => Ok((mask, None)),
        Err(error) if error.kind() == ErrorKind::Damaged => Ok((None, Some(error))),
        Err(error) => Err(error),
    }
}

/// Hint for damage that stops writing.
pub(super) const STILL_READABLE: &str = "reading still works: save what you need with `undo export`";

/// Turns damage of the journal into a warning.
fn damage_warning(damage: Option<Error>) -> impl Iterator<Item = Error> {
    damage.into_iter().map(|error| error.context("the newest history may be missing").hint(journal::REPAIR))
}

/// Whether the folder contains nothing but what an interrupted `init` leaves.
fn is_unfinished(layout: &Layout) -> Result<bool> {
    Ok(fs::list(&layout.packs())?.is_empty() && !journal::has_history(&layout.journal())?)
}
