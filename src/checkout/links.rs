//! Hard links in a plan: all paths of a group end as names of one inode, and nothing else does.
//!
//! An inode that other names have too is never written through: they get a file of their own instead.

use std::collections::{BTreeSet, HashMap};

use crate::apply::plan::Known;
use crate::apply::verdict::{Steps, Verdict};
use crate::error::Result;
use crate::id::LinksId;
use crate::metadata::Kind;
use crate::object::{Links, Objects};
use crate::path::{RepoPath, RepoPathBuf};

/// Who has an inode of the worktree when all is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Nobody yet.
    Free,
    /// Paths that stay as they are, in the worktree but not in the target.
    Kept,
    /// Paths that the target has as one file.
    Unit(usize),
}

/// Turns verdicts about single paths into verdicts that give every path the right inode.
/// `live` and `wanted` are the groups that are there, with the index, and those of the target.
pub(super) fn untangle(
    steps: &mut Steps,
    objects: &dyn Objects,
    (live, known): (Option<LinksId>, Known<'_>),
    wanted: Option<LinksId>,
) -> Result<()> {
    let load = |id: Option<LinksId>| id.map_or(Ok(Links::default()), |id| objects.links(id));
    let (live, wanted) = (load(live)?, load(wanted)?);
    let inodes = Inodes::new(&live, known);
    let units = units(&live, &wanted, steps);
    let mut owners = inodes.owners(steps);
    for (unit, paths) in units.iter().enumerate() {
        settle(steps, &inodes, &mut owners, unit, paths);
    }
    // All others are alone here; a name outside the worktree is none of theirs.
    let in_units: BTreeSet<&RepoPath> = units.iter().flatten().map(|path| &**path).collect();
    for n in 0..steps.len() {
        if !is_file_to(steps, n, &[Verdict::Touch]) {
            continue;
        }
        let path = steps.path(n);
        if !in_units.contains(&*path) && inodes.has_unknown_names(&path) {
            steps.set_verdict(n, Verdict::Replace);
        }
    }
    Ok(())
}

/// Whether it is no directory and has one of these verdicts.
fn is_file_to(steps: &Steps, n: usize, verdicts: &[Verdict]) -> bool {
    verdicts.contains(&steps.verdict(n)) && steps.kind(n).is_some_and(|kind| kind != Kind::Directory)
}

/// The sets of paths that are one file in the target, as far as they differ: its groups, and each path that leaves one.
fn units(live: &Links, wanted: &Links, steps: &Steps) -> Vec<Vec<RepoPathBuf>> {
    let is_in_target = |path: &&RepoPathBuf| steps.find(path).is_some_and(|n| steps.kind(n).is_some());
    let mut units: Vec<Vec<RepoPathBuf>> = Vec::new();
    let mut grouped: BTreeSet<&RepoPath> = BTreeSet::new();
    for group in &wanted.groups {
        grouped.extend(group.iter().map(|path| &**path));
        units.push(group.iter().filter(is_in_target).cloned().collect());
    }
    let leaving = live.groups.iter().flatten().filter(is_in_target);
    units.extend(leaving.filter(|path| !grouped.contains(&***path)).map(|path| vec![path.clone()]));
    units.retain(|unit| !unit.is_empty());
    units.sort();
    units
}

/// The inodes of the worktree that have several names in it.
struct Inodes<'s> {
    /// Which of the groups a path is in.
    group: HashMap<&'s RepoPath, usize>,
    /// How many names each has.
    names: Vec<usize>,
    /// Has as many names as the file system counts.
    known: Known<'s>,
}

impl<'s> Inodes<'s> {
    fn new(live: &'s Links, known: Known<'s>) -> Inodes<'s> {
        let mut group = HashMap::new();
        for (at, paths) in live.groups.iter().enumerate() {
            group.extend(paths.iter().map(|path| (&**path, at)));
        }
        Inodes { group, names: live.groups.iter().map(Vec::len).collect(), known }
    }

    fn owners(&self, steps: &Steps) -> Vec<Owner> {
        let mut owners = vec![Owner::Free; self.names.len()];
        for (path, at) in &self.group {
            if steps.find(path).is_some_and(|n| steps.verdict(n) == Verdict::Keep) {
                owners[*at] = Owner::Kept;
            }
        }
        owners
    }

    /// Whether the inode has names that are not in the worktree, or not covered.
    fn has_unknown_names(&self, path: &RepoPath) -> bool {
        let known = self.group.get(path).map_or(1, |&at| self.names[at]);
        self.known.find(path).is_some_and(|record| record.stat.links > known as u64)
    }
}

/// Gives the paths of one file one inode: one that is there and can stay, or a new one.
fn settle(steps: &mut Steps, inodes: &Inodes<'_>, owners: &mut [Owner], unit: usize, paths: &[RepoPathBuf]) {
    let inode = |path: &RepoPathBuf| inodes.group.get(&**path).copied();
    let can_stay = |path: &&RepoPathBuf| {
        steps.find(path).is_some_and(|n| is_file_to(steps, n, &[Verdict::Touch, Verdict::Same]))
            && inode(path).is_none_or(|at| owners[at] == Owner::Free)
    };
    let stays = paths.iter().find(can_stay);
    let first = stays.unwrap_or(&paths[0]).clone();
    let Some(n) = steps.find(&first) else { return };
    let is_renewed = match stays {
        Some(_) => steps.verdict(n) == Verdict::Touch && inodes.has_unknown_names(&first),
        None => matches!(steps.verdict(n), Verdict::Touch | Verdict::Same),
    };
    if is_renewed {
        steps.set_verdict(n, Verdict::Replace);
    }
    let kept_inode = inode(&first).filter(|_| stays.is_some() && !is_renewed);
    if let Some(at) = kept_inode {
        owners[at] = Owner::Unit(unit);
    }
    for path in paths.iter().filter(|path| **path != first) {
        let Some(n) = steps.find(path).filter(|n| steps.verdict(*n) != Verdict::Unsaved) else { continue };
        match kept_inode.is_some() && inode(path) == kept_inode {
            true => steps.set_verdict(n, Verdict::Same),
            false => steps.set_link(n, &first),
        }
    }
}
