//! Applies owner, extended attributes, mode and time, in the order in which none undoes another: a change of owner clears
//! set-user-id bits and capabilities, an ACL determines the meaning of the group bits of the mode, and the time is last.

use std::fs::File;

use crate::error::Result;
use crate::fs::{self, Atime, Dir, Stat};
use crate::metadata::{Kind, Metadata};
use crate::time::Timestamp;

/// Name and value of an extended attribute.
pub(super) type Xattr = (Vec<u8>, Vec<u8>);

/// The access ACL. Directories also have a default ACL for new entries.
const ACCESS_ACL: &[u8] = b"system.posix_acl_access";
/// Set by the security policy of the system. Never removed.
pub(crate) const LABEL: &[u8] = b"security.selinux";
/// Set-user-id and set-group-id.
const SET_ID: u16 = 0o6000;

/// The entry to change: a name in a directory, and the file itself if it is open.
pub(super) struct Subject<'s> {
    /// Parent directory.
    pub directory: &'s Dir,
    /// Name in the directory.
    pub name: &'s [u8],
    /// The open file.
    pub file: Option<&'s File>,
    /// How to leave its access time unchanged.
    pub atime: Atime,
    /// Whether this is a link on a file system that would change the link's target.
    pub follows_links: bool,
}

/// Applies the metadata and attributes that differ from the current ones. `now` is the current stat; `xattrs` `None` keeps the
/// attributes. Returns what could not be applied, with reasons.
pub(super) fn apply_metadata(
    subject: &Subject<'_>,
    now: &Stat,
    metadata: &Metadata,
    xattrs: Option<&[Xattr]>,
) -> Vec<String> {
    let mut failed = Vec::new();
    if subject.follows_links {
        // The link's target must not be changed: it may be outside the worktree.
        let wanted = Metadata { mode: now.metadata.mode, ..*metadata };
        if now.metadata != wanted {
            failed.push("owner and time (this file system sets those of a link on its target)".to_owned());
        }
        return failed;
    }
    let mut mode = metadata.mode;
    let mut is_mode_known = true;
    let (uid, gid) = (metadata.uid, metadata.gid);
    if (now.metadata.uid, now.metadata.gid) != (uid, gid) {
        is_mode_known = false;
        if let Err(error) = subject.set_owner(uid, gid) {
            failed.push(format!("owner {uid}:{gid} ({})", error.reason()));
            // A set-id program must not run with the privileges of the user who restored it.
            if mode & SET_ID != 0 {
                mode &= !SET_ID;
                failed.push(format!("mode {:04o} (without its owner)", metadata.mode));
            }
            let _ = subject.set_owner(now.metadata.uid, gid);
        }
    }
    if let Some(xattrs) = xattrs {
        is_mode_known &= subject.set_xattrs(xattrs, &mut failed);
    }
    if now.kind != Kind::Symlink && (!is_mode_known || now.metadata.mode != mode) {
        note(&mut failed, || format!("mode {mode:04o}"), subject.set_mode(mode));
    }
    let acl = xattrs.unwrap_or_default().iter().find(|(key, _)| key == ACCESS_ACL);
    if let Some((key, value)) = acl {
        note(&mut failed, || key.escape_ascii().to_string(), subject.set_xattr(key, value));
    }
    // Keep the correct time of an existing file, so that a concurrent write shows.
    if now.metadata.mtime != metadata.mtime || subject.file.is_some() {
        note(&mut failed, || "time".to_owned(), subject.set_mtime(metadata.mtime));
    }
    failed
}

fn note(failed: &mut Vec<String>, what: impl FnOnce() -> String, result: Result<()>) {
    if let Err(error) = result {
        failed.push(format!("{} ({})", what(), error.reason()));
    }
}

impl Subject<'_> {
    fn set_owner(&self, uid: u32, gid: u32) -> Result<()> {
        match self.file {
            Some(file) => fs::set_file_owner(file, uid, gid),
            None => self.directory.set_owner(self.name, uid, gid),
        }
    }

    fn set_mode(&self, mode: u16) -> Result<()> {
        match self.file {
            Some(file) => fs::set_file_mode(file, mode),
            None => self.directory.set_mode(self.name, mode),
        }
    }

    fn set_mtime(&self, mtime: Timestamp) -> Result<()> {
        match self.file {
            Some(file) => fs::set_file_mtime(file, mtime, self.atime),
            None => self.directory.set_mtime(self.name, mtime, self.atime),
        }
    }

    fn set_xattr(&self, key: &[u8], value: &[u8]) -> Result<()> {
        match self.file {
            Some(file) => fs::set_file_xattr(file, key, value),
            None => self.directory.set_xattr(self.name, key, value),
        }
    }

    fn xattrs(&self) -> Result<Vec<Xattr>> {
        match self.file {
            Some(file) => fs::file_xattrs(file),
            None => self.directory.xattrs(self.name),
        }
    }

    /// Sets the attributes except the access ACL, which comes after the mode. Returns whether the mode is unchanged.
    fn set_xattrs(&self, wanted: &[Xattr], failed: &mut Vec<String>) -> bool {
        let there = match self.xattrs() {
            Ok(there) => there,
            Err(error) => {
                failed.push(format!("attributes ({})", error.reason()));
                Vec::new()
            }
        };
        let is_same = there == wanted;
        for (key, _) in there.iter().filter(|(key, _)| key != LABEL) {
            if !wanted.iter().any(|(other, _)| other == key) {
                let what = || format!("without {}", key.escape_ascii());
                note(failed, what, self.directory.remove_xattr(self.name, key));
            }
        }
        for xattr in wanted.iter().filter(|xattr| xattr.0 != ACCESS_ACL && !there.contains(xattr)) {
            note(failed, || xattr.0.escape_ascii().to_string(), self.set_xattr(&xattr.0, &xattr.1));
        }
        is_same
    }
}
