//! `undo export`: a commit as a new directory or an archive.

use std::io;
use std::path::{Path, PathBuf};

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use crate::checkout::Target;
use crate::checkout::export::{Compression, Destination, Exported, export};
use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs;
use crate::repo::Repository;
use crate::ui::human::{Size, plural};
use crate::ui::{JsonReason, Page, Report, Role, json_reasons, sanitize};

/// Write a commit to another place
///
/// To a directory that is new or empty, to a `.tar`, `.tar.gz` or `.tar.zst` file, or with `-` as tar to stdout.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo export v1 /tmp/v1
  undo export @ backup.tar.zst
  undo export @~1 - | ssh host tar -x")]
pub struct Args {
    /// Commit, branch or tag
    #[arg(value_name = "REV", add = ArgValueCompleter::new(complete::revisions))]
    revision: String,
    /// Where to
    #[arg(value_name = "DEST", value_hint = clap::ValueHint::AnyPath)]
    destination: PathBuf,
}

#[derive(Serialize)]
struct Done {
    id: String,
    destination: String,
    entries: u64,
    bytes: u64,
    inexact: Vec<JsonReason>,
    damaged: Vec<JsonReason>,
    #[serde(skip)]
    short: String,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let id = context.commit(&repository, &args.revision, "undo restore")?;
    let target = Target::commit(repository.store(), id)?;
    if args.destination == Path::new("-") {
        let progress = context.ui.progress();
        context.ui.data(|mut out| {
            export(repository.store(), &target, Destination::Tar(&mut out, Compression::None), progress)
        })?;
        return Ok(Exit::DONE);
    }
    let exported = to_place(context, &repository, &target, &args.destination)?;
    context.ui.outcome(&Done {
        id: id.to_string(),
        destination: args.destination.display().to_string(),
        entries: exported.entries,
        bytes: exported.bytes,
        inexact: json_reasons(&exported.inexact),
        damaged: json_reasons(&exported.damaged),
        short: id.short(),
    })?;
    context.tell_reasons("not exported exactly", &exported.inexact);
    context.tell_reasons("damaged in the repository, and not exported", &exported.damaged);
    Ok(match exported.inexact.is_empty() {
        _ if !exported.damaged.is_empty() => ErrorKind::Damaged.exit(),
        true => Exit::DONE,
        false => Exit::INCOMPLETE,
    })
}

fn to_place(context: &Context<'_>, repository: &Repository, target: &Target, destination: &Path) -> Result<Exported> {
    let path = context.place(destination)?;
    let store = repository.store();
    let real = path.ancestors().find_map(|above| fs::canonicalize(above).ok());
    if real.is_some_and(|real| real.starts_with(&repository.layout.repository)) {
        let message = format!("`{}` is in the repository", path.display());
        return Err(Error::new(ErrorKind::Refused, message).hint("choose a place outside of `.undo`"));
    }
    let progress = context.ui.progress();
    let name = destination.to_string_lossy();
    let compression = match () {
        () if name.ends_with(".tar") => Compression::None,
        () if name.ends_with(".tar.gz") || name.ends_with(".tgz") => Compression::Gzip,
        () if name.ends_with(".tar.zst") => Compression::Zstd,
        () => return export(store, target, Destination::Directory(&path), progress),
    };
    let mut file = fs::create_new(&path).map_err(|error| {
        if !error.is_taken() {
            return error;
        }
        let message = format!("`{}` is there already", path.display());
        Error::new(ErrorKind::Refused, message).hint("name a file that is not there yet")
    })?;
    export(store, target, Destination::Tar(&mut file, compression), progress)
}

impl Report for Done {
    const TYPE: &'static str = "export";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(format_args!(
            "{} → {}  {}, {}",
            page.paint(Role::Id, &self.short),
            sanitize::text(&self.destination),
            plural(self.entries, "entry"),
            Size(self.bytes)
        ))
    }
}
