//! The files of a target: their keys, names and padding.

use std::fmt;

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::fs;
use crate::id::DirectoryId;
use crate::object::fields::Field;

/// The file that identifies a target.
pub const TARGET: &str = "target";

/// Folder of the slots, which open the keyring.
pub const KEYS: &str = "keys";
/// Folder of the log.
pub const LOG: &str = "log";
/// Folder of the folds.
pub const FOLDS: &str = "fold";
/// Folder of the indexes.
pub const INDEXES: &str = "index";
/// Folder of the packs with the content of files.
pub const DATA: &str = "data";
/// Folder of the packs with everything else.
pub const META: &str = "meta";

/// Folder of short-lived files that tell the server's time.
pub const CLOCK: &str = "clock";

/// Name of a file: BLAKE3 of its bytes, so that a copy can be checked without a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(pub [u8; 32]);

/// Identifies a stream: the directory whose commits it has.
pub type StreamId = DirectoryId;

impl FileName {
    /// The name of a file with these bytes.
    pub fn of(bytes: &[u8]) -> FileName {
        FileName(*blake3::hash(bytes).as_bytes())
    }

    /// Parses 64 hex digits.
    pub fn parse(text: &str) -> Option<FileName> {
        blake3::Hash::from_hex(text).ok().map(|hash| FileName(*hash.as_bytes()))
    }

    /// The first 8 bytes, with which indexes name packs.
    pub fn prefix(self) -> u64 {
        u64::from_be_bytes(*self.0.first_chunk().expect("a name has 32 bytes"))
    }

    /// The key of a pack.
    pub fn pack_key(self, is_meta: bool) -> String {
        let (folder, name) = (if is_meta { META } else { DATA }, self.to_string());
        format!("{folder}/{}/{name}", &name[..2])
    }

    /// The key of an index.
    pub fn index_key(self) -> String {
        format!("{INDEXES}/{self}")
    }

    /// The key of a slot.
    pub fn slot_key(self) -> String {
        format!("{KEYS}/{self}")
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileName({self})")
    }
}

impl Field for FileName {
    fn put(&self, encoder: &mut Encoder) {
        encoder.raw(&self.0);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<FileName> {
        decoder.array().map(FileName)
    }
}

/// The key of an entry of the log. The number is padded so that names sort by number.
pub fn log_key(number: u64) -> String {
    format!("{LOG}/{number:016x}")
}

/// The number of the entry with this name.
pub fn log_number(name: &str) -> Option<u64> {
    (name.len() == 16).then(|| u64::from_str_radix(name, 16).ok()).flatten()
}

/// The name of a file in a folder, from its key.
pub fn name_in<'k>(folder: &str, key: &'k str) -> Option<&'k str> {
    key.strip_prefix(folder)?.strip_prefix('/')
}

/// The key of a fold.
pub fn fold_key(number: u64, name: FileName) -> String {
    format!("{FOLDS}/{number:016x}-{name}")
}

/// The length to which a file is padded, so that its size does not identify its content: the lowest bits of the length are
/// rounded up, by at most a 32nd, and short files to a whole KiB.
pub fn padded_length(length: usize) -> usize {
    let unit = (length.max(1).ilog2().saturating_sub(5)).max(10);
    length.next_multiple_of(1 << unit)
}

/// Pads a file with random bytes.
pub fn pad(bytes: &mut Vec<u8>) -> Result<()> {
    let start = bytes.len();
    bytes.resize(padded_length(start), 0);
    blake3::Hasher::new_keyed(&fs::random()?).finalize_xof().fill(&mut bytes[start..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_short_and_hides_the_exact_length() {
        for length in [1, 1000, 1024, 1025, 70_000, 1 << 20, (32 << 20) - 5] {
            let padded = padded_length(length);
            assert!(padded >= length && padded - length <= (length / 32).max(1023), "{length} {padded}");
        }
        assert_eq!(padded_length(65_537), padded_length(67_000));
    }

    #[test]
    fn log_names_sort_by_number() {
        assert_eq!(log_key(0x1f), "log/000000000000001f");
        assert_eq!(log_number("000000000000001f"), Some(0x1f));
        assert_eq!(log_number("1f"), None);
    }
}
