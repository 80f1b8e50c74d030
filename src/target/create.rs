//! Creates and opens targets.

use std::sync::Arc;

use super::Target;
use super::entry::Change;
use super::file::{FileName, KEYS, LOG, TARGET, name_in};
use super::local::Local;
use super::log::Log;
use super::state::State;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::remote::{Created, Remote};
use crate::seal::{KeyKind, Keyring, Slot};

/// What opens a target.
pub struct Secret {
    /// Kind of the secret.
    pub kind: KeyKind,
    /// The secret.
    pub bytes: Vec<u8>,
}

/// The content of the file `target`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    bytes: Vec<u8>,
}

const VERSION_LINE: &str = "undo target ";
const CIPHER: &str = "aes-256-gcm";

impl Identity {
    fn create() -> Result<Identity> {
        let id: [u8; 16] = fs::random()?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{VERSION_LINE}1\nid = {id}\ncipher = {CIPHER}\nfeatures =\n");
        Ok(Identity { bytes: text.into_bytes() })
    }

    fn decode(bytes: Vec<u8>) -> Result<Identity> {
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::damaged("the file `target` is damaged"))?;
        let Some(rest) = text.strip_prefix(VERSION_LINE) else {
            return Err(Error::damaged("the file `target` is damaged"));
        };
        let value = |key: &str| rest.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
        let version = rest.lines().next().unwrap_or_default();
        let features = value("features").unwrap_or_default().trim();
        if version != "1" || value("cipher").map(str::trim) != Some(CIPHER) || !features.is_empty() {
            return Err(Error::new(ErrorKind::Unsupported, "the target needs a newer version of undo"));
        }
        Ok(Identity { bytes })
    }

    /// The hash of the file, to which keys and the log are bound.
    pub fn name(&self) -> FileName {
        FileName::of(&self.bytes)
    }
}

impl Target {
    /// Whether storage contains a target that is complete.
    pub fn exists(remote: &Remote) -> Result<bool> {
        Ok(remote.get(TARGET)?.is_some() && !remote.list(LOG, None)?.is_empty())
    }

    /// Creates a target that these secrets open, or completes one whose creation was interrupted. [`ErrorKind::Exists`] if
    /// another process has created one meanwhile.
    pub fn create(remote: Remote, secrets: &[Secret], environment: &Environment) -> Result<Target> {
        let identity = Identity::create()?;
        let identity = match remote.create(TARGET, &identity.bytes)? {
            Created::New => identity,
            Created::Exists => identity_of(&remote)?,
        };
        let keyring = Keyring::create()?;
        let mut target = Target::new(remote, identity, keyring, environment);
        let slots =
            secrets.iter().map(|secret| target.put_slot(&target.keyring, secret)).collect::<Result<Vec<_>>>()?;
        let mut state = State::default();
        let change = Change { slots: Some(slots), ..Change::default() };
        // The first entry decides which keys are in force.
        match target.log().append(&mut state, &target.writer, change) {
            Ok(Some(_)) => {}
            Err(error) if error.kind() != ErrorKind::Damaged => return Err(error),
            // The first entry of another process does not open with the keys of this one.
            _ => {
                return Err(Error::new(ErrorKind::Exists, "another process has just created this target")
                    .hint("run the command again"));
            }
        }
        target.state = state;
        target.local.save_keyring(&target.keyring)?;
        target.note_state(true)?;
        Ok(target)
    }

