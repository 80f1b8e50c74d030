//! Hard links on overlayfs. A file of the lower layer is copied up when it is linked or its metadata is set, and only the name used
//! then belongs to the copy: the other names still belong to the lower file. They are linked to the copy.

use crate::error::Result;
use crate::worktree::inodes::inode;

use super::applier::Applier;
use super::outcome::ApplyOutcome;
use super::verdict::Verdict;

/// Links the names that the copies left behind.
pub(super) fn relink(applier: &mut Applier<'_>, tally: &mut ApplyOutcome) -> Result<()> {
    let copied_up = std::mem::take(&mut applier.copied_up);
    if copied_up.is_empty() {
        return Ok(());
    }
    let (work, plan) = (applier.work, applier.work.plan);
    for n in (0..plan.end()).filter(|n| plan.verdict(*n) == Verdict::Same) {
        let path = plan.path(n);
        let copy = work.saved.find(&path).and_then(|record| copied_up.get(&inode(&record.stat)));
        if let Some(copy) = copy.filter(|copy| **copy != path) {
            let done = applier.link(&path, copy, tally);
            tally.note(n, &path, done)?;
        }
    }
    Ok(())
}
