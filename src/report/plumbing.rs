//! Records of the plumbing commands (`docs/plumbing.md`).

use serde::{Serialize, Serializer};

use crate::diff::Change;
use crate::history::objects::TypedId;
use crate::history::reachable;
use crate::id::{CommitId, LinksId, ObjectId, PackId, TreeId};
use crate::metadata::Kind;
use crate::object::commit::Uncovered;
use crate::object::operation::{RefEdit, RefName};
use crate::object::{Entry, ObjectKind};
use crate::path::{RepoPath, RepoPathBuf};
use crate::report::changes::ChangeRecord;
use crate::report::checkouts::ExportRecord;
use crate::report::values::{PathBytes, lossy, octal};
use crate::serialize::or_empty;

/// The id of an object.
#[derive(Serialize)]
#[serde(tag = "type", rename = "object")]
pub struct Id {
    /// All digits, or the first of them.
    pub id: String,
    /// Whether it is the excluded end of a range.
    pub excluded: bool,
}

impl Id {
    /// A whole id.
    pub fn new(id: ObjectId) -> Id {
        Id { id: id.to_string(), excluded: false }
    }
}

/// A path of the file system.
#[derive(Serialize)]
#[serde(tag = "type", rename = "location")]
pub struct Location {
    /// The path.
    #[serde(flatten)]
    pub path: PathBytes,
}

/// A ref, or `@`, and its commit.
#[derive(Serialize)]
#[serde(tag = "type", rename = "ref")]
pub struct Ref {
    kind: &'static str,
    name: String,
    pub r#ref: String,
    pub id: CommitId,
    current: bool,
}

impl Ref {
    /// An existing ref.
    pub fn new(name: &RefName, id: CommitId, is_current: bool) -> Ref {
        let (kind, short, full) = (name.word(), name.short().to_owned(), name.to_string());
        Ref { kind, name: short, r#ref: full, id, current: is_current }
    }

    /// `@`, which stands for this branch.
    pub fn at(branch: &str, id: CommitId) -> Ref {
        Ref { r#ref: "@".to_owned(), ..Ref::new(&RefName::Branch(branch.to_owned()), id, true) }
    }
}

/// A changed ref.
#[derive(Serialize)]
#[serde(tag = "type", rename = "ref-changed")]
pub struct RefUpdate {
    kind: &'static str,
    action: &'static str,
    name: String,
    r#ref: String,
    #[serde(serialize_with = "or_empty")]
    id: Option<CommitId>,
    #[serde(serialize_with = "or_empty")]
    old: Option<CommitId>,
}

impl From<&RefEdit> for RefUpdate {
    fn from(edit: &RefEdit) -> RefUpdate {
        let action = match (edit.old, edit.new) {
            (_, None) => "deleted",
            (None, _) => "created",
            _ => "updated",
        };
        let name = &edit.name;
        let (kind, short, full) = (name.word(), name.short().to_owned(), name.to_string());
        RefUpdate { kind, action, name: short, r#ref: full, id: edit.new.or(edit.old), old: edit.old }
    }
}

/// The branch that `@` stands for.
#[derive(Serialize)]
#[serde(tag = "type", rename = "symbolic-ref")]
pub struct CurrentBranch {
    r#ref: &'static str,
    target: String,
    /// The name to print; `None` prints nothing.
    #[serde(skip)]
    pub shown: Option<String>,
}

impl CurrentBranch {
    /// Prints its full or short name.
    pub fn shown(branch: &str, short: bool) -> CurrentBranch {
        let record = CurrentBranch::changed(branch);
        let shown = if short { branch.to_owned() } else { record.target.clone() };
        CurrentBranch { shown: Some(shown), ..record }
    }

    /// A new current branch.
    pub fn changed(branch: &str) -> CurrentBranch {
        CurrentBranch { r#ref: "@", target: RefName::Branch(branch.to_owned()).to_string(), shown: None }
    }
}

/// A path, and the ignore rule that decides about it.
#[derive(Serialize)]
#[serde(tag = "type", rename = "ignored")]
pub struct Ignored<'p> {
    #[serde(flatten)]
    pub path: PathBytes,
    file: String,
    pub line: u64,
    pub pattern: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern_bytes: Option<String>,
    ignored: bool,
    /// Bytes of the pattern.
    #[serde(skip)]
    pub rule: &'p [u8],
    /// Bytes of the path of the rules file.
    #[serde(skip)]
    pub source: &'p [u8],
    /// Whether the text has the rule.
    #[serde(skip)]
    pub with_rule: bool,
}

impl<'p> Ignored<'p> {
    /// A path as the user wrote it; file, line and pattern of the rule.
    pub fn new(
        path: Vec<u8>,
        rule: Option<(&'p RepoPath, u64, &'p [u8])>,
        ignored: bool,
        with_rule: bool,
    ) -> Ignored<'p> {
        let (file, line, rule) = rule.unwrap_or((RepoPath::root(), 0, b""));
        let (pattern, pattern_bytes) = lossy(rule);
        let (file, source) = (file.display().into_owned(), file.as_bytes());
        Ignored { path: PathBytes(path), file, line, pattern, pattern_bytes, ignored, rule, source, with_rule }
    }
}

/// A file of the worktree.
#[derive(Serialize)]
#[serde(tag = "type", rename = "file")]
pub struct FileRecord<'p> {
    /// Its path.
    #[serde(flatten)]
    pub path: &'p RepoPath,
    /// State relative to the current commit.
    pub state: &'static str,
    /// Its kind.
    pub kind: Kind,
}

/// A new tree, and the table of its hard links.
#[derive(Serialize)]
#[serde(tag = "type", rename = "tree")]
pub struct WrittenTree<'w> {
    /// The tree.
    pub id: TreeId,
    /// The hard links.
    #[serde(serialize_with = "or_empty")]
    pub links: Option<LinksId>,
    /// Paths not recorded.
    pub uncovered: &'w [Uncovered],
    /// Files that changed while they were read.
    pub torn: &'w [RepoPathBuf],
}

