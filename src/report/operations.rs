//! Operations as they are shown: a line of `op log`, all of `op show`, and what a step through them did.

use std::io;

use serde::Serialize;

use crate::id::CommitId;
use crate::object::Operation;
use crate::object::operation::{RefEdit, RefName};
use crate::quote::shell_word;
use crate::report::checkouts::CheckoutRecord;
use crate::report::{Report, json_id};
use crate::terminal::human::{Count, duration};
use crate::terminal::{Page, Role, sanitize};
use crate::time::Timestamp;

/// One action.
#[derive(Clone, Debug, Serialize)]
pub struct OperationRecord {
    id: String,
    verb: String,
    description: String,
    command: Vec<String>,
    time: String,
    /// Milliseconds.
    duration: u64,
    user: String,
    host: String,
    /// The state now is the one after it.
    current: bool,
    /// It was taken back, and can be done again.
    taken_back: bool,
    refs: Vec<JsonEdit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<JsonMove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worktree: Option<JsonMove>,
    commits: Vec<String>,
    bytes_read: u64,
    bytes_stored: u64,
    #[serde(skip)]
    when: Timestamp,
    #[serde(skip)]
    short: String,
    #[serde(skip)]
    is_full: bool,
}

/// A ref, before and after.
#[derive(Clone, Debug, Serialize)]
struct JsonEdit {
    kind: &'static str,
    name: String,
    old: String,
    new: String,
}

/// Something before and after.
#[derive(Clone, Debug, Serialize)]
struct JsonMove {
    before: String,
    after: String,
}

/// Where an action stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// The state now is the one after it.
    pub is_current: bool,
    /// It was taken back, and can be done again.
    pub is_taken_back: bool,
}

impl OperationRecord {
    /// The operations of one action, newest first; the last of them names it. `is_full`: with all that is known.
    pub fn new(operations: &[&Operation], standing: Standing, is_full: bool) -> Option<OperationRecord> {
        let (last, oldest) = (operations.first()?, operations.last()?);
        let id = last.id();
        let oldest_first = || operations.iter().rev();
        let went = |(before, after): &(String, String)| JsonMove { before: before.clone(), after: after.clone() };
        let moved =
            |(from, to): (Option<CommitId>, CommitId)| JsonMove { before: json_id(from), after: to.to_string() };
        Some(OperationRecord {
            id: id.to_string(),
            verb: last.verb.to_string(),
            description: last.description.clone(),
            command: last.arguments.clone(),
            time: oldest.time.to_rfc3339(),
            duration: operations.iter().map(|operation| operation.duration).sum(),
            user: last.user.clone(),
            host: last.host.clone(),
            current: standing.is_current,
            taken_back: standing.is_taken_back,
            refs: joined(oldest_first().flat_map(|operation| &operation.edits)),
            branch: last.switched.as_ref().map(went),
            worktree: last.worktree.map(moved),
            commits: oldest_first().flat_map(|operation| &operation.commits).map(|made| made.id.to_string()).collect(),
            bytes_read: operations.iter().map(|operation| operation.bytes_read).sum(),
            bytes_stored: operations.iter().map(|operation| operation.bytes_stored).sum(),
            when: oldest.time,
            short: id.short(),
            is_full,
        })
    }
}

/// Each ref once: as it was before the first change, and after the last one.
fn joined<'e>(edits: impl Iterator<Item = &'e RefEdit>) -> Vec<JsonEdit> {
    let mut all: Vec<JsonEdit> = Vec::new();
    for edit in edits {
        let (kind, name) = match &edit.name {
            RefName::Branch(name) => ("branch", name),
            RefName::Tag(name) => ("tag", name),
        };
        match all.iter_mut().find(|known| known.kind == kind && known.name == *name) {
            Some(known) => known.new = json_id(edit.new),
            None => all.push(JsonEdit { kind, name: name.clone(), old: json_id(edit.old), new: json_id(edit.new) }),
        }
    }
    all.retain(|edit| edit.old != edit.new);
    all
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or("nothing")
}

