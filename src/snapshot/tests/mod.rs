//! Tests of the whole room.

mod file;
mod late;
mod rechunk;
mod record;
