//! The state of a target after an entry of its log.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::entry::{Change, Entry, Link, NewPack, RecentEntry, StreamChange, Token, Writer};
use super::file::{FileName, StreamId};
use super::index::IndexFile;
use super::record::Record;
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::object::fields::{self, Field, fields};
use crate::object::operation::View;

/// The first byte of an encoded state.
const KIND: u8 = 0x21;

/// A pack of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Size in bytes.
    pub size: u64,
    /// Whether it has anything but the content of files.
    pub is_meta: bool,
    /// The entry that added it.
    pub added: u64,
}

/// The commits of one directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Host of the directory.
    pub host: String,
    /// Path of the directory on the host.
    pub path: Vec<u8>,
    /// The refs and heads, the parents that are not in the target, and purged contents.
    pub view: View,
    /// Size of the files of the current commit in bytes.
    pub size: u64,
    /// Identifies the last push.
    pub token: Token,
    /// The commits that are kept.
    pub commits: BTreeSet<CommitId>,
    /// The entry that changed it last.
    pub link: Link,
    /// Who made that entry.
    pub writer: Writer,
}

/// An unneeded file, until it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condemned {
    /// The entry that condemned it.
    pub number: u64,
    /// The pack; `None` for an index.
    pub pack: Option<Pack>,
}

fields!(Condemned: number, pack);

/// The state after an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The last valid entry; `None` for an empty log.
    pub last: Option<Link>,
    /// The highest number in the log. Void entries occupy numbers, too.
    pub tail: u64,
    /// Directories and their commits.
    pub streams: BTreeMap<StreamId, Stream>,
    /// Packs in use, by name.
    pub packs: BTreeMap<FileName, Pack>,
    /// Unneeded files that were not reported as deleted.
    pub condemned: BTreeMap<FileName, Condemned>,
    /// Index files in use, oldest first.
    pub indexes: Vec<IndexFile>,
    /// Where objects are that are in no index file, by entry, newest last.
    pub records: Vec<Record>,
    /// Key slots in force, and who added each.
    pub slots: BTreeMap<FileName, Writer>,
    /// Generation of the keys that seal the next entry.
    pub generation: u32,
    /// The entry that announced this generation: packs of earlier entries are sealed with older keys.
    pub rekeyed: u64,
    /// The last entry that removed commits or condemned files: what was there before it may be gone.
    pub last_removal: u64,
    /// The last entry that absorbed records.
    pub absorbed: u64,
    /// All valid entries since then.
    pub recent: Vec<RecentEntry>,
}

impl State {
    /// Number of the last valid entry; 0 for an empty log.
    pub fn number(&self) -> u64 {
        self.last.map_or(0, |link| link.number)
    }

    /// Numbers of the files at the end of the log that are not authentic.
    pub fn void_end(&self) -> RangeInclusive<u64> {
        self.number() + 1..=self.tail
    }

    /// Applies an entry with this link, which was sealed with keys of this generation.
    pub fn apply(&mut self, link: Link, generation: u32, entry: Entry) {
        self.recent.push(RecentEntry { link, generation, bytes: entry.encode_alone() });
        let Entry { writer, change, .. } = entry;
        let Change { packs, condemned, indexes, absorbs, records, streams, slots, deleted, rekeys } = change;
        self.generation = generation;
        if rekeys {
            (self.generation, self.rekeyed) = (generation + 1, link.number);
        }
        self.last = Some(link);
        self.tail = self.tail.max(link.number);
        for pack in packs {
            self.condemned.remove(&pack.name);
            self.packs.insert(pack.name, Pack { size: pack.size, is_meta: pack.is_meta, added: link.number });
        }
        if !condemned.is_empty() || streams.iter().any(|(_, change)| removes(change)) {
            self.last_removal = link.number;
        }
        for name in condemned {
            let pack = self.packs.remove(&name);
            self.indexes.retain(|index| index.name != name);
            self.condemned.insert(name, Condemned { number: link.number, pack });
        }
        if absorbs {
            self.records.clear();
            self.recent.clear();
            self.absorbed = link.number;
        }
        self.indexes.extend(indexes);
        self.records.extend(records);
        for (id, stream) in streams {
            match stream {
                Some(change) => self.change_stream(id, change, link, &writer),
                None => drop(self.streams.remove(&id)),
            }
        }
        if let Some(slots) = slots {
            let old = std::mem::take(&mut self.slots);
            let by = |name: &FileName| old.get(name).unwrap_or(&writer).clone();
            self.slots = slots.into_iter().map(|name| (name, by(&name))).collect();
        }
        for name in deleted {
            self.condemned.remove(&name);
        }
    }

