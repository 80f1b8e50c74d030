//! `undo hash-object`: prints the ids of files, and stores them.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;
use crate::plumbing::records;
use crate::report::plumbing::Id;
use crate::snapshot::blob;
use crate::snapshot::file::StoreSink;
use crate::worktree::HashSink;
use crate::worktree::sink::Sink;

/// Print the blob ids of files
///
/// An id is what `b3sum` prints. With -w, also stores the files; without -w, needs no repository.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo hash-object data.csv
  undo cat @:data.csv | sort | undo hash-object -w --stdin
  find . -name '*.csv' -print0 | undo hash-object -z --stdin-paths")]
pub struct Args {
    /// Files to hash
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Store the files
    #[arg(short = 'w', long)]
    write: bool,
    /// Hash stdin, before any FILE
    #[arg(long)]
    stdin: bool,
    /// Read the names of files from stdin, one per line
    #[arg(long, conflicts_with_all = ["files", "stdin"])]
    stdin_paths: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    if args.files.is_empty() && !args.stdin && !args.stdin_paths {
        return Err(Error::new(ErrorKind::Usage, "no file given").hint("undo hash-object FILE, or --stdin"));
    }
    if !args.write {
        args.each(context, &mut HashSink::new())?;
        return Ok(());
    }
    let mut repository = context.repository()?;
    if args.stdin || args.stdin_paths {
        records::wait_for_stdin()?;
    }
    let mut transaction = repository.begin()?;
    let store = transaction.repository().store();
    let session = store.session();
    let mut sink = StoreSink::new(store, &session, false);
    args.each(context, &mut sink)?;
    sink.finish()?;
    let stored = session.finish()?;
    transaction.keep(&stored)
}

impl Args {
    /// Passes the content of each file to the sink, and prints its id.
    fn each(&self, context: &Context<'_>, sink: &mut impl Sink) -> Result<()> {
        let show = |blob: BlobId| context.ui.show(&Id::new(blob.object_id()));
        if self.stdin {
            show(blob::stream(sink, &mut io::stdin().lock(), "stdin")?)?;
        }
        for path in &self.files {
            show(blob::file(sink, &context.place(path)?)?)?;
        }
        if self.stdin_paths {
            for path in records::paths(context) {
                let (place, path) = path?;
                let mut hash = || match path.as_slice() {
                    b"" => Err(Error::new(ErrorKind::Usage, "an empty path").hint("a line has the name of one file")),
                    path => blob::file(sink, &context.place(Path::new(OsStr::from_bytes(path)))?),
                };
                show(hash().map_err(|error| error.context(place))?)?;
            }
        }
        Ok(())
    }
}
