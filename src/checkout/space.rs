//! Checks before a checkout that the disk has enough space. Refuses only plans that cannot fit.

use crate::apply::plan::Plan;
use crate::apply::renames::RenamePlan;
use crate::apply::target::Target;
use crate::apply::verdict::Verdict;
use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;
use crate::metadata::Kind;
use crate::object::{Entry, Objects};
use crate::store::Store;
use crate::worktree::{Overlay, Scan, Worktree};

use super::execution::torn;

/// Minimum number of bytes for which space is checked.
const LITTLE: u64 = 4 << 20;

/// File systems give space in blocks; what is in a last one that is not full may lie elsewhere.
const BLOCK: u64 = 4096;

/// [`ErrorKind::NoSpace`] if the worktree's file system has too little left for what the plan writes.
pub(super) fn check_free_space(
    store: &Store,
    worktree: &Worktree,
    scan: &Scan,
    target: &Target,
    plan: &Plan,
) -> Result<()> {
    // With other file systems mounted below, each may be written to.
    if plan.bytes_to_write() < LITTLE || worktree.cross_mounts {
        return Ok(());
    }
    let Some(free) = worktree.root.free_space()?.filter(|free| plan.bytes_to_write() > *free) else { return Ok(()) };
    let live = Overlay { below: store, objects: &scan.objects };
    let objects = Overlay { below: &live, objects: &target.objects };
    let needed = least(store, &objects, scan, plan)?;
    if needed <= free {
        return Ok(());
    }
    let (needed, free) = (needed.div_ceil(1 << 20), free >> 20);
    let message = format!(
        "this needs {needed} MiB of space, and the file system of `{}` has {free} MiB left",
        worktree.path.display()
    );
    Err(Error::new(ErrorKind::NoSpace, message)
        .hint("nothing is changed: free some space there, then run the command again"))
}

/// Minimum number of bytes needed to write all files: their size without holes, less the space of the files that are
/// replaced or removed. A file that shares blocks with the one that it replaces, or that is only moved, needs no
/// additional space.
fn least(store: &Store, objects: &dyn Objects, scan: &Scan, plan: &Plan) -> Result<u64> {
    let (mut taken, mut freed) = (0_u64, 0_u64);
    let torn = torn(scan);
    let moved = RenamePlan::of(plan, &scan.index, &|path| !torn.contains(path));
    let (sources, known) = (moved.numbers(), plan.known(&scan.index));
    for n in plan.numbers() {
        if plan.verdict(n) == Verdict::Remove
            && !sources.contains(&n)
            && let Some(there) = known.find(&plan.path(n)).filter(|there| there.stat.kind == Kind::File)
        {
            freed = freed.saturating_add(there.stat.allocated);
        }
        let (Some((blob, _)), Some(entry)) = (plan.file(n), plan.entry(n)) else { continue };
        let there = known.find(&plan.path(n));
        let is_late = there.as_ref().is_some_and(|there| there.stat.kind == Kind::Directory);
        // Lost content is not written, and reflinks need no space.
        if !is_late && store.contains_blob(blob) && !is_shared(store, blob) && moved.take(&entry).is_none() {
            taken = taken.saturating_add(data(objects, &entry)?);
            freed = freed.saturating_add(there.map_or(0, |there| there.stat.allocated));
        }
    }
    Ok(taken.saturating_sub(freed))
}

/// Whether a file may come back without new blocks.
fn is_shared(store: &Store, blob: BlobId) -> bool {
    store.layout(blob).is_ok_and(|layout| store.adopted(&layout).is_some())
}

/// Bytes of a file in whole blocks outside holes.
fn data(objects: &dyn Objects, entry: &Entry) -> Result<u64> {
    let holes: u64 = match entry.attributes {
        Some(id) => objects.attributes(id)?.holes.iter().map(|(_, length)| length).sum(),
        None => 0,
    };
    Ok(entry.size().saturating_sub(holes) / BLOCK * BLOCK)
}
