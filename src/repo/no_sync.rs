//! Commands that flush nothing (`--no-sync`), and those that build upon what they wrote.

use crate::environment::Durability;
use crate::error::Result;
use crate::fs::{self, Dir};
use crate::repo::layout::Layout;

/// A command that flushes nothing says so in the repository; any other flushes first what such a command wrote. To be called
/// under the lock, before anything is read that is built upon.
pub fn flush_or_tell(layout: &Layout, durability: Durability) -> Result<()> {
    if !durability.is_synced() {
        return fs::write_atomic(&layout.unsynced(), [b""], durability);
    }
    if fs::exists(&layout.unsynced())? {
        Dir::open(&layout.repository)?.sync_file_system(durability)?;
        fs::remove_file(&layout.unsynced())?;
    }
    Ok(())
}
