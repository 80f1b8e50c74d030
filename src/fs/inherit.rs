//! Owner, group and mode of repository files: each new file takes them from the folder in which it is created. Files
//! that root writes into a user's repository therefore stay usable for the owner, and files of one group member for the
//! others.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind as Cause;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::{Errno, retry_on_intr};

use crate::error::{Error, Result};
use crate::fs::user::{effective_gid, effective_uid};

/// Mode bits of a folder that is shared with its group: set-group-id, and all permissions for the group.
const SHARED: u32 = 0o2070;

/// Attributes that a new file or folder inherits from its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inherited {
    /// User and group, if they differ from those of this process and it may give files away.
    owner: Option<(u32, u32)>,
    /// Whether the folder is shared with its group.
    pub(super) is_shared: bool,
}

impl Inherited {
    /// Reads the attributes of the folder at a path; follows links.
    pub(super) fn from_folder(folder: &Path) -> Result<Inherited> {
        let metadata = std::fs::metadata(folder).map_err(|cause| Error::io("stat", folder, cause))?;
        Ok(Inherited::from_stat(metadata.uid(), metadata.gid(), metadata.mode()))
    }

    /// Derives the attributes from the user, group and mode of a folder.
    pub(super) fn from_stat(uid: u32, gid: u32, mode: u32) -> Inherited {
        let is_root = effective_uid() == 0;
        let owner = (is_root && (uid, gid) != (0, effective_gid())).then_some((uid, gid));
        Inherited { owner, is_shared: mode & SHARED == SHARED }
    }

    /// Applies the attributes to a file that was just created with mode 0600. Changes nothing on a file system without
    /// owners.
    pub(super) fn apply_to_file(self, file: impl AsFd) -> rustix::io::Result<()> {
        self.apply(&file, 0o660)
    }

    fn apply(self, made: &impl AsFd, shared_mode: u32) -> rustix::io::Result<()> {
        if let Some((uid, gid)) = self.owner {
            match rustix::fs::fchown(made, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))) {
                Ok(()) | Err(Errno::PERM | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => {}
                Err(errno) => return Err(errno),
            }
        }
        if self.is_shared {
            // `chmod` is not affected by the umask.
            rustix::fs::fchmod(made, Mode::from_raw_mode(shared_mode))?;
        }
        Ok(())
    }
}

/// Creates a repository file for reading and writing, with mode 0600, or 0660 in a shared folder. Fails if it exists.
pub fn create_new(path: &Path) -> Result<File> {
    let file = create_private(path)?;
    Inherited::from_folder(parent(path))?
        .apply_to_file(&file)
        .map_err(|errno| Error::io("set the owner of", path, errno.into()))?;
    Ok(file)
}

/// Creates a file with mode 0600 for reading and writing. Fails if it exists.
pub(super) fn create_private(path: &Path) -> Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path).map_err(|cause| Error::io("create", path, cause))
}

/// Opens a repository file for reading and writing; creates it if it does not exist. Never follows a link, since root
/// may do this in another user's folder, and never waits for the other end of a FIFO.
pub(super) fn open_or_create(path: &Path) -> Result<File> {
    loop {
        let mut options = std::fs::OpenOptions::new();
        options
            .read(true)
            .write(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
        match options.open(path) {
            Err(cause) if cause.kind() == Cause::NotFound => {}
            result => return result.map_err(|cause| Error::io("open", path, cause)),
        }
        match create_new(path) {
            Err(error) if error.already_exists() => {}
            result => return result,
        }
    }
}

/// Creates a repository folder and its missing parents, each with mode 0700, or 02770 if its parent folder is shared.
pub fn create_dir_private(path: &Path) -> Result<()> {
    let failed = |cause| Error::io("make the directory", path, cause);
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(cause) if cause.kind() == Cause::AlreadyExists && path.is_dir() => return Ok(()),
        Err(cause)
            if cause.kind() == Cause::NotFound
                && path.parent().is_some_and(|above| !above.as_os_str().is_empty() && !above.exists()) =>
        {
            create_dir_private(parent(path))?;
            return create_dir_private(path);
        }
        Err(cause) => return Err(failed(cause)),
    }
    let inherited = Inherited::from_folder(parent(path))?;
    if inherited.owner.is_none() && !inherited.is_shared {
        return Ok(());
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty())).map_err(|errno| failed(errno.into()))?;
    inherited.apply(&made, 0o2770).map_err(|errno| Error::io("set the owner of", path, errno.into()))
}

/// Parent directory of a path.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
