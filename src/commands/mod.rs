//! One file a command: open, resolve, do, show.
