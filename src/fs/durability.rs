//! Whether what is to be durable is flushed. Always, unless the user has said that it need not be: then a command ends
//! before the disk has what it wrote, and a power cut may leave less than was acknowledged.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// From here on nothing is flushed by this process.
pub fn give_up_durability() {
    IS_GIVEN_UP.store(true, Ordering::Relaxed);
}

/// Whether this process flushes nothing.
pub fn is_given_up() -> bool {
    IS_GIVEN_UP.load(Ordering::Relaxed)
}

/// Flushes every file system there is. It tells of no failure: each that matters is to be flushed by itself too.
pub fn sync_file_systems() {
    if !is_given_up() {
        rustix::fs::sync();
    }
}
