//! What root leaves out of what another user recorded. That user decides what is in the repository, in a user namespace even
//! owners and devices, and must not get files of root's, or rights beyond their own, out of root's restoring it.

use crate::fs;
use crate::metadata::{Kind, Metadata};
use crate::object::Entry;
use crate::repo::Layout;

use super::dress::Xattr;

/// Mode bits that run a program with other rights than its caller's: set-user-id and set-group-id.
const SET_ID: u16 = 0o6000;

/// Names of attributes that only root can set begin so: capabilities, labels, and what file systems trust.
const PRIVILEGED: [&[u8]; 2] = [b"security.", b"trusted."];

/// Only this user's rights are restored, although root restores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The owner of the repository, who may have recorded anything.
    uid: u32,
    gid: u32,
}

/// An entry's metadata within the limits.
pub(super) struct Limited {
    pub metadata: Metadata,
    pub xattrs: Vec<Xattr>,
    /// What was left out, in words.
    pub left_out: Vec<String>,
}

impl Limits {
    /// Those of the owner of a repository. `None` if this process is not root's, if root owns the repository, or if root
    /// trusts its owner.
    pub fn of(layout: &Layout, trusts_owner: bool) -> Option<Limits> {
        if trusts_owner || fs::effective_uid() != 0 {
            return None;
        }
        let owner = layout.owner()?;
        (owner.uid != 0).then_some(Limits { uid: owner.uid, gid: owner.gid })
    }

    /// The metadata that an entry of this kind gets.
    pub(super) fn limit(&self, kind: Kind, recorded: &Metadata, xattrs: &[Xattr]) -> Limited {
        let mut metadata = *recorded;
        let mut left_out = Vec::new();
        if recorded.uid != self.uid {
            (metadata.uid, metadata.gid) = (self.uid, self.gid);
            left_out.push(self.reason(&format!("owner {}:{}", recorded.uid, recorded.gid)));
        }
        // The set-group-id bit of a directory only says which group new files get.
        if kind != Kind::Directory && recorded.mode & SET_ID != 0 {
            metadata.mode &= !SET_ID;
            left_out.push(self.reason(&format!("mode {:04o}", recorded.mode)));
        }
        let is_privileged = |key: &[u8]| PRIVILEGED.iter().any(|prefix| key.starts_with(prefix));
        let (refused, xattrs) = xattrs.iter().cloned().partition::<Vec<Xattr>, _>(|(key, _)| is_privileged(key));
        left_out.extend(refused.iter().map(|(key, _)| self.reason(&key.escape_ascii().to_string())));
        Limited { metadata, xattrs, left_out }
    }

    /// Why a device is not made; `None` for everything else.
    pub(super) fn refusal(&self, entry: &Entry) -> Option<String> {
        let is_device = matches!(entry.kind(), Kind::CharDevice | Kind::BlockDevice);
        is_device.then(|| self.reason(entry.kind().word()))
    }

    fn reason(&self, what: &str) -> String {
        format!("{what} (recorded in a repository of `{}`)", fs::name_of_user(self.uid))
    }
}
