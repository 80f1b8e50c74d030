//! Tracks commands that flush nothing (`--no-sync`), so that later commands flush what those wrote.

use crate::environment::Durability;
use crate::error::Result;
use crate::fs::{self, Dir};
use crate::repo::layout::Layout;

/// With `--no-sync`, marks the repository; otherwise flushes what marked commands have written. Must be called under
/// the lock, before reading anything that the command builds upon.
pub fn flush_unsynced(layout: &Layout, durability: Durability) -> Result<()> {
    if !durability.is_synced() {
        return fs::write_atomic(&layout.unsynced(), [b""], durability);
    }
    if fs::exists(&layout.unsynced())? {
        Dir::open(&layout.repository)?.sync_file_system(durability)?;
        fs::remove_file(&layout.unsynced())?;
    }
    Ok(())
}
