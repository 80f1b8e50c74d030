//! Handles the limits that a process inherits.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::Mode;
use rustix::process::umask;

use crate::fs::signal::{Handlers, pass};

/// Limit of open files from which on files may be kept open. Almost every system allows this many; 1024 is the default.
const MANY_FILES: usize = 256;

/// Maximum number of files that this process may have open. Where a sandbox hides the limit, a low one is assumed.
pub fn open_file_limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the call writes to `limit` only.
        #[expect(unsafe_code, reason = "rustix panics where the call fails")]
        let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
        if result == 0 { usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX) } else { MANY_FILES }
    })
}

/// Whether to keep files open that could be opened again. `false` if the limit of open files is low.
pub fn may_keep_files_open() -> bool {
    open_file_limit() >= MANY_FILES
}

/// Inherited umask. The initial value is not a valid umask, which has permission bits only.
static INHERITED: AtomicU32 = AtomicU32::new(u32::MAX);

/// Makes new files usable by their owner, even with a umask such as 0777.
pub fn keep_owner_rights() {
    let inherited = umask(Mode::RWXG | Mode::RWXO);
    umask(inherited & !Mode::RWXU);
    if inherited.intersects(Mode::RWXU) {
        INHERITED.store(inherited.bits(), Ordering::Relaxed);
    }
}

/// Calls `start`, which starts another program, with the inherited umask. Must not be called by two threads at once.
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

/// Makes a write beyond `ulimit -f` fail with an error instead of killing the process.
pub fn survive_file_size_limit() {
    // A handler rather than "ignore", because programs started later do not inherit a handler.
    std::mem::forget(Handlers::install(&[libc::SIGXFSZ], pass));
}
