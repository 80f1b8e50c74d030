//! Continues a large file where an interrupted reading ended.

use std::fs::File;

use crate::fs;
use crate::object::groups::GROUP;
use crate::object::layout::Piece;
use crate::object::{Groups, Layout, ObjectKind};
use crate::store::{Session, Store};
use crate::worktree::Reading;

/// The beginning of a large file that is stored, up to a cut that does not depend on what follows.
pub struct Prefix {
    pub layout: Layout,
    pub groups: Groups,
}

impl Prefix {
    /// The prefix that an interrupted reading of this file has stored, if all of it still is in the store.
    pub fn stored(store: &Store, session: &Session<'_>, reading: &Reading<'_>) -> Option<Prefix> {
        if store.is_in_doubt() {
            return None;
        }
        let layout = store.layout(reading.prefix()?).ok()?;
        let is_stored =
            |piece: &Piece| piece.chunk().is_none_or(|id| session.contains(ObjectKind::Data, id.object_id()));
        if layout.pieces.iter().all(is_stored) {
            Prefix::of(reading.file()?, layout, reading.is_shared())
        } else {
            None
        }
    }

    /// The prefix with this layout. `None` if it is too short, or if the file cannot be read.
    fn of(file: &File, mut layout: Layout, is_shared: bool) -> Option<Prefix> {
        // It ends where the reading ended.
        layout.pieces.pop();
        let (size, mut groups) = (layout.size(), std::mem::take(&mut layout.groups));
        groups.truncate((size / GROUP as u64) as usize);
        if groups.len() < 2 {
            return None;
        }
        let mut begun = vec![0; (size % GROUP as u64) as usize];
        let start = size - begun.len() as u64;
        fs::read_exact_at(file, &mut begun, start).ok()?;
        let mut groups = Groups::resume(is_shared, groups);
        groups.update(&begun);
        Some(Prefix { layout, groups })
    }
}
