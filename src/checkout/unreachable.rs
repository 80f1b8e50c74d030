//! Paths that a checkout leaves as they are because they are out of reach, now or when the target was recorded.

use crate::apply::plan::Plan;
use crate::apply::target::{NOT_RECORDED, Target};
use crate::error::Result;
use crate::history::entry_at;
use crate::object::commit::{Reason, Uncovered, unread};
use crate::object::{Entry, Objects};
use crate::path::set::{PathSet, Place};
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::Repository;
use crate::worktree::{Overlay, Scan};

/// Why nothing can be changed at a path that a scan does not cover for this reason. `None` if something can.
pub(super) fn why_unreachable(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Mount => Some("something is mounted there"),
        Reason::Unreadable => Some("you have no permission to read it"),
        _ => None,
    }
}

/// Adds what the scan and the target do not show: paths that the current commit has and the target does not, but that are mounted over
/// or cannot be read now; and paths that could not be read when the target was recorded. `selected` are the paths to restore; empty means
/// all.
pub fn add_unreachable(
    plan: &mut Plan,
    repository: &Repository,
    scan: &Scan,
    target: &Target,
    selected: &[RepoPathBuf],
) -> Result<()> {
    let (store, mut found) = (repository.store(), Vec::new());
    let live = Overlay { below: store, objects: &scan.objects };
    let objects = Overlay { below: &live, objects: &target.objects };
    let has = |root: &Entry, path: &RepoPath| entry_at(&objects, root, path).map(|entry| entry.is_some());
    let is_selected =
        |path: &RepoPathBuf| selected.is_empty() || selected.iter().any(|selected| path.is_within(selected));
    let paths = |uncovered: &[Uncovered]| PathSet::topmost(uncovered.iter().map(|one| one.path.clone()).collect());
    let (hidden, left_out) = (paths(&scan.uncovered), paths(&target.uncovered));
    // A damaged current commit says nothing.
    if let Some(current) = repository.view().at().and_then(|id| store.commit(id).ok()) {
        for Uncovered { path, reason } in &scan.uncovered {
            let Some(why) = why_unreachable(*reason) else { continue };
            let is_left_out = !is_selected(path) || left_out.place(path) == Place::Within;
            // The plan knows a directory whose own entry was scanned.
            if !is_left_out && has(&current.root, path)? && !has(&target.root, path)? && !has(&scan.root, path)? {
                found.push((path.clone(), why));
            }
        }
    }
    let missing = unread(&target.uncovered).filter(|path| hidden.place(path) == Place::Outside);
    found.extend(missing.map(|path| (path.clone(), NOT_RECORDED)));
    for (path, reason) in found {
        if !plan.unreachable.iter().any(|(known, _)| path.is_within(known)) {
            plan.unreachable.push((path, reason));
        }
    }
    Ok(())
}
