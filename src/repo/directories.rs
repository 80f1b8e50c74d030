//! Directories that share one repository. Each has its own branch; the user declares what a new directory is.

use std::path::Path;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::{CommitId, DirectoryId};
use crate::object::Operation;
use crate::object::operation::{RefEdit, RefName, Verb};
use crate::path::REPOSITORY;
use crate::quote::shell_word;
use crate::repo::journal::{Directory, Record};
use crate::repo::layout::{Attachment, Layout};
use crate::repo::membership::{Joining, Membership, current, is_there, main_directory, new_id};
use crate::repo::transaction::{NewOperation, Transaction};
use crate::repo::{Repository, refname};

impl Repository {
    /// Records the directory in the journal, as it was identified or as `joining` declares.
    pub fn join(&mut self, joining: &Joining) -> Result<()> {
        let mut transaction = self.begin_to_join()?;
        let repository = transaction.repository_mut();
        let membership = match (&repository.membership, joining) {
            (Membership::Known { directory, .. }, Joining::Branch(name)) if directory.branch.as_ref() != Some(name) => {
                let branch = directory.branch.as_deref().unwrap_or(repository.state.main_branch());
                let message = format!("this directory is already known; its branch is `{branch}`");
                let hint = match repository.view().branches.contains_key(name) {
                    true => format!("to switch: undo checkout {}", shell_word(name.as_bytes())),
                    false => "to see it: undo status".to_owned(),
                };
                return Err(Error::new(ErrorKind::Exists, message).hint(hint));
            }
            (Membership::Sole, Joining::Branch(_) | Joining::Moved) => {
                let message =
                    format!("no other directory uses the repository of `{}`", repository.layout.worktree.display());
                return Err(Error::new(ErrorKind::Usage, message).hint("leave out `--branch` and `--moved`"));
            }
            (membership @ Membership::Unknown { .. }, Joining::Ask) => return membership.check(&repository.layout),
            (Membership::Unknown { .. }, Joining::Moved) => {
                let named = repository.layout.attachment.directory();
                let known = &repository.state.directories;
                let main = main_directory(known).map(|(id, _)| id);
                let id = named.filter(|id| known.contains_key(id)).or(main).map_or_else(new_id, Ok)?;
                let branch = known.get(&id).and_then(|directory| directory.branch.clone());
                Membership::known(current(&repository.layout)?, id, branch, known)
            }
            (Membership::Unknown { .. }, Joining::Branch(name)) => {
                refname::check(name)?;
                repository.check_free(name)?;
                let known = &repository.state.directories;
                Membership::known(current(&repository.layout)?, new_id()?, Some(name.clone()), known)
            }
            (membership, _) => membership.clone(),
        };
        let start = repository.view().at();
        repository.membership = membership;
        repository.name_directory();
        repository.select_unrecorded_directory();
        // Appended at once: otherwise, after a kill in between, the directory would begin a separate history.
        if !transaction.create_branch(start)? {
            transaction.record_directory()?;
        }
        Ok(())
    }

    /// Writes the directory id into a file `.undo`. The directory can also be found by path and inode, so a failure is
    /// ignored.
    pub(super) fn name_directory(&mut self) {
        let Membership::Known { id, .. } = self.membership else { return };
        let is_named = self.layout.attachment.directory() == Some(id);
        if is_named || !matches!(self.layout.attachment, Attachment::Store(_)) {
            return;
        }
        let layout = Layout { attachment: Attachment::Store(Some(id)), ..self.layout.clone() };
        if layout.write_marker(self.format.id_text(), self.environment.durability()).is_ok() {
            self.layout = layout;
        }
    }

    /// Writes the file `.undo` of a directory with a store elsewhere again, if something has deleted it. Returns whether it was missing.
    pub fn restore_marker(&self) -> Result<bool> {
        let is_file = matches!(self.layout.attachment, Attachment::Store(_));
        if !is_file || fs::exists(&self.layout.marker())? {
            return Ok(false);
        }
        self.layout.write_marker(self.format.id_text(), self.environment.durability())?;
        Ok(true)
    }

