//! Tests of scans, of the index and of reading content.

mod content;
mod count;
mod index;
mod scan;
