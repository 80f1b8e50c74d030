//! Records the modes of directories before a checkout makes them accessible to their owner. If the checkout is
//! interrupted, the next one can restore the modes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::environment::Durability;
use crate::error::Result;
use crate::fs;
use crate::path::RepoPathBuf;

/// Directories and their original modes.
pub type Modes = BTreeMap<RepoPathBuf, u16>;

/// Writes the record. Durable on return.
pub fn write(note: &Path, modes: &Modes, durability: Durability) -> Result<()> {
    let line =
        |(path, mode): (&RepoPathBuf, &u16)| [format!("{mode:04o} ").as_bytes(), path.as_bytes(), b"\0"].concat();
    fs::write_atomic(note, modes.iter().map(line), durability)
}

/// Reads the record. Empty if it does not exist or is not valid.
pub fn read(note: &Path) -> Modes {
    let bytes = fs::read(note).ok().flatten().unwrap_or_default();
    let directory = |line: &[u8]| {
        let (mode, path) = line.split_at_checked(5)?;
        let mode = u16::from_str_radix(str::from_utf8(mode).ok()?.trim_end(), 8).ok()?;
        Some((RepoPathBuf::new(path.to_vec())?, mode))
    };
    bytes.split(|byte| *byte == 0).filter_map(directory).collect()
}

/// Deletes the record.
pub fn remove(note: &Path) {
    let _ = fs::remove_file(note);
}
