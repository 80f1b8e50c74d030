//! `undo target`: manages targets, which hold encrypted copies of the history.

use crate::commands::targets::key;
use crate::commands::targets::secrets::{PasswordArgs, new_recovery_words};
use crate::commands::{Context, complete};
use crate::error::Result;
use crate::report::targets::{TargetAdded, TargetRecord, TargetRemoved, TargetState, TargetsEnd, stream_records};
use crate::workspace::targets::{NewTarget, TargetSettings};

/// Add, list and show targets: encrypted copies elsewhere
///
/// A target is a folder on another disk, a folder on a server with SSH, or a bucket in S3-compatible storage. Several directories
/// and machines can use one target, even at the same time. Nothing in it can be read without its password.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo target add disk /mnt/backup/undo
  undo target add nas sftp://me@nas/backups/undo
  undo target add cloud s3://bucket/undo --region eu-central-1
  undo target add minio s3://bucket/undo --endpoint https://storage.example.com
  undo target list
  undo target show nas")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a target, and create it if there is none at URL
    Add {
        /// Name of the target in this repository
        #[arg(value_name = "NAME")]
        name: String,
        /// A folder, `sftp://user@host/path` or `s3://bucket/prefix`
        #[arg(value_name = "URL", value_hint = clap::ValueHint::DirPath)]
        url: String,
        /// URL of a server that is compatible with S3
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        /// Region of the bucket
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// List the targets of this repository, and whether they meet the 3-2-1 rule
    ///
    /// The rule asks for 3 copies on 2 media, 1 of them elsewhere. The directory is one copy, and each target with the whole history
    /// another one. Media are the file systems of this machine, and other hosts; elsewhere is any other host. Servers are not asked.
    List,
    /// Show what a target has, who writes to it, and what it takes
    Show {
        /// Name of the target
        #[arg(value_name = "NAME", add = complete::with(complete::targets))]
        name: Option<String>,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Add, list and remove the passwords and recovery words of a target
    Key {
        #[command(subcommand)]
        command: key::Command,
    },
    /// Replace all keys of a target by a new password and new recovery words
    ///
    /// Passwords, recovery words and machines that opened the target before no longer open it: other machines ask for the new
    /// password. Then rewrites what was pushed with the old keys, which can take as long as pushing everything. Until that ends,
    /// and in copies of the target made before, who has the old keys can read what was pushed. Older entries of the log, with
    /// the names of hosts, directories and branches, stay as they are.
    Rekey(key::RekeyArgs),
    /// Forget a target; the copies in it stay
    Remove {
        /// Name of the target
        #[arg(value_name = "NAME", add = complete::with(complete::targets))]
        name: String,
    },
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    match &args.command {
        Command::Add { name, url, endpoint, region, password } => {
            let (name, url, endpoint, region) = (name.clone(), url.clone(), endpoint.clone(), region.clone());
            add(context, TargetSettings { name, url, endpoint, region, ..TargetSettings::default() }, password)
        }
        Command::List => list(context),
        Command::Show { name, password } => show(context, name.as_deref(), password),
        Command::Key { command } => key::run(context, command),
        Command::Rekey(args) => key::rekey(context, args),
        Command::Remove { name } => {
            let settings = context.workspace()?.remove_target(name)?;
            context.ui.outcome(&TargetRemoved { name: settings.name, url: settings.url })
        }
    }
}

fn add(context: &Context<'_>, settings: TargetSettings, password: &PasswordArgs) -> Result<()> {
    let mut workspace = context.workspace()?;
    let name = settings.name.clone();
    let mut words = None;
    let mut secrets = || {
        let (text, recovery) = new_recovery_words()?;
        words = Some(text);
        Ok(vec![password.ask_new(context, &name)?, recovery])
    };
    let new = NewTarget { secrets: &mut secrets };
    let given = password.entered(context)?;
    let added = workspace.add_target(settings, &mut || password.ask(context, &name), given.as_ref(), new)?;
    if added.missing_extensions.contains(&"fsync@openssh.com") {
        context.ui.warning("the server lacks fsync@openssh.com: a power cut there can lose what was pushed last");
    }
    let recovery_words = words.filter(|_| added.is_new);
    context.ui.outcome(&TargetAdded::new(&added, recovery_words))?;
    context.ui.hint(format!("to copy the history there: undo push {name}"));
    Ok(())
}

fn list(context: &Context<'_>) -> Result<()> {
    let workspace = context.workspace()?;
    let (targets, copies) = (workspace.targets(), workspace.copies()?);
    let mut records = targets.iter().zip(&copies).map(|(settings, copy)| TargetRecord::new(settings, copy));
    records.try_for_each(|record| context.ui.show(&record))?;
    context.ui.show(&TargetsEnd::new(targets.len(), workspace.redundancy(&copies)?))
}

fn show(context: &Context<'_>, name: Option<&str>, password: &PasswordArgs) -> Result<()> {
    let workspace = context.workspace()?;
    let target = password.open(context, &workspace, name)?;
    stream_records(&target).iter().try_for_each(|stream| context.ui.show(stream))?;
    context.ui.show(&TargetState::new(&target))
}
