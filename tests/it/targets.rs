//! Targets: encrypted copies elsewhere.

mod copies;
mod streams;
