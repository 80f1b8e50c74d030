//! Files for other programs to read: a private temporary directory, and programs that convert content.

use std::ffi::OsString;
use std::fs::{DirBuilder, Permissions};
use std::io::ErrorKind as Cause;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

use super::{process_id, read, run_program};

/// A private directory below the directory for temporary files. Dropping it removes it with all its content.
pub struct ScratchDirectory(PathBuf);

impl ScratchDirectory {
    /// Creates an empty directory.
    pub fn new() -> Result<ScratchDirectory> {
        ScratchDirectory::create(|n| std::env::temp_dir().join(format!("undo-{}-{n}", process_id())))
    }

    /// Creates an empty directory beside a path, on the same file system.
    #[cfg_attr(not(feature = "targets"), allow(dead_code, reason = "only targets need it"))]
    pub fn beside(path: &Path) -> Result<ScratchDirectory> {
        let parent = path.ancestors().skip(1).find(|parent| parent.is_dir()).unwrap_or(Path::new("/"));
        ScratchDirectory::create(|n| parent.join(format!(".undo-{}-{n}", process_id())))
    }

    fn create(path: impl Fn(u64) -> PathBuf) -> Result<ScratchDirectory> {
        for n in 0.. {
            let path = path(n);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(ScratchDirectory(path)),
                Err(cause) if cause.kind() == Cause::AlreadyExists => {}
                Err(cause) => return Err(Error::io("make the directory", &path, cause)),
            }
        }
        unreachable!("the numbers do not end")
    }

    /// Path of the directory.
    #[cfg_attr(not(feature = "targets"), allow(dead_code, reason = "only targets need it"))]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in a new directory of this name, and returns its path.
    pub fn write(&self, directory: &str, name: &Path, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.0.join(directory).join(name);
        let parent = path.parent().unwrap_or(&self.0);
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, bytes));
        written.map(|()| path.clone()).map_err(|cause| Error::io("write", &path, cause))
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        if std::fs::remove_dir_all(&self.0).is_err() {
            make_accessible(&self.0);
            // What cannot be removed stays for the system to clean up.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// Gives the owner access to all directories: restored ones have their recorded modes.
fn make_accessible(root: &Path) {
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        let _ = std::fs::set_permissions(&directory, Permissions::from_mode(0o700));
        let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        pending.extend(directories.map(|entry| entry.path()));
    }
}

/// Runs a command of the shell on bytes. Returns its exit status and what it prints.
pub fn convert(command: &str, bytes: &[u8]) -> Result<(u8, Vec<u8>)> {
    let scratch = ScratchDirectory::new()?;
    let input = scratch.write("in", Path::new("content"), bytes)?;
    let output = scratch.write("out", Path::new("content"), b"")?;
    let script = format!("exec <\"$1\" >\"$2\"; shift 2; {command}");
    let words = ["sh", "-c", &script, "sh"].map(OsString::from).into_iter();
    let ended = run_program(&words.chain([input.into(), output.clone().into()]).collect::<Vec<_>>(), &[])?;
    Ok((ended.exit, read(&output)?.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_convert_bytes() {
        let long = vec![b'a'; 1 << 20];
        assert!(convert("tr a b", &long).unwrap() == (0, vec![b'b'; 1 << 20]));
        assert_eq!(convert("echo $#; exit 3", b"").unwrap(), (3, b"0\n".to_vec()));
    }

    #[test]
    fn scratch_directories_are_removed() {
        let scratch = ScratchDirectory::new().unwrap();
        let path = scratch.write("old", Path::new("a b"), b"text").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"text");
        drop(scratch);
        assert!(!path.exists());
    }
}
