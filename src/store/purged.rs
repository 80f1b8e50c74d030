//! Purged blobs: content that the store must not read, whether or not its bytes still exist.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::id::BlobId;

/// The purged blobs with their sizes.
#[derive(Clone, Debug, Default)]
pub struct PurgedBlobs(Arc<Blobs>);

#[derive(Debug, Default)]
struct Blobs {
    sizes: HashSet<u64>,
    blobs: HashMap<BlobId, u64>,
}

impl PurgedBlobs {
    /// Creates the list from ids and sizes.
    pub fn new(blobs: impl Iterator<Item = (BlobId, u64)>) -> PurgedBlobs {
        let blobs: HashMap<BlobId, u64> = blobs.collect();
        PurgedBlobs(Arc::new(Blobs { sizes: blobs.values().copied().collect(), blobs }))
    }

    /// Whether a blob was purged.
    pub fn contains(&self, blob: BlobId) -> bool {
        self.0.blobs.contains_key(&blob)
    }

    /// The size of a purged blob.
    pub fn size(&self, blob: BlobId) -> Option<u64> {
        self.0.blobs.get(&blob).copied()
    }

    /// Whether a blob of this size was purged. Content of another size need not be compared.
    pub fn has_size(&self, size: u64) -> bool {
        self.0.sizes.contains(&size)
    }
}
