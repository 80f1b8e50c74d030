//! Values for programs: the records that plumbing prints. Their text is stable too (`docs/plumbing.md`).

use std::io;

use serde::Serialize;

use crate::id::{CommitId, LinksId, ObjectId, TreeId};
use crate::metadata::Kind;
use crate::object::commit::Uncovered;
use crate::object::operation::{RefEdit, RefName};
use crate::path::{RepoPath, RepoPathBuf};
use crate::report::base64;
use crate::report::commits::{JsonUncovered, json_uncovered};
use crate::report::exports::ExportRecord;
use crate::report::{JsonPath, Report, json_id, json_paths};
use crate::terminal::Page;

/// The id of an object.
#[derive(Serialize)]
pub struct Id {
    /// All digits, or the first of them.
    pub id: String,
    /// Whether it is the end of a range that is left out.
    pub excluded: bool,
}

impl Id {
    /// All of it.
    pub fn new(id: ObjectId) -> Id {
        Id { id: id.to_string(), excluded: false }
    }
}

impl Report for Id {
    const TYPE: &'static str = "object";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.entry(format_args!("{}{}", if self.excluded { "^" } else { "" }, self.id), &[])
    }
}

/// A path of the file system.
#[derive(Serialize)]
pub struct Location<'p> {
    #[serde(flatten)]
    path: JsonPath,
    #[serde(skip)]
    bytes: &'p [u8],
}

impl<'p> Location<'p> {
    /// Of these bytes.
    pub fn new(bytes: &'p [u8]) -> Location<'p> {
        Location { path: bytes.into(), bytes }
    }
}

impl Report for Location<'_> {
    const TYPE: &'static str = "location";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.raw(self.bytes)
    }
}

/// A ref, or `@`, and where it is.
#[derive(Serialize)]
pub struct Ref {
    kind: &'static str,
    name: String,
    r#ref: String,
    id: String,
    current: bool,
}

impl Ref {
    /// One that is there.
    pub fn new(name: &RefName, id: CommitId, is_current: bool) -> Ref {
        let (kind, short, full) = (name.word(), name.short().to_owned(), name.to_string());
        Ref { kind, name: short, r#ref: full, id: id.to_string(), current: is_current }
    }

    /// `@`, which is this branch.
    pub fn at(branch: &str, id: CommitId) -> Ref {
        Ref { r#ref: "@".to_owned(), ..Ref::new(&RefName::Branch(branch.to_owned()), id, true) }
    }
}

impl Report for Ref {
    const TYPE: &'static str = "ref";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.entry(format_args!("{} {}", self.id, self.r#ref), &[])
    }
}

/// A ref that was changed. Only in JSON: a script that needs no more knows by the exit status.
#[derive(Serialize)]
pub struct RefUpdate {
    kind: &'static str,
    action: &'static str,
    name: String,
    r#ref: String,
    id: String,
    old: String,
}

impl RefUpdate {
    /// By this edit.
    pub fn new(edit: &RefEdit) -> RefUpdate {
        let action = match (edit.old, edit.new) {
            (_, None) => "deleted",
            (None, _) => "created",
            _ => "updated",
        };
        let name = &edit.name;
        let (kind, short, full) = (name.word(), name.short().to_owned(), name.to_string());
        let (id, old) = (json_id(edit.new.or(edit.old)), json_id(edit.old));
        RefUpdate { kind, action, name: short, r#ref: full, id, old }
    }
}

impl Report for RefUpdate {
    const TYPE: &'static str = "ref-changed";