    fn change_stream(&mut self, id: StreamId, change: StreamChange, link: Link, writer: &Writer) {
        let StreamChange { host, path, view, size, token, added, removed } = change;
        let mut commits = self.streams.remove(&id).map(|stream| stream.commits).unwrap_or_default();
        commits.retain(|commit| !removed.contains(commit));
        commits.extend(added);
        self.streams.insert(id, Stream { host, path, view, size, token, commits, link, writer: writer.clone() });
    }

    /// Packs that are sealed with keys of an older generation.
    pub fn old_packs(&self) -> impl Iterator<Item = (FileName, Pack)> {
        self.packs.iter().filter(|(_, pack)| pack.added < self.rekeyed).map(|(name, pack)| (*name, *pack))
    }

    /// Whether any object may be there.
    pub fn has_objects(&self) -> bool {
        !self.packs.is_empty()
    }

    /// Whether a pack or an index is in use.
    pub fn has_file(&self, name: FileName) -> bool {
        self.packs.contains_key(&name) || self.indexes.iter().any(|index| index.name == name)
    }

    /// Size of all packs in use in bytes.
    pub fn size(&self) -> u64 {
        self.packs.values().map(|pack| pack.size).sum()
    }

    /// The pack whose name begins with these bytes.
    pub fn pack(&self, prefix: u64) -> Option<(FileName, Pack)> {
        let mut first = [0; 32];
        first[..8].copy_from_slice(&prefix.to_be_bytes());
        let (name, pack) = self.packs.range(FileName(first)..).next()?;
        (name.prefix() == prefix).then_some((*name, *pack))
    }

    /// Whether a change would put two packs in use whose names begin with the same bytes: indexes could not tell them apart.
    pub fn has_ambiguous_pack(&self, change: &Change) -> bool {
        let mut new = BTreeMap::new();
        change.packs.iter().any(|NewPack { name, .. }| {
            let is_other = |(other, _): &(FileName, Pack)| other != name && !change.condemned.contains(other);
            let is_ambiguous = |other: FileName| other != *name;
            self.pack(name.prefix()).is_some_and(|pack| is_other(&pack))
                || new.insert(name.prefix(), *name).is_some_and(is_ambiguous)
        })
    }

    /// Encodes the state.
    pub fn encode(&self) -> Vec<u8> {
        let State { last, tail, streams, packs, condemned, indexes, records, slots, .. } = self;
        let mut encoder = fields::begin(KIND, 1);
        encoder.put(last).put(tail).put(streams).put(packs).put(condemned).put(indexes).put(records).put(slots);
        encoder.put(&self.generation).put(&self.rekeyed).put(&self.last_removal).put(&self.absorbed).put(&self.recent);
        encoder.finish()
    }

    /// Decodes a state. It may be followed by padding.
    pub fn decode(bytes: &[u8]) -> Result<State> {
        let (mut decoder, _) = fields::expect("state of a target", KIND, 1, bytes)?;
        let state = State {
            last: decoder.take()?,
            tail: decoder.take()?,
            streams: decoder.take()?,
            packs: decoder.take()?,
            condemned: decoder.take()?,
            indexes: decoder.take()?,
            records: decoder.take()?,
            slots: decoder.take()?,
            generation: decoder.take()?,
            rekeyed: decoder.take()?,
            last_removal: decoder.take()?,
            absorbed: decoder.take()?,
            recent: decoder.take()?,
        };
        if state.packs.keys().map(|name| name.prefix()).is_sorted_by(|a, b| a < b) {
            return Ok(state);
        }
        Err(ambiguous_pack())
    }
}

/// The error for two packs whose names begin with the same bytes.
pub fn ambiguous_pack() -> Error {
    Error::damaged("two packs of a target have similar names")
}

fn removes(change: &Option<StreamChange>) -> bool {
    change.as_ref().is_none_or(|change| !change.removed.is_empty())
}

/// Host, path, view as in the journal of a repository, size, token, commits, link and writer.
impl Field for Stream {
    fn put(&self, encoder: &mut Encoder) {
        let Stream { host, path, view, size, token, commits, link, writer } = self;
        encoder.put(host).put(path).put(&view.encode()).put(size).put(token).put(commits).put(link).put(writer);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Stream> {
        let (host, path) = (decoder.take()?, decoder.take()?);
        let (view, size, token) = (View::decode(decoder.bytes()?)?, decoder.take()?, decoder.take()?);
        let (commits, link, writer) = (decoder.take()?, decoder.take()?, decoder.take()?);
        Ok(Stream { host, path, view, size, token, commits, link, writer })
    }
}

/// A flag (has anything but the content of files), size, and number of the entry.
impl Field for Pack {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[self.is_meta]).put(&self.size).put(&self.added);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Pack> {
        let [is_meta] = decoder.flags()?;
        Ok(Pack { is_meta, size: decoder.take()?, added: decoder.take()? })
    }
}
