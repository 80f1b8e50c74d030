//! `undo repair`: recovers lost objects.

use std::path::PathBuf;

use crate::commands::{Context, complete, verify};
use crate::error::{ErrorKind, Exit, Result};
use crate::report::verify::{DamageRecord, RecoveredRecord, RepairTotals};
use crate::workspace::{RepairOptions, RepairOutcome};

/// Recover damaged and lost objects
///
/// Reads the whole repository. Copies what damaged packs still contain into new packs, and looks for lost objects in the
/// directory and in other repositories. Only adds: what can be read stays. Determines a damaged mask again, writes a
/// damaged catalog again, and removes a damaged index. Lists what was recovered, and what is still lost; exits with status 5 if anything is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo repair -n
  undo repair
  undo repair --from /mnt/backup/project     a copy of the directory, or of its .undo")]
pub struct Args {
    /// Copy lost objects from the repository in this directory, or from a copy of the folder `.undo`
    #[arg(long, value_name = "DIR", add = complete::with(complete::live_paths))]
    from: Vec<PathBuf>,
    /// Show what would be recovered and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut workspace = context.workspace()?;
    let from = args.from.iter().map(|path| context.place(path)).collect::<Result<_>>()?;
    let options = RepairOptions { from, dry_run: args.dry_run };
    let outcome = workspace.repair(&options, context.ui.progress())?;
    let totals = totals(&outcome, args.dry_run);
    let layout = &workspace.repository.layout;
    for damage in outcome.recovered {
        context.ui.show(&RecoveredRecord { damage: verify::fields(layout, damage) })?;
    }
    for damage in outcome.lost {
        context.ui.show(&DamageRecord { damage: verify::fields(layout, damage) })?;
    }
    context.ui.show(&totals)?;
    if totals.clean {
        return Ok(Exit::SUCCESS);
    }
    context.ui.hint("everything not listed is intact; if there is a copy of this repository: undo repair --from DIR");
    Ok(ErrorKind::Damaged.exit())
}

fn totals(outcome: &RepairOutcome, is_dry_run: bool) -> RepairTotals {
    RepairTotals {
        id: outcome.operation,
        salvaged: outcome.salvaged,
        copied: outcome.copied,
        from_worktree: outcome.from_worktree,
        bytes_stored: outcome.bytes_stored,
        packs_replaced: outcome.replaced.len() as u64,
        mask: outcome.mask,
        catalog: outcome.catalog,
        index: outcome.index,
        damaged: outcome.lost.len() as u64,
        clean: outcome.lost.is_empty(),
        is_dry_run,
    }
}
