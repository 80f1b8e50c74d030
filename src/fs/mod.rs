//! The operating system: the only room with `std::fs`, rustix and `unsafe`. Errors name the path by themselves.

mod atomic;
mod attributes;
mod dir;
mod file;
mod lock;
mod map;
mod sparse;
mod stat;

pub use atomic::write_atomic;
pub use dir::{Dir, DirEntry};
pub use file::{append, create_dir_private, exists, list, read, remove_file, sync_dir};
pub use lock::{FileLock, Holder};
pub use map::Map;
pub use stat::{FileSystem, Stat};