/// The outcome of `checkout-tree`.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Materialised<'o>(pub ExportRecord<'o>);

/// An object reachable from a commit.
#[derive(Serialize)]
#[serde(tag = "type", rename = "object")]
pub struct Reached<'o> {
    /// The object.
    pub id: ObjectId,
    object_type: &'static str,
    /// Path where the walk first met it.
    #[serde(flatten)]
    pub path: Option<&'o RepoPath>,
}

impl<'o> From<&'o reachable::ReachableObject> for Reached<'o> {
    fn from(object: &'o reachable::ReachableObject) -> Reached<'o> {
        Reached { id: object.id, object_type: object.object_type.word(), path: object.path.as_deref() }
    }
}

/// The property of an object to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing; the exit status says whether the object exists.
    Presence,
    /// Its type.
    Type,
    /// Its size.
    Size,
    /// Id, type and size.
    All,
}

/// An object, its type and its size.
#[derive(Serialize)]
#[serde(tag = "type", rename = "object")]
pub struct Described {
    pub id: ObjectId,
    pub object_type: &'static str,
    pub size: u64,
    #[serde(skip)]
    pub asked: Asked,
}

impl Described {
    /// An object and its size in bytes.
    pub fn new(named: TypedId, size: u64, asked: Asked) -> Described {
        Described { id: named.id, object_type: named.object_type.word(), size, asked }
    }
}

/// A name that names no object, or several.
#[derive(Serialize)]
#[serde(tag = "type", rename = "unresolved")]
pub struct Unresolved<'n> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_bytes: Option<String>,
    /// `missing` or `ambiguous`.
    pub reason: &'static str,
    /// The exact name.
    #[serde(skip)]
    pub bytes: &'n [u8],
}

impl<'n> Unresolved<'n> {
    /// A name and the reason, `missing` or `ambiguous`.
    pub fn new(bytes: &'n [u8], reason: &'static str) -> Unresolved<'n> {
        let (name, name_bytes) = lossy(bytes);
        Unresolved { name, name_bytes, reason, bytes }
    }
}

/// The number of items, where the number itself was requested.
#[derive(Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct Total {
    /// Number of items.
    pub count: u64,
}

/// A changed path, with modes and objects.
#[derive(Serialize)]
pub struct TreeChange {
    #[serde(flatten)]
    change: ChangeRecord,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_octal")]
    old_mode: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_octal")]
    mode: Option<u16>,
    /// Blob or tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_id: Option<ObjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<ObjectId>,
}

fn optional_octal<S: Serializer>(mode: &Option<u16>, serializer: S) -> Result<S::Ok, S::Error> {
    octal(&mode.unwrap_or_default(), serializer)
}

impl From<&Change> for TreeChange {
    fn from(change: &Change) -> TreeChange {
        let mode = |entry: &Option<Entry>| entry.as_ref().map(|entry| entry.metadata.mode);
        let id = |entry: &Option<Entry>| {
            let entry = entry.as_ref()?;
            entry.blob().map(|blob| blob.object_id()).or(entry.tree().map(|tree| tree.object_id()))
        };
        TreeChange {
            change: change.into(),
            old_mode: mode(&change.old),
            mode: mode(&change.new),
            old_id: id(&change.old),
            id: id(&change.new),
        }
    }
}

/// The number of objects, and the space that they take.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "object-count")]
pub struct ObjectCount {
    /// Keys and values in the order of `docs/plumbing.md`.
    #[serde(flatten, serialize_with = "as_map")]
    pub counts: [(&'static str, u64); 14],
}

fn as_map<S: Serializer>(counts: &[(&'static str, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().copied())
}

/// An object in a pack.
#[derive(Serialize)]
#[serde(tag = "type", rename = "packed-object")]
pub struct PackedObject {
    pub id: ObjectId,
    #[serde(serialize_with = "kind_word")]
    pub kind: ObjectKind,
    pub size: u32,
    pub frame: u64,
    pub offset: u32,
}

fn kind_word<S: Serializer>(kind: &ObjectKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&kind.word().replace(' ', "-"))
}

/// A checked pack.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "pack")]
pub struct PackVerdict {
    /// Its id.
    pub id: PackId,
    /// Whether it is undamaged.
    pub ok: bool,
    /// What is wrong.
    pub reason: String,
    /// Number of objects.
    pub objects: u64,
    /// Number of frames: stored, deflated, and compressed by Zstandard.
    pub frames: [u64; 3],
    /// Size of all decoded frames, in bytes.
    pub raw: u64,
    /// Size of all frames in the file, in bytes.
    pub stored: u64,
}

/// The number of checked packs.
#[derive(Debug, Default, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct PacksChecked {
    /// All of them.
    pub packs: u64,
    /// The damaged ones.
    pub damaged: u64,
}
