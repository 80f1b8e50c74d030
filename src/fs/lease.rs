//! Checks whether a file may change right now, by requesting a lease on it.
//!
//! Source: fcntl(2), "Leases". The kernel grants a read lease only while no process has the file open for writing. This
//! includes shared writable mappings whose file descriptor is closed, except on overlayfs, where such a mapping is not
//! counted.

use std::fs::File;
use std::os::fd::AsRawFd;

use libc::c_int;

/// Whether any process may be changing a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// No process has the file open for writing or mapped for shared writing.
    None,
    /// At least one process has.
    Some,
    /// Not known: only the owner and root may take a lease, and some file systems have no leases.
    Unknown,
}

/// Checks whether a process has this file open for writing or mapped for shared writing. The file descriptor must be
/// read-only, and not a duplicate of a writable one. The result is valid only for the moment of the call.
pub fn writers_of(file: &File) -> Writers {
    // If a process opens the file for writing between the last two calls, it waits until the second one, and the kernel
    // signals the lease holder. The default signal would kill this process; this one is ignored by default.
    if control(file, F_SETSIG, libc::SIGURG).is_err() {
        return Writers::Unknown;
    }
    match control(file, libc::F_SETLEASE, libc::F_RDLCK) {
        Ok(()) => match control(file, libc::F_SETLEASE, libc::F_UNLCK) {
            Ok(()) => Writers::None,
            Err(_) => Writers::Unknown,
        },
        Err(cause) if cause.raw_os_error() == Some(libc::EAGAIN) => Writers::Some,
        Err(_) => Writers::Unknown,
    }
}

/// `libc` defines this constant for one architecture only; the value is the same on all (`asm-generic/fcntl.h`).
const F_SETSIG: c_int = 10;

fn control(file: &File, command: c_int, argument: c_int) -> std::io::Result<()> {
    // SAFETY: both commands take a number and touch no memory of this process.
    #[expect(unsafe_code, reason = "leases have no safe form")]
    let result = unsafe { libc::fcntl(file.as_raw_fd(), command, argument) };
    if result == -1 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn writers_and_mappings_are_detected() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("f");
        std::fs::write(&path, [0; 100]).unwrap();
        let reader = File::open(&path).unwrap();
        if writers_of(&reader) == Writers::Unknown {
            // No leases on this file system.
            return;
        }
        assert_eq!(writers_of(&reader), Writers::None);
        let writer = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        assert_eq!(writers_of(&reader), Writers::Some);
        // SAFETY: nothing else changes the file.
        #[expect(unsafe_code, reason = "a memory map has no safe form")]
        let map = unsafe { memmap2::MmapMut::map_mut(&writer) }.unwrap();
        drop(writer);
        assert_eq!(writers_of(&reader), Writers::Some);
        drop(map);
        assert_eq!(writers_of(&reader), Writers::None);
    }

    /// Opens that break the lease thousands of times send no signal that kills the process, and all of them succeed.
    #[test]
    fn leases_do_not_disturb_writers() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("f");
        std::fs::write(&path, b"x").unwrap();
        let reader = File::open(&path).unwrap();
        let is_done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    writers_of(&reader);
                }
            });
            for _ in 0..5_000 {
                OpenOptions::new().write(true).open(&path).unwrap();
            }
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
