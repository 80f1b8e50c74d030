//! Copies lost objects, and what they refer to, from other stores.

use std::collections::HashSet;

use super::Present;
use crate::error::Result;
use crate::history::objects::ObjectType;
use crate::id::ObjectId;
use crate::object::operation::View;
use crate::object::references::references;
use crate::object::{Commit, ObjectKind, Objects};
use crate::store::Store;

/// Stores a recovered object. Returns whether it was new.
pub(super) type Put<'p> = dyn FnMut(ObjectKind, ObjectId, &[u8]) -> Result<bool> + 'p;

/// Copies each lost object that one of the stores has, and the missing objects below it. Copies neither removed commits nor
/// purged contents.
pub(super) fn copy(
    copies: &[Store],
    (present, view): (&Present<'_>, &View),
    lost: impl Iterator<Item = (ObjectType, ObjectId)>,
    put: &mut Put<'_>,
) -> Result<()> {
    let mut pending: Vec<(ObjectType, ObjectId)> = lost.collect();
    let mut seen = HashSet::new();
    while let Some((object_type, id)) = pending.pop() {
        let kinds = object_type.kinds();
        if is_unwanted(view, object_type, id)
            || !seen.insert((object_type, id))
            || kinds.iter().any(|&kind| present.has(kind, id))
        {
            continue;
        }
        let found = kinds.iter().find_map(|&kind| {
            let bytes =
                copies.iter().filter(|copy| copy.contains(kind, id)).find_map(|copy| copy.object(kind, id).ok());
            let bytes = bytes?;
            Some((kind, referenced(kind, id, &bytes).ok()?, bytes))
        });
        if let Some((kind, referenced, bytes)) = found {
            put(kind, id, &bytes)?;
            pending.extend(referenced);
        }
    }
    Ok(())
}

/// Whether an object is a removed commit or purged content.
pub(super) fn is_unwanted(view: &View, object_type: ObjectType, id: ObjectId) -> bool {
    match object_type {
        ObjectType::Commit => view.forgotten.contains_key(&id.into()) && !view.can_recall(id.into()),
        ObjectType::Blob => view.purged.contains_key(&id.into()),
        _ => false,
    }
}

/// The objects that an object refers to, the parents of a commit first. Fails if its bytes are invalid.
pub(super) fn referenced(kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<Vec<(ObjectType, ObjectId)>> {
    let mut referenced = Vec::new();
    if kind == ObjectKind::Commit {
        let parents = Commit::decode(bytes)?.parents;
        referenced.extend(parents.into_iter().map(|parent| (ObjectType::Commit, parent.object_id())));
    }
    references(kind, id, bytes, &mut |reference| referenced.push((ObjectType::of(reference), reference.id())))?;
    Ok(referenced)
}
