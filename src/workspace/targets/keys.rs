//! The keys of an open target.

use crate::error::Result;
use crate::progress::Progress;
use crate::target::Secret;
use crate::time::Timestamp;
use crate::transfer::reseal::reseal;

use super::{OpenTarget, Sent};

/// A key of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetKey {
    /// Id of the key.
    pub id: String,
    /// `password`, `recovery words`, or `unreadable` if its file is missing or damaged.
    pub kind: &'static str,
    /// Who added the key, on which host, and when. `None` if the key is not in force.
    pub added: Option<(String, String, Timestamp)>,
}

impl TargetKey {
    fn new(key: crate::target::Key) -> TargetKey {
        let kind = key.kind.map_or("unreadable", |kind| kind.word());
        let added = key.added.map(|writer| (writer.user, writer.host, writer.time));
        TargetKey { id: key.name.to_string(), kind, added }
    }
}

impl OpenTarget {
    /// The keys of the target: those in force, and files of removed ones.
    pub fn keys(&self) -> Result<Vec<TargetKey>> {
        Ok(self.target.keys()?.into_iter().map(TargetKey::new).collect())
    }

    /// Adds a key.
    pub fn add_key(&mut self, secret: &Secret) -> Result<TargetKey> {
        self.target.add_key(secret).map(TargetKey::new)
    }

    /// Removes the key whose id begins with these digits. Returns it, and whether its file was deleted.
    /// [`crate::error::ErrorKind::Refused`] for the last one.
    ///
    /// Who had the key may have kept what it opens: only [`OpenTarget::rekey`] locks them out.
    pub fn remove_key(&mut self, id: &str) -> Result<(TargetKey, bool)> {
        self.target.remove_key(id).map(|(key, is_deleted)| (TargetKey::new(key), is_deleted))
    }

    /// Replaces all keys by these. Content that was pushed before stays sealed with the old ones until it is rewritten.
    /// Returns whether the files of the old keys were deleted.
    pub fn rekey(&mut self, secrets: &[Secret]) -> Result<bool> {
        self.target.rekey(secrets)
    }

    /// Generation of the keys: 1, and one more after each [`OpenTarget::rekey`].
    pub fn generation(&self) -> u32 {
        self.state().generation
    }

    /// Rewrites what is sealed with replaced keys. Can be interrupted, and called again to continue.
    pub fn rewrite_old_packs(&mut self, progress: &dyn Progress) -> Result<Sent> {
        let connections = self.connections();
        reseal(&mut self.target, connections, progress)
    }
}
