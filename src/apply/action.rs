//! One action of a plan, decoded.

use std::fmt;

use crate::metadata::Kind;
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};

/// One step of a plan, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create an entry at an unused path.
    Create(RepoPathBuf, Entry),
    /// Replace the entry: by other content or another kind, or to separate a file from its other hard links.
    Replace(RepoPathBuf, Entry),
    /// Make the first path a hard link to the second. An entry at the first path is replaced.
    Link(RepoPathBuf, RepoPathBuf),
    /// Set mode, owner, time or attributes.
    Touch(RepoPathBuf, Entry),
    /// Remove.
    Remove(RepoPathBuf),
}

impl Action {
    /// The path that the action changes.
    pub fn path(&self) -> &RepoPath {
        match self {
            Action::Create(path, _)
            | Action::Replace(path, _)
            | Action::Link(path, _)
            | Action::Touch(path, _)
            | Action::Remove(path) => path,
        }
    }

    /// Entry that the path will have; `None` for a link or a removal.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Action::Create(_, entry) | Action::Replace(_, entry) | Action::Touch(_, entry) => Some(entry),
            Action::Link(..) | Action::Remove(_) => None,
        }
    }

    /// Whether the action changes more than the metadata of a directory.
    pub fn is_worth_counting(&self) -> bool {
        !matches!(self, Action::Touch(_, entry) if entry.kind() == Kind::Directory)
    }

    /// The name of the action in messages and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Create(..) => "create",
            Action::Replace(..) => "replace",
            Action::Link(..) => "link",
            Action::Touch(..) => "touch",
            Action::Remove(..) => "remove",
        }
    }
}

/// Writes the name of the action and the path. Directories end with a slash.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word(), self.path().display())?;
        match self {
            Action::Link(_, to) => write!(f, " -> {}", to.display()),
            _ if self.entry().is_some_and(|entry| entry.kind() == Kind::Directory) => f.write_str("/"),
            _ => Ok(()),
        }
    }
}
