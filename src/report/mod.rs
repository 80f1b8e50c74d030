//! Records: what each command reports, as JSON and as text. `docs/json.md` is the contract of the JSON.

pub mod alarms;
pub mod changes;
pub mod checkouts;
pub mod commits;
pub mod entries;
pub mod exports;
pub mod fields;
pub mod log;
pub mod objects;
pub mod operations;
pub mod packs;
pub mod patch;
pub mod place;
pub mod plain;
pub mod refs;
pub mod runs;
pub mod tree_changes;
pub mod tree_lines;
pub mod verify;

pub use crate::terminal::json::{End, JsonPath, JsonReason, Report, Why, base64, json_id, json_paths, json_reasons};
