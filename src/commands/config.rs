//! `undo config`: shows and changes settings.

use crate::commands::{Context, complete};
use crate::error::{ErrorKind, Result};
use crate::report::End;
use crate::report::refs::SettingRecord;
use crate::workspace::{Setting, SettingSource, UserSettings};

/// Show or change settings
///
/// Settings are stored in `.undo/config.toml`, and with --global in `~/.config/undo/config.toml`
/// (`$XDG_CONFIG_HOME/undo/config.toml`), where they apply to all repositories of the user that do not set another value.
/// Without KEY, lists all settings and where each value comes from.
///
/// `target.NAME.KEY` is a setting of the target NAME, such as `target.nas.limit_up`.
///
/// The table `[diff]` of the user's file has commands that convert files to text before `diff` shows them, such as
/// `"*.pdf" = "pdftotext - -"`. The last pattern that matches a file applies.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo config
  undo config --global user.name \"Ada L.\"
  undo config store.compression zstd:9
  undo config target.nas.limit_up 2M
  undo config --unset store.compression")]
pub struct Args {
    /// Name of the setting
    #[arg(value_name = "KEY", add = complete::with(complete::settings))]
    key: Option<String>,
    /// New value
    #[arg(value_name = "VALUE")]
    value: Option<String>,
    /// Show or change the settings of the current user, for all repositories
    #[arg(long)]
    global: bool,
    /// Remove the value from the file
    #[arg(long, requires = "key", conflicts_with = "value")]
    unset: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    if args.global {
        let mut settings = UserSettings::open(&context.environment)?;
        return match (&args.key, &args.value) {
            (None, _) => list(context, &settings.settings()?),
            (Some(key), None) if !args.unset => context.ui.show(&record(&settings.setting(key)?, true)),
            (Some(key), value) => context.ui.outcome(&record(&settings.set(key, value.as_deref())?, false)),
        };
    }
    let mut workspace = context.workspace().map_err(|error| match error.kind() {
        ErrorKind::NoRepository => error.hint("for the settings of all repositories: undo config --global"),
        _ => error,
    })?;
    match (&args.key, &args.value) {
        (None, _) => list(context, &workspace.settings()?),
        (Some(key), None) if !args.unset => context.ui.show(&record(&workspace.setting(key)?, true)),
        (Some(key), value) => context.ui.outcome(&record(&workspace.set_setting(key, value.as_deref())?, false)),
    }
}

fn list(context: &Context<'_>, settings: &[Setting]) -> Result<()> {
    settings.iter().try_for_each(|setting| context.ui.show(&record(setting, false)))?;
    context.ui.show(&End { count: settings.len() as u64 })
}

fn record(setting: &Setting, only_value: bool) -> SettingRecord {
    let Setting { key, about, value, source } = setting.clone();
    let (default, source) = (source == SettingSource::Default, source.word());
    SettingRecord { key, value, default, source, about: (!only_value).then_some(about) }
}
