//! `undo verify`: checks the repository for missing and damaged objects.

use std::time::Duration;

#[cfg(feature = "targets")]
use crate::commands::targets;
use crate::commands::{Context, complete};
use crate::error::{ErrorKind, Exit, Result};
use crate::id::CommitId;
use crate::maintain::verify::{Damage, Finding};
use crate::quote::{shell_path, shell_word};
use crate::repo::UnneededFile;
use crate::repo::layout::Layout;
use crate::report::verify::{DamageFields, DamageRecord, SuperfluousRecord, VerifyTotals, WorktreeTotals};
use crate::terminal::text::{ChangeLine, Listing};
use crate::time;
#[cfg(feature = "targets")]
use crate::workspace::targets::VerifyTarget;
use crate::workspace::{VerifyExtent, VerifyOptions, Workspace};

/// Check the integrity of the repository
///
/// Reads the journal, every byte of every pack, and all objects reachable from commits. Changes no recorded data. Lists damaged
/// objects, each with an affected commit and path, and exits with status 5 if there are any. -v also lists unneeded files.
///
/// --sample and --max-time read only some of the packs, those first that were read longest ago, and remember which: 20 runs
/// with --sample 5% read everything.
///
/// --worktree reads the directory instead. It lists changes as status does, and exits with status 5 if the content of a file
/// changed although its times and size did not. Other commands then read these files again, so that `undo restore` replaces
/// them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo verify
  undo verify --quick         check that no object is missing
  undo verify --sample 5%     daily: reads everything in 20 days
  undo verify --max-time 10m
  undo verify --target nas --sample 5%
  undo verify --worktree      find files that changed on the disk without being written
  undo verify --json | jq -r 'select(.type == \"damage\") | .paths[].path'")]
pub struct Args {
    /// Check the journal, the tables of packs, and that every object exists; do not read the content of files
    #[arg(long, conflicts_with_all = ["sample", "max_time"])]
    quick: bool,
    /// Read this share of the stored bytes, such as 5%
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    sample: Option<f64>,
    /// Stop after this time, such as 10m or 1h
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_time: Option<Duration>,
    /// Compare the directory with a commit, by default the current one: read every file, whatever its times say
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "@",
          conflicts_with_all = ["quick", "sample", "max_time"], add = complete::with(complete::revisions))]
    worktree: Option<String>,
    #[cfg(feature = "targets")]
    #[command(flatten)]
    elsewhere: targets::InTarget,
}

/// Parses a percentage above 0 as a share.
fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end().parse::<f64>();
    match number {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err("not a percentage above 0 and up to 100, such as `5%`".to_owned()),
    }
}

/// Parses a duration: `10m`, `1h 30min`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    time::parse_duration(text).ok_or_else(|| "not a duration such as `10m` or `1h`".to_owned())
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    #[cfg(feature = "targets")]
    if let Some((workspace, target)) = args.elsewhere.open(context)? {
        let sample = if args.quick { 0.0 } else { args.sample.unwrap_or(1.0) };
        return targets::maintain::verify(context, &workspace, target, &VerifyTarget { sample });
    }
    let mut workspace = context.workspace()?;
    if let Some(revision) = &args.worktree {
        let commit = workspace.resolve(revision)?;
        return compare_worktree(context, &mut workspace, commit);
    }
    let layout = &workspace.repository.layout;
    let mut show = |finding| match finding {
        Finding::Damage(damage) => context.ui.show(&DamageRecord { damage: fields(layout, *damage) }),
        Finding::UnneededFile(UnneededFile { what, path, bytes }) => {
            context.ui.show(&SuperfluousRecord { what, path: path.display().to_string(), bytes })
        }
    };
    let extent = match args.sample {
        _ if args.quick => VerifyExtent::Quick,
        None if args.max_time.is_none() => VerifyExtent::Whole,
        share => VerifyExtent::Part(share.unwrap_or(1.0)),
    };
    let options = VerifyOptions { extent, max_time: args.max_time };
    let outcome = workspace.verify_extent(options, &mut show, context.ui.progress())?;
    if matches!(extent, VerifyExtent::Part(_)) && !outcome.is_remembered {
        context.ui.warning("cannot write the file `checked` in the repository, so the next run reads the same packs");
    }
    let clean = outcome.damaged == 0;
    context.ui.show(&VerifyTotals { outcome, clean })?;
    if clean && outcome.unnamed_commits > 0 {
        context.ui.hint("to restore these commits, outside the branches: undo repair");
    }
    if clean && outcome.has_read_nothing() {
        context.ui.hint("give more time: undo verify --max-time 10m");
        return Ok(Exit::INCOMPLETE);
    }
    if clean {
        return Ok(Exit::SUCCESS);
    }
    context.ui.hint("everything not listed is intact; to recover what can be recovered: undo repair");
    Ok(ErrorKind::Damaged.exit())
}

/// Compares the worktree with a commit. Content that changed without a change of times is damage, other changes are not.
fn compare_worktree(context: &Context<'_>, workspace: &mut Workspace, commit: CommitId) -> Result<Exit> {
    let (differences, silent) = workspace.verify_worktree(commit, context.ui.progress())?;
    for path in &silent {
        let message =
            "its content changed, but size and times did not: the disk or the memory may be failing".to_owned();
        let (what, file, paths) = ("worktree", String::new(), vec![path.clone()]);
        let damage = DamageFields { what, message, id: None, pack: None, file, commit: Some(commit), paths };
        context.ui.show(&DamageRecord { damage })?;
    }
    let mut changed = 0;
    differences.for_each(&mut |change| {
        if silent.binary_search(&change.path).is_ok() {
            return Ok(());
        }
        changed += 1;
        context.ui.show(&ChangeLine { change: &change, listing: Listing::Words, folded: 0 })
    })?;
    let scan = differences.scan().map(|scan| (scan.totals.files, scan.bytes_read)).unwrap_or_default();
    let (files, bytes_read) = scan;
    let damaged = silent.len() as u64;
    context.ui.show(&WorktreeTotals { commit, files, bytes_read, changed, damaged, clean: damaged == 0 })?;
    let exit = context.warn_about_differences(&differences)?;
    drop(differences);
    let Some(path) = silent.first() else { return Ok(exit) };
    if let Err(error) = workspace.remove_from_index(&silent) {
        context.ui.warning(format_args!("the index still says that these files are unchanged: {error}"));
        let index = workspace.repository.layout.index();
        context.ui.hint(format!("without an index, all files are read: rm {}", shell_path(&index)));
    }
    let recorded = [commit.short().to_string().as_bytes(), b":", path.as_bytes()].concat();
    context.ui.hint(format!("to print the recorded content: undo cat {}", shell_word(&recorded)));
    Ok(ErrorKind::Damaged.exit())
}

/// The fields of a damage, with the file of its pack.
pub(super) fn fields(layout: &Layout, damage: Damage) -> DamageFields {
    let Damage { what, error, id, pack, commit, paths } = damage;
    let file = pack.map(|pack| layout.pack(pack).display().to_string()).unwrap_or_default();
    DamageFields { what, message: error.to_string(), id, pack, file, commit, paths }
}

/// The fields of a damage of the journal.
pub(super) fn journal_fields(Damage { what, error, .. }: Damage) -> DamageFields {
    let (message, file, paths) = (error.to_string(), String::new(), Vec::new());
    DamageFields { what, message, id: None, pack: None, file, commit: None, paths }
}
