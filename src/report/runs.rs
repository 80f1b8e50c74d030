//! Runs as they are shown: the command that ran, and what it did to the directory.

use std::io;

use serde::Serialize;

use crate::effect::{Effect, Few, Loss, Retyped};
use crate::id::CommitId;
use crate::object::Ran;
use crate::report::changes::and_ignored;
use crate::report::{JsonPath, Report, json_paths};
use crate::terminal::human::{Count, Size, duration, plural};
use crate::terminal::{Page, Role, sanitize};

/// A command that ran, in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct JsonRun {
    command: Vec<String>,
    exit: u8,
    /// Milliseconds.
    duration: u64,
    #[serde(skip)]
    line: String,
    #[serde(skip)]
    short: String,
}

impl JsonRun {
    /// Words that are not UTF-8 have U+FFFD.
    pub fn new(ran: &Ran) -> JsonRun {
        let command = ran.command.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        JsonRun { command, exit: ran.exit, duration: ran.duration, line: ran.line(), short: ran.short() }
    }

    /// The whole line, and how it ended: "make clean: exit 2 after 3.4 s".
    pub fn in_full(&self) -> String {
        format!("{}: {}", self.line, self.end())
    }

    /// On one line, below a message that may say the same: "$ make clean: exit 2 after 3.4 s", or "exit 2 after 3.4 s".
    pub fn below(&self, message: &str) -> String {
        if message == self.short { self.end() } else { format!("$ {}: {}", self.short, self.end()) }
    }

    fn end(&self) -> String {
        format!("exit {} after {}", self.exit, duration(self.duration))
    }
}

/// What a run did. Ids are full.
#[derive(Clone, Debug, Serialize)]
pub struct RunRecord {
    #[serde(flatten)]
    run: JsonRun,
    /// The commit that holds the directory as it was.
    before: String,
    /// The one that holds what the command made of it.
    after: String,
    changed: u64,
    added: u64,
    modified: u64,
    deleted: u64,
    /// No longer recorded, since rules ignore it now.
    ignored: u64,
    bytes_before: u64,
    bytes_after: u64,
    lost: Vec<JsonLoss>,
    emptied: Vec<JsonPath>,
    retyped: Vec<JsonRetyped>,
    /// Those that were not kept.
    guards: Vec<String>,
    /// The directory is again as it was.
    pub rolled_back: bool,
    #[serde(skip)]
    effect: Effect,
    #[serde(skip)]
    short: String,
}

/// Something that is gone.
#[derive(Clone, Debug, Serialize)]
struct JsonLoss {
    #[serde(flatten)]
    path: JsonPath,
    /// The path itself is gone, and not only some of what was in it.
    whole: bool,
    /// Paths in it that are gone.
    paths: u64,
    bytes: u64,
}

/// A path of another kind.
#[derive(Clone, Debug, Serialize)]
struct JsonRetyped {
    #[serde(flatten)]
    path: JsonPath,
    old_kind: &'static str,
    kind: &'static str,
}

impl RunRecord {
    /// A command, the commits before and after it (the same if it changed nothing), and the guards that were not kept.
    pub fn new(ran: &Ran, before: CommitId, after: CommitId, effect: Effect, guards: Vec<String>) -> RunRecord {
        let lost = |loss: &Loss| JsonLoss {
            path: (&*loss.path).into(),
            whole: loss.is_whole,
            paths: loss.paths,
            bytes: loss.bytes,
        };
        let retyped =
            |one: &Retyped| JsonRetyped { path: (&*one.path).into(), old_kind: one.from.word(), kind: one.to.word() };
        RunRecord {
            run: JsonRun::new(ran),
            before: before.to_string(),
            after: after.to_string(),
            changed: effect.counts.total(),
            added: effect.counts.added,
            modified: effect.counts.modified,
            deleted: effect.counts.deleted,
            ignored: effect.ignored,
            bytes_before: effect.before.bytes,
            bytes_after: effect.after.bytes,
            lost: effect.losses.kept.iter().map(lost).collect(),
            emptied: json_paths(&effect.emptied.kept),
            retyped: effect.retyped.kept.iter().map(retyped).collect(),
            guards,
            rolled_back: false,
            effect,
            short: after.short(),
        }
    }

