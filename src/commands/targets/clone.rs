//! `undo clone`: gets a directory back from a target.

use std::path::PathBuf;

use crate::commands::targets::secrets::PasswordArgs;
use crate::commands::{Context, checkouts};
use crate::error::{Exit, Result};
use crate::report::targets::ClonedRecord;
use crate::workspace::Workspace;
use crate::workspace::targets::{CloneOptions, TargetSettings};

/// Get a directory back from a target: its files and its history
///
/// Needs nothing but the URL of the target and its password or recovery words. DIR must be new or empty. An interrupted clone
/// continues if it is run again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo clone /mnt/backup/undo project
  undo clone sftp://me@nas/backups/undo project --from laptop:/home/me/project
  undo clone s3://bucket/undo project --region eu-central-1")]
pub struct Args {
    /// The target: a folder, `sftp://user@host/path` or `s3://bucket/prefix`
    #[arg(value_name = "URL", value_hint = clap::ValueHint::DirPath)]
    url: String,
    /// The new directory
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: PathBuf,
    /// The directory to clone if the target has several: its path, `host:path` or id
    #[arg(long, value_name = "DIRECTORY")]
    from: Option<String>,
    /// Name of the target in the new repository
    #[arg(long, value_name = "NAME", default_value = "origin")]
    name: String,
    /// URL of a server that is compatible with S3
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Region of the bucket
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user
    #[arg(long)]
    trust_owner: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let directory = context.place(&args.directory)?;
    let (name, endpoint, region) = (args.name.clone(), args.endpoint.clone(), args.region.clone());
    let settings = TargetSettings { name, url: args.url.clone(), endpoint, region, ..TargetSettings::default() };
    let (from, secret) = (args.from.clone(), args.password.entered(context)?);
    let options = CloneOptions { settings, from, secret, trust_owner: args.trust_owner };
    let (environment, progress) = (context.environment.clone(), context.ui.progress());
    let mut ask = || args.password.ask(context, &args.name);
    let cloned = Workspace::clone_from(&context.cwd, &directory, &options, &mut ask, environment, progress)?;
    context.ui.outcome(&ClonedRecord::new(&args.directory, &cloned))?;
    if let Some(number) = cloned.void {
        context.ui.warning(format!("entry {number} of the log is not authentic, so the newest commits may be missing"));
        context.ui.hint(format!("to see what is damaged: undo verify --target {}", args.name));
    }
    Ok(match &cloned.checkout {
        Some(outcome) => checkouts::report_inexact(context, outcome),
        None => Exit::SUCCESS,
    })
}
