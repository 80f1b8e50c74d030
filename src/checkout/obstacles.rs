//! Answers what the two trees cannot tell a plan: the target's ignore rules, and what is at paths that no commit covers.
//! Only here does planning look at the disk.

use std::cell::OnceCell;

use crate::apply::applier::is_listed;
use crate::apply::apply_metadata::LABEL;
use crate::apply::plan::Plan;
use crate::apply::proof::has_content;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir, Stat};
use crate::id::{BlobId, CommitId};
use crate::metadata::{Kind, Metadata};
use crate::object::commit::{Reason, Uncovered};
use crate::object::{Attributes, Content, Entry, Objects};
use crate::path::{REPOSITORY, RepoPath, RepoPathBuf};
use crate::store::Store;
use crate::worktree::clock::{self, Usage};
use crate::worktree::ignore::TreeRules;
use crate::worktree::{Clock, ignore};

use super::unfinished;
use super::unreachable::why_unreachable;

/// What is at a path that no commit covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Occupant {
    /// The path does not exist.
    Nothing,
    /// Has the wanted content; for a directory: is a directory.
    Alike {
        stat: Box<Stat>,
        /// Whether a later change may leave the same stat.
        racy: bool,
        /// Whether mode, owner, time and attributes match as well. Always true for a directory, whose time changes with
        /// its content.
        has_metadata: bool,
    },
    /// Nothing at or below this path, which is the queried path or one of its ancestors, can be changed, for this reason.
    Unreachable(RepoPathBuf, &'static str),
    /// Has different content, or cannot be read.
    Other,
}

/// Answers what the two trees cannot tell a plan. Unit tests answer from memory.
pub(super) trait Lookups {
    /// The objects of both sides.
    fn objects(&self) -> &dyn Objects;
    /// Whether the target's rules ignore a path.
    fn is_ignored(&self, path: &RepoPath, is_directory: bool) -> Result<bool>;
    /// Whether a blob was purged, so that no checkout can write it.
    fn is_purged(&self, blob: BlobId) -> bool;
    /// Whether an unfinished checkout was to change the database file at a path, or a journal of it.
    fn is_halfway(&self, path: &RepoPath) -> Result<bool>;
    /// Whether the worktree has a regular file at a path.
    fn is_file(&self, path: &RepoPath) -> bool;
    /// What is at an uncovered path where this entry is wanted.
    fn occupant(&self, path: &RepoPath, entry: &Entry) -> Result<Occupant>;
}

/// Looks up what may be in the way of a plan.
pub(super) struct Obstacles<'c> {
    root: &'c Dir,
    store: &'c Store,
    objects: &'c dyn Objects,
    /// Rules of the target.
    rules: TreeRules<'c>,
    /// The commits between which an unfinished checkout stopped.
    halfway: &'c [CommitId],
    /// The time before the first lookup.
    clock: OnceCell<Clock>,
    /// Repositories in the worktree. Nothing at or below them is touched, not even a directory of the same name.
    repositories: Vec<RepoPathBuf>,
    /// Mounts, and unreadable entries.
    hidden: Vec<Uncovered>,
}

impl<'c> Obstacles<'c> {
    pub(super) fn new(
        (root, store): (&'c Dir, &'c Store),
        objects: &'c dyn Objects,
        rules: TreeRules<'c>,
        halfway: &'c [CommitId],
        uncovered: &[Uncovered],
    ) -> Obstacles<'c> {
        let repositories = uncovered.iter().filter(|one| one.reason == Reason::Repository);
        let repositories = repositories.map(|one| one.path.clone()).collect();
        let hidden = uncovered.iter().filter(|one| why_unreachable(one.reason).is_some()).cloned().collect();
        Obstacles { root, store, objects, rules, halfway, clock: OnceCell::new(), repositories, hidden }
    }

    fn clock(&self) -> Result<Clock> {
        match self.clock.get() {
            Some(clock) => Ok(*clock),
            None => Clock::read(self.root).map(|clock| *self.clock.get_or_init(|| clock)),
        }
    }

    /// Prepares a file so that its stat reveals later changes.
    fn prepare(&self, parent: &Dir, name: &[u8], there: &mut Stat) -> Result<Usage> {
        match there.kind {
            Kind::File => clock::prepare(&parent.open_file(name)?, there, &self.clock()?),
            _ => Ok(Usage::Unused),
        }
    }
}

impl Lookups for Obstacles<'_> {
    fn objects(&self) -> &dyn Objects {
        self.objects
    }

    fn is_ignored(&self, path: &RepoPath, is_directory: bool) -> Result<bool> {
        self.rules.ignores(path, is_directory)
    }

    fn is_purged(&self, blob: BlobId) -> bool {
        self.store.is_purged(blob)
    }

    fn is_halfway(&self, path: &RepoPath) -> Result<bool> {
        unfinished::is_halfway(self.objects, self.halfway, path)
    }

    fn occupant(&self, path: &RepoPath, entry: &Entry) -> Result<Occupant> {
        if let Some(Uncovered { path: above, reason }) = self.hidden.iter().find(|one| path.is_within(&one.path))
            && let Some(why) = why_unreachable(*reason)
            && (*reason != Reason::Unreadable || belongs_to_another_user(self.root, above))
        {
            return Ok(Occupant::Unreachable(above.clone(), why));
        }
        if self.repositories.iter().any(|repository| path.is_within(repository)) {
            return Ok(Occupant::Other);
        }
        let (parent, name) = match self.root.open_parent(path) {
            Ok(opened) => opened,
            Err(error) if is_absent(&error) => return Ok(Occupant::Nothing),
            Err(_) => return Ok(Occupant::Other),
        };
        let clock = self.clock()?;
        match parent.stat(name) {
            Ok(None) => Ok(Occupant::Nothing),
            Ok(Some(mut there)) => {
                let trust = match self.prepare(&parent, name, &mut there) {
                    Ok(trust) if is_alike(&parent, name, &there, entry).unwrap_or(false) => trust,
                    _ => return Ok(Occupant::Other),
                };
                let has_metadata = has_metadata(self.objects, &parent, name, &there, entry)?;
                // It must not have changed while it was read.
                let still = parent.stat(name)?.filter(|now| now.is_same(&there));
                let racy = |stat: &Stat| clock.is_racy(stat) || trust.is_racy(stat, &clock);
                let alike = |stat: Stat| Occupant::Alike { racy: racy(&stat), stat: Box::new(stat), has_metadata };
                Ok(still.map_or(Occupant::Other, alike))
            }
            Err(_) => Ok(Occupant::Other),
        }
    }

    fn is_file(&self, path: &RepoPath) -> bool {
        matches!(self.root.stat_below(path), Ok(Some(stat)) if stat.kind == Kind::File)
    }
}

