//! Lists what an object refers to, without building the object: marking reads every tree of a history.

use super::Content;
use super::commit::Commit;
use super::entry::{Entry, take_named};
use super::fields::{self, Field};
use super::kind::ObjectKind;
use super::layout::{self, Piece};
use super::nodes::{Child, Item, Node, take_count};
use crate::codec::Decoder;
use crate::error::Result;
use crate::id::{BlobId, ObjectId};
use crate::path::RepoPathBuf;

/// An object that another one refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// The content of a file: data, or else a layout.
    Blob(BlobId),
    /// An object of this kind.
    Object(ObjectKind, ObjectId),
}

impl Reference {
    /// The id without its kind.
    pub fn id(self) -> ObjectId {
        match self {
            Reference::Blob(id) => id.object_id(),
            Reference::Object(_, id) => id,
        }
    }
}

/// Whether objects of this kind refer to others.
pub fn has_references(kind: ObjectKind) -> bool {
    !matches!(kind, ObjectKind::Data | ObjectKind::Attributes)
}

/// Passes everything that an object refers to on to `each`, except the parents of a commit. `id` is the id of the object.
pub fn references(kind: ObjectKind, id: ObjectId, bytes: &[u8], each: &mut dyn FnMut(Reference)) -> Result<()> {
    match kind {
        ObjectKind::Data | ObjectKind::Attributes => {}
        ObjectKind::Commit => {
            let commit = Commit::decode(bytes)?;
            of_entry(&commit.root, each);
            commit.links.into_iter().for_each(|id| each(Reference::Object(ObjectKind::Links, id.object_id())));
        }
        ObjectKind::Tree => of_tree(bytes, each)?,
        ObjectKind::Links => of_node::<Vec<RepoPathBuf>>(&Node::decode(bytes)?, each, |_| None),
        ObjectKind::Layout => of_node(&layout::Root::decode(id.into(), bytes)?.node, each, of_piece),
        ObjectKind::LayoutNode => of_node(&Node::decode(bytes)?, each, of_piece),
    }
    Ok(())
}

fn of_tree(bytes: &[u8], each: &mut dyn FnMut(Reference)) -> Result<()> {
    let (mut decoder, _) = fields::expect(ObjectKind::Tree.word(), ObjectKind::Tree as u8, 1, bytes)?;
    let is_leaf = decoder.u8()? == 0;
    for _ in 0..take_count(&mut decoder)? {
        if is_leaf {
            let (_, _, entry) = take_named(&mut decoder)?;
            of_entry(&entry, each);
        } else {
            each(Reference::Object(ObjectKind::Tree, take_child::<Entry>(&mut decoder)?));
        }
    }
    decoder.finish()
}

/// Passes everything that an entry refers to on to `each`.
pub fn of_entry(entry: &Entry, each: &mut dyn FnMut(Reference)) {
    match entry.content {
        Content::File { blob, .. } => each(Reference::Blob(blob)),
        Content::Directory { tree, .. } => each(Reference::Object(ObjectKind::Tree, tree.object_id())),
        _ => {}
    }
    if let Some(id) = entry.attributes {
        each(Reference::Object(ObjectKind::Attributes, id.object_id()));
    }
}

fn of_piece(piece: &Piece) -> Option<Reference> {
    piece.chunk().map(|id| Reference::Object(ObjectKind::Data, id.object_id()))
}

fn of_node<T: Item>(node: &Node<T>, each: &mut dyn FnMut(Reference), of_item: impl Fn(&T) -> Option<Reference>) {
    match node {
        Node::Leaf(items) => items.iter().filter_map(of_item).for_each(each),
        Node::Inner(children) => {
            children.iter().for_each(|child| each(Reference::Object(T::KIND, child.node.into())));
        }
    }
}

fn take_child<T: Item>(decoder: &mut Decoder<'_>) -> Result<ObjectId> {
    Ok(Child::<T::Id>::take(decoder)?.node.into())
}
