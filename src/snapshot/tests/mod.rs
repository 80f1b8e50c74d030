//! Tests of the whole room.

mod file;
mod guide;
mod take;
