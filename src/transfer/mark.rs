//! Finds everything that the commits of a target need.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ObjectId};
use crate::object::references::{Reference, has_references, references};
use crate::object::{ObjectKind, Objects};
use crate::progress::Task;
use crate::store::{Store, is_empty_data};
use crate::target::{Records, Target};

use super::download::{self, Wanted};

/// Number of objects that are read together.
const TOGETHER: usize = 4096;

/// A search for the objects that commits need.
pub struct Marker<'t> {
    target: &'t Target,
    /// Objects that this store has need not be downloaded.
    local: Option<&'t Store>,
    records: &'t Records,
    connections: usize,
    /// For each record, whether its object is needed.
    needed: Vec<bool>,
    /// Errors for objects that the target lacks.
    missing: Vec<Error>,
}

/// Maximum number of missing objects to report.
const MANY: usize = 100;

impl<'t> Marker<'t> {
    /// Begins a search. Nothing is needed yet.
    pub fn new(target: &'t Target, local: Option<&'t Store>, records: &'t Records, connections: usize) -> Marker<'t> {
        let needed = vec![false; records.as_slice().len()];
        Marker { target, local, records, connections, needed, missing: Vec::new() }
    }

    /// Marks everything that all commits of the target need, except content that their directories have purged.
    pub fn mark_all(&mut self, task: &dyn Task) -> Result<()> {
        for stream in self.target.state().streams.values() {
            let purged: BTreeSet<BlobId> = stream.view.purged.keys().copied().collect();
            let commits = stream.commits.iter().map(|id| Reference::Object(ObjectKind::Commit, id.object_id()));
            self.mark(commits, &purged, task)?;
        }
        Ok(())
    }

    /// Marks objects and everything that they need, except parents of commits and `purged` content. `task` counts objects.
    pub fn mark(
        &mut self,
        objects: impl Iterator<Item = Reference>,
        purged: &BTreeSet<BlobId>,
        task: &dyn Task,
    ) -> Result<()> {
        let mut pending: Vec<Reference> = objects.collect();
        while !pending.is_empty() {
            let part = pending.split_off(pending.len().saturating_sub(TOGETHER));
            task.add(part.len() as u64)?;
            let mut wanted = Vec::new();
            for reference in part {
                if matches!(reference, Reference::Blob(blob) if purged.contains(&blob)) {
                    continue;
                }
                if let Some(found) = self.mark_one(reference) {
                    match self.local_bytes(found.kind, found.id) {
                        Some(bytes) => references(found.kind, found.id, &bytes, &mut |found| pending.push(found))?,
                        None => wanted.push(found),
                    }
                }
            }
            let read = download::download(
                self.target,
                &mut wanted,
                self.connections,
                task,
                || (),
                |(), wanted, bytes| {
                    let mut found = Vec::new();
                    references(wanted.kind, wanted.id, bytes, &mut |reference| found.push(reference))?;
                    Ok(found)
                },
            )?;
            pending.extend(read.into_iter().flatten());
        }
        Ok(())
    }

    /// Marks an object. Returns where it is if it is new and refers to others.
    fn mark_one(&mut self, reference: Reference) -> Option<Wanted> {
        let (kind, id) = match reference {
            Reference::Object(kind, id) => (kind, id),
            Reference::Blob(blob) => (ObjectKind::Data, blob.object_id()),
        };
        let names = self.target.keyring();
        let mut found = self.records.find(names.name(kind, id)).map(|number| (kind, number));
        if let (Reference::Blob(_), None) = (reference, found) {
            let layout = self.records.find(names.name(ObjectKind::Layout, id));
            found = layout.map(|number| (ObjectKind::Layout, number));
        }
        let Some((kind, number)) = found else {
            // Every target has the empty content, and none stores it.
            if !is_empty_data(kind, id) && self.missing.len() < MANY {
                let message = format!("the target lacks {} `{id}`, which a commit needs", kind.word());
                self.missing.push(Error::new(ErrorKind::Damaged, message));
            }
            return None;
        };
        let is_new = !std::mem::replace(&mut self.needed[number], true);
        let record = self.records.as_slice()[number];
        (is_new && has_references(kind)).then_some(Wanted { kind, id, record, is_file: false })
    }

    fn local_bytes(&self, kind: ObjectKind, id: ObjectId) -> Option<Arc<[u8]>> {
        // The id of a layout is that of its blob, so a local layout may have other chunks.
        let local = self.local.filter(|store| kind != ObjectKind::Layout && store.contains(kind, id))?;
        local.object(kind, id).ok()
    }

    /// For each record, whether its object is needed; and errors for objects that the target lacks.
    pub fn finish(self) -> (Vec<bool>, Vec<Error>) {
        (self.needed, self.missing)
    }
}
