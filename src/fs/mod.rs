//! The operating system: the only module that uses `std::fs`, rustix and `unsafe`. Its errors name the path.
//!
//! The worktree is accessed through a [`Dir`] and names in it, because no link may be followed there, and the files of the
//! repository by path. Open files are [`std::fs::File`] values, passed to the functions of this module.

mod atomic;
mod attributes;
mod background;
mod block_file;
mod dir;
mod dir_ops;
mod environment;
mod errno;
mod file;
mod handle;
mod holders;
mod inherit;
mod interrupt;
mod lease;
mod limits;
mod lock;
mod lock_file;
mod paths;
mod process;
mod random;
mod read_lock;
mod readahead;
mod scratch;
mod signal;
mod sparse;
mod stat;
#[cfg(test)]
mod tests;
mod timed_stdin;
mod uncached;
mod user;

#[cfg(feature = "targets")]
pub use atomic::write_private;
pub use atomic::{AtomicFile, TempFile, write_atomic, write_like};
pub use attributes::{Xattrs, file_xattrs, set_file_mode, set_file_mtime, set_file_owner, set_file_xattr, touch_file};
pub use background::become_background;
pub use block_file::{BlockFile, Bytes};
pub use dir::{Dir, DirEntry};
pub use dir_ops::{Renamed, UNFINISHED};
pub use environment::variable;
pub use errno::{
    is_gone, is_no_link_possible, is_of_all_entries, is_of_one_entry, is_other_file_system, is_other_kind,
};
pub use file::{
    create_dir_all, exists, list, open, open_any, open_to_write, read, read_any, read_prefix, remove_dir_all,
    remove_empty_dir, remove_file, rename, stat, sync_dir, target_kind,
};
pub use handle::{
    duplicate, file_system_of, flush_mapped_stores, forget_cached, path_of, read_at, read_exact_at, read_next,
    read_to_end_at, set_len, stat_file, sync_all, sync_data, sync_file_systems, too_long, write_all, write_all_at,
};
pub use holders::{FileId, Process, is_locked, locked_inodes, program_of, users_of};
pub use inherit::{create_dir_private, create_new};
pub use interrupt::{AwaitedChild, AwaitedInput, exit_on_interrupt, on_interrupt};
pub use lease::{Writers, writers_of};
pub use limits::{keep_owner_rights, may_keep_files_open, open_file_limit, survive_file_size_limit};
pub use lock::{FileLock, Holder};
pub use paths::{
    WideRoot, above_removed_dir, canonicalize, canonicalize_existing, current_dir, home_dir, is_same_dir, lies_in,
    removed_dir, wide_root,
};
pub use process::{is_program, program_path, run_program};
pub use random::random;
pub use read_lock::ReadLock;
pub use readahead::ReadAhead;
pub use scratch::{ScratchDirectory, convert};
#[cfg(feature = "targets")]
pub use signal::Interrupts;
pub use signal::ignore_stop_key;
pub use sparse::{data_ranges, has_hole, preallocate, punch_hole, reflink};
pub use stat::{Atime, FileSystem, MappedStores, Stat};
pub use timed_stdin::TimedStdin;
pub use uncached::{read_exact_uncached_at, write_all_uncached_at};
pub use user::{
    boot_id, effective_uid, host_name, is_running, name_of_group, name_of_user, process_id, process_namespace,
    user_name,
};
