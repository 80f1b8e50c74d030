//! Compares the content of files, read from the store or from the worktree.

use std::cell::RefCell;
use std::fs::File;

use crate::chunk;
use crate::compare::Comparison;
use crate::diff::{Body, Change, binary, text};
use crate::error::Result;
use crate::fs;
use crate::id::{BlobId, ChunkId};
use crate::object::layout::Piece;
use crate::object::{Content, Entry};
use crate::path::RepoPath;
use crate::store::Store;

/// 16 MiB: a larger file is compared piece by piece instead of in memory.
const MAX_IN_MEMORY: u64 = 16 << 20;

/// The file on one side.
struct FileSource<'a> {
    blob: BlobId,
    size: u64,
    live: Option<File>,
    store: &'a Store,
}

/// Compares the files of a change, with this many lines of context. An entry that is not a file counts as empty.
pub(super) fn compare(comparison: &Comparison<'_>, change: &Change, context: usize) -> Result<Body> {
    let source = |entry: &Option<Entry>| match entry {
        Some(entry) => FileSource::new(comparison, &change.path, entry),
        None => Ok(None),
    };
    let (old_side, new_side) = (source(&change.old)?, source(&change.new)?);
    let sizes = (old_side.as_ref().map(|side| side.size), new_side.as_ref().map(|side| side.size));
    let Some(larger) = sizes.0.max(sizes.1) else { return Ok(Body::Nothing) };
    let bytes_body = |ranges| Ok(Body::Bytes { ranges, sizes });
    if larger > MAX_IN_MEMORY {
        return match (&old_side, &new_side) {
            (Some(old), Some(new)) => bytes_body(old.ranges(new)?),
            _ => bytes_body(binary::Ranges::default()),
        };
    }
    let bytes = |side: &Option<FileSource<'_>>| side.as_ref().map_or(Ok(Vec::new()), FileSource::bytes);
    let (old, new) = (bytes(&old_side)?, bytes(&new_side)?);
    if let Some(hunks) = text::diff(&old, &new, context) {
        return Ok(Body::Text(hunks));
    }
    let is_both = old_side.is_some() && new_side.is_some();
    bytes_body(if is_both { binary::ranges(&old, &new) } else { binary::Ranges::default() })
}

/// Reads a chunk by offset and length.
type Fetch<'a> = Box<dyn Fn(u64, u32) -> Result<Vec<u8>> + 'a>;

impl<'a> FileSource<'a> {
    /// Opens the file; `None` if the entry is not a file or no longer exists.
    fn new(comparison: &Comparison<'a>, path: &RepoPath, entry: &Entry) -> Result<Option<FileSource<'a>>> {
        let Content::File { blob, size } = entry.content else { return Ok(None) };
        let store = comparison.repository.store();
        let live = match comparison.worktree {
            Some(worktree) if !store.contains_blob(blob) => match worktree.root.open_file_below(path) {
                Err(error) if fs::is_gone(&error) => return Ok(None),
                file => Some(file?),
            },
            _ => None,
        };
        Ok(Some(FileSource { blob, size, live, store }))
    }
}

impl FileSource<'_> {
    /// Reads the content. A file that has grown since the scan is read up to its former size.
    fn bytes(&self) -> Result<Vec<u8>> {
        match &self.live {
            Some(file) => read(file, 0, self.size as usize),
            None => Ok(self.store.read_blob(self.blob, self.size)?.unwrap_or_default()),
        }
    }

    fn ranges(&self, new: &FileSource<'_>) -> Result<binary::Ranges> {
        let (old_pieces, new_pieces) = (self.pieces()?, new.pieces()?);
        let (old_fetch, new_fetch) = (self.fetch()?, new.fetch()?);
        binary::ranges_of_pieces(
            &binary::Contents { pieces: &old_pieces, fetch: &old_fetch },
            &binary::Contents { pieces: &new_pieces, fetch: &new_fetch },
        )
    }

    /// Cuts the content like the store, so equal pieces have equal ids.
    fn pieces(&self) -> Result<Vec<Piece>> {
        let Some(file) = &self.live else { return Ok(self.store.layout(self.blob)?.pieces) };
        let params = self.store.options().chunk;
        let mut pieces = Vec::new();
        let mut offset = 0;
        while offset < self.size {
            let buffer = read(file, offset, params.maximum().min((self.size - offset) as usize))?;
            let chunk = &buffer[..chunk::cut(&buffer, &params)];
            if chunk.is_empty() {
                break;
            }
            let id = ChunkId(*blake3::hash(chunk).as_bytes());
            pieces.push(Piece::Chunk { id, length: chunk.len() as u32 });
            offset += chunk.len() as u64;
        }
        Ok(pieces)
    }

    /// A function that reads the chunk at an offset.
    fn fetch(&self) -> Result<Fetch<'_>> {
        if let Some(file) = &self.live {
            return Ok(Box::new(|offset, length| read(file, offset, length as usize)));
        }
        let reader = RefCell::new(self.store.open_blob(self.blob)?);
        Ok(Box::new(move |offset, _| Ok(reader.borrow_mut().bytes_at(offset)?.to_vec())))
    }
}

fn read(file: &File, offset: u64, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let got = fs::read_at(file, &mut bytes, offset)?;
    bytes.truncate(got);
    Ok(bytes)
}
