//! A lock represented by a file that exists while the lock is held, for file systems without locks: NFS without lockd,
//! Lustre without `-o flock`.
//!
//! Such a file outlives a killed process. It is taken over only if it was created on this running system, in the same
//! process namespace, and its process no longer exists. Otherwise the user must remove it.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::fs::{TempFile, boot_id, host_name, is_running, process_id, process_namespace};
use crate::fs::{read, remove_file, rename, write_all};

/// A lock file of this process; removed on drop.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
    text: Vec<u8>,
}

/// Number of attempts while other processes take and release the lock.
const ATTEMPTS: u32 = 10;

/// Path of the lock file that represents the lock on `path`.
pub(super) fn path_for(path: &Path) -> PathBuf {
    with_suffix(path, ".held")
}

impl LockFile {
    /// Creates the lock file; `None` if another process has it. `text` has a line with the process id; the system and
    /// namespace in which that id is valid are appended.
    pub(super) fn acquire(path: &Path, text: &str) -> Result<Option<LockFile>> {
        let text = format!("{text}{}", origin()).into_bytes();
        for _ in 0..ATTEMPTS {
            let staged = TempFile::beside(path)?;
            write_all(staged.file(), &text)?;
            if staged.rename_new(path)? {
                return Ok(Some(LockFile { path: path.to_owned(), text }));
            }
            match read(path)? {
                Some(found) if is_abandoned(&found) => remove_abandoned(path, &found)?,
                Some(_) => return Ok(None),
                None => {}
            }
        }
        Ok(None)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Keep the file if a user has removed it and another process has created a new one since.
        if matches!(read(&self.path), Ok(Some(text)) if text == self.text) {
            let _ = remove_file(&self.path);
        }
    }
}

/// The system and namespace in which a process id is valid.
fn origin() -> String {
    let boot = u128::from_be_bytes(boot_id());
    format!("host {}\nboot {boot:032x}\nnamespace {}\n", host_name(), process_namespace().unwrap_or_default())
}

/// Whether the process that created a lock file ran on this system and no longer exists.
fn is_abandoned(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let pid = text.lines().find_map(|line| line.strip_prefix("pid ")?.parse().ok());
    let is_known = boot_id() != [0; 16] && process_namespace().is_some();
    is_known && text.ends_with(&origin()) && pid.is_some_and(|pid| !is_running(pid))
}

/// Moves the file away before removing it, and moves it back if another process has replaced it meanwhile.
fn remove_abandoned(path: &Path, text: &[u8]) -> Result<()> {
    let aside = with_suffix(path, &format!(".{}.tmp", process_id()));
    match rename(path, &aside) {
        Err(error) if error.is_not_found() => return Ok(()),
        result => result?,
    }
    match read(&aside)? {
        Some(found) if found != text => rename(&aside, path),
        _ => remove_file(&aside),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abandoned(pid: u32) -> String {
        format!("pid {pid}\nsince 2026-01-01T00:00:00Z\ncommand undo commit\n{}", origin())
    }

    #[test]
    fn a_lock_file_is_exclusive_and_removed_by_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock.held");
        let first = LockFile::acquire(&path, &format!("pid {}\n", process_id())).unwrap().unwrap();
        assert!(LockFile::acquire(&path, "pid 1\n").unwrap().is_none());
        std::fs::write(&path, "another process").unwrap();
        drop(first);
        assert!(LockFile::acquire(&path, "pid 1\n").unwrap().is_none());
        std::fs::remove_file(&path).unwrap();
        drop(LockFile::acquire(&path, "pid 1\n").unwrap().unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_lock_files_of_dead_local_processes_are_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock.held");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        let other_boot = abandoned(dead).replace("boot ", "boot f");
        let other_host = abandoned(dead).replace("host ", "host x");
        for (text, is_taken) in [
            (abandoned(dead), true),
            (abandoned(process_id()), false),
            (other_boot, false),
            (other_host, false),
            (String::new(), false),
        ] {
            std::fs::write(&path, &text).unwrap();
            assert_eq!(LockFile::acquire(&path, "pid 1\n").unwrap().is_some(), is_taken, "{text}");
        }
    }
}
