//! Which metadata this process cannot change in place.
//!
//! Only root and the owner of a file may set its mode, owner, time and attributes, and only root may remove capabilities and
//! the like. Whoever may write to the directory can still replace the file: the new one belongs to this process.

use crate::fs;
use crate::metadata::{Kind, Metadata};

use super::apply_metadata::{LABEL, Xattr};
use super::limits::is_privileged;

/// The user whose rights count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User(u32);

impl User {
    pub(crate) fn current() -> User {
        User(fs::effective_uid())
    }

    /// Whether a file with this metadata has to be replaced to get the wanted metadata, and replacing it gives it that owner.
    pub(crate) fn must_replace(self, there: &Metadata, wanted: &Metadata, kind: Kind) -> bool {
        there.uid != self.0 && self.can_make(wanted, kind)
    }

    /// The same for a file of this user's, about its attributes.
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
    fn a_file_of_another_user_is_replaced_if_the_new_one_gets_the_owner() {
        let (ada, root) = (User(7), User(0));
        let must = |user: User, there, wanted, kind| user.must_replace(&owned_by(there, 0), &owned_by(wanted, 0), kind);
        assert!(must(ada, 0, 7, Kind::File) && must(ada, 8, 7, Kind::Symlink) && must(ada, 0, 7, Kind::Fifo));
        assert!(!must(ada, 7, 7, Kind::File) && !must(ada, 0, 0, Kind::File) && !must(ada, 0, 8, Kind::File));
        assert!(!must(ada, 0, 7, Kind::Directory) && !must(ada, 0, 7, Kind::CharDevice));
        assert!(!must(root, 7, 0, Kind::File));
    }

    #[test]
    fn a_file_with_a_capability_that_only_root_can_remove_is_replaced() {
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
    fn a_sticky_directory_of_another_user_keeps_files_in_place() {
        let user = User(7);
        assert!(user.is_kept_out_by(&owned_by(0, 0o1777)));
        assert!(!user.is_kept_out_by(&owned_by(7, 0o1777)) && !user.is_kept_out_by(&owned_by(0, 0o777)));
    }
}
