//! The keys of a target, and the sealing and opening of values with them.

use std::collections::BTreeMap;
use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::codec::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::ObjectId;
use crate::object::ObjectKind;
use crate::object::fields::{Field, fields};

/// Number of random bytes from which the key of a sealed value is derived.
const SALT: usize = 24;

/// Length of the authentication tag.
const TAG: usize = 16;

/// Number of bytes before the ciphertext: the generation of the key, and the random bytes.
const HEAD: usize = 4 + SALT;

/// Number of bytes by which a sealed value is longer than its content.
pub const OVERHEAD: usize = HEAD + TAG;

/// What a sealed value is for. A value that is sealed for one purpose cannot be opened for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A frame of objects.
    Frame,
    /// The position of a pack's table.
    Header,
    /// The table of a pack.
    Table,
    /// A page of an index.
    Index,
    /// An entry of the log.
    Log,
    /// A fold: the state after an entry.
    Fold,
    /// A file in the local cache.
    Cache,
}

impl Purpose {
    fn context(self) -> &'static str {
        match self {
            Purpose::Frame => "undo target v1 frame",
            Purpose::Header => "undo target v1 header",
            Purpose::Table => "undo target v1 table",
            Purpose::Index => "undo target v1 index",
            Purpose::Log => "undo target v1 log",
            Purpose::Fold => "undo target v1 fold",
            Purpose::Cache => "undo target v1 cache",
        }
    }
}

/// The name of an object in an index: it tells the id only to who has the keyring and the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(pub [u8; 16]);

/// The keys of a target.
#[derive(Clone, PartialEq, Eq)]
pub struct Keyring {
    /// Key of the names of objects, which never changes.
    names: [u8; 32],
    /// Master keys by generation, which begins with 1. Each `rekey` adds one; the last one seals.
    generations: BTreeMap<u32, Key>,
}

/// A master key.
#[derive(Clone, PartialEq, Eq)]
struct Key([u8; 32]);

impl Keyring {
    /// Creates a keyring with random keys.
    pub fn create() -> Result<Keyring> {
        Ok(Keyring { names: fs::random()?, generations: BTreeMap::from([(1, Key(fs::random()?))]) })
    }

    /// The same keyring with a new generation, which seals from now on.
    pub fn with_new_generation(&self) -> Result<Keyring> {
        let mut keyring = self.clone();
        keyring.generations.insert(self.generation() + 1, Key(fs::random()?));
        Ok(keyring)
    }

    /// The generation that seals.
    pub fn generation(&self) -> u32 {
        self.generations.last_key_value().map_or(0, |(generation, _)| *generation)
    }

    /// The name of an object.
    pub fn name(&self, kind: ObjectKind, id: ObjectId) -> ObjectName {
        let hash = blake3::Hasher::new_keyed(&self.names).update(&[kind as u8]).update(&id.0).finalize();
        ObjectName(std::array::from_fn(|n| hash.as_bytes()[n]))
    }

    /// Seals a value. `place` says where the value belongs: it opens at no other place.
    pub fn seal(&self, purpose: Purpose, place: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        self.seal_into(purpose, place, plain, &mut sealed)?;
        Ok(sealed)
    }

    /// Like [`Keyring::seal`]; appends the sealed value to `to`.
    pub fn seal_into(&self, purpose: Purpose, place: &[u8], plain: &[u8], to: &mut Vec<u8>) -> Result<()> {
        let generation = self.generation();
        let salt: [u8; SALT] = fs::random()?;
        let cipher = self.cipher(generation, purpose, &salt)?;
        to.extend_from_slice(&generation.to_le_bytes());
        to.extend_from_slice(&salt);
        let start = to.len();
        to.extend_from_slice(plain);
        let tag = cipher.seal_in_place_separate_tag(nonce(), Aad::from(place), &mut to[start..]);
        to.extend_from_slice(tag.map_err(|_| too_long())?.as_ref());
        Ok(())
    }