    /// Opens a target with the keyring that this machine keeps, or else with the secret that `ask` returns, and reads its log.
    ///
    /// [`ErrorKind::NotFound`] if the storage has no target, [`ErrorKind::WrongKey`] if the secret does not open it.
    pub fn open(remote: Remote, ask: &mut dyn FnMut() -> Result<Secret>, environment: &Environment) -> Result<Target> {
        let identity = identity_of(&remote)?;
        let local = Local::new(identity.name(), environment);
        if let Some(keyring) = local.keyring()? {
            let mut target = Target::new(remote, identity, keyring, environment);
            return match target.load() {
                Err(error) if error.kind() == ErrorKind::WrongKey => {
                    let secret = match ask() {
                        Err(unanswered) if unanswered.kind() == ErrorKind::WrongKey => return Err(error),
                        secret => secret?,
                    };
                    let (keyring, state) = unlock(&target.remote, &target.identity, &secret)?;
                    target.keyring = Arc::new(keyring);
                    target.unlocked(state)
                }
                loaded => loaded.map(|()| target),
            };
        }
        let secret = ask()?;
        let (keyring, state) = unlock(&remote, &identity, &secret)?;
        Target::new(remote, identity, keyring, environment).unlocked(state)
    }

    /// Keeps the keyring and the state of a target that a secret has opened.
    fn unlocked(mut self, state: State) -> Result<Target> {
        self.state = state;
        self.check_seen()?;
        self.local.save_keyring(&self.keyring)?;
        self.note_state(true)?;
        Ok(self)
    }

    /// Reads the log, from the cached state or the newest fold.
    fn load(&mut self) -> Result<()> {
        self.state = match self.local.state(&self.keyring) {
            Some(state) => state,
            None => self.log().newest_fold()?.unwrap_or_default(),
        };
        self.refresh()?;
        self.check_seen()
    }

    /// Fails if this machine has seen a newer entry.
    pub(super) fn check_seen(&self) -> Result<()> {
        match self.local.seen()? {
            Some(seen) if seen.number > self.state.number() => {
                let (seen, number) = (seen.number, self.state.number());
                Err(Error::damaged(format!(
                    "the target is older than what this machine has seen: its log ends at entry {number}, not {seen}"
                ))
                .hint("an older state of the target may have been restored; do not push until you know why"))
            }
            _ => Ok(()),
        }
    }
}

fn identity_of(remote: &Remote) -> Result<Identity> {
    match remote.get(TARGET)? {
        Some(bytes) => Identity::decode(bytes),
        None => Err(Error::new(ErrorKind::NotFound, "no target found at this URL")
            .hint("check the URL; to create a target, run in the directory to copy: undo target add NAME URL")),
    }
}

/// Tries the key slots with a secret. The log decides which slots are in force.
fn unlock(remote: &Remote, identity: &Identity, secret: &Secret) -> Result<(Keyring, State)> {
    let mut is_removed = false;
    for listed in remote.list(KEYS, None)? {
        let Some(name) = name_in(KEYS, &listed.name).and_then(FileName::parse) else { continue };
        let Some(bytes) = remote.get(&name.slot_key())?.filter(|bytes| FileName::of(bytes) == name) else { continue };
        let slot = match Slot::decode(&bytes) {
            Ok(slot) if slot.kind == secret.kind && slot.target == identity.name().0 => slot,
            _ => continue,
        };
        let Some(keyring) = slot.open(&secret.bytes)? else { continue };
        let log = Log { remote, keyring: &keyring, target: identity.name() };
        let mut state = log.newest_fold()?.unwrap_or_default();
        match log.read(&mut state) {
            // Keys of a creation that was interrupted.
            Err(error) if error.kind() == ErrorKind::Damaged && state == State::default() => continue,
            // Keys before `rekey`.
            Err(error) if error.kind() == ErrorKind::WrongKey => is_removed = true,
            read => {
                read?;
                if state.slots.contains_key(&name) {
                    return Ok((keyring, state));
                }
                is_removed = true;
            }
        }
    }
    let message = match (secret.kind, is_removed) {
        (KeyKind::Password, true) => "this password no longer opens the target: it was removed".to_owned(),
        (kind, true) => format!("these {} no longer open the target: they were removed", kind.word()),
        (KeyKind::Password, false) => "wrong password".to_owned(),
        (kind, false) => format!("wrong {}", kind.word()),
    };
    Err(Error::new(ErrorKind::WrongKey, message))
}
