//! Files that a fetch writes while it stores their content, for a checkout to move into place. The checkout then neither reads nor
//! decodes that content again, and has less to do when the last byte has arrived.
//!
//! The files are in a folder of the repository. A checkout writes from the store what it does not find there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::Result;
use crate::fs::{self, Dir, Stat};
use crate::id::{BlobId, CommitId, ObjectId};
use crate::object::Layout;
use crate::object::layout::Piece;

/// The files of one commit. Dropping it removes those that were not taken.
#[derive(Debug)]
pub struct FetchedFiles {
    /// The commit that will be checked out.
    pub commit: CommitId,
    path: PathBuf,
    folder: Dir,
    large: OnceLock<LargeFiles>,
}

/// Files that consist of several chunks.
#[derive(Debug, Default)]
struct LargeFiles {
    /// Number of bytes that each file lacks.
    missing: HashMap<BlobId, AtomicU64>,
    /// The places of each chunk.
    chunks: HashMap<ObjectId, Vec<Place>>,
}

#[derive(Debug)]
struct Place {
    blob: BlobId,
    offset: u64,
    is_written: AtomicBool,
}

impl FetchedFiles {
    /// Creates the folder; an older one is removed. `None` if its files could not be moved into the worktree, which is on another
    /// file system.
    pub(crate) fn create(path: &Path, worktree: &Path, commit: CommitId) -> Result<Option<FetchedFiles>> {
        fs::remove_dir_all(path)?;
        fs::create_dir_private(path)?;
        let files = FetchedFiles { commit, path: path.to_owned(), folder: Dir::open(path)?, large: OnceLock::new() };
        let is_same = files.folder.stat_self()?.device == Dir::open(worktree)?.stat_self()?.device;
        Ok(is_same.then_some(files))
    }

    /// Adds files that consist of several chunks, before the first chunk is written. Files with runs of zeros are left to the
    /// checkout, which knows their holes.
    pub(crate) fn expect(&self, layouts: impl Iterator<Item = (BlobId, Layout)>) {
        let mut large = LargeFiles::default();
        for (blob, layout) in layouts {
            if layout.pieces.iter().any(|piece| piece.chunk().is_none()) {
                continue;
            }
            large.missing.insert(blob, AtomicU64::new(layout.size()));
            for (offset, piece) in layout.pieces_with_offsets() {
                if let Piece::Chunk { id, .. } = piece {
                    let place = Place { blob, offset, is_written: AtomicBool::new(false) };
                    large.chunks.entry(id.object_id()).or_default().push(place);
                }
            }
        }
        // A repeated fetch finds the same files.
        let _ = self.large.set(large);
    }

    /// Writes verified content: of a file if `is_file`, and of the files of which it is a chunk.
    pub(crate) fn write(&self, id: ObjectId, bytes: &[u8], is_file: bool) -> Result<()> {
        if is_file {
            let file = self.folder.open_or_create_file(&name(BlobId::from(id)))?;
            fs::write_all_at(&file, bytes, 0)?;
        }
        let Some(large) = self.large.get() else { return Ok(()) };
        for place in large.chunks.get(&id).into_iter().flatten() {
            let file = self.folder.open_or_create_file(&name(place.blob))?;
            fs::write_all_uncached_at(&file, bytes, place.offset)?;
            if !place.is_written.swap(true, Ordering::AcqRel) {
                large.missing[&place.blob].fetch_sub(bytes.len() as u64, Ordering::AcqRel);
            }
        }
        Ok(())
    }

    /// Moves a complete file of this content to a new name, and returns its stat. `None` if there is none, or if it cannot be moved.
    pub(super) fn take(&self, (blob, size): (BlobId, u64), directory: &Dir, new_name: &[u8]) -> Result<Option<Stat>> {
        let missing = self.large.get().and_then(|large| large.missing.get(&blob));
        if missing.is_some_and(|missing| missing.load(Ordering::Acquire) > 0) {
            return Ok(None);
        }
        let there = self.folder.stat(&name(blob))?.filter(|there| there.size == size);
        Ok(there.filter(|_| self.folder.rename(&name(blob), directory, new_name).is_ok()))
    }
}

impl Drop for FetchedFiles {
    fn drop(&mut self) {
        // What cannot be removed is removed by a later command.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The name of a file: the id of its content.
fn name(blob: BlobId) -> Vec<u8> {
    blob.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{ObjectKind, id_of};

    fn id(bytes: &[u8]) -> ObjectId {
        id_of(ObjectKind::Data, bytes)
    }

    fn layout(pieces: &[&[u8]]) -> (BlobId, Layout) {
        let mut layout = Layout::default();
        for bytes in pieces {
            match bytes.iter().any(|&byte| byte != 0) {
                true => layout.push(Piece::Chunk { id: id(bytes).into(), length: bytes.len() as u32 }),
                false => layout.push(Piece::Zeros { length: bytes.len() as u64 }),
            }
        }
        (id(&pieces.concat()).into(), layout)
    }

    #[test]
    fn only_complete_files_are_taken_and_only_once() {
        let scratch = tempfile::tempdir().unwrap();
        let (folder, worktree) = (scratch.path().join("fetched.tmp"), scratch.path().join("worktree"));
        std::fs::create_dir(&worktree).unwrap();
        let files = FetchedFiles::create(&folder, &worktree, CommitId([0; 32])).unwrap().unwrap();
        let (whole, cut, sparse) =
            (layout(&[b"abc", b"de", b"abc"]), layout(&[b"abc", b"xyz"]), layout(&[b"abc", &[0; 9]]));
        files.expect([whole.clone(), cut.clone(), sparse.clone()].into_iter());
        // A chunk may come twice, may be a file as well, and may belong to several files.
        for (bytes, is_file) in [(&b"abc"[..], true), (b"abc", false), (b"de", false), (b"other", false)] {
            files.write(id(bytes), bytes, is_file).unwrap();
        }
        let to = Dir::open(&worktree).unwrap();
        let take = |blob: BlobId, size| files.take((blob, size), &to, b"file").unwrap();
        let read = || std::fs::read(worktree.join("file")).unwrap();
        assert_eq!(take(id(b"abc").into(), 3).map(|stat| stat.size), Some(3));
        assert_eq!(read(), b"abc");
        assert!(take(id(b"abc").into(), 3).is_none());
        assert!(take(whole.0, 8).is_some());
        assert_eq!(read(), b"abcdeabc");
        for (blob, size) in [(cut.0, 6), (sparse.0, 12), (id(b"other").into(), 5)] {
            assert!(take(blob, size).is_none());
        }
        drop(files);
        assert!(!folder.exists());
    }
}
