//! Creates and opens targets.

use std::sync::Arc;

use super::Target;
use super::entry::{Change, Link};
use super::file::{FileName, KEYS, LOG, TARGET, log_key, name_in};
use super::identity::{LARGEST_SLOT, missing_identity, new_identity, read_identity};
use super::local::Local;
use super::log::{Log, OLDER, unreadable};
use super::state::State;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::remote::{Created, Remote};
use crate::seal::{KeyKind, Keyring, Slot};

/// What opens a target.
pub struct Secret {
    /// Kind of the secret.
    pub kind: KeyKind,
    /// The secret.
    pub bytes: Vec<u8>,
}

impl Target {
    /// Whether storage contains a target that is complete. [`ErrorKind::Damaged`] if it contains one without the file `target`.
    pub fn exists(remote: &Remote) -> Result<bool> {
        match (remote.get(TARGET)?, remote.list(LOG, None)?.is_empty()) {
            (None, false) => Err(missing_identity()),
            (identity, is_empty) => Ok(identity.is_some() && !is_empty),
        }
    }

    /// Creates a target that these secrets open, or completes one whose creation was interrupted. [`ErrorKind::Exists`] if
    /// another process has created one meanwhile.
    pub fn create(remote: Remote, secrets: &[Secret], environment: &Environment) -> Result<Target> {
        let remote = Arc::new(remote);
        let new = new_identity()?;
        let content = match remote.create(TARGET, &new)? {
            Created::New => new,
            Created::Exists => read_identity(&remote)?,
        };
        let identity = FileName::of(&content);
        let keyring = Keyring::create()?;
        let mut target = Target::new(&remote, identity, keyring, environment);
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
        target.local.keep_identity(&content);
        target.note_state(true)?;
        Ok(target)
    }

    /// Whether this machine keeps the keys of the target with this identity.
    pub fn has_keys(identity: FileName, environment: &Environment) -> bool {
        matches!(Local::new(identity, environment).keyring(), Ok(Some(_)))
    }

    /// Opens a target with the keyring that this machine keeps, or else with the secret that `ask` returns, and reads its log.
    /// `known` is the identity that the target had before: as long as the log continues, its file is not read again.
    ///
    /// [`ErrorKind::NotFound`] if the storage has no target, [`ErrorKind::WrongKey`] if the secret does not open it.
    pub fn open(
        remote: Remote,
        known: Option<FileName>,
        ask: &mut dyn FnMut() -> Result<Secret>,
        environment: &Environment,
    ) -> Result<Target> {
        let remote = Arc::new(remote);
        if let Some(known) = known
            && let Some(target) = Target::open_known(&remote, known, environment)?
        {
            return Ok(target);
        }
        let content = read_identity(&remote)?;
        let target = Target::open_identified(&remote, FileName::of(&content), ask, environment)?;
        target.local.keep_identity(&content);
        Ok(target)
    }

    /// Opens the target with this identity, which its file has.
    fn open_identified(
        remote: &Arc<Remote>,
        identity: FileName,
        ask: &mut dyn FnMut() -> Result<Secret>,
        environment: &Environment,
    ) -> Result<Target> {
        let local = Local::new(identity, environment);
        let seen = local.seen()?;
        if let Some(keyring) = local.keyring()? {
            let mut target = Target::new(remote, identity, keyring, environment);
            return match target.load() {
                Err(error) if error.kind() == ErrorKind::WrongKey => {
                    let secret = match ask() {
                        Err(unanswered) if unanswered.kind() == ErrorKind::WrongKey => return Err(error),
                        secret => secret?,
                    };
                    let (keyring, state) = unlock(remote, identity, &secret)?;
                    target.keyring = Arc::new(keyring);
                    target.unlocked(state, seen)
                }
                loaded => loaded.map(|()| target),
            };
        }
        let secret = ask()?;
        let (keyring, state) = unlock(remote, identity, &secret)?;
        Target::new(remote, identity, keyring, environment).unlocked(state, seen)
    }

    /// Fails with [`ErrorKind::WrongKey`] unless the secret opens the target on a machine that does not have its keys.
    pub fn check_secret(&self, secret: &Secret) -> Result<()> {
        unlock(&self.remote, self.identity, secret).map(drop)
    }

