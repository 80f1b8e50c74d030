//! `undo forget`: removes commits from the history, by name or by a policy.

use std::collections::HashSet;

#[cfg(feature = "targets")]
use crate::commands::targets::forget::{self, Forget};
use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Result};
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::report::retention::{ForgetSummary, JudgedRecord};
use crate::workspace::{
    Age, Amount, ForgetOutcome, ForgetSelection, KeepLimit, KeepPeriod, KeepPolicy, KeepRule, KeepSpace, Workspace,
};

/// Remove commits from the history
///
/// Forgets the named commits, or every commit that none of the given rules keeps. Rules for periods follow the calendar and
/// keep the newest commit of each period. Commits with a branch or a tag are always kept, and the last commit before an alarm is
/// kept for 90 days.
///
/// Forgotten commits can be brought back with `undo undo` or `undo recall` until the grace period (`gc.grace`, 7 days) is over;
/// then the next `undo gc` frees their disk space.
///
/// With --target, the commits of this directory leave a target instead. That cannot be undone: push them again from a directory
/// that has them, by naming them. `undo gc --target` frees the space.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo forget 3f2a91bc
  undo forget v1..v2                                 all commits after v1, up to v2
  undo forget --keep-within 30d --keep-monthly 12 -n   show what would stay, and why
  undo forget --only-automatic --keep-daily 7
  undo forget --target nas --keep-daily 30 --keep-monthly 24     in a target

See also: undo help retention")]
pub struct Args {
    /// Commits to forget, or a range `A..B`
    #[arg(value_name = "REV", add = complete::with(complete::revisions))]
    revisions: Vec<String>,
    /// Keep the last N commits
    #[arg(long, value_name = "N", conflicts_with = "revisions")]
    keep_last: Option<u64>,
    /// Keep the newest commit of each of the last N hours that have commits
    #[arg(long, value_name = "N", conflicts_with = "revisions")]
    keep_hourly: Option<u64>,
    /// Keep the newest commit of each of the last N days that have commits
    #[arg(long, value_name = "N", conflicts_with = "revisions")]
    keep_daily: Option<u64>,
    /// Keep the newest commit of each of the last N weeks (from Monday) that have commits
    #[arg(long, value_name = "N", conflicts_with = "revisions")]
    keep_weekly: Option<u64>,
    /// Keep the newest commit of each of the last N months that have commits
    #[arg(long, value_name = "N", conflicts_with = "revisions")]
    keep_monthly: Option<u64>,
    /// Keep the newest commit of each of the last N years that have commits
    #[arg(long, value_name = "N", conflicts_with = "revisions")]
    keep_yearly: Option<u64>,
    /// Keep commits that are at most this much older than the newest one, such as 30d, 6w or 1y6m
    #[arg(long, value_name = "AGE", value_parser = parse_age, conflicts_with = "revisions")]
    keep_within: Option<Age>,
    /// Keep the commits of tags that match; `*` also matches `/`
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true, conflicts_with = "revisions", add = complete::with(complete::tags))]
    keep_tag: Vec<String>,
    /// Forget the oldest commits, automatic ones first, until the repository is at most this large, such as 20G or 10%
    #[cfg_attr(feature = "targets", arg(conflicts_with = "target"))]
    #[arg(long, value_name = "SIZE", value_parser = parse_amount, conflicts_with = "revisions")]
    max_size: Option<Amount>,
    /// Forget the oldest commits, automatic ones first, until this much space is free, such as 20G or 10%
    #[cfg_attr(feature = "targets", arg(conflicts_with = "target"))]
    #[arg(long, value_name = "SIZE", value_parser = parse_amount, conflicts_with = "revisions")]
    min_free: Option<Amount>,
    /// Forget only automatic commits, which undo makes to save changes before it replaces them
    #[arg(long)]
    only_automatic: bool,
    /// Show which commits would stay, and why, without forgetting any
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[cfg(feature = "targets")]
    #[command(flatten)]
    elsewhere: forget::DirectoryInTarget,
}

fn parse_age(text: &str) -> Result<Age, String> {
    Age::parse(text).filter(|age| !age.is_zero()).ok_or_else(|| "not an age such as `30d`, `6w` or `1y6m`".to_owned())
}

