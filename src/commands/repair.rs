//! `undo repair`: recovers lost objects.

use std::path::PathBuf;

#[cfg(feature = "targets")]
use crate::commands::targets;
use crate::commands::{Context, complete, verify};
use crate::error::{ErrorKind, Exit, Result};
use crate::fs;
use crate::report::verify::{DamageRecord, RecoveredRecord, RepairTotals};
use crate::workspace::{Damage, RepairOptions, RepairOutcome, Workspace};

/// Recover damaged and lost objects
///
/// Reads the whole repository. Copies what damaged packs still contain into new packs, and looks for lost objects in the
/// directory and in other repositories. Only adds: what can be read stays. Determines a damaged mask again, writes a
/// damaged catalog again, and removes a damaged index. Keeps every intact record of a damaged journal, and the damaged file beside
/// it. Restores commits of packs that the journal does not name: a killed command leaves them, and so does a journal that was cut
/// off. Such commits are in no branch. Lists what was recovered, and what is still lost; exits with status 5 if anything is.
///
/// --target repairs a target instead: reads all of it, replaces damaged files by what can still be read of them, and sends what
/// it lacks of the commits that this repository has.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo repair -n
  undo repair
  undo repair --from /mnt/backup/project     a copy of the directory, or of its .undo
  undo repair --from nas                     a target
  undo repair --target nas                   the copy on nas, not the repository")]
pub struct Args {
    /// Copy lost objects from the repository in this directory, from a copy of the folder `.undo`, or from a target
    #[cfg_attr(feature = "targets", arg(conflicts_with = "target"))]
    #[arg(long, value_name = "DIR|NAME", add = complete::with(complete::live_paths))]
    from: Vec<PathBuf>,
    /// Show what would be recovered and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[cfg(feature = "targets")]
    #[command(flatten)]
    elsewhere: targets::InTarget,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    #[cfg(feature = "targets")]
    if let Some((workspace, target)) = args.elsewhere.open(context)? {
        return targets::maintain::repair(context, &workspace, target, args.dry_run);
    }
    let journal = Workspace::repair_journal(&context.cwd, &context.environment, args.dry_run)?;
    let journal = journal.map(|(damage, lost)| report_journal(context, damage, lost)).transpose()?;
    let mut workspace = context.workspace()?;
    let (targets, directories) = args.sources(context, &workspace);
    let from = directories.iter().map(|path| context.place(path)).collect::<Result<_>>()?;
    let options = RepairOptions { from, dry_run: args.dry_run };
    let outcome = args.repair(context, &mut workspace, &options, &targets)?;
    let mut totals = totals(&outcome, args.dry_run);
    totals.journal = journal.is_some();
    totals.damaged += u64::from(journal == Some(false));
    totals.clean = totals.damaged == 0;
    let layout = &workspace.repository.layout;
    for damage in outcome.recovered {
        context.ui.show(&RecoveredRecord { damage: verify::fields(layout, damage) })?;
    }
    for damage in outcome.lost {
        context.ui.show(&DamageRecord { damage: verify::fields(layout, damage) })?;
    }
    context.ui.show(&totals)?;
    if totals.commits > 0 && !args.dry_run {
        context.ui.hint("the restored commits are in no branch; to see them: undo log");
    }
    if totals.clean {
        return Ok(Exit::SUCCESS);
    }
    context.ui.hint("everything not listed is intact; if there is a copy of this repository: undo repair --from DIR");
    Ok(ErrorKind::Damaged.exit())
}

/// Reports a repaired journal. Returns whether no operation is missing.
fn report_journal(context: &Context<'_>, damage: Damage, lost: Option<Damage>) -> Result<bool> {
    context.ui.show(&RecoveredRecord { damage: verify::journal_fields(damage) })?;
    let is_complete = lost.is_none();
    if let Some(damage) = lost {
        context.ui.show(&DamageRecord { damage: verify::journal_fields(damage) })?;
    }
    Ok(is_complete)
}

impl Args {
    /// The names of targets and the directories to copy lost objects from. A directory takes precedence over a target of that name.
    fn sources(&self, context: &Context<'_>, workspace: &Workspace) -> (Vec<String>, Vec<PathBuf>) {
        let (mut targets, mut directories) = (Vec::new(), Vec::new());
        for path in &self.from {
            let target = path.to_str().filter(|name| has_target(workspace, name));
            match target {
                Some(name) if !fs::exists(&context.cwd.join(path)).unwrap_or(false) => {
                    context.ui.status(format_args!("looking for lost objects in target {name}"));
                    targets.push(name.to_owned());
                }
                target => {
                    if let Some(name) = target {
                        context
                            .ui
                            .status(format_args!("looking for lost objects in directory {name}, not in the target"));
                    }
                    directories.push(path.clone());
                }
            }
        }
        (targets, directories)
    }

    #[cfg(feature = "targets")]
    fn repair(
        &self,
        context: &Context<'_>,
        workspace: &mut Workspace,
        options: &RepairOptions,
        targets: &[String],
    ) -> Result<RepairOutcome> {
        let open = |name: &String| self.elsewhere.password.open(context, workspace, Some(name));
        let targets = targets.iter().map(open).collect::<Result<_>>()?;
        workspace.repair_from(targets, options, context.ui.progress())
    }

    #[cfg(not(feature = "targets"))]
    fn repair(
        &self,
        context: &Context<'_>,
        workspace: &mut Workspace,
        options: &RepairOptions,
        _: &[String],
    ) -> Result<RepairOutcome> {
        workspace.repair(options, context.ui.progress())
    }
}

#[cfg(feature = "targets")]
fn has_target(workspace: &Workspace, name: &str) -> bool {
    workspace.targets().iter().any(|target| target.name == name)
}

#[cfg(not(feature = "targets"))]
fn has_target(_: &Workspace, _: &str) -> bool {
    false
}

fn totals(outcome: &RepairOutcome, is_dry_run: bool) -> RepairTotals {
    RepairTotals {
        id: outcome.operation,
        salvaged: outcome.salvaged,
        copied: outcome.copied,
        from_worktree: outcome.from_worktree,
        bytes_stored: outcome.bytes_stored,
        packs_replaced: outcome.replaced.len() as u64,
        commits: outcome.commits.len() as u64,
        journal: false,
        mask: outcome.mask,
        catalog: outcome.catalog,
        index: outcome.index,
        damaged: outcome.lost.len() as u64,
        clean: outcome.lost.is_empty(),
        is_dry_run,
    }
}