    /// Opens a sealed value. [`ErrorKind::Damaged`] if it is not authentic, or if the keyring does not have its generation.
    pub fn open(&self, purpose: Purpose, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let Some((head, body)) = sealed.split_first_chunk::<HEAD>() else { return Err(not_authentic()) };
        let (generation, salt) = head.split_first_chunk::<4>().expect("the head is longer");
        let cipher = self.cipher(u32::from_le_bytes(*generation), purpose, salt)?;
        let mut bytes = body.to_vec();
        let length = match cipher.open_in_place(nonce(), Aad::from(place), &mut bytes) {
            Ok(plain) => plain.len(),
            Err(_) => return Err(not_authentic()),
        };
        bytes.truncate(length);
        Ok(bytes)
    }

    fn cipher(&self, generation: u32, purpose: Purpose, salt: &[u8]) -> Result<LessSafeKey> {
        let Some(Key(master)) = self.generations.get(&generation) else {
            // The generation is not authenticated: anyone can write one that does not exist.
            return Err(not_authentic());
        };
        let purpose_key = blake3::derive_key(purpose.context(), master);
        let key = blake3::keyed_hash(&purpose_key, salt);
        let key = UnboundKey::new(&AES_256_GCM, key.as_bytes()).expect("the key has 32 bytes");
        Ok(LessSafeKey::new(key))
    }
}

/// The generation of the keys of a sealed value. Authentic if the value opens.
pub fn generation_of(sealed: &[u8]) -> u32 {
    sealed.first_chunk().map_or(0, |generation| u32::from_le_bytes(*generation))
}

/// The nonce is fixed, because each key seals one value.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn not_authentic() -> Error {
    Error::damaged("a sealed value is not authentic")
}

fn too_long() -> Error {
    Error::new(ErrorKind::Internal, "a value is too long to seal")
}

/// No debug output contains keys.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("generation", &self.generation()).finish_non_exhaustive()
    }
}

fields!(Keyring: names, generations);

impl Field for Key {
    fn put(&self, encoder: &mut Encoder) {
        encoder.raw(&self.0);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Key> {
        decoder.array().map(Key)
    }
}

impl Field for [u8; 32] {
    fn put(&self, encoder: &mut Encoder) {
        encoder.raw(self);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<[u8; 32]> {
        decoder.array()
    }
}

impl Field for ObjectName {
    fn put(&self, encoder: &mut Encoder) {
        encoder.raw(&self.0);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<ObjectName> {
        decoder.array().map(ObjectName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_for_its_purpose_and_place_only() {
        let keyring = Keyring::create().unwrap();
        let sealed = keyring.seal(Purpose::Frame, b"place", b"content").unwrap();
        assert_eq!(sealed.len(), b"content".len() + OVERHEAD);
        assert_eq!(keyring.open(Purpose::Frame, b"place", &sealed).unwrap(), b"content");
        assert_ne!(sealed, keyring.seal(Purpose::Frame, b"place", b"content").unwrap());
        let is_damaged = |opened: Result<Vec<u8>>| opened.unwrap_err().kind() == ErrorKind::Damaged;
        assert!(is_damaged(keyring.open(Purpose::Table, b"place", &sealed)));
        assert!(is_damaged(keyring.open(Purpose::Frame, b"other", &sealed)));
        assert!(is_damaged(Keyring::create().unwrap().open(Purpose::Frame, b"place", &sealed)));
        for at in 4..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(is_damaged(keyring.open(Purpose::Frame, b"place", &changed)), "byte {at}");
            assert!(is_damaged(keyring.open(Purpose::Frame, b"place", &sealed[..at])), "cut at {at}");
        }
    }

    #[test]
    fn old_generations_open_and_newer_ones_do_not() {
        let old = Keyring::create().unwrap();
        let new = old.with_new_generation().unwrap();
        let (before, after) = [&old, &new].map(|keyring| keyring.seal(Purpose::Log, b"", b"x").unwrap()).into();
        assert_eq!(new.open(Purpose::Log, b"", &before).unwrap(), b"x");
        assert_eq!(old.open(Purpose::Log, b"", &after).unwrap_err().kind(), ErrorKind::Damaged);
        let id = ObjectId([7; 32]);
        assert_eq!(old.name(ObjectKind::Data, id), new.name(ObjectKind::Data, id));
        assert_ne!(old.name(ObjectKind::Data, id), old.name(ObjectKind::Layout, id));
        assert_ne!(old.name(ObjectKind::Data, id), Keyring::create().unwrap().name(ObjectKind::Data, id));
    }
}
