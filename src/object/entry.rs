//! Entries: a name in a directory with its metadata and a reference to its content.

use super::fields::Field;
use super::kind::ObjectKind;
use super::nodes::Item;
use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::{AttributesId, BlobId, TreeId};
use crate::metadata::{Kind, Metadata};
use crate::path::is_name;

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name (`path::is_name`). Empty for the root of a worktree, which a commit stores as an entry.
    pub name: Vec<u8>,
    /// Mode, owner and mtime.
    pub metadata: Metadata,
    /// Extended attributes and holes.
    pub attributes: Option<AttributesId>,
    /// Kind and content.
    pub content: Content,
}

/// The content of an entry, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// A regular file.
    File {
        /// Content of the file.
        blob: BlobId,
        /// Size in bytes with holes.
        size: u64,
    },
    /// A directory.
    Directory {
        /// Entries of the directory.
        tree: TreeId,
        /// Number of entries below it at every depth.
        entries: u64,
        /// Size of the files below it in bytes.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// Target, byte for byte.
        target: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice {
        /// Device number as `st_rdev` gives it.
        rdev: u64,
    },
    /// A block device.
    BlockDevice {
        /// Device number as `st_rdev` gives it.
        rdev: u64,
    },
}

impl Entry {
    /// A directory without name and metadata, for callers that know only its tree and totals (`Tree::totals`).
    pub fn directory(tree: TreeId, (entries, size): (u64, u64)) -> Entry {
        let content = Content::Directory { tree, entries, size };
        Entry { name: Vec::new(), metadata: Metadata::default(), attributes: None, content }
    }

    /// Whether two entries are equal except for name and mtime.
    pub fn is_same_but_time(&self, other: &Entry) -> bool {
        let metadata = Metadata { mtime: self.metadata.mtime, ..other.metadata };
        self.content == other.content && self.attributes == other.attributes && self.metadata == metadata
    }

    /// The kind of the entry.
    pub fn kind(&self) -> Kind {
        match self.content {
            Content::File { .. } => Kind::File,
            Content::Directory { .. } => Kind::Directory,
            Content::Symlink { .. } => Kind::Symlink,
            Content::Fifo => Kind::Fifo,
            Content::CharDevice { .. } => Kind::CharDevice,
            Content::BlockDevice { .. } => Kind::BlockDevice,
        }
    }

    /// Size in bytes of a file, or of all files below a directory. 0 for other entries.
    pub fn size(&self) -> u64 {
        match self.content {
            Content::File { size, .. } | Content::Directory { size, .. } => size,
            _ => 0,
        }
    }

    /// The tree of a directory.
    pub fn tree(&self) -> Option<TreeId> {
        match self.content {
            Content::Directory { tree, .. } => Some(tree),
            _ => None,
        }
    }

    /// The blob of a file.
    pub fn blob(&self) -> Option<BlobId> {
        match self.content {
            Content::File { blob, .. } => Some(blob),
            _ => None,
        }
    }
}

/// Bit of an entry's first byte: attributes follow. The three bits below it are the kind.
const WITH_ATTRIBUTES: u8 = 8;

/// Permission bits of a mode.
const MODE: u16 = 0o7777;

/// Number of the kind in an entry's first byte.
fn number(content: &Content) -> u8 {
    match content {
        Content::File { .. } => 1,
        Content::Directory { .. } => 2,
        Content::Symlink { .. } => 3,
        Content::Fifo => 4,
        Content::CharDevice { .. } => 5,
        Content::BlockDevice { .. } => 6,
    }
}

/// An entry with or without a name. The caller checks which one is valid.
impl Field for Entry {
    fn put(&self, encoder: &mut Encoder) {
        let Metadata { mode, uid, gid, mtime } = self.metadata;
        debug_assert_eq!(mode & !MODE, 0, "a mode is its 12 permission bits");
        let attributes = if self.attributes.is_some() { WITH_ATTRIBUTES } else { 0 };
        encoder.u8(number(&self.content) | attributes).put(&self.name);
        encoder.u16(mode).put(&uid).put(&gid).put(&mtime);
        match &self.content {
            Content::File { blob, size } => encoder.put(blob).put(size),
            Content::Directory { tree, entries, size } => encoder.put(tree).put(entries).put(size),
            Content::Symlink { target } => encoder.put(target),
            Content::Fifo => encoder,
            Content::CharDevice { rdev } | Content::BlockDevice { rdev } => encoder.put(rdev),
        }
        .put_some(&self.attributes);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Entry> {
        let (name, _, entry) = take_named(decoder)?;
        Ok(Entry { name: name.to_vec(), ..entry })
    }
}

/// Decodes an entry. Returns the name, the offset of its end, and the entry without the name.
pub fn take_named<'a>(decoder: &mut Decoder<'a>) -> Result<(&'a [u8], usize, Entry)> {
    let tag = decoder.u8()?;
    let name = decoder.bytes()?;
    let end = decoder.position();
    let mode = decoder.u16()?;
    if mode & !MODE != 0 {
        return Err(decoder.invalid("unknown mode bits"));
    }
    let metadata = Metadata { mode, uid: decoder.take()?, gid: decoder.take()?, mtime: decoder.take()? };
    let content = match tag & !WITH_ATTRIBUTES {
        1 => Content::File { blob: decoder.take()?, size: decoder.take()? },
        2 => Content::Directory { tree: decoder.take()?, entries: decoder.take()?, size: decoder.take()? },
        3 => Content::Symlink { target: decoder.take()? },
        4 => Content::Fifo,
        5 => Content::CharDevice { rdev: decoder.take()? },
        6 => Content::BlockDevice { rdev: decoder.take()? },
        _ => return Err(decoder.invalid("unknown kind of entry")),
    };
    let attributes = decoder.take_if(tag & WITH_ATTRIBUTES != 0)?;
    Ok((name, end, Entry { name: Vec::new(), metadata, attributes, content }))
}

/// A directory is a long list of entries, with names as keys.
impl Item for Entry {
    type Id = TreeId;
    const KIND: ObjectKind = ObjectKind::Tree;

    fn key(&self) -> &[u8] {
        &self.name
    }

    fn weight(&self) -> u64 {
        1
    }

    fn follows(&self, previous: &Entry) -> bool {
        previous.name < self.name
    }

    fn check(&self) -> Result<(), &'static str> {
        if is_name(&self.name) { Ok(()) } else { Err("name that could lead elsewhere") }
    }
}
