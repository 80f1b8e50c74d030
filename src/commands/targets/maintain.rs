//! `undo gc --target`, `undo verify --target` and `undo repair --target`.

use std::collections::BTreeSet;

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::report::targets::{CollectedRecord, RepairedTargetRecord, TargetDamage, VerifiedTarget};
use crate::workspace::Workspace;
use crate::workspace::targets::{CollectTarget, OpenTarget, VerifyTarget};

/// Collects the garbage of a target.
pub fn collect(
    context: &Context<'_>,
    workspace: &Workspace,
    mut target: OpenTarget,
    options: &CollectTarget,
) -> Result<Exit> {
    let outcome = workspace.collect_target(&mut target, options, context.ui.progress())?;
    context.ui.show(&CollectedRecord::new(&target, &outcome, options.is_dry_run))?;
    if outcome.waiting > 0 && !options.is_dry_run {
        context
            .ui
            .hint(format!("condemned files are deleted a day later: undo gc --target {}", target.settings().name));
    }
    Ok(Exit::SUCCESS)
}

/// Verifies a target.
pub fn verify(
    context: &Context<'_>,
    workspace: &Workspace,
    mut target: OpenTarget,
    options: &VerifyTarget,
) -> Result<Exit> {
    let outcome = workspace.verify_target(&mut target, options, context.ui.progress())?;
    outcome.damage.iter().try_for_each(|error| context.ui.show(&TargetDamage::new(error)))?;
    context.ui.show(&VerifiedTarget::new(&target, &outcome))?;
    if outcome.damage.is_empty() {
        return Ok(Exit::SUCCESS);
    }
    let name = &target.settings().name;
    hint(context, &outcome.damage, &format!("to replace what is damaged: undo repair --target {name}"));
    Ok(ErrorKind::Damaged.exit())
}

/// Repairs a target.
pub fn repair(context: &Context<'_>, workspace: &Workspace, mut target: OpenTarget, is_dry_run: bool) -> Result<Exit> {
    let outcome = workspace.repair_target(&mut target, is_dry_run, context.ui.progress())?;
    let left = if is_dry_run { &outcome.damage } else { &outcome.lost };
    left.iter().try_for_each(|error| context.ui.show(&TargetDamage::new(error)))?;
    context.ui.show(&RepairedTargetRecord::new(&target, &outcome, is_dry_run))?;
    if left.is_empty() {
        return Ok(Exit::SUCCESS);
    }
    if !is_dry_run {
        hint(context, left, "this repository does not have the rest; repair the target from a machine that does");
    }
    Ok(ErrorKind::Damaged.exit())
}

/// Prints once what helps against each kind of damage: the hint of its errors, or else `usual`.
fn hint(context: &Context<'_>, damage: &[Error], usual: &str) {
    let hints: BTreeSet<String> =
        damage.iter().map(|error| error.hint_text().unwrap_or_else(|| usual.to_owned())).collect();
    hints.into_iter().for_each(|hint| context.ui.hint(hint));
}
