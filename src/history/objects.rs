//! Resolves the names of objects: an id or its prefix, a revision, or `REV:path`.

use crate::error::{Error, ErrorKind, Result};
use crate::history::{recorded, resolve, resolve_path, revision, suggestions};
use crate::id::{CommitId, IdPrefix, LENGTH, LinksId, ObjectId, TreeId};
use crate::object::references::Reference;
use crate::object::{Commit, Content, Entry, ObjectKind, Objects};
use crate::repo::Repository;

/// Type of an object as commands show it. Hides how the store keeps large blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectType {
    /// The content of a file, or a chunk of a large one.
    Blob,
    /// A directory, or a node of a large one.
    Tree,
    /// A commit.
    Commit,
    /// Extended attributes and holes.
    Attributes,
    /// A table of hard links, or a node of a large one.
    Links,
    /// A node of the list of a large blob's chunks.
    LayoutNode,
    /// One user action, from the journal.
    Operation,
}

impl ObjectType {
    /// Every type.
    pub const ALL: [ObjectType; 7] = [
        ObjectType::Blob,
        ObjectType::Tree,
        ObjectType::Commit,
        ObjectType::Attributes,
        ObjectType::Links,
        ObjectType::LayoutNode,
        ObjectType::Operation,
    ];

    /// The type of an object that another one refers to.
    pub fn of(reference: Reference) -> ObjectType {
        match reference {
            Reference::Blob(_) => ObjectType::Blob,
            Reference::Object(kind, _) => match kind {
                ObjectKind::Data | ObjectKind::Layout => ObjectType::Blob,
                ObjectKind::Tree => ObjectType::Tree,
                ObjectKind::Commit => ObjectType::Commit,
                ObjectKind::Attributes => ObjectType::Attributes,
                ObjectKind::Links => ObjectType::Links,
                ObjectKind::LayoutNode => ObjectType::LayoutNode,
            },
        }
    }

    /// The name in text and JSON.
    pub fn word(self) -> &'static str {
        match self {
            ObjectType::Blob => "blob",
            ObjectType::Tree => "tree",
            ObjectType::Commit => "commit",
            ObjectType::Attributes => "attributes",
            ObjectType::Links => "links",
            ObjectType::LayoutNode => "layout-node",
            ObjectType::Operation => "operation",
        }
    }

    /// Kinds that the store may keep it as, the likeliest first. Operations are in the journal instead.
    pub fn kinds(self) -> &'static [ObjectKind] {
        match self {
            ObjectType::Blob => &[ObjectKind::Data, ObjectKind::Layout],
            ObjectType::Tree => &[ObjectKind::Tree],
            ObjectType::Commit => &[ObjectKind::Commit],
            ObjectType::Attributes => &[ObjectKind::Attributes],
            ObjectType::Links => &[ObjectKind::Links],
            ObjectType::LayoutNode => &[ObjectKind::LayoutNode],
            ObjectType::Operation => &[],
        }
    }
}

/// An object of this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypedId {
    /// Id of the object.
    pub id: ObjectId,
    /// Type of the object.
    pub object_type: ObjectType,
}

/// A directory, named by a commit, a tree or `REV:path`.
#[derive(Clone, Debug)]
pub struct Treeish {
    /// Id of its entries.
    pub tree: TreeId,
    /// The entry of the directory itself; `None` if the name was the id of a tree.
    pub entry: Option<Entry>,
    /// The commit, if the name was one.
    pub commit: Option<Box<Commit>>,
}

impl Treeish {
    /// Hard links of the commit, if the name was one.
    pub fn links(&self) -> Option<LinksId> {
        self.commit.as_ref().and_then(|commit| commit.links)
    }
}

/// What [`treeish`] accepts.
const TREEISH: &str = "a tree or a commit";

/// Resolves a name to an object. [`ErrorKind::NotFound`] and [`ErrorKind::Ambiguous`] as for revisions.
pub fn find(repository: &Repository, text: &str) -> Result<TypedId> {
    if let Some(revision) = text.strip_suffix("^{tree}") {
        return Ok(TypedId { id: treeish(repository, revision)?.tree.object_id(), object_type: ObjectType::Tree });
    }
    if revision::has_path(text) {
        return entry(repository, text).and_then(|entry| object_of(&entry, text));
    }
    match by_prefix(repository, text, &ObjectType::ALL)? {
        Some(named) => Ok(named),
        None => Ok(TypedId { id: resolve(repository, text)?.object_id(), object_type: ObjectType::Commit }),
    }
}

/// Like [`find`], for a name whose path need not be UTF-8.
pub fn find_bytes(repository: &Repository, name: &[u8]) -> Result<TypedId> {
    if let Ok(text) = std::str::from_utf8(name) {
        return find(repository, text);
    }
    let shown = String::from_utf8_lossy(name);
    let Some((revision, path)) = revision::split_path(name) else { return Err(unknown_object(&shown)) };
    let (id, path) = revision::resolve_in(repository, revision, path)?;
    object_of(&recorded(repository.store(), id, &path)?, &shown)
}

/// Resolves a name to a commit. The error says so if the name is an object of another type.
pub fn commit(repository: &Repository, text: &str) -> Result<CommitId> {
    resolve(repository, text).map_err(|error| match by_prefix(repository, text, &ObjectType::ALL) {
        _ if error.kind() != ErrorKind::NotFound => error,
        Ok(Some(named)) => wrong_type(text, named.object_type.word(), "a commit"),
        Ok(None) => error,
        Err(unknown) => unknown,
    })
}

