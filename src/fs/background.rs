//! Lets a process continue in the background.

/// Detaches this process from its terminal and gives it the lowest priority for processor and disk. What the system does
/// not support is left as it is.
pub fn become_background() {
    let _ = rustix::process::setsid();
    let _ = rustix::process::setpriority_process(None, 19);
    set_idle_io();
}

/// Sets the class of disk access "idle": only when no other process needs the disk.
fn set_idle_io() {
    const WHO_PROCESS: libc::c_int = 1;
    const IDLE: libc::c_int = 3 << 13;
    // SAFETY: the call has no pointer arguments.
    #[expect(unsafe_code, reason = "the C library has no function for this call")]
    unsafe {
        libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, IDLE);
    }
}
