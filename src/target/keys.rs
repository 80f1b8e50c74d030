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
        let bytes = self.remote.get(&name.slot_key())?.filter(|bytes| FileName::of(bytes) == name);
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

    /// Removes the key whose name begins with these digits. Who had it may have kept the keyring: see [`Target::rekey`].
    ///
    /// [`ErrorKind::NotFound`] if there is none, [`ErrorKind::Ambiguous`] if there are several, and [`ErrorKind::Refused`] for the
    /// last one.
    pub fn remove_key(&mut self, prefix: &str) -> Result<Key> {
        let name = self.find_key(prefix)?;
        let key = self.key(name)?;
        self.append(|target| {
            let name = target.find_key(prefix)?;
            let slots: Vec<FileName> = target.state.slots.keys().copied().filter(|other| *other != name).collect();
            if slots.is_empty() {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "this is the last key: without it, nothing opens the target",
                )
                .hint("to add another key first: undo target key add"));
            }
            Ok(Some(Change { slots: Some(slots), ..Change::default() }))
        })?;
        self.delete_slots(&[name]);
        Ok(key)
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
    /// rewritten: see [`super::State::old_packs`].
    ///
    /// [`ErrorKind::WrongKey`] if another machine has just replaced the keys.
    pub fn rekey(&mut self, secrets: &[Secret]) -> Result<()> {
        let keyring = self.keyring.with_new_generation()?;
        let slots = secrets.iter().map(|secret| self.put_slot(&keyring, secret)).collect::<Result<Vec<_>>>()?;
        let old = loop {
            let old: Vec<FileName> = self.state.slots.keys().copied().collect();
            let change = Change { slots: Some(slots.clone()), ..Change::default() };
            let (log, state, writer) = self.log_and_state();
            if log.append_with(&keyring, state, writer, change)?.is_some() {
                break old;
            }
        };
        self.keyring = Arc::new(keyring);
        self.local.save_keyring(&self.keyring)?;
        self.note_state(true)?;
        self.delete_slots(&old);
        Ok(())
    }

    /// Writes a key slot. It opens the target once an entry has it in force.
    pub(super) fn put_slot(&self, keyring: &Keyring, secret: &Secret) -> Result<FileName> {
        let slot = Slot::wrap(keyring, secret.kind, &secret.bytes, self.identity.name().0)?;
        let bytes = slot.encode();
        let name = FileName::of(&bytes);
        self.remote.put(&name.slot_key(), &bytes)?;
        Ok(name)
    }

    /// Deletes slots that are not in force, so that their passwords cannot be guessed later. Credentials that may not delete keep
    /// them.
    fn delete_slots(&self, names: &[FileName]) {
        let keys: Vec<String> = names.iter().map(|name| name.slot_key()).collect();
        let _ = self.remote.delete(&keys);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::environment::Environment;
    use crate::remote::{Fault, Kind, Memory, Options, Remote, Request};
    use crate::target::Token;

    /// A machine with its own keyring, which changes its own stream.
    struct Machine {
        home: tempfile::TempDir,
        memory: Arc<Memory>,
    }

    impl Machine {
        fn new(memory: &Arc<Memory>) -> Machine {
            Machine { home: tempfile::tempdir().unwrap(), memory: memory.clone() }
        }

        fn environment(&self) -> Environment {
            let home = self.home.path().to_owned();
            Environment::from_process().with_state_directory(Some(home.join("state"))).with_cache_directory(None)
        }

        fn create(&self, password: &str) -> Target {
            let remote = Remote::in_memory(&self.memory, Options::default(), |_| Fault::None);
            Target::create(remote, &[secret(password)], &self.environment()).unwrap()
        }

        fn open(
            &self,
            password: Option<&str>,
            before: impl Fn(&Request) -> Fault + Send + Sync + 'static,
        ) -> Result<Target> {
            let remote = Remote::in_memory(&self.memory, Options::default(), before);
            let no_password = || Error::new(ErrorKind::WrongKey, "no password was given");
            Target::open(remote, &mut || password.map(secret).ok_or_else(no_password), &self.environment())
        }
    }

    fn secret(password: &str) -> Secret {
        Secret { kind: KeyKind::Password, bytes: password.into() }
    }

    /// Records a change of the stream with this number.
    fn push(target: &mut Target, number: u8) -> Result<()> {
        let stream = crate::target::StreamChange {
            host: String::new(),
            path: Vec::new(),
            view: Default::default(),
            size: 0,
            token: Token([number; 16]),
            added: [crate::id::CommitId([number; 32])].into(),
            removed: Default::default(),
        };
        let change = Change { streams: vec![(crate::id::DirectoryId([0; 16]), Some(stream))], ..Change::default() };
        target.append(|_| Ok(Some(change.clone()))).map(drop)
    }

    fn pushed(target: &Target) -> Vec<u8> {
        let commits = target.state().streams.values().flat_map(|stream| stream.commits.iter());
        commits.map(|commit| commit.0[0]).collect()
    }

    fn is_append(request: &Request) -> bool {
        request.kind == Kind::Create && request.key.starts_with("log/")
    }

    /// Runs a closure once, before the first entry is appended.
    fn before_append(run: impl FnOnce() + Send + 'static) -> impl Fn(&Request) -> Fault + Send + Sync + 'static {
        let run = Mutex::new(Some(run));
        move |request| {
            if is_append(request)
                && let Some(run) = run.lock().unwrap().take()
            {
                run();
            }
            Fault::None
        }
    }

    #[test]
    fn a_push_that_is_faster_than_rekey_counts() {
        let memory = Memory::new();
        let [first, second] = [(); 2].map(|()| Machine::new(&memory));
        first.create("old");
        let mut other = second.open(Some("old"), |_| Fault::None).unwrap();
        let mut target = first.open(None, before_append(move || push(&mut other, 1).unwrap())).unwrap();
        target.rekey(&[secret("new")]).unwrap();
        assert_eq!((pushed(&target), target.state().number(), target.state().generation), (vec![1], 3, 2));
        let third = Machine::new(&memory);
        assert_eq!(pushed(&third.open(Some("new"), |_| Fault::None).unwrap()), [1]);
    }

    #[test]
    fn a_push_that_is_slower_than_rekey_is_repeated_with_the_new_password() {
        let memory = Memory::new();
        let [first, second] = [(); 2].map(|()| Machine::new(&memory));
        let mut target = first.create("old");
        second.open(Some("old"), |_| Fault::None).unwrap();
        let rekey = before_append(move || target.rekey(&[secret("new")]).unwrap());
        let mut other = second.open(None, rekey).unwrap();
        let error = push(&mut other, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKey);
        assert_eq!(error.hint_text().unwrap(), "to enter the new password: undo target show NAME");
        assert_eq!(second.open(None, |_| Fault::None).err().unwrap().kind(), ErrorKind::WrongKey);
        assert_eq!(second.open(Some("old"), |_| Fault::None).err().unwrap().kind(), ErrorKind::WrongKey);
        push(&mut second.open(Some("new"), |_| Fault::None).unwrap(), 1).unwrap();
        assert_eq!(pushed(&first.open(None, |_| Fault::None).unwrap()), [1]);
        assert_eq!(pushed(&second.open(None, |_| Fault::None).unwrap()), [1]);
    }

    #[test]
    fn of_two_rekeys_the_first_one_counts() {
        let memory = Memory::new();
        let [first, second] = [(); 2].map(|()| Machine::new(&memory));
        let mut target = first.create("old");
        second.open(Some("old"), |_| Fault::None).unwrap();
        let rekey = before_append(move || target.rekey(&[secret("first")]).unwrap());
        let mut other = second.open(None, rekey).unwrap();
        assert_eq!(other.rekey(&[secret("second")]).unwrap_err().kind(), ErrorKind::WrongKey);
        assert_eq!(second.open(Some("second"), |_| Fault::None).err().unwrap().kind(), ErrorKind::WrongKey);
        assert_eq!(second.open(Some("first"), |_| Fault::None).unwrap().state().generation, 2);
    }

    #[test]
    fn replaced_keys_sign_no_entries() {
        let memory = Memory::new();
        let [first, second] = [(); 2].map(|()| Machine::new(&memory));
        let mut target = first.create("old");
        let thief = second.open(Some("old"), |_| Fault::None).unwrap();
        target.rekey(&[secret("new")]).unwrap();
        // The hash of the last entry and its number can be seen without keys.
        let mut state = target.state().clone();
        let change = Change { slots: Some(Vec::new()), ..Change::default() };
        thief.log().append(&mut state, &Writer::default(), change).unwrap().unwrap();
        let mut read = first.open(None, |_| Fault::None).unwrap();
        assert_eq!((read.state().number(), read.state().tail, read.state().slots.len()), (2, 3, 1));
        push(&mut read, 1).unwrap();
        assert_eq!(pushed(&Machine::new(&memory).open(Some("new"), |_| Fault::None).unwrap()), [1]);
    }
}
