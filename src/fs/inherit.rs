//! Owner, group and access of a repository's own files: each new one takes them from the folder that it is made in. So what
//! root writes into somebody's repository stays usable for its owner, and what one member of a group writes for the others.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind as Cause;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::{Errno, retry_on_intr};

use crate::error::{Error, Result};
use crate::fs::user::{effective_gid, effective_uid};

/// Mode bits of a folder whose group shares what is in it: set-group-id, and all rights for the group.
const SHARED: u32 = 0o2070;

/// What a new file or folder takes from the folder that it is made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inherited {
    /// User and group, where they are not those of this process and it may give files away.
    owner: Option<(u32, u32)>,
    /// Whether the folder is shared by its group.
    pub(super) is_shared: bool,
}

impl Inherited {
    /// From a folder by its path, links followed.
    pub(super) fn from_folder(folder: &Path) -> Result<Inherited> {
        let metadata = std::fs::metadata(folder).map_err(|cause| Error::io("stat", folder, cause))?;
        Ok(Inherited::from_stat(metadata.uid(), metadata.gid(), metadata.mode()))
    }

    /// From the user, group and mode of a folder.
    pub(super) fn from_stat(uid: u32, gid: u32, mode: u32) -> Inherited {
        let is_root = effective_uid() == 0;
        let owner = (is_root && (uid, gid) != (0, effective_gid())).then_some((uid, gid));
        Inherited { owner, is_shared: mode & SHARED == SHARED }
    }

    /// Gives them to a file that was just made with mode 0600. Where the file system has no owners, it stays as it is.
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
            // The umask does not count.
            rustix::fs::fchmod(made, Mode::from_raw_mode(shared_mode))?;
        }
        Ok(())
    }
}

/// Makes a file of a repository that must not be there yet, for reading and writing: with mode 0600, or 0660 where its
/// folder is shared.
pub fn create_new(path: &Path) -> Result<File> {
    let file = create_private(path)?;
    Inherited::from_folder(parent(path))?
        .apply_to_file(&file)
        .map_err(|errno| Error::io("set the owner of", path, errno.into()))?;
    Ok(file)
}

/// Makes a file with mode 0600 that must not be there yet, for reading and writing.
pub(super) fn create_private(path: &Path) -> Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path).map_err(|cause| Error::io("create", path, cause))
}

/// Opens a file of a repository for reading and writing, and makes it if it is not there. Never through a link, since
/// root may do this in a folder of another user, and without waiting for the other end of a FIFO.
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
            Err(error) if error.is_taken() => {}
            result => return result,
        }
    }
}

/// Makes a folder of a repository, and those above it that are missing: each with mode 0700, or 02770 where the folder that
/// it is made in is shared.
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

/// The directory that a path is in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
