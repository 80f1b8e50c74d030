//! Sets mode, owner, attributes and time of all directories that were created, touched or changed. Deepest first and last of
//! all, because changes in a directory set its time, and a finished directory may be read-only.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::fs::Dir;
use crate::metadata::{Kind, Metadata};
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};

use super::context::ApplyContext;
use super::outcome::{ApplyOutcome, Done};

/// Finishes all directories, the root after all others.
pub(super) fn directories(work: &ApplyContext<'_>, tally: &mut ApplyOutcome) -> Result<()> {
    let plan = work.plan;
    let own = |path: &RepoPath| plan.find(path).filter(|n| plan.kind(*n) == Some(Kind::Directory));
    let mut paths: BTreeSet<RepoPathBuf> = std::mem::take(&mut *work.site.disturbed());
    // On a case-insensitive file system, the name of a removed directory may find another one.
    paths.retain(|path| !plan.find(path).is_some_and(|n| tally.is_removed(n)));
    let made = plan.numbers().filter(|n| plan.kind(*n) == Some(Kind::Directory)).map(|n| plan.path(n));
    paths.extend(made.filter(|path| !tally.has_given_up(plan, path)));
    for path in paths.iter().rev() {
        match own(path).and_then(|n| Some((n, plan.entry(n)?))) {
            Some((n, entry)) => {
                let done = finish_own(work, path, &entry);
                tally.note(n, path, done)?;
            }
            None => restore(work, path)?,
        }
    }
    Ok(())
}

/// Parent handle and name of a directory.
fn reach<'p>(work: &ApplyContext<'_>, path: &'p RepoPath) -> Result<(Dir, &'p [u8])> {
    let parent = path.parent().unwrap_or(RepoPath::root());
    Ok((work.site.root().open_below(parent)?, path.name().unwrap_or(b".")))
}

/// Finishes a directory that the plan creates or touches.
fn finish_own(work: &ApplyContext<'_>, path: &RepoPath, entry: &Entry) -> Result<Done> {
    let (parent, name) = reach(work, path)?;
    let Some(there) = parent.stat(name)?.filter(|there| there.kind == Kind::Directory) else {
        return Ok(Done::Changed);
    };
    let subject = work.site.subject(&parent, name, None);
    let failed =
        work.apply_metadata(&subject, &there, &entry.metadata, Some(&work.attributes(entry.attributes)?.xattrs));
    Ok(Done::Placed(there.inode, failed))
}

/// Restores a directory in which only entries were changed.
fn restore(work: &ApplyContext<'_>, path: &RepoPath) -> Result<()> {
    let metadata: Option<Metadata> = match work.plan.directory(path) {
        Some(entry) => Some(entry.metadata),
        None => work.saved.find(path).map(|record| record.stat.metadata),
    };
    let (Some(metadata), Ok((parent, name))) = (metadata, reach(work, path)) else { return Ok(()) };
    let Some(there) = parent.stat(name)?.filter(|there| there.kind == Kind::Directory) else { return Ok(()) };
    // Owner and mode are right, or the failure to set them was already reported.
    work.apply_metadata(&work.site.subject(&parent, name, None), &there, &metadata, None);
    Ok(())
}
