//! `undo drill`: proves that a target can be restored.

use std::path::{Path, PathBuf};

use crate::commands::targets::secrets::PasswordArgs;
use crate::commands::{Context, complete};
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs;
use crate::report::drill::DrillRecord;
use crate::workspace::targets::DrillOptions;

/// Prove that a target can be restored
///
/// Restores the newest commit of this directory from the target into a temporary directory, without reading the repository,
/// compares every file with what was recorded, and measures the time. Exits with status 5 if a path differs, and
/// with 1 if CMD fails.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo drill nas
  undo drill nas --sample 5%
  undo drill nas --run 'make check'
  undo drill nas --report drill.json

The environment variable TMPDIR names another place for the restored files.")]
pub struct Args {
    /// Name of the target [default: the only one]
    #[arg(value_name = "NAME", add = complete::with(complete::targets))]
    name: Option<String>,
    /// Restore all metadata, but only the content of this share of the files, chosen at random
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    sample: Option<f64>,
    /// Run a command of the shell in the restored directory
    #[arg(long, value_name = "CMD")]
    run: Option<String>,
    /// Write the result to FILE as JSON
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    report: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Parses `5%` or `5`.
fn share(text: &str) -> Result<f64, String> {
    let percent: Option<f64> = text.strip_suffix('%').unwrap_or(text).parse().ok();
    let percent = percent.filter(|percent| *percent > 0.0 && *percent <= 100.0);
    percent.map(|percent| percent / 100.0).ok_or_else(|| "give a percentage such as `5%`".to_owned())
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let workspace = context.workspace()?;
    let report = args.report.as_deref().map(|path| context.place(path)).transpose()?;
    let target = args.password.open(context, &workspace, args.name.as_deref())?;
    let name = target.settings().name.clone();
    let options = DrillOptions { sample: args.sample, command: args.run.clone() };
    let outcome = workspace.drill(target, &options, context.ui.progress())?;
    let record = DrillRecord::new(&name, &outcome, context.environment.now());
    if let Some(path) = report {
        write(&path, &record)?;
    }
    context.ui.outcome(&record)?;
    context.report_reasons("different from what was recorded", &outcome.differences);
    context.report_paths("not restored, because the content was purged", &outcome.purged);
    context.report_reasons("not restored exactly on this machine", &outcome.inexact);
    Ok(match outcome.exit {
        _ if !outcome.differences.is_empty() => ErrorKind::Damaged.exit(),
        Some(exit) if exit != 0 => Exit::NO,
        // Purged content is gone on purpose, maybe from each commit that follows: that must not hide the rest.
        _ if !outcome.inexact.is_empty() => Exit::INCOMPLETE,
        _ => Exit::SUCCESS,
    })
}

fn write(path: &Path, record: &DrillRecord) -> Result<()> {
    let json = serde_json::to_vec_pretty(record)
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot write the report").with_source(error))?;
    fs::write_atomic(path, [&json[..], b"\n"], Durability::Synced)
}
