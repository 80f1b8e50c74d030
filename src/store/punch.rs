//! Frees the blocks of hidden objects in reflink packs, which a rewritten pack would not share with files any more.

use std::ops::Range;

use super::mask::PackMask;
use super::pack::{Pack, PackType, path_of};
use super::pack_set::Store;
use super::reflink_pack::BLOCK;
use crate::error::Result;
use crate::fs;
use crate::id::PackId;

impl Store {
    /// Frees the blocks of all hidden objects in reflink packs, except in packs with purged objects, of which nothing may be
    /// left at the ends of blocks. Returns the number of bytes. The caller makes sure that no process reads hidden objects:
    /// they are zeros afterwards. Skips packs that cannot be read or written.
    pub fn punch_reflink_packs(&self) -> u64 {
        let Some(mask) = self.mask() else { return 0 };
        let packs = self.packs.iter().map(|pack| pack.id);
        let packs = packs.filter(|&id| mask.of(id).is_some_and(|mask| !mask.has_purged));
        packs.map(|id| self.punch(id).unwrap_or(0)).sum()
    }

    fn punch(&self, id: PackId) -> Result<u64> {
        let pack = self.pack_file(id);
        if !pack.seems_reflinked()? || pack.table()?.pack_type != PackType::Reflinked {
            return Ok(0);
        }
        let file = fs::open_to_write(&path_of(&self.directory, id))?;
        let before = fs::stat_file(&file)?.allocated;
        for range in hidden_blocks(&pack)? {
            if !fs::punch_hole(&file, range.start, range.end - range.start)? {
                break;
            }
        }
        Ok(before.saturating_sub(fs::stat_file(&file)?.allocated))
    }

    /// The stored bytes of hidden objects that take disk space. `size`: size of the pack.
    pub(super) fn wasted_bytes(&self, id: PackId, size: u64, mask: &PackMask) -> u64 {
        let stat = fs::stat(&path_of(&self.directory, id)).ok().flatten();
        let visible = size.saturating_sub(mask.bytes);
        stat.map_or(0, |stat| mask.bytes.min(stat.allocated.saturating_sub(visible)))
    }

    /// The stored bytes of all hidden objects that take disk space.
    pub fn waste(&self) -> u64 {
        let Some(mask) = self.mask() else { return 0 };
        let masks = self.packs().into_iter().filter_map(|(id, size)| Some((id, size, mask.of(id)?)));
        masks.map(|(id, size, mask)| self.wasted_bytes(id, size, &mask)).sum()
    }
}

/// The whole blocks that hold only frames whose objects are all hidden, ascending. The bytes of frames without objects count.
fn hidden_blocks(pack: &Pack) -> Result<Vec<Range<u64>>> {
    let table = pack.table()?;
    let count = table.frame_count() as usize;
    let (mut has_hidden, mut has_visible) = (vec![false; count], vec![false; count]);
    for (n, record) in (0..).zip(table.records()) {
        let of_frame = if pack.is_hidden(n) { &mut has_hidden } else { &mut has_visible };
        of_frame[record.frame_number as usize] = true;
    }
    let mut runs: Vec<Range<u64>> = Vec::new();
    for n in (0..count).filter(|&n| has_hidden[n] && !has_visible[n]) {
        let frame = table.frame(n as u32);
        let end = frame.offset + u64::from(frame.stored);
        match runs.last_mut() {
            Some(run) if run.end == frame.offset => run.end = end,
            _ => runs.push(frame.offset..end),
        }
    }
    let whole = runs.into_iter().map(|run| run.start.next_multiple_of(BLOCK)..run.end / BLOCK * BLOCK);
    Ok(whole.filter(|run| !run.is_empty()).collect())
}
