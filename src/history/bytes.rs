//! An object's own bytes: how many, and what. Of a blob its content, of all else its encoding (`docs/format.md`).

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::history::objects::{Named, Type};
use crate::id::ObjectId;
use crate::object::{ObjectKind, Objects, Operation, layout};
use crate::repo::Repository;

/// How many. What is in a pack of its own is not read for that. [`ErrorKind::Damaged`] if the object is missing.
pub fn size(repository: &Repository, named: Named) -> Result<u64> {
    let (store, id) = (repository.store(), named.id);
    match named.is {
        Type::Operation => Ok(operation(repository, id)?.encode().len() as u64),
        Type::Blob if !store.contains(ObjectKind::Data, id) && store.contains(ObjectKind::Layout, id) => {
            Ok(layout::Root::decode(id.into(), &store.object(ObjectKind::Layout, id)?)?.size)
        }
        is => match is.kinds().first().and_then(|kind| store.locate(*kind, id)) {
            Some(location) => Ok(location.length.into()),
            // The empty blob lies nowhere; anything else fails here.
            None => encoded(repository, named).map(|bytes| bytes.len() as u64),
        },
    }
}

/// Writes them, as they are read: after a failure what was written is to be thrown away.
pub fn copy(repository: &Repository, named: Named, to: &mut dyn Write) -> Result<()> {
    // What is in one piece comes through the cache of frames: who asks for one often asks for its neighbour.
    if named.is == Type::Blob && !repository.store().contains(ObjectKind::Data, named.id) {
        return repository.store().copy_blob(named.id.into(), to).map(drop);
    }
    let failed = |error| Error::io("write out", Path::new(&named.id.to_string()), error);
    to.write_all(&encoded(repository, named)?).map_err(failed)
}

/// An operation by its id.
pub fn operation(repository: &Repository, id: ObjectId) -> Result<Operation> {
    for operation in repository.operations() {
        let (found, operation) = operation?;
        if found.object_id() == id {
            return Ok(operation);
        }
    }
    Err(Error::new(ErrorKind::NotFound, format!("no operation `{id}`")))
}

/// All at once, of what is not large.
fn encoded(repository: &Repository, named: Named) -> Result<Arc<[u8]>> {
    match named.is.kinds().first() {
        Some(kind) => repository.store().object(*kind, named.id),
        None => Ok(operation(repository, named.id)?.encode().into()),
    }
}
