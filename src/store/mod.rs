//! The store: objects by id. Packs, compression and chunks are internal to this module.
//!
//! [`Store`] finds and reads objects, [`Session`] writes them; merging and checking work on whole packs. Nothing that
//! was written is part of the repository until the journal names its packs (`docs/format.md`, "Write order").

mod bits;
mod blob;
mod cache;
mod catalog;
mod check;
mod compaction;
mod compress;
mod elsewhere;
mod fetch;
#[cfg(feature = "targets")]
mod incoming;
mod listing;
mod marks;
mod mask;
mod merge;
mod object_set;
#[cfg(feature = "targets")]
mod outgoing;
mod pack;
mod pack_set;
mod punch;
mod purged;
mod readability;
mod reader;
mod reflink_pack;
mod salvage;
mod session;
mod tally;
#[cfg(test)]
mod tests;
mod writer;

pub use check::{BrokenFrame, PackCounts};
pub use compress::Compression;
#[cfg(feature = "targets")]
pub use elsewhere::Elsewhere;
#[cfg(feature = "targets")]
pub use incoming::IncomingFrame;
pub use listing::ListedObject;
pub use marks::{MarkReader, Marks};
pub use mask::{Mask, PackMask};
pub use object_set::ObjectSet;
#[cfg(feature = "targets")]
pub use outgoing::{FrameDecoder, FrameEncoder, OutgoingFrame, OutgoingObject};
pub use pack::Location;
#[cfg(feature = "targets")]
pub use pack_set::is_empty_data;
pub use pack_set::{Options, Store};
pub use purged::PurgedBlobs;
pub use readability::Outgoing;
pub use reader::Reader;
pub use reflink_pack::ReflinkCopy;
pub use session::{Session, Stored};
pub use writer::Writer;
