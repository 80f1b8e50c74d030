//! Limits what root restores from a repository of another user. That user controls the repository's content, and in a
//! user namespace can record even owners and devices. Restoring as root must not give the user files of root or
//! additional privileges.

use crate::fs;
use crate::metadata::{Kind, Metadata};
use crate::object::Entry;
use crate::repo::Layout;

use super::apply_metadata::Xattr;

/// Mode bits that run a program with the privileges of its owner or group: set-user-id and set-group-id.
const SET_ID: u16 = 0o6000;

/// Prefixes of attributes that only root can set: capabilities, security labels, and attributes that file systems
/// trust.
const PRIVILEGED: [&[u8]; 2] = [b"security.", b"trusted."];

/// Whether only root can set or remove this attribute.
pub(super) fn is_privileged(key: &[u8]) -> bool {
    PRIVILEGED.iter().any(|prefix| key.starts_with(prefix))
}

/// Limits restored metadata to what this user could set, although root restores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Owner of the repository, who may have recorded anything.
    uid: u32,
    gid: u32,
}

/// Metadata of an entry within the limits.
pub(super) struct Limited {
    pub metadata: Metadata,
    pub xattrs: Vec<Xattr>,
    /// Descriptions of what was left out.
    pub left_out: Vec<String>,
}

impl Limits {
    /// Limits for the owner of a repository. `None` if this process does not run as root, if root owns the repository,
    /// or if root trusts its owner.
    pub fn of(layout: &Layout, trusts_owner: bool) -> Option<Limits> {
        if trusts_owner || fs::effective_uid() != 0 {
            return None;
        }
        let owner = layout.owner()?;
        (owner.uid != 0).then_some(Limits { uid: owner.uid, gid: owner.gid })
    }

    /// Applies the limits to the metadata of an entry of this kind.
    pub(super) fn limit(&self, kind: Kind, recorded: &Metadata, xattrs: &[Xattr]) -> Limited {
        let mut metadata = *recorded;
        let mut left_out = Vec::new();
        if recorded.uid != self.uid {
            (metadata.uid, metadata.gid) = (self.uid, self.gid);
            left_out.push(self.reason(&format!("owner {}:{}", recorded.uid, recorded.gid)));
        }
        // On a directory, the set-group-id bit only selects the group of new files.
        if kind != Kind::Directory && recorded.mode & SET_ID != 0 {
            metadata.mode &= !SET_ID;
            left_out.push(self.reason(&format!("mode {:04o}", recorded.mode)));
        }
        let (refused, xattrs) = xattrs.iter().cloned().partition::<Vec<Xattr>, _>(|(key, _)| is_privileged(key));
        left_out.extend(refused.iter().map(|(key, _)| self.reason(&key.escape_ascii().to_string())));
        Limited { metadata, xattrs, left_out }
    }

    /// Why a device is not created; `None` for all other entries.
    pub(super) fn refusal(&self, entry: &Entry) -> Option<String> {
        let is_device = matches!(entry.kind(), Kind::CharDevice | Kind::BlockDevice);
        is_device.then(|| self.reason(entry.kind().word()))
    }

    fn reason(&self, what: &str) -> String {
        format!("{what} (recorded in a repository of `{}`)", fs::name_of_user(self.uid))
    }
}
