//! Holds back changes until renames have been found.

use std::cell::Cell;

use crate::diff::rename::{self, MAX_CHANGES, RenameOptions, Unit};
use crate::diff::similarity::Fingerprint;
use crate::diff::text::is_text;
use crate::diff::{Change, ChangeCounts, Status};
use crate::error::Result;

use super::Comparison;
use super::contents::Source;

/// 256 MiB: bytes that the search for similar files reads. Chunk lists in the store are not counted.
const MAX_READ: u64 = 256 << 20;

/// How to find renames, and whether all were found.
#[derive(Debug)]
pub struct RenameSearch {
    /// `None` reports an addition and a deletion for each rename.
    pub options: Option<RenameOptions>,
    /// Set if too many files had to be compared, or some could not be read.
    pub is_incomplete: Cell<bool>,
}

impl RenameSearch {
    /// A search with these options.
    pub fn new(options: Option<RenameOptions>) -> RenameSearch {
        RenameSearch { options, is_incomplete: Cell::new(false) }
    }
}

/// Changes in path order, from the first one that can be part of a rename.
pub(super) struct HeldChanges<'a> {
    comparison: &'a Comparison<'a>,
    search: &'a RenameSearch,
    options: RenameOptions,
    mtimes: bool,
    held: Vec<Change>,
    is_full: bool,
}

impl<'a> HeldChanges<'a> {
    /// `None` if the search is off.
    pub fn new(comparison: &'a Comparison<'a>, search: &'a RenameSearch, mtimes: bool) -> Option<HeldChanges<'a>> {
        let options = search.options?;
        Some(HeldChanges { comparison, search, options, mtimes, held: Vec::new(), is_full: false })
    }

    /// Takes the next change. Passes it on if no earlier change can be part of a rename.
    pub fn take(&mut self, change: Change, each: &mut dyn FnMut(Change) -> Result<()>) -> Result<()> {
        let can_be_renamed = matches!(change.status, Status::Added | Status::Deleted);
        if self.is_full || (self.held.is_empty() && !can_be_renamed) {
            return each(change);
        }
        self.held.push(change);
        if self.held.len() > MAX_CHANGES {
            self.is_full = true;
            self.search.is_incomplete.set(true);
            return self.held.drain(..).try_for_each(each);
        }
        Ok(())
    }

    /// Finds renames, adjusts the counts, and passes on all changes.
    pub fn finish(mut self, counts: &mut ChangeCounts, each: &mut dyn FnMut(Change) -> Result<()>) -> Result<()> {
        if counts.added > 0 && counts.deleted > 0 && !self.is_full {
            let mut budget = MAX_READ;
            // Renames are a guess: a file that cannot be read stays an addition or a deletion.
            let mut read =
                |change: &Change, unit| Ok(self.comparison.fingerprint(change, unit, &mut budget).ok().flatten());
            let is_complete = rename::detect(&mut self.held, counts, self.options, self.mtimes, &mut read)?;
            self.search.is_incomplete.set(!is_complete);
        }
        self.held.into_iter().try_for_each(each)
    }
}

impl Comparison<'_> {
    /// The fingerprint of an added or deleted file. `None` if the budget does not suffice.
    fn fingerprint(&self, change: &Change, unit: Unit, budget: &mut u64) -> Result<Option<Fingerprint>> {
        let Some(entry) = change.new.as_ref().or(change.old.as_ref()) else { return Ok(None) };
        let Some(source) = Source::new(self, &change.path, entry)? else { return Ok(None) };
        if unit == Unit::Lines || source.is_live() {
            match budget.checked_sub(source.size) {
                Some(rest) => *budget = rest,
                None => return Ok(None),
            }
        }
        Ok(Some(match unit {
            Unit::Chunks => Fingerprint::of_pieces(&source.pieces()?),
            Unit::Lines => {
                let bytes = source.bytes()?;
                Fingerprint::of_lines(&bytes, is_text(&bytes))
            }
        }))
    }
}
