//! `undo gc --target` and `undo verify --target`.

use crate::commands::Context;
use crate::error::{ErrorKind, Exit, Result};
use crate::report::targets::{CollectedRecord, TargetDamage, VerifiedTarget};
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
    context
        .ui
        .hint("a push does not replace damaged packs; for an intact copy: undo target add NAME URL, undo push NAME");
    Ok(ErrorKind::Damaged.exit())
}
