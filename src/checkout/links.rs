//! Plans hard links: the paths of a group, and no others, become names of one inode.
//!
//! An inode that has names outside the group is never written to: the group gets a new file instead.

use std::collections::{BTreeSet, HashMap};

use crate::apply::plan::{Plan, Verdict};
use crate::error::Result;
use crate::id::LinksId;
use crate::metadata::Kind;
use crate::object::{Links, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::index::Builder;

/// The paths that have an inode of the worktree after the checkout.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Undecided.
    Free,
    /// Kept paths, which the target does not cover.
    Kept,
    /// The unit with this number.
    Unit(usize),
}

/// Adapts the verdicts so that every path gets the right inode. `live` and `wanted` are the link groups of the worktree and of
/// the target.
pub(super) fn plan_links(
    plan: &mut Plan,
    objects: &dyn Objects,
    index: &Builder,
    (live, wanted): (Option<LinksId>, Option<LinksId>),
) -> Result<()> {
    let load = |id: Option<LinksId>| id.map_or(Ok(Links::default()), |id| objects.links(id));
    let (live, wanted) = (load(live)?, load(wanted)?);
    let inodes = Inodes::new(&live, index);
    let units = units(&live, &wanted, plan);
    let mut owners = inodes.owners(plan);
    for (unit, paths) in units.iter().enumerate() {
        assign_inode(plan, &inodes, &mut owners, unit, paths);
    }
    // All other paths have no link in the worktree, but their inode may have names outside it.
    let in_units: BTreeSet<&RepoPath> = units.iter().flatten().map(|path| &**path).collect();
    for n in 0..plan.end() {
        if !is_file_to(plan, n, &[Verdict::Touch]) {
            continue;
        }
        let path = plan.path(n);
        if !in_units.contains(&*path) && inodes.has_unknown_names(plan, &path) {
            plan.set_verdict(n, Verdict::Replace);
        }
    }
    Ok(())
}

/// Whether a step has one of these verdicts and is not about a directory.
fn is_file_to(plan: &Plan, n: usize, verdicts: &[Verdict]) -> bool {
    verdicts.contains(&plan.verdict(n)) && plan.kind(n).is_some_and(|kind| kind != Kind::Directory)
}

/// The sets of differing paths that are one file in the target: its groups, and each path that leaves a group.
fn units(live: &Links, wanted: &Links, plan: &Plan) -> Vec<Vec<RepoPathBuf>> {
    let is_in_target = |path: &&RepoPathBuf| plan.find(path).is_some_and(|n| plan.kind(n).is_some());
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
    /// Number of the group of each path.
    group: HashMap<&'s RepoPath, usize>,
    /// Number of names of each group.
    names: Vec<usize>,
    /// Records, with the number of names that the file system counts.
    index: &'s Builder,
}

impl<'s> Inodes<'s> {
    fn new(live: &'s Links, index: &'s Builder) -> Inodes<'s> {
        let mut group = HashMap::new();
        for (at, paths) in live.groups.iter().enumerate() {
            group.extend(paths.iter().map(|path| (&**path, at)));
        }
        Inodes { group, names: live.groups.iter().map(Vec::len).collect(), index }
    }

    fn owners(&self, plan: &Plan) -> Vec<Owner> {
        let mut owners = vec![Owner::Free; self.names.len()];
        for (path, at) in &self.group {
            if plan.find(path).is_some_and(|n| plan.verdict(n) == Verdict::Keep) {
                owners[*at] = Owner::Kept;
            }
        }
        owners
    }

    /// Whether the inode has names that are not in the worktree, or not covered.
    fn has_unknown_names(&self, plan: &Plan, path: &RepoPath) -> bool {
        let known = self.group.get(path).map_or(1, |&at| self.names[at]);
        plan.record(self.index, path).is_some_and(|record| record.stat.links > known as u64)
    }
}

/// Gives the paths of one file one inode: an existing one that can stay, or a new one.
fn assign_inode(plan: &mut Plan, inodes: &Inodes<'_>, owners: &mut [Owner], unit: usize, paths: &[RepoPathBuf]) {
    let inode = |path: &RepoPathBuf| inodes.group.get(&**path).copied();
    let can_stay = |path: &&RepoPathBuf| {
        plan.find(path).is_some_and(|n| is_file_to(plan, n, &[Verdict::Touch, Verdict::Same]))
            && inode(path).is_none_or(|at| owners[at] == Owner::Free)
    };
    let stays = paths.iter().find(can_stay);
    let first = stays.unwrap_or(&paths[0]).clone();
    let Some(n) = plan.find(&first) else { return };
    let is_renewed = match stays {
        Some(_) => plan.verdict(n) == Verdict::Touch && inodes.has_unknown_names(plan, &first),
        None => matches!(plan.verdict(n), Verdict::Touch | Verdict::Same),
    };
    if is_renewed {
        plan.set_verdict(n, Verdict::Replace);
    }
    let kept_inode = inode(&first).filter(|_| stays.is_some() && !is_renewed);
    if let Some(at) = kept_inode {
        owners[at] = Owner::Unit(unit);
    }
    for path in paths.iter().filter(|path| **path != first) {
        let Some(n) = plan.find(path).filter(|n| plan.verdict(*n) != Verdict::Unsaved) else { continue };
        match kept_inode.is_some() && inode(path) == kept_inode {
            true => plan.set_verdict(n, Verdict::Same),
            false => plan.set_link(n, &first),
        }
    }
}
