//! Turns the differences of two trees into steps. Paths that one side does not cover are neither removed nor replaced.

use crate::apply::plan::{Plan, Verdict, check_not_repository};
use crate::apply::privileges::User;
use crate::apply::refresh_index;
use crate::apply::target::Target;
use crate::diff::trees::Side;
use crate::diff::{self, Change, LeftOut, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::id::AttributesId;
use crate::metadata::Kind;
use crate::object::{Attributes, Entry};
use crate::path::set::{PathSet, Place};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::Scan;

use super::links;
use super::obstacles::{Lookups, Occupant};

/// Plans how the worktree that was scanned becomes the target.
pub(super) fn plan(scan: &Scan, target: &Target, lookups: &dyn Lookups) -> Result<Plan> {
    let objects = lookups.objects();
    let uncovered = scan.ignored.iter().chain(scan.uncovered.iter().map(|uncovered| &uncovered.path));
    let mut planner = Planner {
        scan,
        lookups,
        uncovered: PathSet::topmost(uncovered.cloned().collect()),
        flattened: Vec::new(),
        user: User::current(),
        plan: Plan::default(),
    };
    let sides =
        (Side { root: Some(&scan.root), links: scan.links }, Side { root: Some(&target.root), links: target.links });
    let left_out = LeftOut::new(&target.uncovered, &[]);
    let options = diff::Options { mtimes: true, left_out, ..diff::Options::default() };
    diff::compare(objects, sides.0, sides.1, &options, &mut |change| planner.take(change))?;
    planner.align_journals()?;
    planner.keep_directories_with_uncovered();
    planner.find_obstacles()?;
    planner.find_unsaved_journals()?;
    let mut plan = planner.plan;
    links::plan_links(&mut plan, objects, &scan.index, (scan.links, target.links))?;
    plan.complete(objects, &target.root)?;
    Ok(plan)
}

/// Turns differences into steps, in path order, and then adapts their verdicts.
pub(super) struct Planner<'p> {
    pub scan: &'p Scan,
    pub lookups: &'p dyn Lookups,
    /// Paths in the worktree that the scan does not cover.
    pub uncovered: PathSet,
    /// Directories that are replaced by something else: all their content is removed.
    flattened: Vec<RepoPathBuf>,
    user: User,
    pub plan: Plan,
}

impl Planner<'_> {
    fn take(&mut self, change: Change) -> Result<()> {
        let Change { path, status, old, new, what, .. } = change;
        check_not_repository(&path, new.as_ref())?;
        if new.as_ref().and_then(Entry::blob).is_some_and(|blob| self.lookups.is_purged(blob)) {
            self.leave_purged(path, status, old.as_ref());
            return Ok(());
        }
        let was_directory = old.as_ref().is_some_and(|old| old.kind() == Kind::Directory);
        let verdict = match status {
            Status::Added if self.uncovered.place(&path) == Place::Within => Verdict::Unsaved,
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
        self.plan.push(&path, verdict, new.as_ref());
        Ok(())
    }

    /// Plans a file whose content was purged like a path that the target does not cover: a file at its path is left as it is.
    fn leave_purged(&mut self, path: RepoPathBuf, status: Status, old: Option<&Entry>) {
        let verdict = match old {
            // Other paths of the target may need the metadata of the directories.
            Some(old) if status == Status::Type && old.kind() == Kind::Directory => Verdict::Remove,
            Some(_) => Verdict::Keep,
            None => {
                self.plan.purged.push(path);
                return;
            }
        };
        self.plan.push(&path, verdict, None);
        self.plan.purged.push(path);
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
            let above = self.scan.index.find(path.parent().unwrap_or(RepoPath::root()));
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

    /// Keeps a removed directory if anything in it stays. Notes the topmost directories that are kept for this reason.
    fn keep_directories_with_uncovered(&mut self) {
        let plan = &mut self.plan;
        if self.uncovered.is_empty() && (0..plan.end()).all(|n| plan.verdict(n) != Verdict::Keep) {
            return;
        }
        // From the last path to the first, so that what is in a directory comes before it.
        let mut kept: Option<RepoPathBuf> = None;
        for n in (0..plan.end()).rev() {
            if !matches!(plan.verdict(n), Verdict::Remove | Verdict::Keep) {
                continue;
            }
            let path = plan.path(n);
            let holds_kept = kept.as_ref().is_some_and(|kept| kept.is_within(&path));
            if plan.verdict(n) == Verdict::Remove && (holds_kept || self.uncovered.place(&path) != Place::Outside) {
                plan.set_verdict(n, Verdict::Keep);
                plan.kept.retain(|below| !below.is_within(&path));
                plan.kept.push(path.clone());
            }
            if plan.verdict(n) == Verdict::Keep {
                kept = Some(path);
            }
        }
        plan.kept.reverse();
    }

    /// Decides about the paths of the target that no commit covers in the worktree.
    fn find_obstacles(&mut self) -> Result<()> {
        let plan = &mut self.plan;
        for n in 0..plan.end() {
            if plan.verdict(n) != Verdict::Unsaved {
                continue;
            }
            let (path, Some(entry)) = (plan.path(n), plan.entry(n)) else { continue };
            if plan.conflicts.last().is_some_and(|conflict| path.is_within(conflict)) {
                continue;
            }
            match self.lookups.occupant(&path, &entry)? {
                Occupant::Nothing => plan.set_verdict(n, Verdict::Create),
                Occupant::Alike { stat, racy, has_metadata } => {
                    let must_replace = self.user.must_replace(&stat.metadata, &entry.metadata, entry.kind());
                    let verdict = if must_replace && !has_metadata { Verdict::Replace } else { Verdict::Touch };
                    plan.set_verdict(n, verdict);
                    if !has_metadata {
                        plan.metadata_conflicts.push((path.clone(), entry.kind()));
                    }
                    plan.alike.insert(path, refresh_index::record(&entry, *stat, racy));
                }
                // Nothing can be changed there, whatever else the plan does.
                Occupant::Unreachable(above, _) if plan.unreachable.last().is_some_and(|(last, _)| *last == above) => {}
                Occupant::Unreachable(above, reason) => plan.unreachable.push((above, reason)),
                Occupant::Other => plan.conflicts.push(path),
            }
        }
        plan.conflicts.extend(below_flattened(std::mem::take(&mut self.flattened), self.scan));
        plan.conflicts.sort();
        plan.conflicts.dedup();
        Ok(())
    }
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
