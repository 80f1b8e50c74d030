//! Copies lost objects, and what they refer to, from other stores.

use std::collections::HashSet;

use super::Present;
use crate::error::Result;
use crate::history::objects::ObjectType;
use crate::id::ObjectId;
use crate::object::layout::{self, Piece};
use crate::object::nodes::Node;
use crate::object::operation::View;
use crate::object::{Commit, Entry, ObjectKind, Objects};
use crate::path::RepoPathBuf;
use crate::store::Store;

/// Stores a recovered object. Returns whether it was new.
pub(super) type Put<'p> = dyn FnMut(ObjectKind, ObjectId, &[u8]) -> Result<bool> + 'p;

/// Copies each lost object that one of the stores has, and the missing objects below it. Copies neither forgotten commits nor
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
        let is_unwanted = match object_type {
            ObjectType::Commit => view.forgotten.contains_key(&id.into()),
            ObjectType::Blob => view.purged.contains_key(&id.into()),
            _ => false,
        };
        if is_unwanted || !seen.insert((object_type, id)) || kinds.iter().any(|&kind| present.has(kind, id)) {
            continue;
        }
        let found = kinds.iter().find_map(|&kind| {
            let bytes =
                copies.iter().filter(|copy| copy.contains(kind, id)).find_map(|copy| copy.object(kind, id).ok());
            let bytes = bytes?;
            Some((kind, references(kind, id, &bytes).ok()?, bytes))
        });
        if let Some((kind, references, bytes)) = found {
            put(kind, id, &bytes)?;
            pending.extend(references);
        }
    }
    Ok(())
}

/// The objects that an object refers to. Fails if its bytes are invalid.
fn references(kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<Vec<(ObjectType, ObjectId)>> {
    Ok(match kind {
        ObjectKind::Data | ObjectKind::Attributes => Vec::new(),
        ObjectKind::Commit => {
            let commit = Commit::decode(bytes)?;
            let parents = commit.parents.iter().map(|parent| (ObjectType::Commit, parent.object_id()));
            let links = commit.links.iter().map(|links| (ObjectType::Links, links.object_id()));
            parents.chain(links).chain(of_entry(&commit.root)).collect()
        }
        ObjectKind::Tree => match Node::<Entry>::decode(bytes)? {
            Node::Leaf(entries) => entries.iter().flat_map(of_entry).collect(),
            Node::Inner(children) => children.iter().map(|it| (ObjectType::Tree, it.node.object_id())).collect(),
        },
        ObjectKind::Links => match Node::<Vec<RepoPathBuf>>::decode(bytes)? {
            Node::Leaf(_) => Vec::new(),
            Node::Inner(children) => children.iter().map(|it| (ObjectType::Links, it.node.object_id())).collect(),
        },
        ObjectKind::Layout => of_pieces(&layout::Root::decode(id.into(), bytes)?.node),
        ObjectKind::LayoutNode => of_pieces(&Node::decode(bytes)?),
    })
}

fn of_entry(entry: &Entry) -> impl Iterator<Item = (ObjectType, ObjectId)> + use<> {
    let attributes = entry.attributes.map(|id| (ObjectType::Attributes, id.object_id()));
    let content = entry.blob().map(|id| (ObjectType::Blob, id.object_id()));
    let tree = entry.tree().map(|id| (ObjectType::Tree, id.object_id()));
    [attributes, content, tree].into_iter().flatten()
}

fn of_pieces(node: &Node<Piece>) -> Vec<(ObjectType, ObjectId)> {
    let chunk = |piece: &Piece| match piece {
        Piece::Chunk { id, .. } => Some((ObjectType::Blob, id.object_id())),
        Piece::Zeros { .. } => None,
    };
    match node {
        Node::Leaf(pieces) => pieces.iter().filter_map(chunk).collect(),
        Node::Inner(children) => children.iter().map(|it| (ObjectType::LayoutNode, it.node.object_id())).collect(),
    }
}
