//! Finds what objects need and a store lacks, level by level: the metadata of one level in a target names the objects of the next.

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use crate::apply::fetched_files::FetchedFiles;
use crate::error::Result;
use crate::id::{BlobId, LayoutId, ObjectId};
use crate::object::references::{Reference, has_references, references};
use crate::object::{Layout, ObjectKind};
use crate::progress::{Progress, Unit};
use crate::store::Store;
use crate::target::Target;

use super::download::{self, Wanted};
use super::spool::Spool;

/// What was fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of objects.
    pub objects: u64,
    /// Number of bytes of their frames in the target.
    pub bytes: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.objects += other.objects;
        self.bytes += other.bytes;
    }
}

/// Objects to fetch.
pub(super) struct Needed {
    /// Everything else, already downloaded.
    pub metadata: Spool,
    /// Content of files.
    pub data: Vec<Wanted>,
    pub totals: Totals,
}

/// An estimate of the bytes to read for an object.
pub(super) fn frame_share(wanted: &Wanted) -> u64 {
    wanted.record.object.length.min(wanted.record.length).into()
}

/// A reference that a search has found.
struct Found {
    reference: Reference,
    /// Whether the commit that will be checked out needs the object.
    is_current: bool,
}

impl Found {
    fn root(reference: Reference, files: Option<&FetchedFiles>) -> Found {
        Found { reference, is_current: files.is_some_and(|files| reference.id() == files.commit.object_id()) }
    }
}

/// The layouts of the commit that will be checked out, and their nodes.
#[derive(Default)]
struct Layouts {
    blobs: Vec<BlobId>,
    objects: HashMap<ObjectId, Vec<u8>>,
}

impl Layouts {
    fn add(&mut self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) {
        match kind {
            ObjectKind::Layout => self.blobs.push(BlobId::from(id)),
            ObjectKind::LayoutNode => {}
            _ => return,
        }
        self.objects.insert(id, bytes);
    }

    /// The layouts whose nodes all were found.
    fn load(&self) -> impl Iterator<Item = (BlobId, Layout)> {
        let node = |id: LayoutId| {
            let bytes = self.objects.get(&id.object_id()).cloned();
            bytes.ok_or_else(|| download::missing(ObjectKind::LayoutNode, id.object_id()))
        };
        let load = move |blob: &BlobId| Layout::load(*blob, &self.objects[&blob.object_id()], node).ok();
        self.blobs.iter().filter_map(move |blob| Some((*blob, load(blob)?)))
    }
}

/// A search for everything that objects need and the stores lack.
pub(super) struct Search<'s> {
    /// The store.
    pub store: &'s Store,
    /// Another store whose objects are not needed.
    pub present: Option<&'s Store>,
    /// Where the objects are.
    pub target: &'s Target,
    /// Whether a content is needed.
    pub is_wanted: &'s dyn Fn(BlobId) -> bool,
    /// Number of requests at the same time.
    pub connections: usize,
    /// The files that will be checked out.
    pub files: Option<&'s FetchedFiles>,
}

impl Search<'_> {
    /// Downloads the metadata, and lists the content.
    pub(super) fn search(&self, roots: Vec<Reference>, progress: &dyn Progress) -> Result<Needed> {
        let task = progress.start("reading metadata", Unit::Bytes, None);
        let metadata = Spool::new(self.store.scratch().join("fetch"));
        let mut needed = Needed { metadata, data: Vec::new(), totals: Totals::default() };
        let mut seen: HashSet<(ObjectKind, ObjectId)> = HashSet::new();
        let mut layouts = Layouts::default();
        let mut level: Vec<Found> = roots.into_iter().map(|root| Found::root(root, self.files)).collect();
        while !level.is_empty() {
            // An object of the commit to check out counts as such even if other commits need it too.
            level.sort_by_key(|found| !found.is_current);
            let (mut wanted, mut current) = (Vec::new(), HashSet::new());
            for Found { reference, is_current } in level.drain(..) {
                let Some(mut object) = self.find(reference)? else { continue };
                if !seen.insert((object.kind, object.id)) {
                    continue;
                }
                needed.totals.objects += 1;
                needed.totals.bytes += frame_share(&object);
                if object.kind == ObjectKind::Data {
                    object.is_file = is_current && matches!(reference, Reference::Blob(_));
                    needed.data.push(object);
                } else {
                    current.extend(is_current.then_some(object.id));
                    wanted.push(object);
                }
            }
            let objects = download::download(
                self.target,
                &mut wanted,
                self.connections,
                &*task,
                || (),
                |(), wanted, bytes| Ok((wanted.kind, wanted.id, bytes.to_vec())),
            )?;
            for (kind, id, bytes) in objects {
                let is_current = current.contains(&id);
                if has_references(kind) {
                    references(kind, id, &bytes, &mut |reference| level.push(Found { reference, is_current }))?;
                }
                needed.metadata.add(kind, id, &bytes)?;
                if is_current {
                    layouts.add(kind, id, bytes);
                }
            }
        }
        if let Some(files) = self.files {
            files.expect(layouts.load());
        }
        Ok(needed)
    }

    fn has(&self, kind: ObjectKind, id: ObjectId) -> bool {
        let is_present = |store: &Store| store.contains_here(kind, id);
        is_present(self.store) || self.present.is_some_and(is_present)
    }

    fn has_blob(&self, blob: BlobId) -> bool {
        let has = |kind| self.has(kind, blob.object_id());
        has(ObjectKind::Data) || has(ObjectKind::Layout)
    }

    /// Where a needed object is; `None` if the store has it, or if it was purged.
    fn find(&self, reference: Reference) -> Result<Option<Wanted>> {
        let (kind, id) = match reference {
            Reference::Object(kind, id) => (kind, id),
            Reference::Blob(blob) if !(self.is_wanted)(blob) || self.has_blob(blob) => return Ok(None),
            Reference::Blob(blob) => {
                let id = blob.object_id();
                let name = self.target.keyring().name(ObjectKind::Data, id);
                match self.target.find(name)? {
                    Some(record) => return Ok(Some(Wanted { kind: ObjectKind::Data, id, record, is_file: false })),
                    None => (ObjectKind::Layout, id),
                }
            }
        };
        if self.has(kind, id) {
            return Ok(None);
        }
        download::find(self.target, kind, id).map(Some)
    }
}
