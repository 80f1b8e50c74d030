//! The reserve: a file of a few MiB that is deleted when the disk is full, so that the journal can record an operation
//! and space can be freed.

use std::path::Path;

use crate::error::Result;
use crate::fs;

/// Enough for many journal segments.
const SIZE: u64 = 8 << 20;

/// Allocates the space, unless it is allocated. Writes zeros where the file system cannot allocate space.
pub fn allocate(path: &Path) -> Result<()> {
    if fs::exists(path)? {
        return Ok(());
    }
    let file = fs::create_new(path)?;
    let taken = fs::preallocate(&file, SIZE).and_then(|()| {
        if fs::stat_file(&file)?.allocated >= SIZE {
            return Ok(());
        }
        let zeros = vec![0; SIZE as usize];
        fs::write_all_at(&file, &zeros, 0)
    });
    if taken.is_err() {
        release(path);
    }
    taken
}

/// Releases the space. Returns whether there was any.
pub fn release(path: &Path) -> bool {
    matches!(fs::exists(path), Ok(true)) && fs::remove_file(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserve_is_allocated_and_released_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reserve");
        allocate(&path).unwrap();
        allocate(&path).unwrap();
        assert!(fs::stat(&path).unwrap().unwrap().allocated >= SIZE);
        assert!(release(&path) && !release(&path));
    }
}
