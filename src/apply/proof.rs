//! Decides whether a file in the worktree still is the saved one: by its stat where that is sufficient, otherwise by
//! its content.
//!
//! Some file systems report a different inode number or change time for an unchanged file: FUSE and network file
//! systems after a rename or when their caches expire, overlayfs when it copies a file up. A stat that differs only in
//! these does not prove a change, so the content decides.

use std::borrow::Cow;

use crate::error::Result;
use crate::fs::{self, Dir, Stat};
use crate::id::BlobId;
use crate::metadata::Kind;
use crate::object::{Attributes, Content, Objects};
use crate::worktree::index::Record;

/// Maximum number of attempts to read a file without its stat changing.
const ATTEMPTS: u32 = 3;

/// Returns the record to compare a file with while it is replaced or removed, if the file still is the saved one. If
/// the inode number or change time differs, the content and extended attributes have been compared, and the record has
/// the current stat and is racy.
pub(super) fn still_saved<'r>(
    (directory, name): (&Dir, &[u8]),
    record: &'r Record,
    there: &Stat,
    objects: &dyn Objects,
) -> Result<Option<Cow<'r, Record>>> {
    if is_untouched(record, there) {
        return Ok(Some(Cow::Borrowed(record)));
    }
    if !is_alike(record, there)
        || !has_saved_xattrs(directory, name, record, objects)?
        || !is_saved_content(directory, name, record, there)?
    {
        return Ok(None);
    }
    Ok(Some(Cow::Owned(Record { stat: *there, racy: true, ..record.clone() })))
}

/// Whether a file that was moved to a staged name is the one of the record. Ignores the change time, because moving the
/// file sets it. encfs also truncates the modification time to seconds.
pub(super) fn is_moved(directory: &Dir, name: &[u8], record: &Record, there: &Stat) -> Result<bool> {
    if is_saved(record, there) {
        return is_proven(directory, name, record, there);
    }
    let mut moved = record.clone();
    let mtime = &mut moved.stat.metadata.mtime;
    if *mtime != there.metadata.mtime {
        mtime.nanoseconds = 0;
    }
    Ok(is_alike(&moved, there) && is_saved_content(directory, name, &moved, there)?)
}

/// Whether a file whose stat matches the record also has the recorded content. Reads the content if the stat may hide a
/// change; a later check detects writes that happen meanwhile.
pub(super) fn is_proven(directory: &Dir, name: &[u8], record: &Record, there: &Stat) -> Result<bool> {
    Ok(!record.racy || is_saved_content(directory, name, record, there)?)
}

/// Whether a stat matches the record, before anything was done to the file. The ctime counts too, because it reveals a
/// change that set the old mtime again. It does not count for a file that has or had several names, since operations on
/// one name change it for all.
pub(super) fn is_untouched(record: &Record, there: &Stat) -> bool {
    is_saved(record, there) && (record.stat.links != 1 || there.links != 1 || record.stat.ctime == there.ctime)
}

/// Whether a stat matches the record. Ignores the ctime, because moving a file and changing its names set it, and the
/// device, because a file system that is mounted again may have another number.
pub(super) fn is_saved(record: &Record, there: &Stat) -> bool {
    is_alike(record, there) && record.stat.inode == there.inode
}

/// Whether a stat differs from the record at most in fields that the system sets.
fn is_alike(record: &Record, there: &Stat) -> bool {
    let known = &record.stat;
    known.kind == there.kind
        && known.metadata == there.metadata
        && (known.size == there.size || known.kind == Kind::Directory)
        && known.rdev == there.rdev
}

fn has_saved_xattrs(directory: &Dir, name: &[u8], record: &Record, objects: &dyn Objects) -> Result<bool> {
    let saved = record.attributes.map_or_else(|| Ok(Attributes::default()), |id| objects.attributes(id))?;
    Ok(directory.xattrs(name)? == saved.xattrs)
}

/// Reads the content; reads it again if the stat has changed by the end.
fn is_saved_content(directory: &Dir, name: &[u8], record: &Record, there: &Stat) -> Result<bool> {
    let mut before = *there;
    for _ in 0..ATTEMPTS {
        if !has_content(directory, name, &record.content)? {
            return Ok(false);
        }
        match directory.stat(name)? {
            Some(after) if after.is_same(&before) => return Ok(true),
            Some(after) if is_alike(record, &after) => before = after,
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// Whether the file at a name has this content. Reads the file.
pub(crate) fn has_content(directory: &Dir, name: &[u8], content: &Content) -> Result<bool> {
    match content {
        Content::File { blob, .. } => Ok(hash(directory, name)? == *blob),
        Content::Symlink { target } => Ok(directory.read_link(name)? == *target),
        _ => Ok(true),
    }
}

/// Reads a file and returns the id of its content.
pub(crate) fn hash(directory: &Dir, name: &[u8]) -> Result<BlobId> {
    let file = directory.open_file(name)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let length = fs::read_next(&file, &mut buffer)?;
        hasher.update(&buffer[..length]);
        if length < buffer.len() {
            return Ok(BlobId(*hasher.finalize().as_bytes()));
        }
    }
}
