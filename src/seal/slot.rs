//! Key slots: the keyring of a target, wrapped with a password or recovery words.

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::Keyring;
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::object::fields::{self, Field};

const MAGIC: &[u8; 8] = b"undo-key";
const VERSION: u8 = 1;

/// Memory of Argon2id in KiB: 64 MiB.
const MEMORY: u32 = 64 << 10;

/// Passes of Argon2id over the memory.
const PASSES: u32 = 3;

/// Maximum memory in KiB and passes that a slot may demand. Anyone who can write to a target can write a slot.
const MAX_MEMORY: u32 = 1 << 20;
const MAX_PASSES: u32 = 32;

/// What opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum KeyKind {
    /// A password that a person chose.
    Password = 1,
    /// The recovery words, which were shown once.
    Recovery = 2,
}

impl KeyKind {
    /// The word in output and JSON.
    pub fn word(self) -> &'static str {
        match self {
            KeyKind::Password => "password",
            KeyKind::Recovery => "recovery words",
        }
    }

    fn from_byte(byte: u8) -> Option<KeyKind> {
        [KeyKind::Password, KeyKind::Recovery].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A wrapped keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What opens it.
    pub kind: KeyKind,
    /// BLAKE3 of the file `target`: the slot of another target does not open here.
    pub target: [u8; 32],
    memory: u32,
    passes: u32,
    salt: [u8; 32],
    /// Tells a wrong secret from damage, and commits the slot to one key.
    commitment: [u8; 32],
    wrapped: Vec<u8>,
}

impl Slot {
    /// Wraps a keyring for the target whose file `target` has this hash.
    pub fn wrap(keyring: &Keyring, kind: KeyKind, secret: &[u8], target: [u8; 32]) -> Result<Slot> {
        let salt = fs::random()?;
        let mut slot =
            Slot { kind, target, memory: MEMORY, passes: PASSES, salt, commitment: [0; 32], wrapped: Vec::new() };
        let key = slot.stretch(secret)?;
        slot.commitment = commitment(&key);
        slot.wrapped = fields::encode(keyring);
        cipher(&key)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::from(slot.head()), &mut slot.wrapped)
            .map_err(|_| Error::new(ErrorKind::Internal, "cannot wrap a keyring"))?;
        Ok(slot)
    }

    /// The keyring; `None` if the secret is not the right one.
    pub fn open(&self, secret: &[u8]) -> Result<Option<Keyring>> {
        let key = self.stretch(secret)?;
        if commitment(&key) != self.commitment {
            return Ok(None);
        }
        let mut bytes = self.wrapped.clone();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let opened = cipher(&key).open_in_place(nonce, Aad::from(self.head()), &mut bytes);
        let plain = opened.map_err(|_| Error::damaged("a key slot is damaged"))?;
        fields::decode("keyring", plain).map(Some)
    }

    /// Stretches a secret to a key.
    fn stretch(&self, secret: &[u8]) -> Result<[u8; 32]> {
        let invalid = |_| Error::damaged("a key slot has invalid parameters");
        let params = Params::new(self.memory, self.passes, 1, Some(32)).map_err(invalid)?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret, &self.salt, &mut key)
            .map_err(invalid)?;
        Ok(key)
    }

    /// Everything that the wrapped keyring is bound to.
    fn head(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.raw(MAGIC).u8(VERSION).u8(self.kind as u8).raw(&self.target);
        encoder.u32(self.memory).u32(self.passes).raw(&self.salt);
        encoder.finish()
    }

    /// Encodes the slot as the bytes of its file.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head();
        let mut encoder = Encoder::new();
        encoder.raw(&self.commitment).bytes(&self.wrapped);
        bytes.extend_from_slice(encoder.as_slice());
        bytes
    }

    /// Decodes a slot.
    pub fn decode(bytes: &[u8]) -> Result<Slot> {
        let mut decoder = Decoder::new("key slot", bytes);
        if decoder.raw(8)? != MAGIC {
            return Err(decoder.invalid("not a key slot"));
        }
        let (version, kind) = (decoder.u8()?, decoder.u8()?);
        let (VERSION, Some(kind)) = (version, KeyKind::from_byte(kind)) else {
            return Err(Error::new(ErrorKind::Unsupported, "a key slot of a newer version of undo"));
        };
        let target = decoder.array()?;
        let (memory, passes, salt) = (decoder.u32()?, decoder.u32()?, decoder.array()?);
        if memory > MAX_MEMORY || passes > MAX_PASSES {
            return Err(decoder.invalid("demands too much memory or time"));
        }
        let (commitment, wrapped) = (decoder.array()?, Vec::take(&mut decoder)?);
        decoder.finish()?;
        Ok(Slot { kind, target, memory, passes, salt, commitment, wrapped })
    }
}

fn commitment(key: &[u8; 32]) -> [u8; 32] {
    blake3::derive_key("undo target v1 slot commitment", key)
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    let key = blake3::derive_key("undo target v1 slot", key);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("the key has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_opens_with_its_secret_and_its_bytes_are_checked() {
        let keyring = Keyring::create().unwrap();
        let slot = Slot::wrap(&keyring, KeyKind::Password, b"correct horse", [5; 32]).unwrap();
        let bytes = slot.encode();
        let decoded = Slot::decode(&bytes).unwrap();
        assert_eq!(decoded, slot);
        assert_eq!(decoded.open(b"correct horse").unwrap(), Some(keyring));
        assert_eq!(decoded.open(b"battery staple").unwrap(), None);
        // A bit in the wrapped keyring, and in the target that it is bound to.
        for at in [bytes.len() - 1, 12] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let opened = Slot::decode(&changed).and_then(|slot| slot.open(b"correct horse"));
            assert_eq!(opened.unwrap_err().kind(), ErrorKind::Damaged, "byte {at}");
        }
    }

    #[test]
    fn a_slot_cannot_demand_much_memory() {
        let slot = Slot::wrap(&Keyring::create().unwrap(), KeyKind::Recovery, b"x", [0; 32]).unwrap();
        let greedy = Slot { memory: MAX_MEMORY + 1, ..slot };
        assert_eq!(Slot::decode(&greedy.encode()).unwrap_err().kind(), ErrorKind::Damaged);
    }
}