    /// Attaches a directory to a store, as one of the directories that the store knows. `joining` declares whether it replaces one
    /// that still exists.
    pub fn attach(
        worktree: &Path,
        store: &Path,
        directory: DirectoryId,
        joining: &Joining,
        environment: Environment,
    ) -> Result<Repository> {
        let worktree = fs::canonicalize(worktree)?;
        let layout = Layout::new(&worktree, store, Attachment::Store(Some(directory)));
        let mut repository = Repository::open(layout, environment)?;
        if *joining == Joining::Ask {
            repository.membership.check(&repository.layout)?;
        }
        // They describe files that no longer exist.
        let known = repository.state.directories.get(&directory).map(|known| known.path().to_owned());
        for path in [Some(worktree), known].into_iter().flatten() {
            fs::remove_file(&Layout::new(&path, store, repository.layout.attachment).index())?;
        }
        repository.layout.write_marker(repository.format.id_text(), repository.environment.durability())?;
        repository.join(joining)?;
        Ok(repository)
    }

    /// Whether the directory was attached to its history, and has been empty since: nothing was restored or recorded in it. A new
    /// branch has no history.
    pub fn is_unfilled(&self) -> Result<bool> {
        let is_empty = || Ok(fs::list(&self.layout.worktree)?.iter().all(|name| name == REPOSITORY));
        if self.layout.attachment.directory().is_none() || fs::exists(&self.layout.index())? || !is_empty()? {
            return Ok(false);
        }
        let is_state = |item: Result<(_, Operation)>| item.is_ok_and(|(_, operation)| operation.worktree.is_some());
        Ok(self.view().at().is_some() || self.own_operations().any(is_state))
    }

    /// The former path of a directory that has a store elsewhere, and that has moved since the journal recorded it.
    fn former_path(&self) -> Option<&Path> {
        let Membership::Known { id, directory, is_recorded: false } = &self.membership else { return None };
        let known = self.state.directories.get(id).filter(|known| known.path != directory.path)?;
        self.layout.is_elsewhere().then_some(known.path())
    }

    /// Whether the directory has moved since the journal recorded it. Its new path must be recorded even if nothing else is:
    /// after the loss of the directory, the path leads to the store.
    pub(super) fn is_moved(&self) -> bool {
        self.former_path().is_some()
    }

    /// Renames the files of a moved directory, whose names depend on its path: the index saves a complete read, and the others
    /// describe unfinished work. Best effort.
    pub(super) fn rename_worktree_files(&self) {
        let Some(former) = self.former_path() else { return };
        let old = Layout::new(former, &self.layout.repository, self.layout.attachment);
        for file in Layout::OF_WORKTREE {
            let (from, to) = (file(&old), file(&self.layout));
            if !fs::exists(&to).unwrap_or(true) && fs::exists(&from).unwrap_or(false) {
                let _ = fs::rename(&from, &to);
            }
        }
    }

    /// The directory record to write, if the journal is not up to date.
    pub(super) fn unrecorded_directory(&self) -> Option<Record> {
        match &self.membership {
            Membership::Known { id, directory, is_recorded: false } => Some(Record::Directory(*id, directory.clone())),
            _ => None,
        }
    }

    /// Lets the state show the directory that the next record adds to the journal.
    fn select_unrecorded_directory(&mut self) {
        if let Membership::Known { id, directory, is_recorded: false } = &self.membership {
            self.state.put_directory(*id, directory.clone());
            self.state.select_directory(Some(*id));
        }
    }

    /// Marks the directory as recorded.
    pub(super) fn note_directory(&mut self) {
        let Membership::Known { id, directory, is_recorded } = &mut self.membership else { return };
        if !*is_recorded {
            *is_recorded = true;
            let branch =
                self.state.directories.get(id).map_or_else(|| directory.branch.clone(), |it| it.branch.clone());
            self.state.put_directory(*id, Directory { branch, ..directory.clone() });
            self.state.select_directory(Some(*id));
        }
    }

