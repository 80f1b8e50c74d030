//! Commits as they are shown: one line of a log, an entry with its graph, the head of `show`, and JSON.

use std::collections::HashMap;
use std::io;

use serde::Serialize;

use crate::id::CommitId;
use crate::object::commit::{Reason, Uncovered};
use crate::object::operation::View;
use crate::object::{Commit, Ran};
use crate::path::RepoPathBuf;
use crate::report::alarms::JsonMark;
use crate::report::changes::and_ignored;
use crate::report::runs::JsonRun;
use crate::report::{JsonPath, Report, Why, json_paths};
use crate::terminal::human::{Count, Size, plural};
use crate::terminal::{Page, Role, sanitize};
use crate::time::Timestamp;

/// A commit and what is known about it.
#[derive(Clone, Debug, Serialize)]
pub struct CommitRecord {
    id: String,
    parents: Vec<String>,
    branches: Vec<String>,
    tags: Vec<String>,
    /// It is `@`.
    current: bool,
    time: String,
    author: String,
    host: String,
    message: String,
    automatic: bool,
    added: u64,
    modified: u64,
    deleted: u64,
    files: u64,
    bytes: u64,
    /// Bytes that the store grew by.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_stored: Option<u64>,
    uncovered: Vec<JsonUncovered>,
    torn: Vec<JsonPath>,
    /// The command that made what it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<JsonRun>,
    /// It looked like an accident or an attack, and why.
    suspicious: bool,
    alarms: Vec<JsonMark>,
    #[serde(skip)]
    short: String,
    #[serde(skip)]
    when: Timestamp,
    #[serde(skip)]
    incomplete: u64,
}

/// What points at a commit.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Branches, sorted.
    pub branches: Vec<String>,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// It is `@`.
    pub is_at: bool,
}

impl Names {
    /// Those of a commit.
    pub fn of(view: &View, id: CommitId) -> Names {
        Names::of_all(view).remove(&id).unwrap_or_default()
    }

    /// Those of each commit that has any.
    pub fn of_all(view: &View) -> HashMap<CommitId, Names> {
        let mut all: HashMap<CommitId, Names> = HashMap::new();
        for (name, id) in &view.branches {
            all.entry(*id).or_default().branches.push(name.clone());
        }
        for (name, id) in &view.tags {
            all.entry(*id).or_default().tags.push(name.clone());
        }
        if let Some(id) = view.at() {
            all.entry(id).or_default().is_at = true;
        }
        all
    }
}

/// A path that a commit does not cover, in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct JsonUncovered {
    #[serde(flatten)]
    path: JsonPath,
    reason: Why<'static>,
}

/// Paths that a commit does not cover, in JSON.
pub fn json_uncovered(uncovered: &[Uncovered]) -> Vec<JsonUncovered> {
    uncovered.iter().map(|one| JsonUncovered { path: (&*one.path).into(), reason: one.reason.into() }).collect()
}

impl From<Reason> for Why<'_> {
    fn from(reason: Reason) -> Self {
        let words = match reason {
            Reason::Unreadable => "cannot be read",
            Reason::Socket => "a socket",
            Reason::Mount => "mounted from elsewhere",
            Reason::Repository => "a repository of its own",
            Reason::TooLong => "longer than 16 TiB",
        };
        Why { word: reason.word(), words }
    }
}

impl CommitRecord {
    /// A commit with the names that point to it, and what it cost.
    pub fn new(id: CommitId, commit: &Commit, names: Names, bytes_stored: Option<u64>) -> CommitRecord {
        let failed = commit.uncovered.iter().filter(|one| one.reason.is_failure()).count();
        CommitRecord {
            id: id.to_string(),
            parents: commit.parents.iter().map(CommitId::to_string).collect(),
            branches: names.branches,
            tags: names.tags,
            current: names.is_at,
            time: commit.time.to_rfc3339(),
            author: commit.author.clone(),
            host: commit.host.clone(),
            message: commit.message.clone(),
            automatic: commit.automatic,
            added: commit.changes.added,
            modified: commit.changes.modified,
            deleted: commit.changes.deleted,
            files: commit.totals.files,
            bytes: commit.totals.bytes,
            bytes_stored,
            uncovered: json_uncovered(&commit.uncovered),
            torn: json_paths::<&RepoPathBuf>(&commit.torn),
            run: Ran::of(commit).map(|ran| JsonRun::new(&ran)),
            suspicious: commit.is_suspicious(),
            alarms: commit.marks().into_iter().map(JsonMark::from).collect(),
            short: id.short(),
            when: commit.time,
            incomplete: (failed + commit.torn.len()) as u64,
        }
    }

    /// Whether it is `@`.
    pub fn is_current(&self) -> bool {
        self.current
    }

    /// Its entry in the log, line by line.
    pub fn lines(&self, page: &Page<'_>) -> Vec<String> {
        let who = sanitize::name(self.author.as_bytes());
        let mut first = page.paint(Role::Id, &self.short).to_string();
        first.push_str(&self.names(page));
        first.push_str(&format!("  {}  {who}", page.time(self.when)));
        let mut lines = vec![first];
        let message = self.message.trim_end();
        lines.extend(message.lines().map(|line| format!("  {}", safe(line)).trim_end().to_owned()));
        lines.extend(self.run.iter().map(|run| format!("  {}", safe(&run.below(message)))));
        lines.push(format!("  {}", self.counts(page)));
        lines
    }