    fn human(&self, _: &mut Page<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// The branch that `@` stands for.
#[derive(Serialize)]
pub struct CurrentBranch {
    r#ref: &'static str,
    target: String,
    #[serde(skip)]
    shown: Option<String>,
}

impl CurrentBranch {
    /// To be shown by its full name, or by the one that people use.
    pub fn shown(branch: &str, short: bool) -> CurrentBranch {
        let target = RefName::Branch(branch.to_owned()).to_string();
        let shown = if short { branch.to_owned() } else { target.clone() };
        CurrentBranch { shown: Some(shown), ..CurrentBranch::changed(branch) }
    }

    /// It was made current. Only in JSON.
    pub fn changed(branch: &str) -> CurrentBranch {
        CurrentBranch { r#ref: "@", target: RefName::Branch(branch.to_owned()).to_string(), shown: None }
    }
}

impl Report for CurrentBranch {
    const TYPE: &'static str = "symbolic-ref";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        match &self.shown {
            Some(name) => page.entry(name, &[]),
            None => Ok(()),
        }
    }
}

/// A path, and the ignore rule that decides about it.
#[derive(Serialize)]
pub struct Ignored<'p> {
    #[serde(flatten)]
    path: JsonPath,
    file: String,
    line: u64,
    pattern: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern_bytes: Option<String>,
    ignored: bool,
    #[serde(skip)]
    rule: &'p [u8],
    #[serde(skip)]
    source: &'p [u8],
    #[serde(skip)]
    bytes: &'p [u8],
    #[serde(skip)]
    with_rule: bool,
}

impl<'p> Ignored<'p> {
    /// A path as it was given; of the rule its file, line and pattern. `with_rule` prints it.
    pub fn new(
        path: &'p [u8],
        rule: Option<(&'p RepoPath, u64, &'p [u8])>,
        ignored: bool,
        with_rule: bool,
    ) -> Ignored<'p> {
        let (file, line, pattern) = rule.unwrap_or((RepoPath::root(), 0, b""));
        let source = file.as_bytes();
        let text = String::from_utf8_lossy(pattern);
        Ignored {
            path: path.into(),
            file: file.display().into_owned(),
            line,
            pattern_bytes: (text.as_bytes() != pattern).then(|| base64(pattern)),
            pattern: text.into_owned(),
            ignored,
            rule: pattern,
            source,
            bytes: path,
            with_rule,
        }
    }
}

impl Report for Ignored<'_> {
    const TYPE: &'static str = "ignored";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let line = if self.line == 0 { String::new() } else { self.line.to_string() };
        if self.with_rule && page.is_raw() {
            [self.source, line.as_bytes(), self.rule].iter().try_for_each(|field| page.raw(field))?;
        } else if self.with_rule {
            page.name(self.source)?;
            return page.entry(format_args!(":{line}:{}", self.pattern), &[self.bytes]);
        }
        page.name(self.bytes)?;
        page.entry("", &[])
    }
}

/// A file of the worktree.
#[derive(Serialize)]
pub struct FileRecord<'p> {
    #[serde(flatten)]
    path: JsonPath,
    state: &'static str,
    kind: &'static str,
    #[serde(skip)]
    bytes: &'p [u8],
    #[serde(skip)]
    is_directory: bool,
}

impl<'p> FileRecord<'p> {
    /// At a path; how it is to the current commit, in a word.
    pub fn new(path: &'p RepoPath, state: &'static str, kind: Kind) -> FileRecord<'p> {
        let is_directory = kind == Kind::Directory;
        FileRecord { path: path.into(), state, kind: kind.word(), bytes: path.as_bytes(), is_directory }
    }
}

impl Report for FileRecord<'_> {
    const TYPE: &'static str = "file";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let slash: &[u8] = if self.is_directory { b"/" } else { b"" };
        page.name(&[self.bytes, slash].concat())?;
        page.entry("", &[])
    }
}

/// A tree that was written, and the hard links that belong to it.
#[derive(Serialize)]
pub struct WrittenTree {
    id: String,
    links: String,
    uncovered: Vec<JsonUncovered>,
    torn: Vec<JsonPath>,
}

impl WrittenTree {
    /// With what it does not hold, and what it holds as a mix of two states.
    pub fn new(tree: TreeId, links: Option<LinksId>, uncovered: &[Uncovered], torn: &[RepoPathBuf]) -> WrittenTree {
        let (id, links) = (tree.to_string(), json_id(links));
        WrittenTree { id, links, uncovered: json_uncovered(uncovered), torn: json_paths(torn) }
    }
}

impl Report for WrittenTree {
    const TYPE: &'static str = "tree";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let gap = if self.links.is_empty() { "" } else { " " };
        page.entry(format_args!("{}{gap}{}", self.id, self.links), &[])
    }
}

/// What was written where. Only in JSON: a script that needs no more knows by the exit status.
#[derive(Serialize)]
pub struct Materialised(pub ExportRecord);

impl Report for Materialised {
    const TYPE: &'static str = ExportRecord::TYPE;

    fn human(&self, _: &mut Page<'_>) -> io::Result<()> {
        Ok(())
    }
}
