//! Checks before a checkout that the file system has enough free space. Refuses only plans that cannot fit.

use crate::apply::in_use::InUsePaths;
use crate::apply::plan::{Plan, Verdict};
use crate::apply::target::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;
use crate::metadata::Kind;
use crate::object::{Entry, Objects};
use crate::store::Store;
use crate::worktree::{Overlay, Scan, Worktree};

use super::execution::renames;

/// Plans that write fewer bytes are not checked.
const UNCHECKED: u64 = 4 << 20;

/// Usual allocation unit. A partial last block is not counted, because some file systems store it in metadata.
const BLOCK: u64 = 4096;

/// Returns [`ErrorKind::NoSpace`] if the plan needs more bytes than the worktree's file system has free.
pub(super) fn check_free_space(
    store: &Store,
    worktree: &Worktree,
    scan: &Scan,
    target: &Target,
    plan: &Plan,
) -> Result<()> {
    // The free space of one file system says nothing if the plan may also write to others mounted below.
    if plan.bytes_to_write() < UNCHECKED || worktree.cross_mounts {
        return Ok(());
    }
    let Some(free) = worktree.root.free_space()?.filter(|free| plan.bytes_to_write() > *free) else { return Ok(()) };
    let live = Overlay { below: store, objects: &scan.objects };
    let objects = Overlay { below: &live, objects: &target.objects };
    let needed = needed_bytes(store, &objects, scan, plan)?;
    if needed <= free {
        return Ok(());
    }
    let (needed, free) = (needed.div_ceil(1 << 20), free >> 20);
    let message = format!(
        "not enough space: this needs {needed} MiB, and the file system of `{}` has {free} MiB free",
        worktree.path.display()
    );
    Err(Error::new(ErrorKind::NoSpace, message)
        .hint("nothing was changed: free some space there, then run the command again"))
}

/// Lower bound of the additional bytes that the plan needs: sizes without holes of the files to write, less the allocated
/// bytes of the files to replace or remove. Reflinked and renamed files need none.
fn needed_bytes(store: &Store, objects: &dyn Objects, scan: &Scan, plan: &Plan) -> Result<u64> {
    let (mut taken, mut freed) = (0_u64, 0_u64);
    let renames = renames(scan, plan, &InUsePaths::default());
    let renamed = renames.numbers();
    for n in plan.numbers() {
        if plan.verdict(n) == Verdict::Remove
            && !renamed.contains(&n)
            && let Some(there) = plan.record(&scan.index, &plan.path(n)).filter(|there| there.stat.kind == Kind::File)
        {
            freed = freed.saturating_add(there.stat.allocated);
        }
        let (Some((blob, _)), Some(entry)) = (plan.file(n), plan.entry(n)) else { continue };
        let there = plan.record(&scan.index, &plan.path(n));
        let is_late = there.as_ref().is_some_and(|there| there.stat.kind == Kind::Directory);
        // Checkout skips content that the store has lost. Reflinks and renames allocate no blocks.
        if !is_late && store.contains_blob(blob) && !is_shared(store, blob) && renames.take(&entry).is_none() {
            taken = taken.saturating_add(data(objects, &entry)?);
            freed = freed.saturating_add(there.map_or(0, |there| there.stat.allocated));
        }
    }
    Ok(taken.saturating_sub(freed))
}

/// Whether the blob may be restored as a reflink, without new blocks.
fn is_shared(store: &Store, blob: BlobId) -> bool {
    store.layout(blob).is_ok_and(|layout| store.reflink_pack(&layout).is_some())
}

/// Size of a file in bytes without holes, rounded down to whole blocks.
fn data(objects: &dyn Objects, entry: &Entry) -> Result<u64> {
    let holes: u64 = match entry.attributes {
        Some(id) => objects.attributes(id)?.holes.iter().map(|(_, length)| length).sum(),
        None => 0,
    };
    Ok(entry.size().saturating_sub(holes) / BLOCK * BLOCK)
}
