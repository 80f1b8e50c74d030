//! Limits that a process inherits, and what it does about them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::c_int;
use rustix::fs::Mode;
use rustix::process::{Resource, getrlimit, umask};

use crate::fs::signal::Handlers;

/// Files that a process may have open almost everywhere; 1024 by default.
const MANY_FILES: usize = 256;

/// How many files this process may have open.
pub fn open_file_limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    let limit = || getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    *LIMIT.get_or_init(|| limit().unwrap_or(usize::MAX))
}

/// Whether files may be kept open that could be opened again: not where a process may have few.
pub fn may_keep_files_open() -> bool {
    open_file_limit() >= MANY_FILES
}

/// The umask before it was changed; no umask has other bits than permissions.
static INHERITED: AtomicU32 = AtomicU32::new(u32::MAX);

/// From now on what this process creates is usable by its owner, even with a umask such as 0777.
pub fn keep_owner_rights() {
    let inherited = umask(Mode::RWXG | Mode::RWXO);
    umask(inherited & !Mode::RWXU);
    if inherited.intersects(Mode::RWXU) {
        INHERITED.store(inherited.bits(), Ordering::Relaxed);
    }
}

/// Runs something under the umask that this process inherited: starting another program. Not for two threads at once.
pub(super) fn with_inherited_umask<T>(start: impl FnOnce() -> T) -> T {
    match INHERITED.load(Ordering::Relaxed) {
        u32::MAX => start(),
        inherited => {
            let own = umask(Mode::from_bits_truncate(inherited));
            let result = start();
            umask(own);
            result
        }
    }
}

/// From now on a file that would become larger than `ulimit -f` permits is an error of the write, and not the end of the
/// process.
pub fn survive_file_size_limit() {
    // A handler, and not "ignore": a program that is started does not inherit it.
    std::mem::forget(Handlers::place(&[libc::SIGXFSZ], pass));
}

extern "C" fn pass(_: c_int) {}
