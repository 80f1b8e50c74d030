//! Encodings of the values that objects and journal records consist of. Each type is described once, here or beside it.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::{
    AttributesId, BlobId, ChunkId, CommitId, DirectoryId, LayoutId, LinksId, MaskId, OperationId, PackId, TreeId,
};
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;

/// A value with one encoding. Decoding rejects all other bytes.
pub trait Field: Sized {
    /// Encodes the value in at least one byte.
    fn put(&self, encoder: &mut Encoder);

    /// Decodes a value.
    fn take(decoder: &mut Decoder<'_>) -> Result<Self>;
}

/// Implements [`Field`] for a struct: its fields in this order.
macro_rules! fields {
    ($name:ident: $($field:ident),+) => {
        impl $crate::object::fields::Field for $name {
            fn put(&self, encoder: &mut $crate::codec::Encoder) {
                encoder$(.put(&self.$field))+;
            }

            fn take(decoder: &mut $crate::codec::Decoder<'_>) -> $crate::error::Result<$name> {
                Ok($name { $($field: decoder.take()?),+ })
            }
        }
    };
}
pub(crate) use fields;

impl Encoder {
    /// Encodes a value.
    pub fn put(&mut self, value: &impl Field) -> &mut Encoder {
        value.put(self);
        self
    }

    /// Encodes a value that a flag announces. Encodes nothing for `None`.
    pub fn put_some(&mut self, value: &Option<impl Field>) -> &mut Encoder {
        value.iter().for_each(|value| value.put(self));
        self
    }

    /// Encodes flags as bits of one byte, the first one in the lowest bit.
    pub fn flags(&mut self, flags: &[bool]) -> &mut Encoder {
        self.u8(flags.iter().enumerate().fold(0, |byte, (n, &set)| byte | (u8::from(set) << n)))
    }

    /// Encodes a count and values.
    pub fn put_list<'v, T: Field + 'v>(&mut self, values: impl ExactSizeIterator<Item = &'v T>) {
        self.varint(values.len() as u64);
        values.for_each(|value| value.put(self));
    }
}

impl Decoder<'_> {
    /// Decodes a value.
    pub fn take<T: Field>(&mut self) -> Result<T> {
        T::take(self)
    }

    /// Decodes a value that is present if a flag is set.
    pub fn take_if<T: Field>(&mut self, is_present: bool) -> Result<Option<T>> {
        is_present.then(|| T::take(self)).transpose()
    }

    /// Decodes a byte of flags. Bits without a meaning must be 0.
    pub fn flags<const N: usize>(&mut self) -> Result<[bool; N]> {
        let byte = self.u8()?;
        if u32::from(byte) >> N != 0 {
            return Err(self.invalid("unknown flags"));
        }
        Ok(std::array::from_fn(|n| (byte >> n) & 1 == 1))
    }

    /// Fails unless the keys are in ascending order without duplicates.
    pub fn check_ascending<T, K: Ord + ?Sized>(&self, list: &[T], key: impl Fn(&T) -> &K) -> Result<()> {
        if list.is_sorted_by(|a, b| key(a) < key(b)) { Ok(()) } else { Err(self.invalid("list not in order")) }
    }
}

/// Encodes one value.
pub fn encode(value: &impl Field) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.put(value);
    encoder.finish()
}

/// Decodes bytes that consist of one value.
pub fn decode<T: Field>(what: &'static str, bytes: &[u8]) -> Result<T> {
    let mut decoder = Decoder::new(what, bytes);
    let value = decoder.take()?;
    decoder.finish()?;
    Ok(value)
}

/// Starts an encoding with its kind and version.
pub fn begin(kind: u8, version: u8) -> Encoder {
    let mut encoder = Encoder::new();
    encoder.u8(kind).u8(version);
    encoder
}

/// Decodes the header that [`begin`] writes. Accepts versions from 1 to `newest`; returns the version.
pub fn expect<'a>(what: &'static str, kind: u8, newest: u8, bytes: &'a [u8]) -> Result<(Decoder<'a>, u8)> {
    let mut decoder = Decoder::new(what, bytes);
    if decoder.u8()? != kind {
        return Err(decoder.invalid("another kind of object"));
    }
    let version = decoder.u8()?;
    if !(1..=newest).contains(&version) {
        return Err(decoder.invalid("unknown version"));
    }
    Ok((decoder, version))
}

macro_rules! ids {
    ($($name:ident),+) => {
        $(impl Field for $name {
            fn put(&self, encoder: &mut Encoder) {
                encoder.raw(&self.0);
            }

            fn take(decoder: &mut Decoder<'_>) -> Result<$name> {
                Ok($name(decoder.array()?))
            }
        })+
    };
}
ids!(AttributesId, BlobId, ChunkId, CommitId, DirectoryId, LayoutId, LinksId, MaskId, OperationId, PackId, TreeId);

macro_rules! by_method {
    ($($name:ident: $method:ident),+) => {
        $(impl Field for $name {
            fn put(&self, encoder: &mut Encoder) {
                encoder.$method(*self);
            }

            fn take(decoder: &mut Decoder<'_>) -> Result<$name> {
                decoder.$method()
            }
        })+
    };
}
by_method!(u64: varint, Timestamp: time);

/// A varint.
impl Field for u32 {
    fn put(&self, encoder: &mut Encoder) {
        encoder.varint((*self).into());
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<u32> {
        u32::try_from(decoder.varint()?).map_err(|_| decoder.invalid("number too large"))
    }
}

impl Field for String {
    fn put(&self, encoder: &mut Encoder) {
        encoder.bytes(self.as_bytes());
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<String> {
        decoder.text()
    }
}

impl Field for Vec<u8> {
    fn put(&self, encoder: &mut Encoder) {
        encoder.bytes(self);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Vec<u8>> {
        decoder.bytes().map(<[u8]>::to_vec)
    }
}

/// Decoding rejects paths that could lead outside the worktree.
impl Field for RepoPathBuf {
    fn put(&self, encoder: &mut Encoder) {
        encoder.bytes(self.as_bytes());
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<RepoPathBuf> {
        let path = RepoPath::new(decoder.bytes()?).map(RepoPath::to_owned);
        path.ok_or_else(|| decoder.invalid("not a path"))
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    fn put(&self, encoder: &mut Encoder) {
        encoder.put(&self.0).put(&self.1);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<(A, B)> {
        Ok((decoder.take()?, decoder.take()?))
    }
}

/// A count, then the values in the given order.
impl<T: Field> Field for Vec<T> {
    fn put(&self, encoder: &mut Encoder) {
        encoder.put_list(self.iter());
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Vec<T>> {
        let count = decoder.count()?;
        (0..count).map(|_| decoder.take()).collect()
    }
}

/// A count, then the values in ascending order.
impl<T: Field + Ord> Field for BTreeSet<T> {
    fn put(&self, encoder: &mut Encoder) {
        encoder.put_list(self.iter());
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<BTreeSet<T>> {
        let list: Vec<T> = decoder.take()?;
        decoder.check_ascending(&list, |value| value)?;
        Ok(list.into_iter().collect())
    }
}

/// A count, then keys in ascending order, each with its value.
impl<K: Field + Ord, V: Field> Field for BTreeMap<K, V> {
    fn put(&self, encoder: &mut Encoder) {
        encoder.varint(self.len() as u64);
        for (key, value) in self {
            encoder.put(key).put(value);
        }
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<BTreeMap<K, V>> {
        let list: Vec<(K, V)> = decoder.take()?;
        decoder.check_ascending(&list, |(key, _)| key)?;
        Ok(list.into_iter().collect())
    }
}
