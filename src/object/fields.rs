//! Fields that several objects share: header, flags, lists and paths.

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::{LENGTH, ObjectId};
use crate::path::{RepoPath, RepoPathBuf};

/// Version of encodings that have only one.
const VERSION: u8 = 1;

/// Starts an encoding with its kind and version.
pub fn begin(kind: u8) -> Encoder {
    begin_version(kind, VERSION)
}

/// Like [`begin`], for an encoding with several versions.
pub fn begin_version(kind: u8, version: u8) -> Encoder {
    let mut encoder = Encoder::new();
    encoder.u8(kind).u8(version);
    encoder
}

/// Decodes the header that [`begin`] writes.
pub fn expect<'a>(what: &'static str, kind: u8, bytes: &'a [u8]) -> Result<Decoder<'a>> {
    expect_version(what, kind, VERSION, bytes).map(|(decoder, _)| decoder)
}

/// Decodes the header that [`begin_version`] writes. Accepts versions up to `newest`; returns the version.
pub fn expect_version<'a>(what: &'static str, kind: u8, newest: u8, bytes: &'a [u8]) -> Result<(Decoder<'a>, u8)> {
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

/// Encodes flags as bits of one byte, the first one in the lowest bit.
pub fn put_flags(encoder: &mut Encoder, flags: &[bool]) {
    encoder.u8(flags.iter().enumerate().fold(0, |byte, (n, &set)| byte | (u8::from(set) << n)));
}

/// Decodes a byte of flags. Bits without a meaning must be 0.
pub fn take_flags<const N: usize>(decoder: &mut Decoder<'_>) -> Result<[bool; N]> {
    let byte = decoder.u8()?;
    if u32::from(byte) >> N != 0 {
        return Err(decoder.invalid("unknown flags"));
    }
    Ok(std::array::from_fn(|n| (byte >> n) & 1 == 1))
}

/// An id of 32 bytes.
pub fn take_id<Id: From<ObjectId>>(decoder: &mut Decoder<'_>) -> Result<Id> {
    Ok(ObjectId(decoder.array::<LENGTH>()?).into())
}

/// An id that is present if a flag is set.
pub fn take_id_if<Id: From<ObjectId>>(decoder: &mut Decoder<'_>, present: bool) -> Result<Option<Id>> {
    if present { take_id(decoder).map(Some) } else { Ok(None) }
}

/// A count, then as many fields of at least `size` bytes each.
pub fn take_list<'a, T>(
    decoder: &mut Decoder<'a>,
    size: usize,
    mut take: impl FnMut(&mut Decoder<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = decoder.count(size)?;
    (0..count).map(|_| take(decoder)).collect()
}

/// Fails unless the keys are in ascending order without duplicates.
pub fn ascending<T, K: Ord + ?Sized>(decoder: &Decoder<'_>, list: &[T], key: impl Fn(&T) -> &K) -> Result<()> {
    if list.is_sorted_by(|a, b| key(a) < key(b)) { Ok(()) } else { Err(decoder.invalid("list not in order")) }
}

/// A count and ids, in the given order.
pub fn put_ids(encoder: &mut Encoder, ids: impl ExactSizeIterator<Item = ObjectId>) {
    encoder.varint(ids.len() as u64);
    for id in ids {
        encoder.raw(&id.0);
    }
}

/// A count and ids, in the given order.
pub fn take_ids<Id: From<ObjectId>>(decoder: &mut Decoder<'_>) -> Result<Vec<Id>> {
    take_list(decoder, LENGTH, take_id)
}

/// A count and paths, in the given order.
pub fn put_paths(encoder: &mut Encoder, paths: &[RepoPathBuf]) {
    encoder.varint(paths.len() as u64);
    for path in paths {
        encoder.bytes(path.as_bytes());
    }
}

/// A count and paths, in the given order.
pub fn take_paths(decoder: &mut Decoder<'_>) -> Result<Vec<RepoPathBuf>> {
    take_list(decoder, 1, take_path)
}

/// A path. Rejects names that could lead outside the worktree.
pub fn take_path(decoder: &mut Decoder<'_>) -> Result<RepoPathBuf> {
    let path = RepoPath::new(decoder.bytes()?).map(RepoPath::to_owned);
    path.ok_or_else(|| decoder.invalid("not a path"))
}
