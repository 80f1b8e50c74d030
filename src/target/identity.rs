//! The file `target`, which identifies a target: its slots and its log are bound to the hash of this file. Machines keep a copy.

use super::Target;
use super::file::{FileName, KEYS, LOG, TARGET};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::remote::{Created, Remote};
use crate::seal::Slot;

const VERSION_LINE: &str = "undo target ";
const CIPHER: &str = "aes-256-gcm";

/// Maximum size of a slot in bytes: that of a keyring with hundreds of generations.
pub(super) const LARGEST_SLOT: u64 = 64 << 10;

/// The content of the file of a new target.
pub(super) fn new_identity() -> Result<Vec<u8>> {
    let id = u128::from_be_bytes(fs::random()?);
    Ok(format!("{VERSION_LINE}1\nid = {id:032x}\ncipher = {CIPHER}\nfeatures =\n").into_bytes())
}

/// The content of the file, whose hash identifies the target. [`ErrorKind::NotFound`] if the storage has no target.
pub(super) fn read_identity(remote: &Remote) -> Result<Vec<u8>> {
    match find_identity(remote)? {
        Some(identity) => Ok(identity),
        None if !remote.list(KEYS, None)?.is_empty() || !remote.list(LOG, None)?.is_empty() => Err(missing_identity()),
        None => Err(Error::new(ErrorKind::NotFound, "no target found at this URL")
            .hint("check the URL; to create a target, run in the directory to copy: undo target add NAME URL")),
    }
}

/// The content of the file; `None` if it is missing.
fn find_identity(remote: &Remote) -> Result<Option<Vec<u8>>> {
    let Some(bytes) = remote.get(TARGET)? else { return Ok(None) };
    match check(&bytes) {
        // A damaged file can look like that of another version.
        Err(error) if error.kind() == ErrorKind::Unsupported && belongs_to_slots(remote, &bytes)? => Err(error),
        Err(_) => Err(Error::damaged("the file `target` is damaged").hint(PUT_BACK)),
        Ok(()) => Ok(Some(bytes)),
    }
}

/// Fails with [`ErrorKind::Unsupported`] for the file of another version, and with [`ErrorKind::Damaged`] if it is none.
fn check(bytes: &[u8]) -> Result<()> {
    let damaged = || Error::damaged("the file `target` is damaged");
    let newer = || Error::new(ErrorKind::Unsupported, "the target needs a newer version of undo");
    let is_text = bytes.ends_with(b"\n") && bytes.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~'));
    let text = std::str::from_utf8(bytes).ok().filter(|_| is_text).ok_or_else(damaged)?;
    let rest = text.strip_prefix(VERSION_LINE).ok_or_else(damaged)?;
    if rest.lines().next() != Some("1") {
        return Err(newer());
    }
    let value = |key: &str| {
        let found = rest.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
        found.map(str::trim).ok_or_else(damaged)
    };
    let (cipher, features) = (value("cipher")?, value("features")?);
    if cipher == CIPHER && features.is_empty() { Ok(()) } else { Err(newer()) }
}

/// Whether a slot belongs to the target with this file. Slots that this version cannot read may.
fn belongs_to_slots(remote: &Remote, identity: &[u8]) -> Result<bool> {
    let mut is_of_another = false;
    for listed in remote.list(KEYS, None)?.into_iter().filter(|listed| listed.size <= LARGEST_SLOT) {
        let slot = remote.get(&listed.name)?.and_then(|bytes| Slot::decode(&bytes).ok());
        let Some(slot) = slot else { continue };
        if slot.target == FileName::of(identity).0 {
            return Ok(true);
        }
        is_of_another = true;
    }
    Ok(!is_of_another)
}

/// Hint for a file that only another machine can put back.
const PUT_BACK: &str = "on a machine that has used the target, to put this file back: undo repair --target NAME";

pub(super) fn missing_identity() -> Error {
    Error::damaged("the file `target` is missing from the target, although its other files are there").hint(PUT_BACK)
}

impl Target {
    /// The identity of the target in storage; `None` if the file `target` is missing.
    pub fn find_identity(remote: &Remote) -> Result<Option<FileName>> {
        Ok(find_identity(remote)?.map(|bytes| FileName::of(&bytes)))
    }

    /// Fails with [`ErrorKind::Damaged`] unless the storage has the file `target` of this target: without it, no other machine opens
    /// the target.
    pub fn check_identity(&self) -> Result<()> {
        let read = || match self.remote.get(TARGET) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
            read => read,
        };
        // An answer may have been damaged on its way.
        for _ in 0..2 {
            if let Some(bytes) = read()?.filter(|bytes| FileName::of(bytes) == self.identity) {
                self.local.keep_identity(&bytes);
                return Ok(());
            }
        }
        let error =
            Error::damaged("the file `target` is missing or damaged, without which no other machine opens the target");
        Err(match self.local.identity() {
            Some(_) => error,
            None => error.hint(
                "this machine has no copy of the file `target`: repair the target on another one that has used it",
            ),
        })
    }

    /// Whether the file `target` is missing or damaged.
    pub fn has_damaged_identity(&self) -> Result<bool> {
        match self.check_identity() {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(true),
            checked => checked.map(|()| false),
        }
    }

    /// Puts the file `target` back from the copy of this machine. Returns whether it has one.
    pub fn restore_identity(&self) -> Result<bool> {
        let Some(bytes) = self.local.identity() else { return Ok(false) };
        if self.remote.create(TARGET, &bytes)? == Created::Exists {
            let deleted = self.remote.delete(&[TARGET.to_owned()]);
            deleted.map_err(|error| error.context("the damaged file `target` cannot be replaced"))?;
            self.remote.create(TARGET, &bytes)?;
        }
        Ok(true)
    }
}
