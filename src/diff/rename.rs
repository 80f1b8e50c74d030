//! Renames: a deleted and an added path with one content.
