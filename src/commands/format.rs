//! How changes are shown: the options that `diff`, `log` and `show` share.

use crate::terminal::text::Listing;

/// How changes are shown; the same in `diff`, `log` and `show`.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Format {
    /// All that differs inside each path
    #[arg(short, long)]
    patch: bool,
    /// How much has changed in each path
    #[arg(long, conflicts_with = "patch")]
    stat: bool,
    /// Only the paths
    #[arg(long, conflicts_with_all = ["patch", "stat"])]
    name_only: bool,
    /// Only the paths and A, M, D, T, m, or I (ignored now)
    #[arg(long, conflicts_with_all = ["patch", "stat", "name_only"])]
    name_status: bool,
    /// Lines of context
    #[arg(short = 'U', long = "unified", value_name = "N", default_value_t = 3, hide_default_value = true)]
    pub context: usize,
}

/// One way to show changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// All that differs, with so many lines of context.
    Patch(usize),
    /// How much.
    Stat,
    /// A line each.
    List(Listing),
}

impl Format {
    /// What was asked for, if anything was.
    pub fn style(&self) -> Option<Style> {
        match self {
            Format { patch: true, context, .. } => Some(Style::Patch(*context)),
            Format { stat: true, .. } => Some(Style::Stat),
            Format { name_only: true, .. } => Some(Style::List(Listing::NameOnly)),
            Format { name_status: true, .. } => Some(Style::List(Listing::NameStatus)),
            _ => None,
        }
    }
}