    fn title(&self, page: &Page<'_>) -> String {
        let line = page.paint(Role::Heading, sanitize::name(self.run.short.as_bytes()));
        let exit = match self.run.exit {
            0 => "exit 0".to_owned(),
            exit => page.paint(Role::Warning, format!("exit {exit}")).to_string(),
        };
        format!("{line}: {exit} after {}", duration(self.run.duration))
    }

    fn print_losses(&self, page: &mut Page<'_>) -> io::Result<()> {
        let word = |page: &Page<'_>| page.paint(Role::Removed, "deleted").to_string();
        for loss in &self.effect.losses.kept {
            let (word, path) = (word(page), page.path(&loss.path).to_string());
            let (paths, size) = (plural(loss.paths, "path"), Size(loss.bytes));
            match (loss.is_whole, loss.paths) {
                (true, 0) => page.line(format_args!("  {word}  {path}  ({size})")),
                (true, _) => page.line(format_args!("  {word}  {path}/ and {paths} in it  ({size})")),
                (false, _) if loss.path.is_root() => page.line(format_args!("  {word}  {paths} at the top  ({size})")),
                (false, _) => page.line(format_args!("  {word}  {paths} in {path}/  ({size})")),
            }?;
        }
        others(page, &self.effect.losses, "directory")
    }

    fn print_kinds(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (emptied, retyped) = (&self.effect.emptied, &self.effect.retyped);
        for path in &emptied.kept {
            let (word, path) = (page.paint(Role::Modified, "emptied"), page.path(path));
            page.line(format_args!("  {word}  {path}"))?;
        }
        others(page, emptied, "file")?;
        for one in &retyped.kept {
            let (word, path) = (page.paint(Role::Modified, "type   "), page.path(&one.path));
            page.line(format_args!("  {word}  {path}  {} → {}", one.from.word(), one.to.word()))?;
        }
        others(page, retyped, "path")
    }
}

/// "and 12 more files".
fn others<T>(page: &mut Page<'_>, few: &Few<T>, noun: &str) -> io::Result<()> {
    match few.count - few.kept.len() as u64 {
        0 => Ok(()),
        others => page.line(format_args!("           and in {} more", plural(others, noun))),
    }
}

impl Report for RunRecord {
    const TYPE: &'static str = "run";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let title = self.title(page);
        if self.before == self.after {
            return page.line(format_args!("{title}; nothing changed, nothing recorded"));
        }
        page.line(title)?;
        let id = page.paint(Role::Id, &self.short);
        let (added, modified, deleted) = (Count(self.added), Count(self.modified), Count(self.deleted));
        let (before, after) = (Size(self.bytes_before), Size(self.bytes_after));
        let ignored = and_ignored(self.ignored);
        page.line(format_args!(
            "{id}  {added} added, {modified} modified, {deleted} deleted{ignored}  ({before} → {after})"
        ))?;
        self.print_losses(page)?;
        self.print_kinds(page)
    }
}

/// What taking a run back did to the directory.
#[derive(Clone, Debug, Serialize)]
pub struct TakenBack {
    /// Entries written or changed.
    pub written: u64,
    /// Entries removed.
    pub deleted: u64,
    /// The commit that keeps what the command did.
    pub kept: String,
}

impl Report for TakenBack {
    const TYPE: &'static str = "rollback";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (written, deleted) = (Count(self.written), Count(self.deleted));
        let kept = page.paint(Role::Id, &self.kept);
        page.line(format_args!("taken back: {written} written, {deleted} deleted; what it did is kept in {kept}"))
    }
}
