//! Tests of scans, of the index and of reading content.

mod content;
mod index;
mod scan;
