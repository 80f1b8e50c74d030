//! Objects as programs name them: of any kind, by id or a prefix of it, by revision, or by `REV:path`.

use crate::error::{Error, ErrorKind, Result};
use crate::history::{recorded, resolve, resolve_path, revision, suggestions};
use crate::id::{CommitId, IdPrefix, LENGTH, LinksId, ObjectId, TreeId};
use crate::object::{Commit, Content, Entry, ObjectKind, Objects};
use crate::repo::Repository;

/// What an object is to those who name it. How the store keeps a large blob is not seen in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// The content of a file, or a piece of a large one.
    Blob,
    /// A directory, or a node of a long one.
    Tree,
    /// A commit.
    Commit,
    /// Extended attributes and holes.
    Attributes,
    /// Hard links, or a node of a long table of them.
    Links,
    /// A node of the long list of a large blob's pieces.
    LayoutNode,
    /// One user action, from the journal.
    Operation,
}

impl Type {
    /// Every type.
    pub const ALL: [Type; 7] =
        [Type::Blob, Type::Tree, Type::Commit, Type::Attributes, Type::Links, Type::LayoutNode, Type::Operation];

    /// The word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Type::Blob => "blob",
            Type::Tree => "tree",
            Type::Commit => "commit",
            Type::Attributes => "attributes",
            Type::Links => "links",
            Type::LayoutNode => "layout-node",
            Type::Operation => "operation",
        }
    }

    /// What the store keeps it as, the likeliest first; nothing for what is not in the store.
    pub fn kinds(self) -> &'static [ObjectKind] {
        match self {
            Type::Blob => &[ObjectKind::Data, ObjectKind::Layout],
            Type::Tree => &[ObjectKind::Tree],
            Type::Commit => &[ObjectKind::Commit],
            Type::Attributes => &[ObjectKind::Attributes],
            Type::Links => &[ObjectKind::Links],
            Type::LayoutNode => &[ObjectKind::LayoutNode],
            Type::Operation => &[],
        }
    }
}

/// An object that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Its id.
    pub id: ObjectId,
    /// What it is.
    pub is: Type,
}

/// A directory as a whole: what a commit, a tree or `REV:path` names where a tree is wanted.
#[derive(Clone, Debug)]
pub struct Treeish {
    /// Its entries.
    pub tree: TreeId,
    /// The directory's own entry, where the name tells it: of a commit its root, of `REV:path` the directory.
    pub entry: Option<Entry>,
    /// The commit, and its table of hard links, where all of it is named.
    pub commit: Option<Box<Commit>>,
}

impl Treeish {
    /// Its hard links, where all of a commit is named.
    pub fn links(&self) -> Option<LinksId> {
        self.commit.as_ref().and_then(|commit| commit.links)
    }
}

/// What is wanted where [`treeish`] is asked.
const TREEISH: &str = "a tree or a commit";

/// The object that a text names. [`ErrorKind::NotFound`] and [`ErrorKind::Ambiguous`] as for revisions.
pub fn find(repository: &Repository, text: &str) -> Result<Named> {
    if let Some(revision) = text.strip_suffix("^{tree}") {
        return Ok(Named { id: treeish(repository, revision)?.tree.object_id(), is: Type::Tree });
    }
    if revision::has_path(text) {
        return entry(repository, text).and_then(|entry| object_of(&entry, text));
    }
    match by_prefix(repository, text, &Type::ALL)? {
        Some(named) => Ok(named),
        None => Ok(Named { id: resolve(repository, text)?.object_id(), is: Type::Commit }),
    }
}

/// The same for a name of any bytes: only a path can have some that are not text.
pub fn find_bytes(repository: &Repository, name: &[u8]) -> Result<Named> {
    if let Ok(text) = std::str::from_utf8(name) {
        return find(repository, text);
    }
    let shown = String::from_utf8_lossy(name);
    let Some((revision, path)) = revision::split_path(name) else { return Err(unknown_object(&shown)) };
    let (id, path) = revision::resolve_in(repository, revision, path)?;
    object_of(&recorded(repository.store(), id, &path)?, &shown)
}

/// The commit that a text names. An object of another type is told from one that is not there.
pub fn commit(repository: &Repository, text: &str) -> Result<CommitId> {
    resolve(repository, text).map_err(|error| match by_prefix(repository, text, &Type::ALL) {
        _ if error.kind() != ErrorKind::NotFound => error,
        Ok(Some(named)) => wrong_type(text, named.is.word(), "a commit"),
        Ok(None) => error,
        Err(unknown) => unknown,
    })
}

