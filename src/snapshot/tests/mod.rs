//! Tests of the whole room.

mod file;
mod rechunk;
mod record;
