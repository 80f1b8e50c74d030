//! Reads the size and the bytes of any object: the content of a blob, the encoding of everything else (`docs/format.md`).

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::history::objects::{ObjectType, TypedId};
use crate::id::{BlobId, ObjectId};
use crate::object::{ObjectKind, Objects, Operation, layout};
use crate::repo::Repository;
use crate::store::Store;

/// Size in bytes. Large blobs are not read for it. [`ErrorKind::Damaged`] if the object is missing.
pub fn size(repository: &Repository, object: TypedId) -> Result<u64> {
    let known = match (object.object_type, object.object_type.kinds()) {
        (ObjectType::Blob, _) => blob_size(repository.store(), object.id.into())?,
        (_, [kind, ..]) => repository.store().locate(*kind, object.id).map(|location| location.length.into()),
        _ => None,
    };
    known.map_or_else(|| encoded(repository, object).map(|bytes| bytes.len() as u64), Ok)
}

/// The size of a blob without reading its content; `None` if the blob does not exist.
pub fn blob_size(store: &Store, blob: BlobId) -> Result<Option<u64>> {
    let id = blob.object_id();
    if let Some(size) = store.purged().size(blob) {
        return Ok(Some(size));
    }
    if store.contains(ObjectKind::Data, id) {
        // The empty blob has no location.
        return Ok(Some(store.locate(ObjectKind::Data, id).map_or(0, |location| location.length.into())));
    }
    if !store.contains(ObjectKind::Layout, id) {
        return Ok(None);
    }
    Ok(Some(layout::Root::decode(blob, &store.object(ObjectKind::Layout, id)?)?.size))
}

/// Writes the bytes while they are read. [`ErrorKind::Purged`] for a purged blob. After an error the caller must discard what was written.
pub fn copy(repository: &Repository, object: TypedId, to: &mut dyn Write) -> Result<()> {
    if object.object_type == ObjectType::Blob {
        repository.store().check_not_purged(object.id.into())?;
    }
    // Small blobs go through the frame cache, because their neighbours are often read next.
    if object.object_type == ObjectType::Blob && !repository.store().contains(ObjectKind::Data, object.id) {
        return repository.store().copy_blob(object.id.into(), to).map(drop);
    }
    let failed = |error| Error::io("write out", Path::new(&object.id.to_string()), error);
    to.write_all(&encoded(repository, object)?).map_err(failed)
}

/// Finds an operation by its id.
pub fn operation(repository: &Repository, id: ObjectId) -> Result<Operation> {
    for operation in repository.operations() {
        let (found, operation) = operation?;
        if found.object_id() == id {
            return Ok(operation);
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("operation `{id}` does not exist")))
}

/// The bytes of an object that fits in memory.
fn encoded(repository: &Repository, object: TypedId) -> Result<Arc<[u8]>> {
    match object.object_type.kinds().first() {
        Some(kind) => repository.store().object(*kind, object.id),
        None => Ok(operation(repository, object.id)?.encode().into()),
    }
}
