//! The options for the format of changes that `diff`, `log` and `show` share.

use crate::commands::Context;
use crate::terminal::text::Listing;
use crate::workspace::{PatchOptions, RenameOptions, TextOptions};

/// Options for the format of changes.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Format {
    /// Show the changed content of each path
    #[arg(short, long)]
    patch: bool,
    /// Show how much of each path changed
    #[arg(long)]
    stat: bool,
    /// Show the numbers of added and removed lines of each path, for scripts
    #[arg(long, conflicts_with_all = ["patch", "stat"])]
    numstat: bool,
    /// Show only the sums of `--stat`
    #[arg(long, conflicts_with_all = ["patch", "stat", "numstat"])]
    shortstat: bool,
    /// Show only paths
    #[arg(long, conflicts_with_all = ["patch", "stat", "numstat", "shortstat"])]
    name_only: bool,
    /// Show only paths and status letters: A, M, D, R, T, m, or I (ignored now)
    #[arg(long, conflicts_with_all = ["patch", "stat", "numstat", "shortstat", "name_only"])]
    name_status: bool,
    /// Include binary files in a patch, so that `git apply` can apply it
    #[arg(long)]
    binary: bool,
    /// Mark changed words in place of lines
    #[arg(long, conflicts_with = "binary")]
    word_diff: bool,
    /// Ignore spaces and tabs when comparing lines
    #[arg(short = 'w', long = "ignore-all-space")]
    ignore_space: bool,
    /// Show N lines of context
    #[arg(short = 'U', long = "unified", value_name = "N", default_value_t = 3, hide_default_value = true)]
    context: usize,
    #[command(flatten)]
    pub renames: Renames,
}

/// Options for finding renames, also of `status`.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Renames {
    /// Report a file as renamed if at least N% of its content is the same; 50% by default
    #[arg(short = 'M', long = "find-renames", value_name = "N%", value_parser = percent)]
    find_renames: Option<u8>,
    /// Show a renamed file as deleted and added
    #[arg(long, conflicts_with = "find_renames")]
    no_renames: bool,
}

impl Renames {
    /// How to find renames, if they are wanted.
    pub fn options(&self) -> Option<RenameOptions> {
        let default = RenameOptions::default();
        let similarity = self.find_renames.unwrap_or(default.similarity);
        (!self.no_renames).then_some(RenameOptions { similarity })
    }
}

/// Parses a similarity, with or without `%`.
fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|percent| (1..=100).contains(percent));
    number.ok_or_else(|| "not a percentage from 1% to 100%".to_owned())
}

/// A format of changes.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// Changed content.
    Patch(PatchStyle),
    /// A table with the number of changed lines.
    Stat(TextOptions),
    /// The table, then changed content.
    StatAndPatch(PatchStyle),
    /// The number of changed lines, one path per line.
    NumStat(TextOptions),
    /// The number of changed paths and lines.
    ShortStat(TextOptions),
    /// One line per path.
    List(Listing),
}

/// A format of changed content.
#[derive(Clone, Copy, Debug)]
pub struct PatchStyle {
    /// What to show.
    pub options: PatchOptions,
    /// Whether to mark words in place of lines.
    pub words: bool,
}

impl Format {
    /// The selected format, if any.
    pub fn style(&self) -> Option<Style> {
        let text = self.patch_style().options.text;
        match self {
            Format { patch: true, stat: true, .. } => Some(Style::StatAndPatch(self.patch_style())),
            Format { stat: true, .. } => Some(Style::Stat(text)),
            Format { numstat: true, .. } => Some(Style::NumStat(text)),
            Format { shortstat: true, .. } => Some(Style::ShortStat(text)),
            Format { name_only: true, .. } => Some(Style::List(Listing::NameOnly)),
            Format { name_status: true, .. } => Some(Style::List(Listing::NameStatus)),
            Format { patch, binary, word_diff, .. } => {
                (*patch || *binary || *word_diff).then(|| Style::Patch(self.patch_style()))
            }
        }
    }

    /// [`ErrorKind::Usage`](crate::error::ErrorKind::Usage) for `-z` with a format for people. `instead` is a command for
    /// scripts.
    pub fn check_null(&self, context: &Context<'_>, instead: &str) -> crate::error::Result<()> {
        match self.style() {
            Some(Style::NumStat(_) | Style::List(_)) => Ok(()),
            _ => context.check_no_null(&format!("{instead}, or use -z with --name-only, --name-status or --numstat")),
        }
    }

    /// The format of changed content.
    pub fn patch_style(&self) -> PatchStyle {
        let text = TextOptions { context: self.context, ignore_space: self.ignore_space };
        PatchStyle { options: PatchOptions { text, binary: self.binary }, words: self.word_diff }
    }
}