    /// Its line in `log --oneline`.
    pub fn line(&self, page: &Page<'_>) -> String {
        let mut line = page.paint(Role::Id, &self.short).to_string();
        line.push_str(&self.names(page));
        if let Some(subject) = self.message.lines().next() {
            line.push_str(&format!(" {}", safe(subject)));
        }
        format!("{line}  {}", self.counts(page))
    }

    fn names(&self, page: &Page<'_>) -> String {
        let mut names = Vec::new();
        names.extend(self.branches.iter().map(|name| page.paint(Role::Branch, safe(name)).to_string()));
        names.extend(self.tags.iter().map(|name| page.paint(Role::Tag, safe(name)).to_string()));
        if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
    }

    /// `+3 ~1 -2, 1.1 MiB stored (automatic)`
    fn counts(&self, page: &Page<'_>) -> String {
        let mut text = format!(
            "{} {} {}",
            page.paint(Role::Added, format!("+{}", Count(self.added))),
            page.paint(Role::Modified, format!("~{}", Count(self.modified))),
            page.paint(Role::Removed, format!("-{}", Count(self.deleted))),
        );
        if let Some(bytes) = self.bytes_stored {
            text.push_str(&format!(", {} stored", Size(bytes)));
        }
        if self.incomplete > 0 {
            let what = format!(" (incomplete: {})", plural(self.incomplete, "path"));
            text.push_str(&page.paint(Role::Warning, what).to_string());
        }
        if self.suspicious {
            text.push_str(&page.paint(Role::Warning, " (suspicious)").to_string());
        }
        if self.automatic {
            text.push_str(&page.paint(Role::Dim, " (automatic)").to_string());
        }
        text
    }
}

fn safe(name: &str) -> String {
    sanitize::name(name.as_bytes())
}

/// The head of `show`.
impl Report for CommitRecord {
    const TYPE: &'static str = "commit";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let names = self.names(page);
        page.line(format_args!("{} {}{names}", page.paint(Role::Heading, "commit"), page.paint(Role::Id, &self.id)))?;
        for parent in &self.parents {
            page.line(format_args!("parent {}", page.paint(Role::Id, parent)))?;
        }
        page.line(format_args!("author {} on {}", safe(&self.author), safe(&self.host)))?;
        page.line(format_args!("time   {}", page.time(self.when)))?;
        page.line(format_args!("holds  {}, {}", plural(self.files, "file"), Size(self.bytes)))?;
        page.line(format_args!("change {}", self.counts(page)))?;
        if let Some(run) = &self.run {
            page.line(format_args!("run    {}", safe(&run.in_full())))?;
        }
        for alarm in &self.alarms {
            let (count, of) = (Count(alarm.count), Count(alarm.of));
            page.line(format_args!("alarm  {}: {count} of {of} files", safe(&alarm.kind)))?;
        }
        for one in &self.uncovered {
            page.line(format_args!("not covered: {} ({})", safe(&one.path.path), one.reason.words))?;
        }
        for path in &self.torn {
            page.line(format_args!("torn: {}", safe(&path.path)))?;
        }
        if !self.message.is_empty() {
            page.line("")?;
            for line in self.message.trim_end().lines() {
                page.line(format!("    {}", safe(line)).trim_end())?;
            }
        }
        page.line("")
    }
}

/// What `commit` did.
#[derive(Clone, Debug, Serialize)]
pub struct Committed {
    /// In full, and empty for none.
    pub id: String,
    /// The current branch.
    pub branch: String,
    /// A commit was made.
    pub created: bool,
    /// Entries that are new.
    pub added: u64,
    /// Entries with other content.
    pub modified: u64,
    /// Entries that are gone.
    pub deleted: u64,
    /// Entries that are no longer recorded, since rules ignore them now.
    pub ignored: u64,
    /// Files that there are.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes read from the worktree.
    pub bytes_read: u64,
    /// Bytes that the store grew by.
    pub bytes_stored: u64,
    /// Not recorded.
    pub uncovered: Vec<JsonUncovered>,
    /// Changed while they were read.
    pub torn: Vec<JsonPath>,
    /// Paths that were not named, and were recorded together with a named database.
    pub journals: Vec<JsonPath>,
    /// Paths recorded without their extended attributes.
    pub without_attributes: Vec<JsonPath>,
    /// What changed looks like an accident or an attack.
    pub suspicious: bool,
    /// The id for people.
    #[serde(skip)]
    pub short: String,
}

impl Report for Committed {
    const TYPE: &'static str = "commit";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let id = page.paint(Role::Id, &self.short);
        match (self.created, self.id.is_empty()) {
            (false, true) => page.line("nothing to record"),
            (false, false) => page.line(format_args!("nothing new since {id}")),
            (true, _) => page.line(format_args!(
                "{} {id}  {} added, {} modified, {} deleted{}  ({} read, {} stored)",
                page.paint(Role::Branch, &self.branch),
                Count(self.added),
                Count(self.modified),
                Count(self.deleted),
                and_ignored(self.ignored),
                Size(self.bytes_read),
                Size(self.bytes_stored)
            )),
        }
    }
}
