//! The store: objects by id. The one door to them; packs, compression and chunks are its own business.
//!
//! [`Store`] finds and reads, [`Session`] writes, merging and checking work on whole packs. Nothing that is written is part
//! of the repository before the journal names its packs (`docs/format.md`, "Write order").

mod adoption;
mod blob;
mod cache;
mod catalog;
mod check;
mod compress;
mod doubt;
mod listing;
mod merge;
mod pack;
mod reader;
mod session;
mod set;
mod tally;
#[cfg(test)]
mod tests;
mod writer;

pub use adoption::Adoption;
pub use check::{Broken, Contents};
pub use compress::Compression;
pub use doubt::Going;
pub use listing::Packed;
pub use reader::Reader;
pub use session::{Session, Stored};
pub use set::{Location, Options, Store};
pub use writer::Writer;
