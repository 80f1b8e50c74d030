//! `undo target key` and `undo target rekey`: the passwords and recovery words that open a target.

use crate::commands::targets::secrets::{NewPasswordArgs, PasswordArgs, new_recovery_words};
use crate::commands::{Context, complete};
use crate::error::Result;
use crate::report::End;
use crate::report::targets::{KeyChanged, KeyRecord, Rekeyed, Rewritten};
use crate::workspace::targets::OpenTarget;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a password or new recovery words; the other keys stay
    Add {
        /// Name of the target [default: the only one]
        #[arg(value_name = "NAME", add = complete::with(complete::targets))]
        name: Option<String>,
        /// Add new recovery words instead of a password
        #[arg(long, conflicts_with = "new_password_file")]
        recovery: bool,
        #[command(flatten)]
        password: PasswordArgs,
        #[command(flatten)]
        new: NewPasswordArgs,
    },
    /// List the keys: id, kind, and who added each when
    List {
        /// Name of the target [default: the only one]
        #[arg(value_name = "NAME", add = complete::with(complete::targets))]
        name: Option<String>,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Remove a key
    ///
    /// Who had the key may have kept what it opens. To lock them out, run `undo target rekey` afterwards.
    Remove {
        /// Id of the key, or its first digits
        #[arg(value_name = "KEY")]
        key: String,
        /// Name of the target [default: the only one]
        #[arg(value_name = "NAME", add = complete::with(complete::targets))]
        name: Option<String>,
        #[command(flatten)]
        password: PasswordArgs,
    },
}

#[derive(Debug, clap::Args)]
pub struct RekeyArgs {
    /// Name of the target [default: the only one]
    #[arg(value_name = "NAME", add = complete::with(complete::targets))]
    name: Option<String>,
    /// Keep the keys, and rewrite what an interrupted rekey has left
    #[arg(long = "continue", conflicts_with = "new_password_file")]
    is_continued: bool,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    new: NewPasswordArgs,
}

pub fn run(context: &Context<'_>, command: &Command) -> Result<()> {
    match command {
        Command::Add { name, recovery, password, new } => {
            let mut target = open(context, name.as_deref(), password)?;
            let name = target.settings().name.clone();
            let (words, secret) = match recovery {
                true => new_recovery_words().map(|(words, secret)| (Some(words), secret))?,
                false => (None, new.ask(context, &name)?),
            };
            let key = target.add_key(&secret)?;
            context.ui.outcome(&KeyChanged::added(&name, key, words))
        }
        Command::List { name, password } => {
            let keys = open(context, name.as_deref(), password)?.keys()?;
            let count = keys.len() as u64;
            keys.into_iter().try_for_each(|key| context.ui.show(&KeyRecord::new(key)))?;
            context.ui.show(&End { count })
        }
        Command::Remove { key, name, password } => {
            let mut target = open(context, name.as_deref(), password)?;
            let name = target.settings().name.clone();
            let (key, is_deleted) = target.remove_key(key)?;
            context.ui.outcome(&KeyChanged::removed(&name, key))?;
            warn_of_files(context, is_deleted);
            context.ui.hint(format!("to lock out who had this key: undo target rekey {name}"));
            Ok(())
        }
    }
}

pub fn rekey(context: &Context<'_>, args: &RekeyArgs) -> Result<()> {
    let mut target = open(context, args.name.as_deref(), &args.password)?;
    let name = target.settings().name.clone();
    if !args.is_continued {
        let password = args.new.ask(context, &name)?;
        let (words, recovery) = new_recovery_words()?;
        let is_deleted = target.rekey(&[password, recovery])?;
        context.ui.outcome(&Rekeyed::new(&target, words))?;
        warn_of_files(context, is_deleted);
    }
    // The words are shown before the long part, which can be interrupted.
    let rewritten = target.rewrite_old_packs(context.ui.progress()).map_err(|error| {
        let hint = format!("the new keys are in force; to rewrite the rest: undo target rekey {name} --continue");
        error.hint(hint)
    })?;
    context.ui.outcome(&Rewritten::new(&name, rewritten))
}

/// Warns if files of removed keys stay in the storage.
fn warn_of_files(context: &Context<'_>, are_deleted: bool) {
    if !are_deleted {
        context.ui.warning(
            "the storage did not delete the files of the removed keys: with them, passwords can be tried on what was pushed before; \
             delete the files in `keys` that `undo target key list` does not show as in force",
        );
    }
}

fn open(context: &Context<'_>, name: Option<&str>, password: &PasswordArgs) -> Result<OpenTarget> {
    password.open(context, &context.workspace()?, name)
}
