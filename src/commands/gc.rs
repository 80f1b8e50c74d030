//! `undo gc`: gives back the space of what the history does not need any more.

use crate::commands::Context;
#[cfg(feature = "targets")]
use crate::commands::targets;
use crate::error::{ErrorKind, Exit, Result};
use crate::fs;
use crate::number::plural;
use crate::report::gc::GcSummary;
#[cfg(feature = "targets")]
use crate::workspace::targets::CollectTarget;
use crate::workspace::{Age, Amount, GcOptions, Workspace};

/// Free the space of forgotten commits and purged content
///
/// Removes what nothing needs any more, and rewrites packs until at most a tenth of them is waste. Forgotten commits and
/// purged content go 7 days after they were forgotten or purged (setting gc.grace); objects that no commit refers to, after
/// a day. Can be interrupted at any time, and needs little free space. Commits wait only for moments.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo gc
  undo gc -n                  show what would go, and what waits
  undo gc --now               do not wait: forgotten commits cannot be recalled any more
  undo gc --max-repack 1G     write at most 1 GiB
  undo gc --target nas        the garbage of a target

See also: undo help retention")]
pub struct Args {
    /// Remove forgotten commits and purged content at once
    #[arg(long, conflicts_with = "grace")]
    now: bool,
    /// Keep what was forgotten or purged in this time, such as 12h or 30d [default: 7d]
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    grace: Option<Age>,
    /// Write at most this many bytes, such as 500M or 1G
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_repack: Option<u64>,
    /// Run in the background, at the lowest priority, as after a commit
    #[arg(long, hide = true, conflicts_with_all = ["now", "dry_run"])]
    auto: bool,
    /// Show what would be removed, without removing it
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[cfg(feature = "targets")]
    #[command(flatten)]
    elsewhere: targets::InTarget,
}

fn parse_age(text: &str) -> Result<Age, String> {
    Age::parse(text).ok_or_else(|| "not an age such as `12h`, `30d` or `6w`".to_owned())
}

fn parse_size(text: &str) -> Result<u64, String> {
    match Amount::parse(text) {
        Some(Amount::Bytes(bytes)) => Ok(bytes),
        _ => Err("not a size such as `500M` or `1G`".to_owned()),
    }
}

/// Forgets old commits if the settings limit the space. Garbage is collected even if a limit cannot be met.
fn forget_for_space(context: &Context<'_>, workspace: &mut Workspace) -> Result<()> {
    match workspace.forget_for_space(context.ui.progress()) {
        Ok(Some(outcome)) if outcome.forgotten() > 0 => {
            let commits = plural(outcome.forgotten(), "old commit");
            context
                .ui
                .status(format_args!("{commits} forgotten, as the settings history.max_size and history.min_free say"));
        }
        Err(error) if error.kind() == ErrorKind::Refused => {
            context.ui.warning("the settings history.max_size and history.min_free leave space for one commit only");
        }
        outcome => drop(outcome?),
    }
    Ok(())
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    context.check_no_null("undo gc --json")?;
    if args.auto {
        fs::become_background();
    }
    #[cfg(feature = "targets")]
    if let Some((workspace, target)) = args.elsewhere.open(context)? {
        let options = CollectTarget { is_dry_run: args.dry_run };
        return targets::maintain::collect(context, &workspace, target, &options);
    }
    let mut workspace = context.workspace()?;
    let options =
        GcOptions { grace: args.grace, is_now: args.now, max_repack: args.max_repack, is_automatic: args.auto };
    let progress = context.ui.progress();
    if !args.dry_run {
        forget_for_space(context, &mut workspace)?;
    }
    let outcome = if args.dry_run {
        workspace.preview_garbage(&options, progress)?
    } else {
        match workspace.collect_garbage(&options, progress) {
            Err(error) if args.auto && error.kind() == ErrorKind::Locked => return Ok(Exit::SUCCESS),
            outcome => outcome?,
        }
    };
    context.ui.show(&GcSummary::new(&outcome, args.dry_run))?;
    if outcome.waiting_commits > 0 && !args.now {
        context.ui.hint("to free it now: undo gc --now");
    }
    if outcome.lacks_space {
        context.ui.warning("there is too little free space to rewrite more packs: free some, then run `undo gc` again");
    }
    Ok(if outcome.lacks_space || outcome.has_purged_bytes() { Exit::INCOMPLETE } else { Exit::SUCCESS })
}
