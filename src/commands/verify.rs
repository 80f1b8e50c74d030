//! `undo verify`: checks the repository for missing and damaged objects.

use crate::commands::Context;
use crate::error::{ErrorKind, Exit, Result};
use crate::maintain::verify::{Damage, Finding};
use crate::repo::UnneededFile;
use crate::repo::layout::Layout;
use crate::report::verify::{DamageRecord, SuperfluousRecord, VerifyTotals};

/// Check the integrity of the repository
///
/// Reads the journal, every byte of every pack, and all objects reachable from commits. Changes nothing. Lists damaged
/// objects, each with an affected commit and path, and exits with status 5 if there are any. -v also lists unneeded files.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo verify
  undo verify --json | jq -r 'select(.type == \"damage\") | .paths[].path'")]
pub struct Args {}

pub fn run(context: &Context<'_>, _: &Args) -> Result<Exit> {
    let workspace = context.workspace()?;
    let layout = &workspace.repository.layout;
    let mut show = |finding| match finding {
        Finding::Damage(damage) => context.ui.show(&damage_record(layout, *damage)),
        Finding::UnneededFile(UnneededFile { what, path, bytes }) => {
            context.ui.show(&SuperfluousRecord { what, path: path.display().to_string(), bytes })
        }
    };
    let outcome = workspace.verify(&mut show, context.ui.progress())?;
    let clean = outcome.damaged == 0;
    context.ui.show(&VerifyTotals { outcome, clean })?;
    if clean {
        return Ok(Exit::SUCCESS);
    }
    context.ui.hint("everything not listed is intact; replace damaged files from a backup of this repository");
    Ok(ErrorKind::Damaged.exit())
}

fn damage_record(layout: &Layout, damage: Damage) -> DamageRecord {
    let Damage { what, error, id, pack, commit, paths } = damage;
    let file = pack.map(|pack| layout.pack(pack).display().to_string()).unwrap_or_default();
    DamageRecord { what, message: error.to_string(), id, pack, file, commit, paths }
}