/// Whether this user cannot even make an entry readable.
fn belongs_to_another_user(root: &Dir, path: &RepoPath) -> bool {
    let user = fs::effective_uid();
    user != 0 && root.stat_below(path).is_ok_and(|stat| stat.is_some_and(|stat| stat.metadata.uid != user))
}

/// [`ErrorKind::Refused`] if this file system takes a name of the plan for the repository's: `.UNDO`, where case does not
/// count.
pub(super) fn check_spelling(root: &Dir, plan: &Plan) -> Result<()> {
    let differs_in_case = |name: &[u8]| name.eq_ignore_ascii_case(REPOSITORY);
    let is_suspect = |name: &&[u8]| differs_in_case(name) || !name.is_ascii();
    let mut names: Vec<Vec<u8>> = Vec::new();
    for n in plan.numbers().filter(|n| plan.kind(*n).is_some()) {
        let path = plan.path(n);
        if let Some(name) = path.names().next().filter(is_suspect)
            && names.last().is_none_or(|last| last != name)
        {
            names.push(name.to_vec());
        }
    }
    for name in &names {
        let (Some(there), Some(own)) = (root.stat(name)?, root.stat(REPOSITORY)?) else { continue };
        // Some file systems make up an inode for each spelling.
        let is_same = differs_in_case(name) || (there.device, there.inode) == (own.device, own.inode);
        if is_same && !is_listed(root, name) {
            let message = format!("this file system takes `{}` for `.undo`", String::from_utf8_lossy(name));
            return Err(Error::new(ErrorKind::Refused, message).hint("use `undo export` to another file system"));
        }
    }
    Ok(())
}

/// Reads the rules file of a directory of the target. Purged rules are empty.
pub(super) fn read_rules(store: &Store, root: &Dir, directory: &RepoPath, id: BlobId) -> Result<Vec<u8>> {
    if store.is_purged(id) {
        return Ok(Vec::new());
    }
    // A partial restore may keep rules that are in the worktree and not yet saved.
    if !store.contains_blob(id)
        && let Some(rules) = live_rules(root, directory, id)
    {
        return Ok(rules);
    }
    let rules = store.read_blob(id, ignore::LONGEST)?;
    rules.ok_or_else(|| Error::damaged(format!("blob `{id}` is longer than the tree says")))
}

/// The rules file of a directory in the worktree, if it has this content.
fn live_rules(root: &Dir, directory: &RepoPath, id: BlobId) -> Option<Vec<u8>> {
    let file = root.open_below(directory).ok()?.open_file(ignore::FILE).ok()?;
    let mut rules = vec![0; ignore::LONGEST as usize + 1];
    let length = fs::read_next(&file, &mut rules).ok()?;
    rules.truncate(length);
    (*blake3::hash(&rules).as_bytes() == id.0).then_some(rules)
}

fn is_absent(error: &Error) -> bool {
    error.io_cause().is_some_and(|cause| cause.kind() == std::io::ErrorKind::NotFound)
}

fn is_alike(directory: &Dir, name: &[u8], there: &Stat, entry: &Entry) -> Result<bool> {
    if there.kind != entry.kind() {
        return Ok(false);
    }
    match &entry.content {
        Content::File { size, .. } if there.size != *size => Ok(false),
        Content::CharDevice { rdev } | Content::BlockDevice { rdev } => Ok(there.rdev == *rdev),
        content => has_content(directory, name, content),
    }
}

/// Whether an entry with the wanted content has the wanted metadata too.
fn has_metadata(objects: &dyn Objects, directory: &Dir, name: &[u8], there: &Stat, entry: &Entry) -> Result<bool> {
    let wanted = match there.kind {
        // Symbolic links have no mode, and the time of a directory changes with its content.
        Kind::Symlink => Metadata { mode: there.metadata.mode, ..entry.metadata },
        Kind::Directory => Metadata { mtime: there.metadata.mtime, ..entry.metadata },
        _ => entry.metadata,
    };
    if there.metadata != wanted {
        return Ok(false);
    }
    let wanted = entry.attributes.map_or_else(|| Ok(Attributes::default()), |id| objects.attributes(id))?;
    let is_ours = |(key, _): &&(Vec<u8>, Vec<u8>)| key != LABEL;
    Ok(directory.xattrs(name)?.iter().filter(is_ours).eq(wanted.xattrs.iter().filter(is_ours)))
}
