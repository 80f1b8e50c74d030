//! Compares the content of files, read from the store or from the worktree.

use std::cell::RefCell;
use std::fs::File;

use crate::chunk;
use crate::compare::Comparison;
use crate::diff::binary::Ranges;
use crate::diff::text::TextOptions;
use crate::diff::{Body, Change, binary, large_text, text};
use crate::error::Result;
use crate::fs;
use crate::id::{BlobId, ChunkId};
use crate::metadata::Kind;
use crate::object::layout::Piece;
use crate::object::{Content, Entry};
use crate::path::RepoPath;
use crate::store::Store;

/// 16 MiB: a larger file is compared piece by piece instead of in memory.
pub(super) const MAX_IN_MEMORY: u64 = 16 << 20;

/// The contents of both sides of a change. `None` for a side without a file.
pub(super) struct Contents<'a> {
    pub old: Option<Source<'a>>,
    pub new: Option<Source<'a>>,
}

/// The content of a file or the target of a link.
pub(super) struct Source<'a> {
    pub size: u64,
    origin: Origin<'a>,
    store: &'a Store,
}

enum Origin<'a> {
    Store(BlobId),
    Live(File),
    Memory(&'a [u8]),
}

impl Contents<'_> {
    /// Both contents, unless they are too large for memory. A side without a file is empty.
    pub fn load(&self, limit: u64) -> Result<Option<[Vec<u8>; 2]>> {
        let sides = [&self.old, &self.new];
        if sides.iter().any(|side| side.as_ref().is_some_and(|source| source.size > limit)) {
            return Ok(None);
        }
        let [old, new] = sides.map(|side| side.as_ref().map_or(Ok(Vec::new()), Source::bytes));
        Ok(Some([old?, new?]))
    }

    /// Compares both contents. `loaded` are the contents if they are in memory.
    pub fn compare(&self, loaded: Option<&[Vec<u8>; 2]>, options: TextOptions) -> Result<Body> {
        let sizes = (self.old.as_ref().map(|side| side.size), self.new.as_ref().map(|side| side.size));
        let bytes = |ranges, is_text| Body::Bytes { ranges, sizes, is_text };
        Ok(match (&self.old, &self.new, loaded) {
            (old_side, new_side, Some([old, new])) => match text::diff(old, new, options) {
                Some(hunks) => Body::Text(hunks),
                None => {
                    let is_both = old_side.is_some() && new_side.is_some();
                    let ranges = if is_both { binary::ranges(old, new) } else { Ranges::default() };
                    bytes(ranges, text::is_text(old) && text::is_text(new))
                }
            },
            (Some(old), Some(new), None) => match old.hunks(new, options)? {
                large_text::Outcome::Hunks(hunks) => Body::Text(hunks),
                large_text::Outcome::Binary => bytes(old.ranges(new)?, false),
                large_text::Outcome::TooDifferent => bytes(old.ranges(new)?, true),
            },
            (old, new, None) => {
                let is_text = old.as_ref().or(new.as_ref()).map_or(Ok(true), Source::is_text)?;
                bytes(Ranges::default(), is_text)
            }
        })
    }
}

/// Compares the files of a change.
pub(super) fn compare(comparison: &Comparison<'_>, change: &Change, options: TextOptions) -> Result<Body> {
    let is_file = |entry: &&Entry| entry.kind() == Kind::File;
    let sides = (change.old.as_ref().filter(is_file), change.new.as_ref().filter(is_file));
    if comparison.is_purged(sides) {
        return Ok(Body::Purged);
    }
    let contents = comparison.contents(&change.path, sides)?;
    if contents.old.is_none() && contents.new.is_none() {
        return Ok(Body::Nothing);
    }
    contents.compare(contents.load(MAX_IN_MEMORY)?.as_ref(), options)
}

impl<'a> Comparison<'a> {
    /// Whether the content of one of these entries was purged.
    pub(super) fn is_purged(&self, (old, new): (Option<&Entry>, Option<&Entry>)) -> bool {
        let purged = self.repository.store().purged();
        [old, new].into_iter().flatten().filter_map(Entry::blob).any(|blob| purged.contains(blob))
    }

    /// Opens the contents of two entries. `path` is that of the new one.
    pub(super) fn contents(
        &self,
        path: &RepoPath,
        (old, new): (Option<&'a Entry>, Option<&'a Entry>),
    ) -> Result<Contents<'a>> {
        let source = |entry: Option<&'a Entry>| entry.map_or(Ok(None), |entry| Source::new(self, path, entry));
        Ok(Contents { old: source(old)?, new: source(new)? })
    }
}