/// The table of hard links that a text names.
pub fn links(repository: &Repository, text: &str) -> Result<LinksId> {
    let wanted = "a table of hard links";
    match typed(repository, text, &[Type::Links], wanted)? {
        Some(named) => Ok(named.id.into()),
        None => Err(wrong_type(text, find(repository, text)?.is.word(), wanted)),
    }
}

/// As [`by_prefix`], but an object of another type is told from one that is not there.
fn typed(repository: &Repository, text: &str, types: &[Type], wanted: &str) -> Result<Option<Named>> {
    let found = by_prefix(repository, text, types);
    match found {
        Ok(Some(_)) => found,
        _ => match by_prefix(repository, text, &Type::ALL) {
            Ok(Some(named)) => Err(wrong_type(text, named.is.word(), wanted)),
            _ => found,
        },
    }
}

/// The directory that a text names.
pub fn treeish(repository: &Repository, text: &str) -> Result<Treeish> {
    let text = text.strip_suffix("^{tree}").unwrap_or(text);
    if revision::has_path(text) {
        let entry = entry(repository, text)?;
        let tree = entry.tree().ok_or_else(|| wrong_type(text, entry.object_word(), TREEISH))?;
        return Ok(Treeish { tree, entry: Some(entry), commit: None });
    }
    let commit = match typed(repository, text, &[Type::Tree, Type::Commit], TREEISH)? {
        Some(Named { id, is: Type::Tree }) => return Ok(Treeish { tree: id.into(), entry: None, commit: None }),
        Some(Named { id, .. }) => id.into(),
        None => resolve(repository, text)?,
    };
    let commit = repository.store().commit(commit)?;
    let tree = commit.root.tree().ok_or_else(|| Error::damaged(format!("commit `{text}` has no root tree")))?;
    Ok(Treeish { tree, entry: Some(commit.root.clone()), commit: Some(Box::new(commit)) })
}

/// The entry that `REV:path` names; `REV:` is the root.
fn entry(repository: &Repository, text: &str) -> Result<Entry> {
    let (id, path) = resolve_path(repository, text)?;
    recorded(repository.store(), id, &path.unwrap_or_default())
}

fn object_of(entry: &Entry, text: &str) -> Result<Named> {
    match entry.content {
        Content::File { blob, .. } => Ok(Named { id: blob.object_id(), is: Type::Blob }),
        Content::Directory { tree, .. } => Ok(Named { id: tree.object_id(), is: Type::Tree }),
        _ => Err(Error::new(ErrorKind::Usage, format!("`{text}` is a {}: it has no object", entry.kind().word()))
            .hint("its entry has all there is to it: undo ls-tree")),
    }
}

/// The object of one of these types whose id is or begins so, unless a branch or a tag is called so.
fn by_prefix(repository: &Repository, text: &str, types: &[Type]) -> Result<Option<Named>> {
    let Some(prefix) = IdPrefix::parse(text) else { return Ok(None) };
    let (view, store) = (repository.view(), repository.store());
    if view.branches.contains_key(text) || view.tags.contains_key(text) {
        return Ok(None);
    }
    let kinds = || types.iter().flat_map(|is| is.kinds().iter().map(|kind| (*is, *kind)));
    if let Some(id) = ObjectId::parse(text)
        && let Some((is, _)) = kinds().find(|(_, kind)| store.contains(*kind, id))
    {
        return Ok(Some(Named { id, is }));
    }
    let ids = |kind| store.find(kind, &prefix, suggestions::MOST_CANDIDATES + 1);
    let mut found: Vec<Named> =
        kinds().flat_map(|(is, kind)| ids(kind).into_iter().map(move |id| Named { id, is })).collect();
    if types.contains(&Type::Operation) {
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

fn operations(repository: &Repository, prefix: &IdPrefix) -> Result<Vec<Named>> {
    let ids = repository.operations().map(|operation| operation.map(|(id, _)| id.object_id()));
    let named = |id: ObjectId| Named { id, is: Type::Operation };
    ids.filter(|id| id.as_ref().map_or(true, |id| prefix.matches(&id.0))).map(|id| id.map(named)).collect()
}

/// An object of a type that is of no use here.
pub fn wrong_type(text: &str, word: &str, wanted: &str) -> Error {
    let article = if word.starts_with(['a', 'o']) { "an" } else { "a" };
    Error::new(ErrorKind::Usage, format!("`{text}` is {article} {word}, not {wanted}"))
        .hint("`undo cat-file -t OBJECT` prints the type of an object")
}

fn unknown_object(id: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no object `{id}` in this repository"))
        .hint("list all reachable objects with `undo rev-list --objects --all`")
}

fn ambiguous(prefix: &str, found: &[Named]) -> Error {
    let candidates = found.iter().map(|named| (named.id, named.is.word().to_owned())).collect();
    suggestions::ambiguous(prefix, "objects", candidates)
}
