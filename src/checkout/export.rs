//! Export: a commit written into a new directory or a tar stream; no repository changes.
