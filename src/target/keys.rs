//! The keys that open a target: lists, adds, removes and replaces them.

use std::sync::Arc;

use super::entry::{Change, Writer};
use super::file::{FileName, KEYS, name_in};
use super::{Secret, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::seal::{KeyKind, Keyring, Slot};

/// Shortest prefix that names a key.
const SHORTEST: usize = 4;

/// A key slot of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Name of the slot.
    pub name: FileName,
    /// What opens the slot. `None` if its file is missing or damaged.
    pub kind: Option<KeyKind>,
    /// Who added the slot. `None` if it is not in force: removed, or never recorded.
    pub added: Option<Writer>,
}

impl Target {
    /// The key slots, those in force first and in the order in which they were added.
    pub fn keys(&self) -> Result<Vec<Key>> {
        let mut names: Vec<FileName> = self.state.slots.keys().copied().collect();
        let stored = self.remote.list(KEYS, None)?;
        let stored = stored.iter().filter_map(|file| name_in(KEYS, &file.name).and_then(FileName::parse));
        names.extend(stored.filter(|name| !self.state.slots.contains_key(name)));
        let mut keys = names.into_iter().map(|name| self.key(name)).collect::<Result<Vec<_>>>()?;
        keys.sort_by_key(|key| (key.added.is_none(), key.added.as_ref().map(|writer| writer.time), key.name));
        Ok(keys)
    }

    fn key(&self, name: FileName) -> Result<Key> {
        let bytes = match self.remote.get(&name.slot_key()) {
            Err(error) if error.kind() == ErrorKind::Damaged => None,
            bytes => bytes?.filter(|bytes| FileName::of(bytes) == name),
        };
        let kind = bytes.and_then(|bytes| Slot::decode(&bytes).ok()).map(|slot| slot.kind);
        Ok(Key { name, kind, added: self.state.slots.get(&name).cloned() })
    }

    /// Adds a key that opens the target beside the others.
    pub fn add_key(&mut self, secret: &Secret) -> Result<Key> {
        let name = self.put_slot(&self.keyring, secret)?;
        self.append(|target| {
            let slots = target.state.slots.keys().copied().chain([name]).collect();
            Ok(Some(Change { slots: Some(slots), ..Change::default() }))
        })?;
        self.key(name)
    }

    /// Removes the key whose name begins with these digits. Who had it may have kept the keyring: see [`Target::rekey`]. Returns
    /// the key, and whether its file was deleted.
    ///
    /// [`ErrorKind::NotFound`] if there is none, [`ErrorKind::Ambiguous`] if there are several, and [`ErrorKind::Refused`] for the
    /// last one.
    pub fn remove_key(&mut self, prefix: &str) -> Result<(Key, bool)> {
        let name = self.find_key(prefix)?;
        let key = self.key(name)?;
        self.append(|target| {
            // Another machine may have removed this key or the other ones since, or added one with the same prefix.
            target.find_key(&name.to_string())?;
            let slots: Vec<FileName> = target.state.slots.keys().copied().filter(|other| *other != name).collect();
            target.check_opens(&slots)?;
            Ok(Some(Change { slots: Some(slots), ..Change::default() }))
        })?;
        let is_deleted = self.delete_slots(&[name]);
        Ok((key, is_deleted))
    }

    /// Fails if none of these keys opens the target.
    fn check_opens(&self, slots: &[FileName]) -> Result<()> {
        for name in slots {
            if self.key(*name)?.kind.is_some() {
                return Ok(());
            }
        }
        let message = match slots.is_empty() {
            true => "this is the last key: without it, nothing opens the target",
            false => "the files of all other keys are missing or damaged: without this key, nothing opens the target",
        };
        Err(Error::new(ErrorKind::Refused, message).hint("to add another key first: undo target key add"))
    }

    /// Fails with [`ErrorKind::Damaged`] if no password opens the target on a machine that has nothing of it.
    pub fn check_opens_elsewhere(&self) -> Result<()> {
        self.check_identity()?;
        for name in self.state.slots.keys() {
            if self.key(*name)?.kind.is_some() {
                return Ok(());
            }
        }
        Err(Error::damaged("the files of all keys are missing or damaged: no password opens the target")
            .hint("to add a key: undo target key add"))
    }

    fn find_key(&self, prefix: &str) -> Result<FileName> {
        let slots = || self.state.slots.keys();
        let names = || slots().map(|name| name.to_string()[..8].to_owned()).collect::<Vec<_>>().join(", ");
        let is_named = |name: &&FileName| prefix.len() >= SHORTEST && name.to_string().starts_with(prefix);
        match slots().filter(is_named).collect::<Vec<_>>().as_slice() {
            [name] => Ok(**name),
            [] => Err(Error::new(ErrorKind::NotFound, format!("the target has no key `{}`", prefix.escape_debug()))
                .hint(format!("keys: {}", names()))),
            _ => Err(Error::new(ErrorKind::Ambiguous, format!("several keys begin with `{}`", prefix.escape_debug()))
                .hint(format!("keys: {}", names()))),
        }
    }

    /// Replaces all keys by a new generation that only these secrets open. Packs stay sealed with the old keys until they are
    /// rewritten: see [`super::State::old_packs`]. Returns whether the files of the old keys were deleted.
    ///
    /// [`ErrorKind::WrongKey`] if another machine has just replaced the keys.
    pub fn rekey(&mut self, secrets: &[Secret]) -> Result<bool> {
        let keyring = self.keyring.with_new_generation()?;
        let slots = secrets.iter().map(|secret| self.put_slot(&keyring, secret)).collect::<Result<Vec<_>>>()?;
        let mut old = Vec::new();
        // Sealed with the old keys, the entry tells machines that have only those that they were replaced.
        self.append(|target| {
            old = target.state.slots.keys().copied().collect();
            Ok(Some(Change { slots: Some(slots.clone()), rekeys: true, ..Change::default() }))
        })?;
        self.keyring = Arc::new(keyring);
        self.local.save_keyring(&self.keyring)?;
        self.note_state(true)?;
        // Folds with the old keys are ignored from now on. Without this one, reading takes longer.
        let _ = self.write_fold();
        Ok(self.delete_slots(&old))
    }

    /// Writes a key slot. It opens the target once an entry has it in force.
    pub(super) fn put_slot(&self, keyring: &Keyring, secret: &Secret) -> Result<FileName> {
        let slot = Slot::wrap(keyring, secret.kind, &secret.bytes, self.identity.0)?;
        let bytes = slot.encode();
        let name = FileName::of(&bytes);
        self.remote.put(&name.slot_key(), &bytes)?;
        Ok(name)
    }

    /// Deletes slots that are not in force, so that their passwords cannot be guessed later. Returns whether that succeeded:
    /// credentials that may not delete keep them.
    fn delete_slots(&self, names: &[FileName]) -> bool {
        let keys: Vec<String> = names.iter().map(|name| name.slot_key()).collect();
        self.remote.delete(&keys).is_ok()
    }
}
