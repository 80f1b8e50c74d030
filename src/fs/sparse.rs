//! Holes of a file, and space asked for ahead.
