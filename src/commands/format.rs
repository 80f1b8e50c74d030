//! The options for the format of changes that `diff`, `log` and `show` share.

use crate::terminal::text::Listing;
use crate::workspace::PatchOptions;

/// Options for the format of changes.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Format {
    /// Show the changed content of each path
    #[arg(short, long)]
    patch: bool,
    /// Show how much of each path changed
    #[arg(long, conflicts_with = "patch")]
    stat: bool,
    /// Show only paths
    #[arg(long, conflicts_with_all = ["patch", "stat"])]
    name_only: bool,
    /// Show only paths and status letters: A, M, D, T, m, or I (ignored now)
    #[arg(long, conflicts_with_all = ["patch", "stat", "name_only"])]
    name_status: bool,
    /// Include binary files in a patch, so that `git apply` can apply it
    #[arg(long)]
    binary: bool,
    /// Show N lines of context
    #[arg(short = 'U', long = "unified", value_name = "N", default_value_t = 3, hide_default_value = true)]
    context: usize,
}

/// A format of changes.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// Changed content.
    Patch(PatchOptions),
    /// A table with the number of changed lines.
    Stat,
    /// One line per path.
    List(Listing),
}

impl Format {
    /// The selected format, if any.
    pub fn style(&self) -> Option<Style> {
        match self {
            Format { patch: true, .. } => Some(Style::Patch(self.patch_options())),
            Format { stat: true, .. } => Some(Style::Stat),
            Format { name_only: true, .. } => Some(Style::List(Listing::NameOnly)),
            Format { name_status: true, .. } => Some(Style::List(Listing::NameStatus)),
            Format { binary: true, .. } => Some(Style::Patch(self.patch_options())),
            _ => None,
        }
    }

    /// The options of a patch.
    pub fn patch_options(&self) -> PatchOptions {
        PatchOptions { context: self.context, binary: self.binary }
    }
}