impl Report for OperationRecord {
    const TYPE: &'static str = "operation";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let mark = if self.current { "@" } else { " " };
        let words = sanitize::name(format!("{}: {}", self.verb, self.description).as_bytes());
        let words = if self.taken_back { page.paint(Role::Dim, words).to_string() } else { words };
        let back = if self.taken_back { "  (taken back)" } else { "" };
        let id = page.paint(Role::Id, &self.short);
        if !self.is_full {
            return page.line(format_args!("{mark} {id}  {}  {words}{back}", page.time(self.when)));
        }
        page.line(format_args!("operation {id}{back}"))?;
        page.line(format_args!("  {words}"))?;
        let who = sanitize::name(format!("{}@{}", self.user, self.host).as_bytes());
        page.line(format_args!("  {}  {who}  {}", page.time(self.when), duration(self.duration)))?;
        let program = self.command.first().and_then(|program| program.rsplit('/').next()).unwrap_or_default();
        let arguments = self.command.iter().skip(1).map(String::as_str);
        let line = std::iter::once(program)
            .chain(arguments)
            .map(|word| shell_word(word.as_bytes()))
            .collect::<Vec<_>>()
            .join(" ");
        page.line(format_args!("  $ {}", sanitize::name(line.as_bytes())))?;
        for edit in &self.refs {
            let name = page.paint(Role::Branch, sanitize::name(edit.name.as_bytes()));
            page.line(format_args!("  {} {name}  {} → {}", edit.kind, short(&edit.old), short(&edit.new)))?;
        }
        if let Some(JsonMove { before, after }) = &self.branch {
            let (before, after) = (sanitize::name(before.as_bytes()), sanitize::name(after.as_bytes()));
            page.line(format_args!("  current branch  {before} → {after}"))?;
        }
        if let Some(JsonMove { before, after }) = &self.worktree {
            page.line(format_args!("  directory  {} → {}", short(before), short(after)))?;
        }
        Ok(())
    }
}

/// What a step back or forward did.
#[derive(Clone, Debug, Serialize)]
pub struct Stepped {
    /// What it did to the directory.
    #[serde(flatten)]
    pub checkout: CheckoutRecord,
    /// The current commit now.
    pub id: String,
    /// The actions that were taken back or done again, in this order.
    pub operations: Vec<Crossed>,
    /// `took back`, `did again`, or nothing where neither is true.
    #[serde(skip)]
    pub did: &'static str,
    /// The verb of what was interrupted and is taken back; empty: nothing was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub interrupted: String,
    /// The directory was left as it is.
    #[serde(skip)]
    pub is_left: bool,
}

/// An action that was taken back or done again.
#[derive(Clone, Debug, Serialize)]
pub struct Crossed {
    /// Its id.
    pub id: String,
    /// Its verb.
    pub verb: String,
    /// What it did.
    pub description: String,
}

impl Report for Stepped {
    const TYPE: &'static str = "checkout";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if !self.interrupted.is_empty() {
            page.line(format_args!("took back the interrupted {}", sanitize::name(self.interrupted.as_bytes())))?;
        }
        for crossed in self.operations.iter().filter(|_| !self.did.is_empty()) {
            let words = sanitize::name(format!("{}: {}", crossed.verb, crossed.description).as_bytes());
            page.line(format_args!("{} {}  {words}", self.did, page.paint(Role::Id, short(&crossed.id))))?;
        }
        let branch = page.paint(Role::Branch, sanitize::name(self.checkout.branch.as_bytes()));
        let at = page.paint(Role::Id, short(&self.id));
        if self.is_left {
            return page.line(format_args!("{branch} {at}  the directory is left as it is"));
        }
        let CheckoutRecord { written, deleted, unchanged, saved, .. } = &self.checkout;
        let (written, deleted, unchanged) = (Count(*written), Count(*deleted), Count(*unchanged));
        page.line(format_args!("{branch} {at}  {written} written, {deleted} deleted, {unchanged} unchanged"))?;
        if !saved.is_empty() {
            page.line(format_args!("what was unsaved is in {}", page.paint(Role::Id, short(saved))))?;
        }
        Ok(())
    }
}
