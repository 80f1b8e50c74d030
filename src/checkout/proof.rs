//! Whether a file in the worktree still is what was saved of it: by its stat where that is enough, else by its content.
//!
//! Some file systems give one file other inode numbers or change times from one look to the next: FUSE and network file
//! systems after a rename or when their caches expire, overlayfs when it copies a file up. A stat that differs in nothing
//! else is therefore no proof of a change, and what decides then is the content.

use std::borrow::Cow;

use crate::error::Result;
use crate::fs::{self, Dir, Stat};
use crate::id::BlobId;
use crate::metadata::Kind;
use crate::object::{Attributes, Content, Objects};
use crate::worktree::index::Record;

/// How often a file is read until its stat is the same before and after.
const ATTEMPTS: u32 = 3;

/// The record to hold a file against while it is replaced or removed, if it still is what was saved. Where inode number or
/// change time differ, content and extended attributes have been compared, and the record has the stat found and is racy.
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

/// Whether a file that was moved to a name of our own is the one of the record. Its change time does not count: moving it sets
/// that. encfs cuts the modification time to the second, too.
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

/// Whether what has this stat, which is that of the record, has its content too. Where the stat may hide a change the content
/// is read; what is written meanwhile shows in another look.
pub(super) fn is_proven(directory: &Dir, name: &[u8], record: &Record, there: &Stat) -> Result<bool> {
    Ok(!record.racy || is_saved_content(directory, name, record, there)?)
}

/// Whether a stat is of what was recorded, before anything was done to it: then its ctime counts too, as it shows a change
/// that set the old time again. A file that has or had several names is the exception: what is done to one is done to all.
pub(super) fn is_untouched(record: &Record, there: &Stat) -> bool {
    is_saved(record, there) && (record.stat.links != 1 || there.links != 1 || record.stat.ctime == there.ctime)
}

/// Whether a stat is of what was recorded. Its ctime does not count: moving it and changing its names set that. Nor does its
/// device: a file system that is mounted again may have another number.
pub(super) fn is_saved(record: &Record, there: &Stat) -> bool {
    is_alike(record, there) && record.stat.inode == there.inode
}

/// Whether a stat differs from that of the record in nothing but what the system sets.
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

/// Reads the content, again if the stat has changed by the end.
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

/// Whether what stands at a name has this content: reads it.
pub(super) fn has_content(directory: &Dir, name: &[u8], content: &Content) -> Result<bool> {
    match content {
        Content::File { blob, .. } => Ok(hash(directory, name)? == *blob),
        Content::Symlink { target } => Ok(directory.read_link(name)? == *target),
        _ => Ok(true),
    }
}

/// The id of a file's content: reads it.
pub(super) fn hash(directory: &Dir, name: &[u8]) -> Result<BlobId> {
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
