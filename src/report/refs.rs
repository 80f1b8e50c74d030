//! Branches and tags as they are shown: a line each, and what was done to one.

use std::io;

use serde::Serialize;

use crate::id::CommitId;
use crate::object::Commit;
use crate::report::Report;
use crate::terminal::{Page, Role, sanitize};
use crate::time::Timestamp;

/// A branch or a tag.
#[derive(Clone, Debug, Serialize)]
pub struct RefRecord {
    kind: &'static str,
    name: String,
    id: String,
    current: bool,
    time: String,
    message: String,
    #[serde(skip)]
    when: Timestamp,
    #[serde(skip)]
    short: String,
}

impl RefRecord {
    /// One of a kind (`branch` or `tag`), and the commit it is at; whether it is the current branch.
    pub fn new(kind: &'static str, name: &str, current: bool, id: CommitId, commit: Commit) -> RefRecord {
        RefRecord {
            kind,
            name: name.to_owned(),
            id: id.to_string(),
            current,
            time: commit.time.to_rfc3339(),
            message: commit.message,
            when: commit.time,
            short: id.short(),
        }
    }
}

impl Report for RefRecord {
    const TYPE: &'static str = "ref";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let mark = if self.current { "@" } else { " " };
        let role = if self.kind == "tag" { Role::Tag } else { Role::Branch };
        let name = page.paint(role, format!("{:<20}", sanitize::name(self.name.as_bytes())));
        let subject = self.message.lines().next().unwrap_or_default();
        let (id, time) = (page.paint(Role::Id, &self.short), page.time(self.when));
        let line = format!("{mark} {name} {id}  {time}  {}", sanitize::name(subject.as_bytes()));
        page.line(line.trim_end())
    }
}

/// What was done to a branch or a tag.
#[derive(Clone, Debug, Serialize)]
pub struct RefChanged {
    kind: &'static str,
    action: &'static str,
    name: String,
    id: String,
    #[serde(skip)]
    short: String,
}

impl RefChanged {
    /// One of a kind was `created`, `deleted` or `renamed`; it is or was at this commit.
    pub fn new(kind: &'static str, action: &'static str, name: &str, id: CommitId) -> RefChanged {
        RefChanged { kind, action, name: name.to_owned(), id: id.to_string(), short: id.short() }
    }
}

impl Report for RefChanged {
    const TYPE: &'static str = "ref-changed";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let name = sanitize::name(self.name.as_bytes());
        page.line(format_args!("{} {} {name} at {}", self.action, self.kind, page.paint(Role::Id, &self.short)))
    }
}
