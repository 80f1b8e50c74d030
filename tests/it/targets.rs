//! Targets: encrypted copies elsewhere.

mod copies;
mod drill;
mod garbage;
mod keys;
mod reader;
mod reading;
mod repairing;
mod restoring;
mod status;
mod storage;
mod streams;
