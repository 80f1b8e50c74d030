//! Whether what is to be durable is flushed. Always, unless the user has said that it need not be: then a command ends
//! before the disk has what it wrote, and a power cut may leave less than was acknowledged.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// From here on nothing is flushed by this process.
pub fn give_up_durability() {
    IS_GIVEN_UP.store(true, Ordering::Relaxed);
}

pub(super) fn is_given_up() -> bool {
    IS_GIVEN_UP.load(Ordering::Relaxed)
}
