//! The mask: which objects of which packs a sweep has hidden (`docs/format.md`, "Masks").
//!
//! A mask is not a cache. What it does not hide is closed: every reference leads to an object. Without the mask, a
//! hidden tree would count as proof that its content is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::pack::file::stage;
use crate::codec::{Decoder, Encoder};
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::{MaskId, PackId};
use crate::object::keyed;

const MAGIC: &[u8; 8] = b"undomask";
const VERSION: u16 = 1;

/// The hidden objects of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    packs: BTreeMap<PackId, Arc<PackMask>>,
}

/// The hidden objects of one pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackMask {
    records: u32,
    /// One bit for each record of the pack's table, the lowest bit of a byte first. Set: hidden.
    bits: Vec<u8>,
    /// The share of the hidden objects in the stored bytes of their frames.
    pub bytes: u64,
    /// Whether hidden objects were purged: the pack must be rewritten, however little of it is hidden.
    pub has_purged: bool,
}

impl PackMask {
    /// Hides no object of a pack with this number of records.
    pub fn new(records: u32) -> PackMask {
        PackMask { records, bits: vec![0; records.div_ceil(8) as usize], bytes: 0, has_purged: false }
    }

    /// Hides a record.
    pub fn hide(&mut self, n: u32) {
        self.bits[n as usize / 8] |= 1 << (n % 8);
    }

    /// Whether a record is hidden.
    pub fn is_hidden(&self, n: u32) -> bool {
        self.bits.get(n as usize / 8).is_some_and(|byte| byte >> (n % 8) & 1 == 1)
    }

    /// Number of records in the pack, hidden or not.
    pub fn records(&self) -> u32 {
        self.records
    }

    /// Number of hidden records.
    pub fn hidden(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }
}

impl Mask {
    /// Adds a pack. Ignores it if none of its records is hidden.
    pub fn insert(&mut self, pack: PackId, mask: PackMask) {
        if mask.hidden() > 0 {
            self.packs.insert(pack, Arc::new(mask));
        }
    }

    /// The hidden objects of a pack; `None` if it has none.
    pub fn of(&self, pack: PackId) -> Option<Arc<PackMask>> {
        self.packs.get(&pack).cloned()
    }

    /// The packs with hidden objects.
    pub fn packs(&self) -> impl Iterator<Item = (PackId, &PackMask)> {
        self.packs.iter().map(|(id, mask)| (*id, &**mask))
    }

    /// The masks of these packs. The mask may also list packs that are gone.
    pub fn of_packs(&self, packs: &BTreeSet<PackId>) -> impl Iterator<Item = &PackMask> {
        self.packs().filter(|(id, _)| packs.contains(id)).map(|(_, pack)| pack)
    }

    /// Reads and verifies a mask below the repository folder.
    pub fn read(directory: &Path, id: MaskId) -> Result<Mask> {
        let path = path_of(directory, id);
        let bytes = fs::read(&path)?.ok_or_else(|| Error::damaged("it is missing"));
        let verified = bytes.and_then(|bytes| match id_of(&bytes) == id {
            true => Mask::decode(&bytes),
            false => Err(Error::damaged("its content does not match its name")),
        });
        verified.map_err(|error| {
            if error.kind() != ErrorKind::Damaged {
                return error;
            }
            Error::damaged(format!("mask `{}` is damaged: {error}", path.display()))
                .hint("to determine again which objects are needed: undo repair")
        })
    }

    /// Writes the mask below the repository folder. Durable on return.
    pub fn write(&self, directory: &Path, durability: Durability) -> Result<MaskId> {
        let bytes = self.encode();
        let id = id_of(&bytes);
        let path = path_of(directory, id);
        let folder = path.parent().expect("a mask lies in a folder");
        fs::create_dir_private(folder)?;
        fs::sync_dir(directory, durability)?;
        let mut staged = stage(directory, "mask")?;
        fs::write_all(staged.file(), &bytes)?;
        staged.sync(durability)?;
        staged.rename(&path)?;
        fs::sync_dir(folder, durability)?;
        Ok(id)
    }

    fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.raw(MAGIC).u16(VERSION).u16(0).u32(self.packs.len() as u32);
        for (id, mask) in &self.packs {
            encoder.raw(&id.0).u32(mask.records).u64(mask.bytes).flags(&[mask.has_purged]).raw(&mask.bits);
        }
        encoder.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Mask> {
        let mut decoder = Decoder::new("mask", bytes);
        let is_mask = decoder.raw(8)? == MAGIC;
        let (version, zero, count) = (decoder.u16()?, decoder.u16()?, decoder.u32()?);
        if is_mask && version != VERSION {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("mask version {version} is not known to this program"),
            ));
        }
        if !is_mask || zero != 0 {
            return Err(decoder.invalid("wrong header"));
        }
        let mut packs = BTreeMap::new();
        for _ in 0..count {
            let (id, records, bytes) = (PackId(decoder.array()?), decoder.u32()?, decoder.u64()?);
            let [has_purged] = decoder.flags()?;
            let bits = decoder.raw(records.div_ceil(8) as usize)?.to_vec();
            let is_in_order = packs.last_key_value().is_none_or(|(last, _)| *last < id);
            let unused = if records % 8 == 0 { 0 } else { bits.last().map_or(0, |last| last >> (records % 8)) };
            let mask = PackMask { records, bits, bytes, has_purged };
            if !is_in_order || unused != 0 || mask.hidden() == 0 {
                return Err(decoder.invalid("wrong list of packs"));
            }
            packs.insert(id, Arc::new(mask));
        }
        decoder.finish()?;
        Ok(Mask { packs })
    }
}

fn path_of(directory: &Path, id: MaskId) -> PathBuf {
    directory.join("masks").join(id.to_string())
}

fn id_of(bytes: &[u8]) -> MaskId {
    MaskId(*keyed("mask").update(bytes).finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        let mut mask = Mask::default();
        for (n, records) in [(1, 9), (2, 8), (3, 1)] {
            let mut pack = PackMask { bytes: 7, has_purged: n == 2, ..PackMask::new(records) };
            pack.hide(records - 1);
            mask.insert(PackId([n; 32]), pack);
        }
        mask.insert(PackId([4; 32]), PackMask::new(5));
        mask
    }

    #[test]
    fn mask_round_trips_through_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let id = mask().write(folder.path(), Durability::Synced).unwrap();
        let read = Mask::read(folder.path(), id).unwrap();
        assert_eq!(read, mask());
        assert_eq!(read.packs().map(|(_, pack)| pack.hidden()).collect::<Vec<_>>(), [1, 1, 1]);
        assert!(read.of(PackId([1; 32])).is_some_and(|pack| pack.is_hidden(8) && !pack.is_hidden(7)));
        assert!(read.of(PackId([4; 32])).is_none(), "a pack without hidden objects takes no space");
        assert_eq!(fs::list(&folder.path().join("tmp")).unwrap(), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn damaged_and_missing_masks_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let id = mask().write(folder.path(), Durability::Synced).unwrap();
        let path = path_of(folder.path(), id);
        let good = mask().encode();
        let mut flipped = good.clone();
        flipped[40] ^= 1;
        for bytes in [&flipped, &good[..30], &[]] {
            std::fs::write(&path, bytes).unwrap();
            let error = Mask::read(folder.path(), id).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Damaged);
            assert!(error.to_string().contains(&id.to_string()), "{error}");
            assert!(error.hint_text().is_some_and(|hint| hint.contains("undo repair")));
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(Mask::read(folder.path(), id).unwrap_err().kind(), ErrorKind::Damaged);
    }

    #[test]
    fn invalid_masks_are_rejected() {
        let good = mask().encode();
        assert_eq!(Mask::decode(&good).unwrap(), mask());
        for length in 0..good.len() {
            assert!(Mask::decode(&good[..length]).is_err(), "cut at {length}");
        }
        let first = 16;
        let bits = first + 45;
        for (at, value) in
            [(0, b'x'), (8, 2), (10, 1), (12, 4), (first, 9), (bits - 1, 2), (bits + 1, 0), (bits + 1, 3)]
        {
            let mut bytes = good.clone();
            bytes[at] = value;
            assert!(Mask::decode(&bytes).is_err(), "byte {at} as {value}");
        }
        assert!(Mask::decode(&[&good[..], &[0]].concat()).is_err());
    }

    #[test]
    fn mask_encoding_is_golden() {
        let mut mask = Mask::default();
        let mut pack = PackMask { bytes: 0x0102, has_purged: true, ..PackMask::new(9) };
        pack.hide(0);
        pack.hide(8);
        mask.insert(PackId([0xaa; 32]), pack);
        let head = [b"undomask".as_slice(), &[1, 0, 0, 0, 1, 0, 0, 0]].concat();
        let entry = [[0xaa; 32].as_slice(), &[9, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1]].concat();
        assert_eq!(mask.encode(), [head, entry].concat());
    }
}
