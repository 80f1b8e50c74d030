//! What a machine keeps of a target: the keyring, the last entry that it has seen, a copy of the file `target`, and a cache.
//!
//! The keyring is not in the repository, which travels with copies of the data.

use std::path::{Path, PathBuf};

use super::entry::Link;
use super::file::FileName;
use super::state::State;
use crate::environment::{Durability, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::object::fields;
use crate::seal::{Keyring, Purpose};

/// The local files of a target.
#[derive(Clone, Debug)]
pub struct Local {
    /// Hash of the file `target`.
    target: FileName,
    /// Folders of keyrings, of the last seen entries, and of copies of the file `target`. `None` if the user has no home directory.
    folder: Option<PathBuf>,
    cache: Option<PathBuf>,
    durability: Durability,
}

impl Local {
    /// The local files of the target whose file `target` has this hash.
    pub fn new(target: FileName, environment: &Environment) -> Local {
        let cache = environment.cache_directory().map(|folder| folder.join("targets").join(target.to_string()));
        let folder = environment.state_directory().map(|path| path.to_owned());
        Local { target, folder, cache, durability: environment.durability() }
    }

    /// The keyring; `None` if this machine does not have it.
    pub fn keyring(&self) -> Result<Option<Keyring>> {
        let Some(path) = self.path("keys") else { return Ok(None) };
        fs::read(&path)?.map(|bytes| fields::decode("keyring", &bytes)).transpose()
    }

    /// Keeps the keyring. [`ErrorKind::NotFound`] if the user has no home directory.
    pub fn save_keyring(&self, keyring: &Keyring) -> Result<()> {
        let path = self.path("keys").ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "cannot store keys: no home directory is known")
                .hint("set HOME: export HOME=DIR")
        })?;
        path.parent().map_or(Ok(()), fs::create_dir_private)?;
        fs::write_private(&path, &fields::encode(keyring))
    }

    /// The copy of the file `target`; `None` if this machine does not have it.
    pub fn identity(&self) -> Option<Vec<u8>> {
        let bytes = fs::read(&self.path("identity")?).ok().flatten();
        bytes.filter(|bytes| FileName::of(bytes) == self.target)
    }

    /// Keeps a copy of the file `target`, with which `repair` can put it back. A failure has no other effect.
    pub fn keep_identity(&self, bytes: &[u8]) {
        if let Some(path) = self.path("identity").filter(|_| self.identity().is_none()) {
            let _ = save(&path, bytes, self.durability);
        }
    }

    /// The newest entry that this machine has seen.
    pub fn seen(&self) -> Result<Option<Link>> {
        let Some(path) = self.path("seen") else { return Ok(None) };
        Ok(fs::read(&path)?.and_then(|bytes| fields::decode("link", &bytes).ok()))
    }

    /// Keeps the newest entry that this machine has seen.
    pub fn save_seen(&self, link: Link) -> Result<()> {
        self.path("seen").map_or(Ok(()), |path| save(&path, &fields::encode(&link), self.durability))
    }

    /// The newest state that this machine has seen; `None` if it is not cached.
    pub fn state(&self, keyring: &Keyring) -> Option<State> {
        let bytes = fs::read(&self.cache.as_ref()?.join("state")).ok()??;
        State::decode(&keyring.open(Purpose::Cache, &self.target.0, &bytes).ok()?).ok()
    }

    /// Caches a state. A failure costs only time.
    pub fn cache_state(&self, keyring: &Keyring, state: &State) {
        if let Some(cache) = &self.cache
            && let Ok(sealed) = keyring.seal(Purpose::Cache, &self.target.0, &state.encode())
        {
            let _ = save(&cache.join("state"), &sealed, Durability::NoSync);
        }
    }

    /// Path of an index file in the cache.
    pub fn index_path(&self, name: FileName) -> Option<PathBuf> {
        Some(self.cache.as_ref()?.join("index").join(name.to_string()))
    }

    /// Caches an index file. A failure costs only time.
    pub fn cache_index(&self, name: FileName, bytes: &[u8]) {
        if let Some(path) = self.index_path(name) {
            let _ = save(&path, bytes, Durability::NoSync);
        }
    }

    /// Removes index files that are no longer in use from the cache.
    pub fn retain_indexes(&self, is_used: impl Fn(FileName) -> bool) {
        let Some(folder) = self.cache.as_ref().map(|cache| cache.join("index")) else { return };
        for name in fs::list(&folder).unwrap_or_default() {
            let name = String::from_utf8_lossy(&name);
            if FileName::parse(&name).is_some_and(|name| !is_used(name)) {
                let _ = fs::remove_file(&folder.join(&*name));
            }
        }
    }

    fn path(&self, folder: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(folder).join(self.target.to_string()))
    }
}

fn save(path: &Path, bytes: &[u8], durability: Durability) -> Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_private)?;
    fs::write_atomic(path, [bytes], durability)
}
