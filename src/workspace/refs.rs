//! Creates, deletes and renames branches and tags.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::history::reflog::no_commit;
use crate::id::CommitId;
use crate::object::operation::{RefEdit, RefName, Verb, View};
use crate::quote::shell_word;
use crate::repo::NewOperation;

use super::Workspace;

/// Branch or tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefKind {
    /// A name that follows the commits made on it.
    Branch,
    /// A name that stays at its commit.
    Tag,
}

impl RefKind {
    /// `branch` or `tag`.
    pub fn word(self) -> &'static str {
        match self {
            RefKind::Branch => "branch",
            RefKind::Tag => "tag",
        }
    }

    /// All names of this kind with their commits.
    pub fn refs(self, view: &View) -> &BTreeMap<String, CommitId> {
        match self {
            RefKind::Branch => &view.branches,
            RefKind::Tag => &view.tags,
        }
    }

    fn name(self, name: &str) -> RefName {
        match self {
            RefKind::Branch => RefName::Branch(name.to_owned()),
            RefKind::Tag => RefName::Tag(name.to_owned()),
        }
    }

    fn verb(self) -> Verb {
        match self {
            RefKind::Branch => Verb::Branch,
            RefKind::Tag => Verb::Tag,
        }
    }

    fn find(self, view: &View, name: &str) -> Result<CommitId> {
        let word = self.word();
        let missing = || Error::new(ErrorKind::NotFound, format!("no {word} `{name}`")).hint(format!("undo {word}"));
        view.get(&self.name(name)).ok_or_else(missing)
    }
}

impl Workspace {
    /// Creates a branch or tag at a commit. With `force`, moves an existing one and returns its previous commit.
    ///
    /// [`ErrorKind::Exists`] if the name is taken, [`ErrorKind::Refused`] for the current branch, which only a checkout moves.
    pub fn create_ref(&mut self, kind: RefKind, name: &str, commit: CommitId, force: bool) -> Result<Option<CommitId>> {
        let (word, view) = (kind.word(), self.view());
        let old = kind.find(view, name).ok();
        if let Some(old) = old.filter(|_| !force) {
            let hint = match old == commit {
                true => format!("undo {word}"),
                false => format!("to move it: undo {word} -f {} {}", shell_word(name.as_bytes()), commit.short()),
            };
            let message = format!("{word} `{name}` already exists, at {}", old.short());
            return Err(Error::new(ErrorKind::Exists, message).hint(hint));
        }
        if kind == RefKind::Branch && name == view.current && old.is_some() {
            return Err(Error::new(ErrorKind::Refused, format!("`{name}` is the current branch"))
                .hint(format!("to restore the directory to that commit: undo checkout {}", commit.short())));
        }
        let edits = vec![RefEdit { name: kind.name(name), old, new: Some(commit) }];
        self.record_refs(kind, format!("{word} {name} at {}", commit.short()), edits, None)?;
        Ok(old)
    }

    /// Deletes branches or tags, and returns their commits, which stay. The current branch cannot be deleted, and without
    /// `force` no branch that is current in another directory, even if that is not there now.
    pub fn delete_refs(&mut self, kind: RefKind, names: &[String], force: bool) -> Result<Vec<CommitId>> {
        let view = self.view();
        if let Some(name) = names.iter().find(|name| kind == RefKind::Branch && **name == view.current) {
            return Err(Error::new(ErrorKind::Refused, format!("`{name}` is the current branch"))
                .hint("switch to another branch first: undo checkout BRANCH"));
        }
        let commits = names.iter().map(|name| kind.find(view, name)).collect::<Result<Vec<_>>>()?;
        if kind == RefKind::Branch && !force {
            names.iter().try_for_each(|name| self.repository.check_absent_directories(name))?;
        }
        let edit = |(name, id): (&String, &CommitId)| RefEdit { name: kind.name(name), old: Some(*id), new: None };
        let edits = names.iter().zip(&commits).map(edit).collect();
        self.record_refs(kind, format!("delete {} {}", kind.word(), names.join(" ")), edits, None)?;
        Ok(commits)
    }

    /// Renames a branch or tag, and returns its commit.
    pub fn rename_ref(&mut self, kind: RefKind, old: &str, new: &str) -> Result<CommitId> {
        let view = self.view();
        let is_current = kind == RefKind::Branch && old == view.current;
        if is_current && view.at().is_none() {
            return Err(no_commit(view));
        }
        let commit = kind.find(view, old)?;
        if kind.find(view, new).is_ok() {
            return Err(Error::new(ErrorKind::Exists, format!("{} `{new}` already exists", kind.word())));
        }
        let edits = vec![
            RefEdit { name: kind.name(old), old: Some(commit), new: None },
            RefEdit { name: kind.name(new), old: None, new: Some(commit) },
        ];
        let description = format!("rename {} {old} to {new}", kind.word());
        self.record_refs(kind, description, edits, is_current.then(|| new.to_owned()))?;
        Ok(commit)
    }

    fn record_refs(
        &mut self,
        kind: RefKind,
        description: String,
        edits: Vec<RefEdit>,
        switch: Option<String>,
    ) -> Result<()> {
        let operation = NewOperation { verb: kind.verb(), description, edits, switch, ..NewOperation::default() };
        self.repository.begin()?.record(operation).map(drop)
    }
}
