//! Decides what this process may restore: which metadata it cannot change in place, and what root leaves out.

use crate::fs;
use crate::metadata::{Kind, Metadata};
use crate::object::Entry;
use crate::repo::Layout;

use super::apply_metadata::{LABEL, Xattr};

/// Mode bits that run a program with the privileges of its owner or group: set-user-id and set-group-id.
const SET_ID: u16 = 0o6000;

/// Prefixes of attributes that only root can set: capabilities, security labels, and attributes that file systems
/// trust.
const PRIVILEGED: [&[u8]; 2] = [b"security.", b"trusted."];

/// Whether only root can set or remove this attribute.
fn is_privileged(key: &[u8]) -> bool {
    PRIVILEGED.iter().any(|prefix| key.starts_with(prefix))
}

/// Limits what root restores from a repository of another user to what that user could set. The user controls the
/// repository's content, and in a user namespace can record even owners and devices. Restoring as root must not give the
/// user files of root or additional privileges.
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

/// The user of this process. Only root and the owner of a file may set its mode, owner, time and attributes, and only root may
/// remove capabilities and security labels. A user who may write to the directory can still replace the file: the new one
/// belongs to this user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User(u32);

impl User {
    pub(crate) fn current() -> User {
        User(fs::effective_uid())
    }

    /// Whether a file with this metadata must be replaced to get the wanted metadata, and the new file gets the wanted owner.
    pub(crate) fn must_replace(self, there: &Metadata, wanted: &Metadata, kind: Kind) -> bool {
        there.uid != self.0 && self.can_make(wanted, kind)
    }

    /// Like [`User::must_replace`], for the attributes of a file that this user owns.
    pub(crate) fn must_replace_for_xattrs(
        self,
        there: &[Xattr],
        (wanted, xattrs): (&Metadata, &[Xattr]),
        kind: Kind,
    ) -> bool {
        let is_wanted = |key: &[u8]| xattrs.iter().any(|(wanted, _)| wanted == key);
        let stays = |(key, _): &Xattr| is_privileged(key) && key != LABEL && !is_wanted(key);
        self.can_make(wanted, kind) && there.iter().any(stays)
    }

    /// Whether only the owners of a directory and of a file in it may replace the file, and this user is not the former.
    pub(crate) fn is_kept_out_by(self, directory: &Metadata) -> bool {
        const STICKY: u16 = 0o1000;
        directory.mode & STICKY != 0 && directory.uid != self.0
    }

    fn can_make(self, wanted: &Metadata, kind: Kind) -> bool {
        let is_roots = matches!(kind, Kind::Directory | Kind::CharDevice | Kind::BlockDevice);
        self.0 != 0 && wanted.uid == self.0 && !is_roots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned_by(uid: u32, mode: u16) -> Metadata {
        Metadata { uid, mode, ..Metadata::default() }
    }

    #[test]
    fn foreign_file_is_replaced_if_replacement_gets_owner() {
        let (ada, root) = (User(7), User(0));
        let must = |user: User, there, wanted, kind| user.must_replace(&owned_by(there, 0), &owned_by(wanted, 0), kind);
        assert!(must(ada, 0, 7, Kind::File) && must(ada, 8, 7, Kind::Symlink) && must(ada, 0, 7, Kind::Fifo));
        assert!(!must(ada, 7, 7, Kind::File) && !must(ada, 0, 0, Kind::File) && !must(ada, 0, 8, Kind::File));
        assert!(!must(ada, 0, 7, Kind::Directory) && !must(ada, 0, 7, Kind::CharDevice));
        assert!(!must(root, 7, 0, Kind::File));
    }

    #[test]
    fn file_with_privileged_xattr_is_replaced() {
        let xattr = |key: &str| (key.as_bytes().to_vec(), b"v".to_vec());
        let must = |user: User, there: &str, wanted: &str| {
            user.must_replace_for_xattrs(&[xattr(there)], (&owned_by(7, 0), &[xattr(wanted)]), Kind::File)
        };
        assert!(must(User(7), "security.capability", "user.k"));
        assert!(!must(User(7), "security.capability", "security.capability"));
        assert!(!must(User(7), "user.l", "user.k") && !must(User(7), "security.selinux", "user.k"));
        assert!(!must(User(0), "security.capability", "user.k"));
    }

    #[test]
    fn foreign_sticky_directory_prevents_replacement() {
        let user = User(7);
        assert!(user.is_kept_out_by(&owned_by(0, 0o1777)));
        assert!(!user.is_kept_out_by(&owned_by(7, 0o1777)) && !user.is_kept_out_by(&owned_by(0, 0o777)));
    }
}
