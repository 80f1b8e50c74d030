//! Objects that are held in memory on top of the store: a scan that is not recorded can be compared like a commit.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::Result;
use crate::id::ObjectId;
use crate::object::{ObjectKind, Objects};

/// The store, and what a scan found that is not in it.
pub struct Overlay<'a> {
    /// Looked at second.
    pub below: &'a dyn Objects,
    /// Looked at first.
    pub objects: &'a HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
}

impl Objects for Overlay<'_> {
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
        match self.objects.get(&(kind, id)) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.below.object(kind, id),
        }
    }
}
