//! `undo verify`: whether all that was recorded is there.

use crate::commands::Context;
use crate::error::{ErrorKind, Exit, Result};
use crate::maintain::verify::{Damage, Finding, verify};
use crate::repo::{Repository, Superfluous};
use crate::report::verify::{DamageRecord, SuperfluousRecord, VerifyTotals};

/// Check that all that was recorded is there
///
/// Reads everything: the journal, each byte of each pack, and all that commits lead to. Nothing is changed. What is damaged
/// is listed, with a commit and a path that lose by it; the exit status is 5 then. -v lists what nobody needs, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo verify
  undo verify --json | jq -r 'select(.type == \"damage\") | .paths[].path'")]
pub struct Args {}

pub fn run(context: &Context<'_>, _: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let mut tell = |finding| match finding {
        Finding::Damage(damage) => context.ui.show(&damage_record(&repository, *damage)),
        Finding::Superfluous(file) => context.ui.show(&superfluous_record(file)),
    };
    let outcome = verify(&repository, &mut tell, context.ui.progress())?;
    context.ui.show(&VerifyTotals {
        packs: outcome.packs,
        objects: outcome.objects,
        bytes: outcome.bytes,
        commits: outcome.commits,
        damaged: outcome.damaged,
        clean: outcome.damaged == 0,
    })?;
    if outcome.damaged == 0 {
        return Ok(Exit::DONE);
    }
    context.ui.hint("what is not listed is whole; a damaged file can be copied from a backup of this repository");
    Ok(ErrorKind::Damaged.exit())
}

fn damage_record(repository: &Repository, damage: Damage) -> DamageRecord {
    let Damage { what, error, id, pack, commit, paths } = damage;
    let file = pack.map(|pack| repository.layout.pack(pack).display().to_string());
    DamageRecord { what, message: error.to_string(), id, pack, file: file.unwrap_or_default(), commit, paths }
}

fn superfluous_record(file: Superfluous) -> SuperfluousRecord {
    SuperfluousRecord { what: file.what, path: file.path.display().to_string(), bytes: file.bytes }
}
