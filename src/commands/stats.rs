//! `undo stats`: shows what the repository takes on disk and what it contains.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::commands::Context;
use crate::error::Result;
use crate::report::End;
use crate::report::stats::{GrowthChart, StatsRecord};
use crate::workspace::Period;

/// Show what the repository takes on disk
///
/// Shows the space of each part, how well content is compressed and deduplicated, the number of commits, and what can be
/// freed. Sizes on disk are allocated bytes, as `du` counts them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo stats
  undo stats --growth         how much was stored each day, week or month
  undo stats --json")]
pub struct Args {
    /// Show how many bytes were stored in each day, week or month
    #[arg(long, value_name = "PERIOD", num_args = 0..=1, value_parser = period())]
    growth: Option<Option<Period>>,
}

fn period() -> impl TypedValueParser<Value = Period> {
    PossibleValuesParser::new(["day", "week", "month"]).map(|word| match word.as_str() {
        "day" => Period::Day,
        "week" => Period::Week,
        _ => Period::Month,
    })
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let workspace = context.workspace()?;
    if let Some(period) = args.growth {
        let chart = GrowthChart(workspace.growth(period)?);
        if chart.0.periods.is_empty() {
            context.ui.status("no commits");
        }
        if !context.ui.options().json {
            return context.ui.print(&chart);
        }
        chart.records().try_for_each(|record| context.ui.show(&record))?;
        return context.ui.show(&End { count: chart.0.periods.len() as u64 });
    }
    let repository = workspace.repository.layout.repository.display().to_string();
    let stats = workspace.stats(context.ui.progress())?;
    context.ui.show(&StatsRecord { stats, repository })
}
