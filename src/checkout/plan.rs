//! The plan: what a checkout will do, as data. Apply does nothing that the plan does not list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::Result;
use crate::id::TreeId;
use crate::metadata::Kind;
use crate::object::{Entry, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};

/// One step. Listed in path order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make what is not there.
    Create(RepoPathBuf, Entry),
    /// Replace what is there by another content or kind; also by the same content as a file of its own, where the one
    /// that is there has other names too.
    Replace(RepoPathBuf, Entry),
    /// Make the first path another name of the second; what is at the first is replaced.
    Link(RepoPathBuf, RepoPathBuf),
    /// Set mode, owner, time or attributes.
    Touch(RepoPathBuf, Entry),
    /// Remove.
    Remove(RepoPathBuf),
}

impl Action {
    /// What it is about.
    pub fn path(&self) -> &RepoPath {
        match self {
            Action::Create(path, _)
            | Action::Replace(path, _)
            | Action::Link(path, _)
            | Action::Touch(path, _)
            | Action::Remove(path) => path,
        }
    }

    /// What will be there, unless it is a link or nothing.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Action::Create(_, entry) | Action::Replace(_, entry) | Action::Touch(_, entry) => Some(entry),
            Action::Link(..) | Action::Remove(_) => None,
        }
    }

    /// Whether it changes more than the metadata of a directory.
    pub fn is_worth_counting(&self) -> bool {
        !matches!(self, Action::Touch(_, entry) if entry.kind() == Kind::Directory)
    }

    /// The word for people and JSON.
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

/// One line: the word, and the path; a directory has a slash at its end, and so has the root.
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

/// All steps of a checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In path order.
    pub actions: Vec<Action>,
    /// Uncovered content that is in the way, in path order: refuse.
    pub conflicts: Vec<RepoPathBuf>,
    /// Uncovered content in the way that is what is wanted, but for mode, owner, time or attributes, in path order: to be
    /// recorded before it gets those of the target.
    pub undressed: Vec<(RepoPathBuf, Kind)>,
    /// Uncovered journals of database files that the plan changes, in path order: to be recorded, and planned for then.
    pub unsaved_journals: Vec<RepoPathBuf>,
    /// Journals that rules leave out, in the worktree or in the target, and that change since their database file does.
    pub journals: Vec<RepoPathBuf>,
    /// Journals that stay as they are although the target has others, since it does not cover their database file.
    pub left_journals: Vec<RepoPathBuf>,
    /// Entries that are already as they should be (or, of a directory, but for its metadata).
    pub unchanged: u64,
    /// Paths that stay, and whose inode gets or loses other names.
    pub relinked: Vec<RepoPathBuf>,
    /// The directories that an action is in, at any depth, as the target has them (those that it has).
    pub directories: BTreeMap<RepoPathBuf, Entry>,
}

impl Plan {
    /// What a commit must cover, whatever the rules say, so that nothing in the way is lost: of an undressed directory
    /// only itself, by a path through it.
    pub fn to_be_saved(&self) -> Vec<RepoPathBuf> {
        let undressed = self.undressed.iter().map(|(path, kind)| match kind {
            Kind::Directory => path.join(b"-"),
            _ => path.clone(),
        });
        let uncovered = self.conflicts.iter().chain(&self.unsaved_journals).cloned();
        uncovered.chain(undressed).collect()
    }

    /// The directories that it makes or touches, and their entries.
    pub(super) fn own_directories(&self) -> BTreeMap<&RepoPath, &Entry> {
        let directories = self.actions.iter().filter_map(|action| Some((action.path(), action.entry()?)));
        directories.filter(|(_, entry)| entry.kind() == Kind::Directory).collect()
    }

    /// How many entries it works on, without the root, and bytes of the files that it writes.
    pub(super) fn amounts(&self) -> (u64, u64) {
        let entries = self.actions.iter().filter(|action| !action.path().is_root()).count();
        (entries as u64, self.bytes_to_write())
    }

    /// Bytes of the files that it writes.
    pub(super) fn bytes_to_write(&self) -> u64 {
        let size = |action: &Action| match action {
            Action::Create(_, entry) | Action::Replace(_, entry) if entry.kind() == Kind::File => entry.size(),
            _ => 0,
        };
        self.actions.iter().map(size).sum()
    }
}

/// The actions, then the conflicts, a line each.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.actions.iter().try_for_each(|action| writeln!(f, "{action}"))?;
        self.conflicts.iter().try_for_each(|path| writeln!(f, "conflict {}", path.display()))
    }
}

/// Those of the directories above `paths` that the tree of `root` has; each tree is read once.
pub(super) fn directories_above<'p>(
    objects: &dyn Objects,
    root: &Entry,
    paths: impl Iterator<Item = &'p RepoPath>,
) -> Result<BTreeMap<RepoPathBuf, Entry>> {
    let mut wanted: BTreeSet<&RepoPath> = BTreeSet::new();
    for path in paths {
        for directory in path.ancestors() {
            if !wanted.insert(directory) {
                break;
            }
        }
    }
    let mut found = BTreeMap::new();
    // The trees from the root down to where we are, read when something in them is asked for: in path order, a directory
    // comes right after those that it is in.
    let mut trees: Vec<(&RepoPath, TreeId, Option<Tree>)> = Vec::new();
    for path in wanted {
        while trees.last().is_some_and(|(above, ..)| !path.is_within(above)) {
            trees.pop();
        }
        let entry = match (path.name(), trees.last_mut()) {
            (None, _) => Some(root.clone()),
            (Some(name), Some((above, id, tree))) if path.parent() == Some(above) => {
                if tree.is_none() {
                    *tree = Some(objects.tree(*id)?);
                }
                tree.as_ref().and_then(|tree| tree.find(name)).cloned()
            }
            _ => None,
        };
        let Some((entry, tree)) = entry.and_then(|entry| entry.tree().map(|tree| (entry, tree))) else { continue };
        trees.push((path, tree, None));
        found.insert(path.to_owned(), entry);
    }
    Ok(found)
}
