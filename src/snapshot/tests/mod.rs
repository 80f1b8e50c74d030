//! Tests of the whole room.

mod file;
mod take;
