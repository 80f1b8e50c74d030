//! Turns the differences of two trees into steps. Paths that one side does not cover are neither removed nor replaced.

use std::collections::BTreeMap;

use crate::apply::plan::{Known, Plan, check_not_repository};
use crate::apply::privileges::User;
use crate::apply::refresh_index;
use crate::apply::target::Target;
use crate::apply::verdict::{Steps, Verdict};
use crate::diff::trees::Side;
use crate::diff::{self, Change, LeftOut, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::id::AttributesId;
use crate::metadata::Kind;
use crate::object::{Attributes, Entry};
use crate::path::set::{PathSet, Place};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::Scan;
use crate::worktree::index::{Builder, Record};

use super::journals::Databases;
use super::links;
use super::obstacles::{Lookups, Occupant};

/// Plans how the worktree that was scanned becomes the target.
pub(super) fn plan(scan: &Scan, target: &Target, lookups: &dyn Lookups) -> Result<Plan> {
    let objects = lookups.objects();
    let uncovered = scan.ignored.iter().chain(scan.uncovered.iter().map(|uncovered| &uncovered.path));
    let mut builder = PlanBuilder {
        lookups,
        ground: PathSet::topmost(uncovered.cloned().collect()),
        flattened: Vec::new(),
        user: User::current(),
        index: &scan.index,
        steps: Steps::default(),
    };
    let sides =
        (Side { root: Some(&scan.root), links: scan.links }, Side { root: Some(&target.root), links: target.links });
    let left_out = LeftOut::new(&target.uncovered, &[]);
    let options = diff::Options { mtimes: true, left_out, ..diff::Options::default() };
    diff::compare(objects, sides.0, sides.1, &options, &mut |change| builder.take(change))?;
    let PlanBuilder { mut steps, ground, flattened, .. } = builder;
    let journals = Databases { scan, ground: &ground, lookups }.align(&mut steps)?;
    let kept = keep_what_holds_uncovered(&mut steps, &ground);
    let InTheWay { mut conflicts, metadata_conflicts, mounts, alike } = find_obstacles(&mut steps, lookups)?;
    conflicts.extend(below_flattened(flattened, scan));
    conflicts.sort();
    conflicts.dedup();
    let unsaved_journals = Databases { scan, ground: &ground, lookups }.uncovered(&steps)?;
    conflicts.retain(|path| unsaved_journals.binary_search(path).is_err());
    links::plan_links(&mut steps, objects, (scan.links, Known { index: &scan.index, alike: &alike }), target.links)?;
    let mut plan = Plan::new(objects, steps, &target.root, conflicts)?;
    (plan.metadata_conflicts, plan.mounts, plan.kept) = (metadata_conflicts, mounts, kept);
    plan.alike = alike;
    plan.unsaved_journals = unsaved_journals;
    (plan.journals, plan.left_journals) = (journals.removed, journals.left);
    Ok(plan)
}

/// Turns differences into steps, in path order.
struct PlanBuilder<'g> {
    lookups: &'g dyn Lookups,
    /// What is in the worktree and not covered by the scan.
    ground: PathSet,
    /// Directories that are replaced by something else: all their content is removed.
    flattened: Vec<RepoPathBuf>,
    user: User,
    index: &'g Builder,
    steps: Steps,
}

impl PlanBuilder<'_> {
    fn take(&mut self, change: Change) -> Result<()> {
        let Change { path, status, old, new, what, .. } = change;
        check_not_repository(&path, new.as_ref())?;
        let was_directory = old.as_ref().is_some_and(|old| old.kind() == Kind::Directory);
        let verdict = match status {
            Status::Added if self.ground.place(&path) == Place::Within => Verdict::Unsaved,
            Status::Added => Verdict::Create,
            Status::Deleted | Status::Ignored | Status::Uncovered => {
                match self.is_kept(&path, status, was_directory)? {
                    true => Verdict::Keep,
                    false => Verdict::Remove,
                }
            }
            // Only `diff::rename` makes these, which plans do not use.
            Status::Renamed => return Err(Error::new(ErrorKind::Internal, "cannot plan a rename")),
            Status::Type => {
                if was_directory {
                    self.flattened.push(path.clone());
                }
                Verdict::Replace
            }
            Status::Modified => Verdict::Replace,
            Status::Metadata if what.attributes && self.moved_holes(old.as_ref(), new.as_ref())? => Verdict::Replace,
            Status::Metadata if what.mode || what.owner || what.mtime || what.attributes => match (&old, &new) {
                (Some(old), Some(new)) if self.must_replace(&path, old, new)? => Verdict::Replace,
                _ => Verdict::Touch,
            },
            Status::Metadata => Verdict::Same,
        };
        self.steps.push(&path, verdict, new.as_ref());
        Ok(())
    }

    /// Whether a path that the target does not have must be kept, because the target does not cover it.
    fn is_kept(&self, path: &RepoPath, status: Status, is_directory: bool) -> Result<bool> {
        if self.flattened.last().is_some_and(|flattened| path.is_within(flattened)) {
            return Ok(false);
        }
        Ok(status == Status::Uncovered || self.lookups.is_ignored(path, is_directory)?)
    }

    /// Whether this user can give a file its recorded metadata by replacing it only.
    fn must_replace(&self, path: &RepoPath, old: &Entry, new: &Entry) -> Result<bool> {
        let (there, wanted, kind) = (&old.metadata, &new.metadata, new.kind());
        if self.user.must_replace(there, wanted, kind) {
            let above = self.index.find(path.parent().unwrap_or(RepoPath::root()));
            return Ok(above.is_none_or(|above| !self.user.is_kept_out_by(&above.stat.metadata)));
        }
        if old.attributes == new.attributes {
            return Ok(false);
        }
        let (there, xattrs) = (self.attributes(old.attributes)?.xattrs, self.attributes(new.attributes)?.xattrs);
        Ok(self.user.must_replace_for_xattrs(&there, (wanted, &xattrs), kind))
    }

    fn attributes(&self, id: Option<AttributesId>) -> Result<Attributes> {
        id.map_or(Ok(Attributes::default()), |id| self.lookups.objects().attributes(id))
    }

    fn moved_holes(&self, old: Option<&Entry>, new: Option<&Entry>) -> Result<bool> {
        let id = |entry: Option<&Entry>| entry.and_then(|entry| entry.attributes);
        Ok(self.attributes(id(old))?.holes != self.attributes(id(new))?.holes)
    }
}

