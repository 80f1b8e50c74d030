//! Tests of the whole room.

mod file;
mod splice;
mod take;
