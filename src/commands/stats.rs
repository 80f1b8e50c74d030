//! `undo stats`: shows what the repository takes on disk and what it contains.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::commands::Context;
#[cfg(feature = "targets")]
use crate::commands::targets;
use crate::error::Result;
use crate::number::plural;
use crate::report::End;
use crate::report::stats::{CommitCostRecord, GrowthChart, PathCostRecord, StatsRecord};
use crate::workspace::Period;

/// Show what the repository takes on disk
///
/// Shows the space of each part, how well content is compressed and deduplicated, the number of commits, and what can be
/// freed. Sizes on disk are allocated bytes, as `du` counts them. The bytes of commits and directories are stored bytes;
/// --commits and --paths search trees, which takes a while in a large repository. In the list of --paths, a directory above
/// the depth, such as `.`, stands for itself and the files directly in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo stats
  undo stats --commits 50     what each of the newest 50 commits takes
  undo stats --paths          which directories take the most in all of history
  undo stats --growth         how much was stored each day, week or month
  undo stats --target nas     what a target takes
  undo stats --json")]
pub struct Args {
    /// Show the bytes of the newest N commits: their own, which neither parents nor children have, and shared ones
    /// [default: 20]
    #[cfg_attr(feature = "targets", arg(conflicts_with = "target"))]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", conflicts_with_all = ["paths", "growth"])]
    commits: Option<usize>,
    /// Show the bytes of each top directory in all commits: those that only it needs, and shared ones
    #[cfg_attr(feature = "targets", arg(conflicts_with = "target"))]
    #[arg(long, conflicts_with = "growth")]
    paths: bool,
    /// Number of levels of directories that --paths lists
    #[arg(long, value_name = "N", default_value_t = 1, requires = "paths", value_parser = clap::value_parser!(u32).range(1..))]
    depth: u32,
    /// Show how many bytes were stored in each day, week or month
    #[cfg_attr(feature = "targets", arg(conflicts_with = "target"))]
    #[arg(long, value_name = "PERIOD", num_args = 0..=1, value_parser = period())]
    growth: Option<Option<Period>>,
    #[cfg(feature = "targets")]
    #[command(flatten)]
    elsewhere: targets::InTarget,
}

fn period() -> impl TypedValueParser<Value = Period> {
    PossibleValuesParser::new(["day", "week", "month"]).map(|word| match word.as_str() {
        "day" => Period::Day,
        "week" => Period::Week,
        _ => Period::Month,
    })
}

fn warn_of_unreadable(context: &Context<'_>, commits: u64) {
    if commits > 0 {
        let commits = plural(commits, "commit");
        context.ui.warning(format!("{commits} left out, because of damage: to see more, undo verify"));
    }
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    #[cfg(feature = "targets")]
    if let Some((_, target)) = args.elsewhere.open(context)? {
        return targets::stats::show(context, &target);
    }
    let workspace = context.workspace()?;
    let progress = context.ui.progress();
    if let Some(limit) = args.commits {
        let mut count = 0;
        let mut show = |cost| {
            count += 1;
            context.ui.show(&CommitCostRecord::from(cost))
        };
        let unreadable = workspace.commit_costs(limit, &mut show, progress)?;
        warn_of_unreadable(context, unreadable);
        return context.ui.show(&End { count });
    }
    if args.paths {
        let (costs, unreadable) = workspace.path_costs(args.depth as usize, progress)?;
        warn_of_unreadable(context, unreadable);
        let count = costs.len() as u64;
        costs.into_iter().try_for_each(|cost| context.ui.show(&PathCostRecord::from(cost)))?;
        return context.ui.show(&End { count });
    }
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
    let stats = workspace.stats(progress)?;
    warn_of_unreadable(context, stats.commits.unreadable);
    context.ui.show(&StatsRecord { stats, repository })
}
