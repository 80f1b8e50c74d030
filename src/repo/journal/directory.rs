//! Directories that use a repository, as recorded in the journal.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::object::fields::Field;

/// A directory that uses the repository, at the time of the last command that wrote from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Absolute path.
    pub path: Vec<u8>,
    /// Device of its root.
    pub device: u64,
    /// Inode number of its root.
    pub inode: u64,
    /// User id of the owner of its root.
    pub uid: u32,
    /// Name of the machine that the path is on.
    pub host: String,
    /// Current branch. `None` for the main directory, whose branch is in the view.
    pub branch: Option<String>,
}

impl Directory {
    /// Absolute path.
    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// Whether the roots of both directories have the same device and inode number.
    pub fn is_same_inode(&self, other: &Directory) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// Flags (has a branch), path, device, inode, owner, machine and branch.
impl Field for Directory {
    fn put(&self, encoder: &mut Encoder) {
        encoder.flags(&[self.branch.is_some()]).put(&self.path).put(&self.device).put(&self.inode);
        encoder.put(&self.uid).put(&self.host).put_some(&self.branch);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Directory> {
        let [has_branch] = decoder.flags()?;
        let path: Vec<u8> = decoder.take()?;
        if !path.starts_with(b"/") {
            return Err(decoder.invalid("a directory without an absolute path"));
        }
        Ok(Directory {
            path,
            device: decoder.take()?,
            inode: decoder.take()?,
            uid: decoder.take()?,
            host: decoder.take()?,
            branch: decoder.take_if(has_branch)?,
        })
    }
}
