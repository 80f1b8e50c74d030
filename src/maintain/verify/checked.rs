//! Remembers when each pack was checked last, so that verifications of a part cover everything in turn
//! (`docs/format.md`, "Checked packs").
//!
//! The file is a cache: without it, every pack counts as never checked.

use std::collections::BTreeMap;

use crate::codec::{Decoder, Encoder};
use crate::environment::Durability;
use crate::error::Result;
use crate::fs;
use crate::id::PackId;
use crate::repo::layout::Layout;
use crate::time::Timestamp;

const MAGIC: &[u8; 8] = b"undochkd";
const VERSION: u32 = 1;

/// Length of the checksum.
const CHECKSUM: usize = 16;

/// How much of a pack was checked, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Checked {
    /// When all of it was checked last. `None`: never.
    pub time: Option<Timestamp>,
    /// Number of frames that were checked since then, from the first one on.
    pub frames: u32,
    /// Bytes of these frames.
    pub bytes: u64,
    /// The last check found damage, so the next one reads the whole pack again.
    pub is_damaged: bool,
}

/// What earlier verifications have checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CheckedPacks {
    packs: BTreeMap<PackId, Checked>,
}

impl CheckedPacks {
    /// Reads the file. Empty if the file is missing or damaged.
    pub(super) fn read(layout: &Layout) -> CheckedPacks {
        let bytes = fs::read(&layout.checked()).ok().flatten().unwrap_or_default();
        CheckedPacks { packs: decode(&bytes).unwrap_or_default() }
    }

    /// Replaces the file, without the lock and without a flush.
    pub(super) fn write(&self, layout: &Layout) -> Result<()> {
        fs::write_atomic(&layout.checked(), [encode(&self.packs)], Durability::NoSync)
    }

    /// Forgets packs that are not among these.
    pub(super) fn retain(&mut self, is_named: impl Fn(PackId) -> bool) {
        self.packs.retain(|&pack, _| is_named(pack));
    }

    pub(super) fn of(&self, pack: PackId) -> Checked {
        self.packs.get(&pack).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, pack: PackId, checked: Checked) {
        self.packs.insert(pack, checked);
    }
}

fn encode(packs: &BTreeMap<PackId, Checked>) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.raw(MAGIC).u32(VERSION).u32(packs.len() as u32);
    for (pack, checked) in packs {
        encoder.raw(&pack.0).flags(&[checked.time.is_some(), checked.is_damaged]);
        encoder.time(checked.time.unwrap_or_default()).u32(checked.frames).u64(checked.bytes);
    }
    let sum = checksum(encoder.as_slice());
    encoder.raw(&sum);
    encoder.finish()
}

fn decode(bytes: &[u8]) -> Result<BTreeMap<PackId, Checked>> {
    let (body, sum) = bytes.split_at(bytes.len().saturating_sub(CHECKSUM));
    let mut decoder = Decoder::new("list of checked packs", body);
    if sum != checksum(body) || decoder.raw(8)? != MAGIC || decoder.u32()? != VERSION {
        return Err(decoder.invalid("wrong checksum or version"));
    }
    let count = decoder.u32()?;
    let mut packs = BTreeMap::new();
    for _ in 0..count {
        let pack = PackId(decoder.array()?);
        let [has_time, is_damaged] = decoder.flags()?;
        let time = decoder.time()?;
        let time = has_time.then_some(time);
        packs.insert(pack, Checked { time, frames: decoder.u32()?, bytes: decoder.u64()?, is_damaged });
    }
    decoder.finish()?;
    Ok(packs)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    std::array::from_fn(|n| blake3::hash(bytes).as_bytes()[n])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_lists_are_ignored() {
        let checked = Checked { time: None, frames: 3, bytes: 700, is_damaged: true };
        let packs = BTreeMap::from([(PackId([1; 32]), Checked::default()), (PackId([2; 32]), checked)]);
        let bytes = encode(&packs);
        assert_eq!(decode(&bytes).unwrap(), packs);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(decode(&bad).is_err(), "byte {at}");
            assert!(decode(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