/// Reads a chunk by offset and length.
type Fetch<'a> = Box<dyn Fn(u64, u32) -> Result<Vec<u8>> + 'a>;

impl<'a> Source<'a> {
    /// Opens the content; `None` if the entry has no content, its content was purged, or it no longer exists.
    pub fn new(comparison: &Comparison<'a>, path: &RepoPath, entry: &'a Entry) -> Result<Option<Source<'a>>> {
        let store = comparison.repository.store();
        if comparison.is_purged((None, Some(entry))) {
            return Ok(None);
        }
        let (origin, size) = match &entry.content {
            &Content::File { blob, size } => match comparison.worktree {
                Some(worktree) if !store.contains_blob(blob) => match worktree.root.open_file_below(path) {
                    Err(error) if fs::is_gone(&error) => return Ok(None),
                    file => (Origin::Live(file?), size),
                },
                _ => (Origin::Store(blob), size),
            },
            Content::Symlink { target } => (Origin::Memory(target), target.len() as u64),
            _ => return Ok(None),
        };
        Ok(Some(Source { size, origin, store }))
    }
}

impl Source<'_> {
    /// Whether the content is read from the worktree.
    pub fn is_live(&self) -> bool {
        matches!(self.origin, Origin::Live(_))
    }

    /// Reads the content. A file that has grown since the scan is read up to its former size.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        match &self.origin {
            Origin::Live(file) => read(file, 0, self.size as usize),
            Origin::Store(blob) => Ok(self.store.read_blob(*blob, self.size)?.unwrap_or_default()),
            Origin::Memory(bytes) => Ok(bytes.to_vec()),
        }
    }

    fn ranges(&self, new: &Source<'_>) -> Result<Ranges> {
        self.with_pieces(new, binary::ranges_of_pieces)
    }

    fn hunks(&self, new: &Source<'_>, options: TextOptions) -> Result<large_text::Outcome> {
        self.with_pieces(new, |old, new| large_text::diff(old, new, options, large_text::Limits::default()))
    }

    fn with_pieces<T>(
        &self,
        new: &Source<'_>,
        compare: impl Fn(&binary::Contents<'_>, &binary::Contents<'_>) -> Result<T>,
    ) -> Result<T> {
        let (old_pieces, new_pieces) = (self.pieces()?, new.pieces()?);
        let (old_fetch, new_fetch) = (self.fetch()?, new.fetch()?);
        compare(
            &binary::Contents { pieces: &old_pieces, fetch: &old_fetch },
            &binary::Contents { pieces: &new_pieces, fetch: &new_fetch },
        )
    }

    /// Whether the start of the content is text.
    fn is_text(&self) -> Result<bool> {
        let length = self.size.min(64 << 10) as u32;
        Ok(text::is_text(&(self.fetch()?)(0, length)?))
    }

    /// Cuts the content like the store, so equal pieces have equal ids.
    pub fn pieces(&self) -> Result<Vec<Piece>> {
        let file = match &self.origin {
            Origin::Live(file) => file,
            Origin::Store(blob) => return Ok(self.store.layout(*blob)?.pieces),
            Origin::Memory(bytes) => return Ok(vec![piece(bytes)]),
        };
        let params = self.store.options().chunk;
        let mut pieces = Vec::new();
        let mut offset = 0;
        while offset < self.size {
            let buffer = read(file, offset, params.maximum().min((self.size - offset) as usize))?;
            let chunk = &buffer[..chunk::cut(&buffer, &params)];
            if chunk.is_empty() {
                break;
            }
            pieces.push(piece(chunk));
            offset += chunk.len() as u64;
        }
        Ok(pieces)
    }

    /// A function that reads the chunk at an offset.
    fn fetch(&self) -> Result<Fetch<'_>> {
        match &self.origin {
            Origin::Live(file) => Ok(Box::new(|offset, length| read(file, offset, length as usize))),
            Origin::Store(blob) => {
                let reader = RefCell::new(self.store.open_blob(*blob)?);
                Ok(Box::new(move |offset, _| Ok(reader.borrow_mut().bytes_at(offset)?.to_vec())))
            }
            Origin::Memory(bytes) => Ok(Box::new(|offset, _| Ok(bytes[offset as usize..].to_vec()))),
        }
    }
}

fn piece(bytes: &[u8]) -> Piece {
    Piece::Chunk { id: ChunkId(*blake3::hash(bytes).as_bytes()), length: bytes.len() as u32 }
}

fn read(file: &File, offset: u64, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let got = fs::read_at(file, &mut bytes, offset)?;
    bytes.truncate(got);
    Ok(bytes)
}