    /// [`ErrorKind::Refused`] if an edit or switch affects a branch that is current in another directory.
    pub(super) fn check_branches(&self, edits: &[RefEdit], switch: Option<&String>) -> Result<()> {
        let is_alone = self.state.directories.len() < 2 && self.state.directory().is_none();
        if is_alone {
            return Ok(());
        }
        let edited = edits.iter().filter_map(|edit| match &edit.name {
            RefName::Branch(name) => Some(name),
            RefName::Tag(_) => None,
        });
        edited.chain(switch).try_for_each(|name| self.check_free(name))
    }

    /// [`ErrorKind::Refused`] if a branch is current in another existing directory.
    fn check_free(&self, branch: &str) -> Result<()> {
        let is_main_unknown = self.is_beside_main() && main_directory(&self.state.directories).is_none();
        let is_existing = |id: DirectoryId, directory: &Directory| is_there(id, directory, &self.layout.repository);
        let holder = match self.holder(branch, &is_existing) {
            Some(directory) => Some(format!("in `{}`", directory.path().display())),
            None => (is_main_unknown && self.state.main_branch() == branch)
                .then(|| "in the directory that contains the repository".to_owned()),
        };
        let Some(holder) = holder else { return Ok(()) };
        Err(Error::new(
            ErrorKind::Refused,
            format!("the branch `{branch}` is current {holder}, which has the same repository"),
        )
        .hint("choose another branch"))
    }

    /// [`ErrorKind::Refused`] if a branch is current in another known directory that is not there, for example because its disk
    /// is not mounted now.
    pub fn check_absent_directories(&self, branch: &str) -> Result<()> {
        let is_absent = |id: DirectoryId, directory: &Directory| !is_there(id, directory, &self.layout.repository);
        let Some(directory) = self.holder(branch, &is_absent) else { return Ok(()) };
        let path = directory.path().display();
        let message = format!("the branch `{branch}` is current in `{path}`, which does not exist now");
        let delete = shell_word(branch.as_bytes());
        Err(Error::new(ErrorKind::Refused, message)
            .hint(format!("mount its disk, or delete the branch if the directory is gone: undo branch -D {delete}")))
    }

    /// Another directory in which a branch is current.
    fn holder(&self, branch: &str, is_wanted: &dyn Fn(DirectoryId, &Directory) -> bool) -> Option<&Directory> {
        let is_beside_main = self.is_beside_main();
        let is_held_by = |id: DirectoryId, directory: &Directory| {
            let (is_here, current) = match &directory.branch {
                Some(current) => (self.state.directory() == Some(id), current.as_str()),
                None => (!is_beside_main, self.state.main_branch()),
            };
            !is_here && current == branch && is_wanted(id, directory)
        };
        let mut known = self.state.directories.iter();
        known.find(|(id, directory)| is_held_by(**id, directory)).map(|(_, directory)| directory)
    }

    /// Whether this is not the main directory.
    fn is_beside_main(&self) -> bool {
        self.state.directory().is_some() || matches!(self.membership, Membership::Unknown { .. })
    }
}

impl Transaction<'_> {
    /// Creates the branch of a directory that has joined, at the current commit of the main one. `false` if the branch exists, or
    /// has nothing to begin at.
    fn create_branch(&mut self, start: Option<CommitId>) -> Result<bool> {
        let view = self.repository().view();
        let branch = view.current.clone();
        let (None, Some(start), true) = (view.at(), start, self.repository().state.directory().is_some()) else {
            return Ok(false);
        };
        let edits = vec![RefEdit { name: RefName::Branch(branch.clone()), old: None, new: Some(start) }];
        let description = format!("{branch} starts at {}", start.short());
        self.record(NewOperation { verb: Verb::Init, description, edits, ..NewOperation::default() })?;
        Ok(true)
    }
}
