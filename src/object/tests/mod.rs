//! Laws of all objects: round trip, refusal of every truncation and of what is not canonical, golden bytes.

mod golden;
mod lazy_node;
mod lists;
mod refusals;
mod round_trip;
pub mod samples;
