//! Targets: encrypted copies elsewhere.

mod append_only;
mod automatic;
mod bad_storage;
pub mod copies;
mod damaged;
mod drill;
mod faults;
mod forgetting;
mod garbage;
mod interrupted;
mod keys;
mod machine;
mod place;
mod reader;
mod reading;
mod repairing;
mod restoring;
mod settings;
mod soak;
mod stats;
mod status;
mod storage;
mod streams;
