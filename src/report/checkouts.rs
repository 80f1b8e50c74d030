//! Checkouts as they are shown: the steps of a plan, how it ends, and what was done.

use std::io;

use serde::Serialize;

use crate::path::{RepoPath, RepoPathBuf};
use crate::report::commits::JsonUncovered;
use crate::report::{JsonPath, JsonReason, Report};
use crate::terminal::human::{Count, plural};
use crate::terminal::{Page, Role, sanitize};

/// A step of a plan.
#[derive(Clone, Debug, Serialize)]
pub struct StepRecord {
    action: &'static str,
    #[serde(flatten)]
    path: JsonPath,
    #[serde(skip)]
    place: RepoPathBuf,
    #[serde(skip)]
    is_directory: bool,
}

impl StepRecord {
    /// What is done (`create`, `replace`, `link`, `touch`, `remove`), and where.
    pub fn new(action: &'static str, path: &RepoPath, is_directory: bool) -> StepRecord {
        StepRecord { action, path: path.into(), place: path.to_owned(), is_directory }
    }
}

impl Report for StepRecord {
    const TYPE: &'static str = "action";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.record(Some(self.action), &self.place);
        }
        let role = match self.action {
            "create" => Role::Added,
            "remove" => Role::Removed,
            "touch" => Role::Metadata,
            _ => Role::Modified,
        };
        let word = page.paint(role, format!("{:<8}", self.action));
        let slash = if self.is_directory { "/" } else { "" };
        page.line(format_args!("  {word} {}{slash}", page.path(&self.place)))
    }
}

/// A file or database that programs are using.
#[derive(Clone, Debug, Serialize)]
pub struct JsonInUse {
    /// Path of the file; for a database, of its main file or directory.
    #[serde(flatten)]
    pub path: JsonPath,
    /// The visible programs.
    pub programs: Vec<JsonProgram>,
}

/// A program that is using a file.
#[derive(Clone, Debug, Serialize)]
pub struct JsonProgram {
    /// Process id.
    pub pid: u32,
    /// Program name, up to 15 bytes.
    pub name: String,
}

/// The end of a plan.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PlanRecord {
    /// Steps.
    pub actions: u64,
    /// Entries left as they are.
    pub unchanged: u64,
    /// There is something to be recorded first.
    pub unsaved: bool,
    /// In the way, and saved nowhere.
    pub conflicts: Vec<JsonPath>,
    /// Paths in use that would be left unchanged.
    pub in_use: Vec<JsonInUse>,
    /// Directories that would be made accessible to their owner first. What would be done in them is not known yet.
    pub closed: Vec<JsonPath>,
    /// Only names would change.
    #[serde(skip)]
    pub is_left: bool,
}

impl Report for PlanRecord {
    const TYPE: &'static str = "summary";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return Ok(());
        }
        if self.is_left {
            return page.line("the directory would be left as it is");
        }
        let first = if self.unsaved { "; what is unsaved would be recorded first" } else { "" };
        let unchanged = Count(self.unchanged);
        page.line(format_args!("{}, {unchanged} unchanged{first}", plural(self.actions, "change")))
    }
}

/// What was done. Ids are full, and empty for none.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckoutRecord {
    /// The commit that was left.
    pub from: String,
    /// The commit gone to.
    pub to: String,
    /// The commit that was made of what was unsaved.
    pub saved: String,
    /// The current branch.
    pub branch: String,
    /// Entries written or changed.
    pub written: u64,
    /// Entries removed.
    pub deleted: u64,
    /// Entries left as they are.
    pub unchanged: u64,
    /// Not restored exactly.
    pub inexact: Vec<JsonReason>,
    /// Lost by the store, and left as they are.
    pub damaged: Vec<JsonReason>,
    /// Changed in the meantime, and left as they are.
    pub changed: Vec<JsonPath>,
    /// Paths in use that were left unchanged.
    pub in_use: Vec<JsonInUse>,
    /// The commit that holds those as they are.
    pub aside: String,
    /// Not covered by the commit, and left alone.
    pub uncovered: Vec<JsonUncovered>,
    /// Directories that were kept because they contain something that is not recorded.
    pub kept: Vec<JsonPath>,
    /// Restored files that had changed while they were recorded.
    pub torn: Vec<JsonPath>,
    /// Journals that were restored together with their database file.
    pub journals: Vec<JsonPath>,
    /// Journals that were left unchanged because the target does not cover their database file.
    pub left_journals: Vec<JsonPath>,
    /// Not selected, and given the time of a selected name of the same file.
    pub other_names: Vec<JsonPath>,
    /// The whole worktree, and not only some paths.
    #[serde(skip)]
    pub whole: bool,
}

impl Report for CheckoutRecord {
    const TYPE: &'static str = "checkout";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let short = |id: &str| id.get(..8).unwrap_or("nothing").to_owned();
        let counts = format!(
            "{} written, {} deleted, {} unchanged",
            Count(self.written),
            Count(self.deleted),
            Count(self.unchanged)
        );
        let to = page.paint(Role::Id, short(&self.to));
        if self.whole {
            let branch = page.paint(Role::Branch, sanitize::name(self.branch.as_bytes()));
            let from = match self.from == self.to {
                true => String::new(),
                false => format!("{} → ", page.paint(Role::Id, short(&self.from))),
            };
            page.line(format_args!("{branch} {from}{to}  {counts}"))?;
        } else {
            page.line(format_args!("restored from {to}  {counts}"))?;
        }
        if !self.saved.is_empty() {
            let saved = page.paint(Role::Id, short(&self.saved));
            page.line(format_args!("what was unsaved is in {saved}"))?;
        }
        Ok(())
    }
}
