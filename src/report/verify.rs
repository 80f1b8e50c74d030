//! What a repository lacks, as it is shown: a line for each damage, and what was read.

use std::io;

use serde::Serialize;

use crate::path::RepoPathBuf;
use crate::report::{JsonPath, Report};
use crate::terminal::human::{Size, plural};
use crate::terminal::{Page, Role, sanitize};

/// Something that is missing, or not as it was written.
#[derive(Clone, Debug, Serialize)]
pub struct DamageRecord {
    /// What it concerns.
    pub what: &'static str,
    /// Why it is damage.
    pub message: String,
    /// The object.
    pub id: String,
    /// The pack that it lies in.
    pub pack: String,
    /// Where that pack is.
    pub file: String,
    /// The newest commit that leads to it.
    pub commit: String,
    /// Where in that commit.
    pub paths: Vec<JsonPath>,
    /// For people: the path, and the short id of the commit.
    #[serde(skip)]
    pub place: Option<RepoPathBuf>,
    /// As `commit`.
    #[serde(skip)]
    pub short: Option<String>,
}

impl Report for DamageRecord {
    const TYPE: &'static str = "damage";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let word = page.paint(Role::Error, "damaged");
        let message = sanitize::text(&self.message);
        match (&self.short, &self.place) {
            (Some(commit), Some(path)) if !path.is_root() => {
                page.line(format_args!("{word} {} in {}: {message}", page.path(path), page.paint(Role::Id, commit)))
            }
            (Some(commit), _) => page.line(format_args!("{word} commit {}: {message}", page.paint(Role::Id, commit))),
            _ => page.line(format_args!("{word} {}: {message}", self.what)),
        }
    }
}

/// A file of the repository that nobody needs. People see it with `-v`.
#[derive(Clone, Debug, Serialize)]
pub struct SuperfluousRecord {
    /// What it is.
    pub what: &'static str,
    /// Where.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
}

impl Report for SuperfluousRecord {
    const TYPE: &'static str = "superfluous";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if !page.is_verbose() {
            return Ok(());
        }
        let path = page.paint(Role::Path, sanitize::text(&self.path));
        page.line(format_args!("not needed: {path}  {}, {}", self.what, Size(self.bytes)))
    }
}

/// What was read, and whether all is well.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct VerifyTotals {
    /// Packs.
    pub packs: u64,
    /// Objects in them.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Commits.
    pub commits: u64,
    /// Damage that was listed.
    pub damaged: u64,
    /// There was none.
    pub clean: bool,
}

impl Report for VerifyTotals {
    const TYPE: &'static str = "summary";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let read = [plural(self.commits, "commit"), plural(self.objects, "object"), plural(self.packs, "pack")];
        let read = format!("{}, {} read", read.join(", "), Size(self.bytes));
        match self.damaged {
            0 => page.line(format_args!("{}: {read}", page.paint(Role::Added, "all is well"))),
            damaged => page.line(format_args!("{read}; {} found", page.paint(Role::Error, plural(damaged, "damage")))),
        }
    }
}
