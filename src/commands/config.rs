//! `undo config`: settings of the repository.

use clap_complete::engine::ArgValueCompleter;

use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::repo::config::{Document, KEYS, Key, SHARED, key};
use crate::repo::sharing;
use crate::report::End;
use crate::report::refs::SettingRecord;

/// Show or change settings
///
/// They are kept in `.undo/config.toml`. Without a key, all are listed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo config
  undo config user.name \"Ada L.\"
  undo config --unset store.compression")]
pub struct Args {
    /// Which setting
    #[arg(value_name = "KEY", add = ArgValueCompleter::new(complete::settings))]
    key: Option<String>,
    /// Its new value
    #[arg(value_name = "VALUE")]
    value: Option<String>,
    /// Back to the default
    #[arg(long, requires = "key", conflicts_with = "value")]
    unset: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let mut document = Document::open(&repository.layout.config())?;
    let Some(name) = &args.key else {
        for setting in &KEYS {
            context.ui.show(&record(&document, setting, false)?)?;
        }
        context.ui.show(&End { count: KEYS.len() as u64 })?;
        return Ok(Exit::DONE);
    };
    match &args.value {
        Some(value) => document.set(name, value)?,
        None if args.unset => {
            document.unset(name)?;
        }
        None => {
            context.ui.show(&record(&document, key(name)?, true)?)?;
            return Ok(Exit::DONE);
        }
    }
    if key(name)?.name == SHARED {
        let is_shared = document.config()?.is_shared;
        sharing::set(&repository.layout, is_shared).map_err(|error| repository.layout.not_permitted(error))?;
    }
    document.save(repository.environment.durability()).map_err(|error| repository.layout.not_permitted(error))?;
    context.ui.outcome(&record(&document, key(name)?, false)?)?;
    Ok(Exit::DONE)
}

fn record(document: &Document, key: &Key, only_value: bool) -> Result<SettingRecord> {
    let value = document.config()?.get(key.name)?;
    let about = (!only_value).then_some(key.about);
    Ok(SettingRecord { key: key.name, value, default: !document.is_set(key.name)?, about })
}
