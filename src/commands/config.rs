//! `undo config`: settings of the repository.

use std::io;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::repo::config::{Document, KEYS, Key, SHARED, key};
use crate::repo::sharing;
use crate::report::{End, Report};
use crate::terminal::{Page, Role, sanitize};

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

#[derive(Serialize)]
struct Setting {
    key: &'static str,
    value: String,
    default: bool,
    #[serde(skip)]
    about: &'static str,
    /// Only its value is asked for.
    #[serde(skip)]
    alone: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let mut document = Document::open(&repository.layout.config())?;
    let Some(name) = &args.key else {
        for setting in &KEYS {
            context.ui.show(&Setting::new(&document, setting, false)?)?;
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
            context.ui.show(&Setting::new(&document, key(name)?, true)?)?;
            return Ok(Exit::DONE);
        }
    }
    if key(name)?.name == SHARED {
        let is_shared = document.config()?.is_shared;
        sharing::set(&repository.layout, is_shared).map_err(|error| repository.layout.not_permitted(error))?;
    }
    document.save(repository.environment.durability()).map_err(|error| repository.layout.not_permitted(error))?;
    context.ui.outcome(&Setting::new(&document, key(name)?, false)?)?;
    Ok(Exit::DONE)
}

impl Setting {
    fn new(document: &Document, key: &Key, alone: bool) -> Result<Setting> {
        let value = document.config()?.get(key.name)?;
        Ok(Setting { key: key.name, value, default: !document.is_set(key.name)?, about: key.about, alone })
    }
}

impl Report for Setting {
    const TYPE: &'static str = "setting";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let value = sanitize::text(&self.value);
        if self.alone {
            return page.line(value);
        }
        let mark = if self.default { page.paint(Role::Dim, "(default)").to_string() } else { String::new() };
        let line = format!("{} = {value} {mark}", page.paint(Role::Emphasis, self.key));
        page.line(line.replace("  ", " ").trim_end())?;
        page.line(format_args!("    {}", page.paint(Role::Dim, self.about)))
    }
}