    /// Opens the target with this identity. `None` if the storage may have another one: entries of the log open only with the
    /// identity of their target.
    fn open_known(remote: &Arc<Remote>, identity: FileName, environment: &Environment) -> Result<Option<Target>> {
        let Some(keyring) = Local::new(identity, environment).keyring()? else { return Ok(None) };
        let mut target = Target::new(remote, identity, keyring, environment);
        match target.load() {
            Ok(()) => Ok(Some(target).filter(|target| target.state.last.is_some())),
            Err(error) if matches!(error.kind(), ErrorKind::Damaged | ErrorKind::WrongKey) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps the keyring and the state of a target that a secret has opened.
    fn unlocked(mut self, state: State, seen: Option<Link>) -> Result<Target> {
        self.state = state;
        self.check_seen(seen)?;
        self.local.save_keyring(&self.keyring)?;
        self.note_state(true)?;
        Ok(self)
    }

    /// Reads the log, from the cached state or the newest fold.
    fn load(&mut self) -> Result<()> {
        // Another process of this machine may see newer entries while this one reads.
        let seen = self.local.seen()?;
        let cached = self.local.state(&self.keyring);
        let before = cached.as_ref().and_then(|state| state.last);
        self.state = match cached {
            Some(state) => state,
            None => self.log().newest_fold()?.unwrap_or_default(),
        };
        let (log, state, _) = self.log_and_state();
        log.read(state)?;
        // What was read continues the cached state.
        if seen != before {
            self.check_seen(seen)?;
        }
        self.note_state(before != self.state.last)
    }

    /// Fails if the log does not have an entry that this machine has seen.
    pub(super) fn check_seen(&self, seen: Option<Link>) -> Result<()> {
        match seen {
            Some(seen) if self.state.void_end().contains(&seen.number) => Err(unreadable(seen.number)),
            Some(seen) if seen.number > self.state.number() => {
                let (seen, number) = (seen.number, self.state.number());
                Err(Error::damaged(format!(
                    "the target is older than what this machine has seen: its log ends at entry {number}, not {seen}"
                ))
                .hint(OLDER))
            }
            Some(seen) => self.log().check_has(&self.state, seen),
            None => Ok(()),
        }
    }
}

/// Tries the key slots with a secret. The log decides which slots are in force.
fn unlock(remote: &Remote, identity: FileName, secret: &Secret) -> Result<(Keyring, State)> {
    let (mut is_removed, mut is_known, mut damaged) = (false, false, None);
    for listed in remote.list(KEYS, None)? {
        let Some(name) = name_in(KEYS, &listed.name).and_then(FileName::parse) else { continue };
        // Anyone who can write to the storage can add slots. None of them may keep the others from being tried.
        if listed.size > LARGEST_SLOT {
            continue;
        }
        let Some(bytes) = remote.get(&listed.name)?.filter(|bytes| FileName::of(bytes) == name) else {
            damaged = Some(listed.name);
            continue;
        };
        let slot = match Slot::decode(&bytes) {
            Ok(slot) if slot.target == identity.0 => slot,
            _ => continue,
        };
        is_known = true;
        let opened = if slot.kind == secret.kind { slot.open(&secret.bytes) } else { Ok(None) };
        let Some(keyring) = opened.or_else(none_if_damaged)? else { continue };
        let log = Log { remote, keyring: &keyring, target: identity };
        let mut state = log.newest_fold()?.unwrap_or_default();
        match log.read(&mut state) {
            // Keys of a creation that was interrupted, unless the first entry is damaged.
            Err(error) if error.kind() == ErrorKind::Damaged && state == State::default() => damaged = Some(log_key(1)),
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
    if !is_known {
        let file = damaged.unwrap_or_else(|| TARGET.to_owned());
        return Err(Error::damaged(format!("no key file belongs to this target: `{file}` is missing or damaged")));
    }
    let message = match (secret.kind, is_removed) {
        (KeyKind::Password, true) => "this password no longer opens the target: it was removed".to_owned(),
        (kind, true) => format!("these {} no longer open the target: they were removed", kind.word()),
        (KeyKind::Password, false) => "wrong password".to_owned(),
        (kind, false) => format!("wrong {}", kind.word()),
    };
    let error = Error::new(ErrorKind::WrongKey, message);
    Err(match damaged {
        Some(file) => {
            error.hint(format!("the file `{file}` of the target is damaged: it may be the one that this opens"))
        }
        None => error,
    })
}

fn none_if_damaged(error: Error) -> Result<Option<Keyring>> {
    if error.kind() == ErrorKind::Damaged { Ok(None) } else { Err(error) }
}
