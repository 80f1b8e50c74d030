//! Directories that use a repository, as recorded in the journal.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::id::DirectoryId;
use crate::object::fields;

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

    /// Encodes id, flags, path, device, inode, owner, machine and branch.
    pub fn put(&self, id: DirectoryId, encoder: &mut Encoder) {
        encoder.raw(&id.0).u8(u8::from(self.branch.is_some())).bytes(&self.path);
        encoder.varint(self.device).varint(self.inode).varint(self.uid.into()).bytes(self.host.as_bytes());
        if let Some(branch) = &self.branch {
            encoder.bytes(branch.as_bytes());
        }
    }

    /// Decodes a directory and its id.
    pub fn take(decoder: &mut Decoder<'_>) -> Result<(DirectoryId, Directory)> {
        let id = DirectoryId(decoder.array()?);
        let [has_branch] = fields::take_flags(decoder)?;
        let path = decoder.bytes()?.to_vec();
        if !path.starts_with(b"/") {
            return Err(decoder.invalid("a directory without an absolute path"));
        }
        let (device, inode) = (decoder.varint()?, decoder.varint()?);
        let uid = u32::try_from(decoder.varint()?).map_err(|_| decoder.invalid("invalid user id"))?;
        let host = decoder.text()?;
        let branch = if has_branch { Some(decoder.text()?) } else { None };
        Ok((id, Directory { path, device, inode, uid, host, branch }))
    }
}
