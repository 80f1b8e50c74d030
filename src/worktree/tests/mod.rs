//! Tests of the whole room.

mod index;
mod scan;
