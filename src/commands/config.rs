//! `undo config`: shows and changes settings.

use crate::commands::{Context, complete};
use crate::error::Result;
use crate::report::End;
use crate::report::refs::SettingRecord;
use crate::workspace::Setting;

/// Show or change settings
///
/// Settings are stored in `.undo/config.toml`. Without KEY, lists all settings.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo config
  undo config user.name \"Ada L.\"
  undo config --unset store.compression")]
pub struct Args {
    /// Name of the setting
    #[arg(value_name = "KEY", add = complete::with(complete::settings))]
    key: Option<String>,
    /// New value
    #[arg(value_name = "VALUE")]
    value: Option<String>,
    /// Reset the setting to its default
    #[arg(long, requires = "key", conflicts_with = "value")]
    unset: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let mut workspace = context.workspace()?;
    match (&args.key, &args.value) {
        (None, _) => {
            let settings = workspace.settings()?;
            settings.iter().try_for_each(|setting| context.ui.show(&record(setting, false)))?;
            context.ui.show(&End { count: settings.len() as u64 })
        }
        (Some(key), None) if !args.unset => context.ui.show(&record(&workspace.setting(key)?, true)),
        (Some(key), value) => {
            let setting = workspace.set_setting(key, value.as_deref())?;
            context.ui.outcome(&record(&setting, false))
        }
    }
}

fn record(setting: &Setting, only_value: bool) -> SettingRecord {
    let Setting { key, about, ref value, is_default } = *setting;
    SettingRecord { key, value: value.clone(), default: is_default, about: (!only_value).then_some(about) }
}
