//! Reads objects from elsewhere that the packs lack.

use std::sync::Arc;

use super::elsewhere::Elsewhere;
use super::pack_set::Store;
use crate::error::Result;
use crate::id::{IdPrefix, ObjectId};
use crate::object::ObjectKind;

#[cfg_attr(not(feature = "targets"), allow(dead_code, reason = "only targets need it"))]
impl Store {
    /// From now on reads objects that the store lacks from elsewhere.
    pub fn set_elsewhere(&mut self, elsewhere: Elsewhere) {
        self.elsewhere = Some(elsewhere);
    }

    /// Whether the store reads what it lacks from elsewhere.
    pub(super) fn has_elsewhere(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Reads the first of these objects from elsewhere; `None` if it does not exist there.
    pub(super) fn fetch(&self, kind: ObjectKind, ids: &[ObjectId]) -> Result<Option<Arc<[u8]>>> {
        self.elsewhere.as_ref().map_or(Ok(None), |elsewhere| (elsewhere.fetch)(kind, ids))
    }

    /// Reads the first of these objects from elsewhere, unless the packs have it.
    pub(super) fn fetch_absent(&self, kind: ObjectKind, ids: &[ObjectId]) -> Result<Option<Arc<[u8]>>> {
        let is_absent = self.has_elsewhere() && self.locate(kind, ids[0]).is_none();
        if is_absent { self.fetch(kind, ids) } else { Ok(None) }
    }

    /// Whether an object that the packs lack exists elsewhere.
    pub(super) fn exists_elsewhere(&self, kind: ObjectKind, id: ObjectId) -> bool {
        self.fetch(kind, &[id]).is_ok_and(|found| found.is_some())
    }

    /// Commits elsewhere that match a prefix, at most `limit`.
    pub(super) fn find_elsewhere(&self, prefix: &IdPrefix, limit: usize) -> Option<Vec<ObjectId>> {
        let commits = &self.elsewhere.as_ref()?.commits;
        let matching = commits.iter().filter(|id| prefix.matches(&id.0)).take(limit);
        Some(matching.map(|id| id.object_id()).collect())
    }
}
