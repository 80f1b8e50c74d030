//! Objects that a store lacks and reads from elsewhere.

use std::sync::Arc;

use crate::error::Result;
use crate::id::{CommitId, ObjectId};
use crate::object::ObjectKind;

/// Reads the first of these objects; `None` if it does not exist. The bytes are verified. The other objects are likely to be read
/// next.
type Fetch = dyn Fn(ObjectKind, &[ObjectId]) -> Result<Option<Arc<[u8]>>> + Send + Sync;

/// Where a store reads the objects that it lacks. Such a store is only for reading.
#[cfg_attr(not(feature = "targets"), allow(dead_code, reason = "only targets need it"))]
pub struct Elsewhere {
    /// The commits to find by a prefix of their id, sorted. The store finds no others.
    pub commits: Vec<CommitId>,
    /// Reads an object.
    pub fetch: Box<Fetch>,
}
