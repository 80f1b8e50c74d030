//! What stands in the way: uncovered content at a path that the target has. Only here does planning look at the disk.

use std::cell::OnceCell;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir, Stat};
use crate::id::BlobId;
use crate::metadata::{Kind, Metadata};
use crate::object::commit::{Reason, Uncovered};
use crate::object::{Attributes, Content, Entry, Objects};
use crate::path::{REPOSITORY, RepoPath, RepoPathBuf};
use crate::worktree::clock::{self, Usage};
use crate::worktree::{Clock, ignore};

use super::applier::is_listed;
use super::apply_metadata::LABEL;
use super::plan::Plan;
use super::proof::has_content;
use super::questions::Found;

/// Looks at the live worktree.
pub(super) struct Obstacles<'w> {
    root: &'w Dir,
    /// What time it was before anything was looked at.
    clock: OnceCell<Clock>,
    /// Repositories in the worktree. Nothing at or below them is touched, not even a directory of the same name.
    repositories: Vec<RepoPathBuf>,
    /// Mounts in the worktree.
    mounts: Vec<RepoPathBuf>,
}

impl<'w> Obstacles<'w> {
    pub(super) fn new(root: &'w Dir, uncovered: &[Uncovered]) -> Obstacles<'w> {
        let paths = |reason| {
            let uncovered = uncovered.iter().filter(move |it| it.reason == reason);
            uncovered.map(|it| it.path.clone()).collect()
        };
        Obstacles {
            root,
            clock: OnceCell::new(),
            repositories: paths(Reason::Repository),
            mounts: paths(Reason::Mount),
        }
    }

    fn clock(&self) -> Result<Clock> {
        match self.clock.get() {
            Some(clock) => Ok(*clock),
            None => Clock::read(self.root).map(|clock| *self.clock.get_or_init(|| clock)),
        }
    }

    /// What stands at a path where this entry is wanted. What cannot be looked at is something else.
    pub(super) fn look(&self, objects: &dyn Objects, path: &RepoPath, entry: &Entry) -> Result<Found> {
        if let Some(mount) = self.mounts.iter().find(|mount| path.is_within(mount)) {
            return Ok(Found::Mount(mount.clone()));
        }
        if self.repositories.iter().any(|repository| path.is_within(repository)) {
            return Ok(Found::Other);
        }
        let parent = match self.root.open_below(path.parent().unwrap_or(RepoPath::root())) {
            Ok(parent) => parent,
            Err(error) if is_absent(&error) => return Ok(Found::Nothing),
            Err(_) => return Ok(Found::Other),
        };
        let name = path.name().unwrap_or(b".");
        let clock = self.clock()?;
        match parent.stat(name) {
            Ok(None) => Ok(Found::Nothing),
            Ok(Some(mut there)) => {
                let trust = match self.prepare(&parent, name, &mut there) {
                    Ok(trust) if is_alike(&parent, name, &there, entry).unwrap_or(false) => trust,
                    _ => return Ok(Found::Other),
                };
                let is_dressed = is_dressed(objects, &parent, name, &there, entry)?;
                // It must not have changed while it was read.
                let still = parent.stat(name)?.filter(|now| now.is_same(&there));
                let racy = |stat: &Stat| clock.is_racy(stat) || trust.is_racy(stat, &clock);
                let alike = |stat: Stat| Found::Alike { racy: racy(&stat), stat: Box::new(stat), is_dressed };
                Ok(still.map_or(Found::Other, alike))
            }
            Err(_) => Ok(Found::Other),
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

impl Obstacles<'_> {
    /// Whether the worktree has a regular file at a path.
    pub(super) fn is_file(&self, path: &RepoPath) -> bool {
        let parent = self.root.open_below(path.parent().unwrap_or(RepoPath::root()));
        let stat = parent.and_then(|parent| parent.stat(path.name().unwrap_or(b".")));
        matches!(stat, Ok(Some(stat)) if stat.kind == Kind::File)
    }
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

/// The rules that are in a directory now, if they have this content.
pub(super) fn live_rules(root: &Dir, directory: &RepoPath, id: BlobId) -> Option<Vec<u8>> {
    let file = root.open_below(directory).ok()?.open_file(ignore::FILE).ok()?;
    let mut rules = vec![0; ignore::LONGEST as usize + 1];
    let length = fs::read_next(&file, &mut rules).ok()?;
    rules.truncate(length);
    (*blake3::hash(&rules).as_bytes() == id.0).then_some(rules)
}

fn is_absent(error: &crate::error::Error) -> bool {
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

/// Whether what has the wanted content has the wanted metadata too.
fn is_dressed(objects: &dyn Objects, directory: &Dir, name: &[u8], there: &Stat, entry: &Entry) -> Result<bool> {
    let wanted = match there.kind {
        // A link has no mode of its own; the time of a directory changes with what is in it.
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
