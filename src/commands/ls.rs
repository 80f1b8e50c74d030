//! `undo ls`: what a commit holds.

use std::io;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history;
use crate::object::{Content, Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::ui::human::{self, Size};
use crate::ui::{JsonPath, Page, Report, Role, Ui, sanitize};

/// List what a commit holds
///
/// Looks into history without touching the directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls                 the current commit
  undo ls @~3:data -l     a directory, three commits ago
  undo ls -R -z v1        every path, for programs")]
pub struct Args {
    /// Which commit, and where in it
    #[arg(value_name = "REV[:PATH]", default_value = "@", add = ArgValueCompleter::new(complete::revision_paths))]
    what: String,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    /// Descend into directories
    #[arg(short = 'R', long)]
    recursive: bool,
}

#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    path: JsonPath,
    kind: &'static str,
    mode: String,
    uid: u32,
    gid: u32,
    size: u64,
    mtime: String,
    /// Blob or tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<JsonPath>,
    #[serde(skip)]
    long: bool,
    #[serde(skip)]
    place: RepoPathBuf,
    #[serde(skip)]
    entry: Entry,
}

#[derive(Default, Serialize)]
struct Summary {
    entries: u64,
    bytes: u64,
}

/// What is being listed, and how.
struct Listing<'a> {
    ui: &'a Ui,
    objects: &'a dyn Objects,
    args: &'a Args,
    summary: Summary,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (id, path) = history::resolve_path(&repository, &args.what)?;
    let commit = repository.store().commit(id)?;
    let path = path.unwrap_or_default();
    let Some(entry) = history::entry_at(repository.store(), &commit.root, &path)? else {
        let message = format!("no `{}` in commit {}", path.display(), id.short());
        return Err(Error::new(ErrorKind::NotFound, message).hint(format!("undo ls {}", id.short())));
    };
    context.ui.page_long_output();
    let mut listing = Listing { ui: context.ui, objects: repository.store(), args, summary: Summary::default() };
    match entry.tree() {
        Some(_) => listing.directory(&path, &entry)?,
        None => listing.item(&path, &entry)?,
    }
    context.ui.show(&listing.summary)?;
    Ok(Exit::DONE)
}

impl Listing<'_> {
    fn directory(&mut self, path: &RepoPath, directory: &Entry) -> Result<()> {
        let Some(tree) = directory.tree() else { return Ok(()) };
        for entry in self.objects.tree(tree)?.entries {
            let below = path.join(&entry.name);
            self.item(&below, &entry)?;
            if self.args.recursive {
                self.directory(&below, &entry)?;
            }
        }
        Ok(())
    }

    fn item(&mut self, path: &RepoPath, entry: &Entry) -> Result<()> {
        self.summary.entries += 1;
        if entry.blob().is_some() {
            self.summary.bytes += entry.size();
        }
        self.ui.show(&Item::new(path, entry, self.args.long))
    }
}

impl Item {
    fn new(path: &RepoPath, entry: &Entry, long: bool) -> Item {
        let id = match &entry.content {
            Content::File { blob, .. } => Some(blob.to_string()),
            Content::Directory { tree, .. } => Some(tree.to_string()),
            _ => None,
        };
        let target = match &entry.content {
            Content::Symlink { target } => Some(JsonPath::from(&target[..])),
            _ => None,
        };
        Item {
            path: path.into(),
            kind: entry.kind().word(),
            mode: format!("{:04o}", entry.metadata.mode),
            uid: entry.metadata.uid,
            gid: entry.metadata.gid,
            size: entry.size(),
            mtime: entry.metadata.mtime.to_rfc3339(),
            id,
            target,
            long,
            place: path.to_owned(),
            entry: entry.clone(),
        }
    }
}

impl Report for Item {
    const TYPE: &'static str = "entry";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.record(None, &self.place);
        }
        let slash = if self.entry.tree().is_some() { "/" } else { "" };
        if !self.long {
            return page.line(format_args!("{}{slash}", page.path(&self.place)));
        }
        let metadata = &self.entry.metadata;
        let arrow = match &self.entry.content {
            Content::Symlink { target } => format!(" → {}", sanitize::name(target)),
            _ => String::new(),
        };
        page.line(format_args!(
            "{}  {:>5} {:>5}  {:>10}  {}  {}{slash}{arrow}",
            human::mode(self.entry.kind(), metadata.mode),
            metadata.uid,
            metadata.gid,
            Size(self.size),
            page.paint(Role::Time, metadata.mtime),
            page.path(&self.place)
        ))
    }
}

impl Report for Summary {
    const TYPE: &'static str = "summary";

    fn human(&self, _: &mut Page<'_>) -> io::Result<()> {
        Ok(())
    }
}
