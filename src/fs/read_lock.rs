//! A shared lock, held by everything that reads a set of files, so that a writer knows whether replaced files are in use.

use std::fs::{File, TryLockError};
use std::io::ErrorKind::Interrupted;
use std::path::{Path, PathBuf};

use crate::fs::file::without_blocking;

/// A shared lock on a file, held until it is dropped. If the file system has no locks, nothing is locked.
#[derive(Debug)]
pub struct ReadLock {
    path: PathBuf,
    file: Option<File>,
}

impl ReadLock {
    /// Takes the lock. Waits only while another process deletes replaced files.
    pub fn acquire(path: &Path) -> ReadLock {
        ReadLock { path: path.to_owned(), file: lock_shared(path) }
    }

    /// Calls `action` while no other process holds the lock, and none can take it. Returns `false` at once, without the call,
    /// if another one holds it or the file system has no locks.
    pub fn exclusively(&mut self, action: impl FnOnce()) -> bool {
        if self.file.take().is_none() {
            return false;
        }
        // NFS grants exclusive locks only on files that are open for writing.
        let file = without_blocking().read(true).write(true).open(&self.path).ok();
        let is_locked = file.as_ref().is_some_and(|file| file.try_lock().is_ok());
        if is_locked {
            action();
        }
        drop(file);
        self.file = lock_shared(&self.path);
        is_locked
    }
}

fn lock_shared(path: &Path) -> Option<File> {
    let file = without_blocking().read(true).open(path).ok()?;
    loop {
        match file.try_lock_shared() {
            Ok(()) => return Some(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(_)) => return None,
        }
        match file.lock_shared() {
            Ok(()) => return Some(file),
            Err(cause) if cause.kind() == Interrupted => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusive_only_without_other_readers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("format");
        std::fs::write(&path, "").unwrap();
        let (mut writer, reader) = (ReadLock::acquire(&path), ReadLock::acquire(&path));
        assert!(!writer.exclusively(|| panic!("a reader holds the lock")));
        drop(reader);
        let mut is_called = false;
        assert!(writer.exclusively(|| {
            is_called = true;
            assert!(File::open(&path).unwrap().try_lock_shared().is_err(), "no reader can begin");
        }));
        assert!(is_called);
        assert!(!ReadLock::acquire(&path).exclusively(|| ()), "the writer reads again");
    }

    #[test]
    fn missing_file_is_not_locked() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!ReadLock::acquire(&folder.path().join("none")).exclusively(|| ()));
    }
}