/// Resolves a name to a table of hard links.
pub fn links(repository: &Repository, text: &str) -> Result<LinksId> {
    let wanted = "a table of hard links";
    match typed(repository, text, &[ObjectType::Links], wanted)? {
        Some(named) => Ok(named.id.into()),
        None => Err(wrong_type(text, find(repository, text)?.object_type.word(), wanted)),
    }
}

/// Like [`by_prefix`]; the error says so if the name is an object of another type.
fn typed(repository: &Repository, text: &str, types: &[ObjectType], wanted: &str) -> Result<Option<TypedId>> {
    let found = by_prefix(repository, text, types);
    match found {
        Ok(Some(_)) => found,
        _ => match by_prefix(repository, text, &ObjectType::ALL) {
            Ok(Some(named)) => Err(wrong_type(text, named.object_type.word(), wanted)),
            _ => found,
        },
    }
}

/// Resolves a name to a directory.
pub fn treeish(repository: &Repository, text: &str) -> Result<Treeish> {
    let text = text.strip_suffix("^{tree}").unwrap_or(text);
    if revision::has_path(text) {
        let entry = entry(repository, text)?;
        let tree = entry.tree().ok_or_else(|| wrong_type(text, entry.object_word(), TREEISH))?;
        return Ok(Treeish { tree, entry: Some(entry), commit: None });
    }
    let commit = match typed(repository, text, &[ObjectType::Tree, ObjectType::Commit], TREEISH)? {
        Some(TypedId { id, object_type: ObjectType::Tree }) => {
            return Ok(Treeish { tree: id.into(), entry: None, commit: None });
        }
        Some(TypedId { id, .. }) => id.into(),
        None => resolve(repository, text)?,
    };
    let commit = repository.store().commit(commit)?;
    let tree = commit.root.tree().ok_or_else(|| Error::damaged(format!("commit `{text}` has no root tree")))?;
    Ok(Treeish { tree, entry: Some(commit.root.clone()), commit: Some(Box::new(commit)) })
}

/// Resolves `REV:path` to an entry; `REV:` is the root.
fn entry(repository: &Repository, text: &str) -> Result<Entry> {
    let (id, path) = resolve_path(repository, text)?;
    recorded(repository.store(), id, &path.unwrap_or_default())
}

fn object_of(entry: &Entry, text: &str) -> Result<TypedId> {
    match entry.content {
        Content::File { blob, .. } => Ok(TypedId { id: blob.object_id(), object_type: ObjectType::Blob }),
        Content::Directory { tree, .. } => Ok(TypedId { id: tree.object_id(), object_type: ObjectType::Tree }),
        _ => Err(Error::new(ErrorKind::Usage, format!("`{text}` is a {}, which has no object", entry.kind().word()))
            .hint("to see its entry: undo ls-tree")),
    }
}

/// The object of one of these types whose id has this prefix. `None` if a branch or tag has this name.
fn by_prefix(repository: &Repository, text: &str, types: &[ObjectType]) -> Result<Option<TypedId>> {
    let Some(prefix) = IdPrefix::parse(text) else { return Ok(None) };
    let (view, store) = (repository.view(), repository.store());
    if view.branches.contains_key(text) || view.tags.contains_key(text) {
        return Ok(None);
    }
    let kinds = || types.iter().flat_map(|object_type| object_type.kinds().iter().map(|kind| (*object_type, *kind)));
    if let Some(id) = ObjectId::parse(text)
        && let Some((object_type, _)) = kinds().find(|(_, kind)| store.contains(*kind, id))
    {
        return Ok(Some(TypedId { id, object_type }));
    }
    let ids = |kind| store.find(kind, &prefix, suggestions::MOST_CANDIDATES + 1);
    let mut found: Vec<TypedId> = kinds()
        .flat_map(|(object_type, kind)| ids(kind).into_iter().map(move |id| TypedId { id, object_type }))
        .collect();
    if types.contains(&ObjectType::Blob) {
        let purged = view.purged.keys().map(|blob| blob.object_id()).filter(|id| prefix.matches(&id.0));
        found.extend(purged.map(|id| TypedId { id, object_type: ObjectType::Blob }));
    }
    if types.contains(&ObjectType::Operation) {
        found.extend(operations(repository, &prefix)?);
    }
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [] if prefix.as_str().len() == 2 * LENGTH => Err(unknown_object(text)),
        [] => Ok(None),
        [named] => Ok(Some(*named)),
        several => Err(ambiguous(text, several)),
    }
}

fn operations(repository: &Repository, prefix: &IdPrefix) -> Result<Vec<TypedId>> {
    let ids = repository.operations().map(|operation| operation.map(|(id, _)| id.object_id()));
    let named = |id: ObjectId| TypedId { id, object_type: ObjectType::Operation };
    ids.filter(|id| id.as_ref().map_or(true, |id| prefix.matches(&id.0))).map(|id| id.map(named)).collect()
}

/// The error for an object of the wrong type.
pub fn wrong_type(text: &str, word: &str, wanted: &str) -> Error {
    let article = if word.starts_with(['a', 'o']) { "an" } else { "a" };
    Error::new(ErrorKind::Usage, format!("`{text}` is {article} {word}, not {wanted}"))
        .hint("`undo cat-file -t OBJECT` prints the type of an object")
}

fn unknown_object(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no object `{id}` in this repository"))
        .hint("list all reachable objects with `undo rev-list --objects --all`")
}

fn ambiguous(prefix: &str, found: &[TypedId]) -> Error {
    let candidates = found.iter().map(|named| (named.id, named.object_type.word().to_owned())).collect();
    suggestions::ambiguous(prefix, "objects", candidates)
}
