//! Removes what killed commands have left of files `.undo` that they were writing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::Result;
use crate::fs;

/// Removes staged files `.undo` from a directory: otherwise commits would record them. Returns the other names in the directory.
pub fn remove_staged_markers(directory: &Path) -> Result<Vec<Vec<u8>>> {
    let (staged, rest): (Vec<_>, Vec<_>) =
        fs::list(directory)?.into_iter().partition(|name| is_staged_marker(directory, name));
    for name in staged {
        fs::remove_file(&directory.join(OsStr::from_bytes(&name)))?;
    }
    Ok(rest)
}

/// Whether a file has the name of a staged `.undo`, and the beginning of its content.
fn is_staged_marker(directory: &Path, name: &[u8]) -> bool {
    let middle = name.strip_prefix(b".undo.").and_then(|rest| rest.strip_suffix(b".tmp"));
    let is_number = |middle: &[u8]| middle.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    let is_part = |bytes: Vec<u8>| bytes.is_empty() || bytes.starts_with(b"undo store ");
    let read = || fs::read(&directory.join(OsStr::from_bytes(name))).ok().flatten();
    middle.is_some_and(is_number) && read().is_some_and(is_part)
}