/// Keeps a removed directory if anything in it stays. Returns the topmost directories that are kept for this reason.
fn keep_what_holds_uncovered(steps: &mut Steps, ground: &PathSet) -> Vec<RepoPathBuf> {
    let mut directories: Vec<RepoPathBuf> = Vec::new();
    if ground.is_empty() && (0..steps.len()).all(|n| steps.verdict(n) != Verdict::Keep) {
        return directories;
    }
    // From the last path to the first, so that what is in a directory comes before it.
    let mut kept: Option<RepoPathBuf> = None;
    for n in (0..steps.len()).rev() {
        if !matches!(steps.verdict(n), Verdict::Remove | Verdict::Keep) {
            continue;
        }
        let path = steps.path(n);
        let holds = kept.as_ref().is_some_and(|kept| kept.is_within(&path)) || ground.place(&path) != Place::Outside;
        if holds && steps.verdict(n) == Verdict::Remove {
            steps.set_verdict(n, Verdict::Keep);
            directories.retain(|below| !below.is_within(&path));
            directories.push(path.clone());
        }
        if steps.verdict(n) == Verdict::Keep {
            kept = Some(path);
        }
    }
    directories.reverse();
    directories
}

/// Uncovered paths at which the target has an entry.
#[derive(Default)]
struct InTheWay {
    conflicts: Vec<RepoPathBuf>,
    metadata_conflicts: Vec<(RepoPathBuf, Kind)>,
    /// Paths of the target over which something is mounted.
    mounts: Vec<RepoPathBuf>,
    /// Records of entries with the wanted content.
    alike: BTreeMap<RepoPathBuf, Record>,
}

/// Decides about the paths of the target that no commit covers in the worktree.
fn find_obstacles(steps: &mut Steps, lookups: &dyn Lookups) -> Result<InTheWay> {
    let (mut in_the_way, user) = (InTheWay::default(), User::current());
    for n in 0..steps.len() {
        if steps.verdict(n) != Verdict::Unsaved {
            continue;
        }
        let (path, Some(entry)) = (steps.path(n), steps.entry(n)) else { continue };
        if in_the_way.conflicts.last().is_some_and(|conflict| path.is_within(conflict)) {
            continue;
        }
        match lookups.occupant(&path, &entry)? {
            Occupant::Nothing => steps.set_verdict(n, Verdict::Create),
            Occupant::Alike { stat, racy, has_metadata } => {
                if !has_metadata {
                    in_the_way.metadata_conflicts.push((path.clone(), entry.kind()));
                }
                let must_replace = !has_metadata && user.must_replace(&stat.metadata, &entry.metadata, entry.kind());
                in_the_way.alike.insert(path, refresh_index::record(&entry, *stat, racy));
                steps.set_verdict(n, if must_replace { Verdict::Replace } else { Verdict::Touch });
            }
            // Nothing can be changed there, whatever else the plan does.
            Occupant::Mount(mount) if in_the_way.mounts.last() == Some(&mount) => {}
            Occupant::Mount(mount) => in_the_way.mounts.push(mount),
            Occupant::Other => in_the_way.conflicts.push(path),
        }
    }
    Ok(in_the_way)
}

/// Uncovered paths in directories that become another kind.
fn below_flattened(flattened: Vec<RepoPathBuf>, scan: &Scan) -> Vec<RepoPathBuf> {
    let flattened = PathSet::topmost(flattened);
    let is_within = |path: &&RepoPathBuf| flattened.place(path) == Place::Within;
    // Excludes ignored entries at such a path itself: those are checked as obstacles. Of a directory that cannot be read, the
    // entry is covered and the content is not.
    let ignored = scan.ignored.iter().filter(|path| !flattened.contains(path));
    ignored.chain(scan.uncovered.iter().map(|uncovered| &uncovered.path)).filter(is_within).cloned().collect()
}
