//! Encryption of what leaves the machine (`docs/targets.md`, "Sealed values").
//!
//! Each sealed value has a separate key, derived from the keyring, the purpose and 24 random bytes, so that no nonce is used
//! twice. The cipher is AES-256-GCM.

mod keyring;
mod slot;

pub use keyring::{Keyring, OVERHEAD, ObjectName, Purpose, generation_of};
pub use slot::{KeyKind, Slot};