fn parse_amount(text: &str) -> Result<Amount, String> {
    Amount::parse(text).ok_or_else(|| "not a size such as `20G` or `10%`".to_owned())
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    context.check_no_null("undo forget --json")?;
    #[cfg(feature = "targets")]
    match args.elsewhere.open(context)? {
        Some(Forget::Directory(mut target)) => {
            return args.elsewhere.forget_directory(context, &mut target, args.dry_run);
        }
        Some(Forget::Commits(mut workspace, target)) => {
            workspace.read_history_ahead(context.ui.progress())?;
            let selection = args.selection(&workspace)?;
            let outcome = workspace.forget_in_target(&selection, args.dry_run, context.ui.progress())?;
            report(context, args, &selection, &outcome, None)?;
            if !args.dry_run && outcome.forgotten() > 0 {
                forget::hint(context, &target);
            }
            return Ok(());
        }
        None => {}
    }
    let mut workspace = context.workspace()?;
    let selection = args.selection(&workspace)?;
    let progress = context.ui.progress();
    let outcome = match args.dry_run {
        true => workspace.preview_forget(&selection, progress)?,
        false => workspace.forget(&selection, progress)?,
    };
    // Measuring reads all directories of the history.
    let bytes = if args.dry_run && outcome.forgotten() > 0 { workspace.freed_by(&outcome, progress)? } else { None };
    report(context, args, &selection, &outcome, bytes)?;
    if outcome.is_too_large {
        context.ui.warning("the commits that stay need more space than that; see: undo help retention");
    }
    if !args.dry_run && outcome.forgotten() > 0 {
        context.ui.hint("to undo: undo undo");
    }
    Ok(())
}

fn report(
    context: &Context<'_>,
    args: &Args,
    selection: &ForgetSelection,
    outcome: &ForgetOutcome,
    bytes: Option<u64>,
) -> Result<()> {
    let named = matches!(selection, ForgetSelection::Commits(..));
    if args.dry_run {
        context.ui.page_long_output();
    }
    // The table is for dry runs; programs get it always.
    if args.dry_run || context.ui.options().json {
        outcome.commits.iter().try_for_each(|commit| context.ui.show(&JudgedRecord::from(commit)))?;
    }
    let (forgotten, kept) = (outcome.forgotten(), outcome.kept());
    let summary = ForgetSummary { forgotten, kept, dry_run: args.dry_run, bytes, named };
    if args.dry_run { context.ui.show(&summary) } else { context.ui.outcome(&summary) }
}

impl Args {
    fn rules(&self) -> Vec<KeepRule> {
        let counts = [
            (KeepPeriod::Commit, self.keep_last),
            (KeepPeriod::Hour, self.keep_hourly),
            (KeepPeriod::Day, self.keep_daily),
            (KeepPeriod::Week, self.keep_weekly),
            (KeepPeriod::Month, self.keep_monthly),
            (KeepPeriod::Year, self.keep_yearly),
        ];
        let counted =
            |(period, count): (KeepPeriod, Option<u64>)| Some(KeepRule { period, limit: KeepLimit::Count(count?) });
        let within = self.keep_within.map(|age| KeepRule { period: KeepPeriod::Commit, limit: KeepLimit::Within(age) });
        counts.into_iter().filter_map(counted).chain(within).collect()
    }

    fn selection(&self, workspace: &Workspace) -> Result<ForgetSelection> {
        let rules = self.rules();
        if !self.revisions.is_empty() {
            return Ok(ForgetSelection::Commits(named(workspace, &self.revisions)?, self.only_automatic));
        }
        let space = KeepSpace { max_size: self.max_size, min_free: self.min_free };
        if rules.is_empty() && self.keep_tag.is_empty() && !space.is_limited() {
            return Err(Error::new(ErrorKind::Usage, "no commits and no rules given")
                .hint("name commits, or what to keep: undo forget --keep-daily 7 --keep-monthly 12 -n"));
        }
        let tags = workspace.tags_matching(&self.keep_tag)?;
        Ok(ForgetSelection::Policy(KeepPolicy { rules, tags, only_automatic: self.only_automatic, space }))
    }
}

/// The commits of revisions and ranges, without duplicates.
fn named(workspace: &Workspace, revisions: &[String]) -> Result<Vec<CommitId>> {
    let (mut commits, mut seen) = (Vec::new(), HashSet::new());
    let mut add = |id: CommitId| {
        if seen.insert(id) {
            commits.push(id);
        }
    };
    for text in revisions {
        match workspace.resolve_range(text)? {
            None => add(workspace.resolve(text)?),
            Some((without, from)) => {
                let options = WalkOptions { from: vec![from], exclude: vec![without], ..WalkOptions::default() };
                for walked in workspace.log(options)? {
                    add(walked?.id);
                }
            }
        }
    }
    Ok(commits)
}
