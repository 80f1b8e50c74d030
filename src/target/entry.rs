//! Entries of the log: each is one change of a target, and takes effect when its file is there.

use std::collections::BTreeSet;

use super::file::{FileName, StreamId};
use super::index::IndexFile;
use super::record::Record;
use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::CommitId;
use crate::object::fields::{self, Field, fields};
use crate::object::operation::View;
use crate::time::Timestamp;

/// The first byte of an entry.
const KIND: u8 = 0x20;

/// An entry, and the hash of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Number of the entry.
    pub number: u64,
    /// BLAKE3 of the stored bytes.
    pub hash: FileName,
}

fields!(Link: number, hash);

/// Who made an entry, and when by the clock of that machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    /// Host name.
    pub host: String,
    /// User name.
    pub user: String,
    /// Time of the entry.
    pub time: Timestamp,
}

fields!(Writer: host, user, time);

/// A pack that an entry adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPack {
    /// Name of the pack.
    pub name: FileName,
    /// Size in bytes.
    pub size: u64,
    /// Whether it has anything but the content of files.
    pub is_meta: bool,
}

/// Random bytes that identify a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Token(pub [u8; 16]);

/// A change of the commits of one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamChange {
    /// Host of the directory.
    pub host: String,
    /// Path of the directory on the host.
    pub path: Vec<u8>,
    /// The refs and heads, the parents that are not in the target, and purged contents.
    pub view: View,
    /// Size of the files of the current commit in bytes.
    pub size: u64,
    /// Identifies the push.
    pub token: Token,
    /// New commits.
    pub added: BTreeSet<CommitId>,
    /// Commits that are no longer kept.
    pub removed: BTreeSet<CommitId>,
}

/// A change of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// New packs.
    pub packs: Vec<NewPack>,
    /// Packs and indexes that are no longer needed: their files may be deleted later.
    pub condemned: Vec<FileName>,
    /// New index files.
    pub indexes: Vec<IndexFile>,
    /// Whether the new index files have all records of earlier entries.
    pub absorbs: bool,
    /// Where new objects are that no new index file has.
    pub records: Vec<Record>,
    /// Streams with their changes; `None` removes a stream.
    pub streams: Vec<(StreamId, Option<StreamChange>)>,
    /// The key slots in force, if they change.
    pub slots: Option<Vec<FileName>>,
    /// Condemned files that were deleted.
    pub deleted: Vec<FileName>,
    /// Whether later entries are sealed with keys of the next generation, which the new slots have.
    pub rekeys: bool,
}

fields!(Change: packs, condemned, indexes, absorbs, records, streams, slots, deleted, rekeys);

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last valid entry before it.
    pub previous: Option<Link>,
    /// Who made it.
    pub writer: Writer,
    /// What it changes.
    pub change: Change,
    /// In some entries: all valid entries since the last one whose change absorbs records, so that a reader needs not read them one
    /// by one.
    pub recent: Vec<RecentEntry>,
}

/// A valid entry, repeated in a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentEntry {
    /// Number of the entry, and hash of its bytes.
    pub link: Link,
    /// Generation of the keys that sealed it.
    pub generation: u32,
    /// The encoded entry, without its recent entries.
    pub bytes: Vec<u8>,
}

fields!(RecentEntry: link, generation, bytes);

impl Change {
    /// Whether the change changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Change::default()
    }
}

impl Entry {
    /// Encodes the entry.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = fields::begin(KIND, 1);
        encoder.put(&self.previous).put(&self.writer).put(&self.change).put(&self.recent);
        encoder.finish()
    }

    /// The entry without its recent entries, encoded.
    pub fn encode_alone(&self) -> Vec<u8> {
        Entry { recent: Vec::new(), ..self.clone() }.encode()
    }

    /// Decodes an entry. It may be followed by padding.
    pub fn decode(bytes: &[u8]) -> Result<Entry> {
        let (mut decoder, _) = fields::expect("log entry", KIND, 1, bytes)?;
        let (previous, writer) = (decoder.take()?, decoder.take()?);
        Ok(Entry { previous, writer, change: decoder.take()?, recent: decoder.take()? })
    }
}

/// Size, whether it is a meta pack, and name.
impl Field for NewPack {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[self.is_meta]).put(&self.size).put(&self.name);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<NewPack> {
        let [is_meta] = decoder.flags()?;
        Ok(NewPack { is_meta, size: decoder.take()?, name: decoder.take()? })
    }
}

impl Field for Token {
    fn put(&self, encoder: &mut Encoder) {
        encoder.raw(&self.0);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Token> {
        decoder.array().map(Token)
    }
}

/// Host, path, view as in the journal of a repository, size, token, and commits.
impl Field for StreamChange {
    fn put(&self, encoder: &mut Encoder) {
        let StreamChange { host, path, view, size, token, added, removed } = self;
        encoder.put(host).put(path).put(&view.encode()).put(size).put(token).put(added).put(removed);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<StreamChange> {
        let (host, path) = (decoder.take()?, decoder.take()?);
        let (view, size) = (View::decode(decoder.bytes()?)?, decoder.take()?);
        let token = decoder.take()?;
        Ok(StreamChange { host, path, view, size, token, added: decoder.take()?, removed: decoder.take()? })
    }
}

/// A flag (is present), then the value.
impl<T: Field> Field for Option<T> {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[self.is_some()]).put_some(self);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Option<T>> {
        let [is_present] = decoder.flags()?;
        decoder.take_if(is_present)
    }
}

impl Field for bool {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[*self]);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<bool> {
        let [flag] = decoder.flags()?;
        Ok(flag)
    }
}
