//! Whole files that appear at once or not at all.

use std::path::Path;

use crate::error::Result;

/// Writes a private file (0600) beside `path`, flushes it, renames it over `path` and flushes the directory.
/// With `durable` false nothing is flushed: for caches.
pub fn write_atomic(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let _ = (path, bytes, durable);
    todo!()
}
