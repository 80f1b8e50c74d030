//! The store: objects by id. The one door to them; packs, compression and chunks are its own business.
//!
//! [`Store`] finds and reads, [`Session`] writes, merging and checking work on whole packs. Nothing that is written is part
//! of the repository before the journal names its packs (`docs/format.md`, "Write order").

mod blob;
mod cache;
mod catalog;
mod check;
mod compaction;
mod compress;
mod listing;
mod pack;
mod pack_set;
mod readability;
mod reader;
mod reflink_pack;
mod session;
mod tally;
#[cfg(test)]
mod tests;
mod writer;

pub use blob::BlobReader;
pub use check::{Broken, Contents};
pub use compress::Compression;
pub use listing::Packed;
pub use pack_set::{Location, Options, Store};
pub use readability::Outgoing;
pub use reader::Reader;
pub use reflink_pack::Adoption;
pub use session::{Session, Stored};
pub use writer::Writer;
