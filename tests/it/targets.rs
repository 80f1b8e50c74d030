//! Targets: encrypted copies elsewhere.

mod copies;
mod reader;
mod reading;
mod streams;
