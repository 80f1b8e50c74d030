//! `undo verify-pack`: verifies packs.

use crate::commands::Context;
use crate::error::{ErrorKind, Exit, Result};
use crate::id::PackId;
use crate::repo::Repository;
use crate::report::plumbing::{PackVerdict, PackedObject, PacksChecked};
use crate::store::ListedObject;

/// Verify packs
///
/// Verifies the given packs, or all packs of the repository. With -v, lists every object.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo verify-pack
  undo verify-pack -v 1f3a | sort -k 3 -n | tail     the largest objects of a pack
  undo verify-pack .undo/packs/1f/1f3a…")]
pub struct Args {
    /// Pack ids, which may be abbreviated, or files below .undo/packs
    #[arg(value_name = "PACK", value_hint = clap::ValueHint::FilePath)]
    packs: Vec<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let named = |text: &String| repository.find_pack(text, &context.place(text.as_ref())?);
    let packs: Vec<PackId> = match args.packs.is_empty() {
        true => repository.state().packs.iter().copied().collect(),
        false => args.packs.iter().map(named).collect::<Result<_>>()?,
    };
    let mut checked = PacksChecked::default();
    for id in packs {
        let verdict = check(context, &repository, id)?;
        checked.packs += 1;
        checked.damaged += u64::from(!verdict.ok);
        context.ui.show(&verdict)?;
    }
    context.ui.show(&checked)?;
    Ok(if checked.damaged > 0 { ErrorKind::Damaged.exit() } else { Exit::SUCCESS })
}

/// Verifies a pack, and lists its objects with `-v`.
fn check(context: &Context<'_>, repository: &Repository, id: PackId) -> Result<PackVerdict> {
    let store = repository.store();
    let verdict = PackVerdict { id, ok: false, reason: String::new(), objects: 0, frames: [0; 3], raw: 0, stored: 0 };
    let mut reason = None;
    let checked = store.check_pack(id, &mut |broken| {
        reason.get_or_insert(broken.error);
    });
    match checked.err().or(reason) {
        Some(error) if matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Io) => {
            return Ok(PackVerdict { reason: error.to_string(), ..verdict });
        }
        Some(error) => return Err(error),
        None => {}
    }
    let listing = store.list_pack(id);
    if context.ui.options().verbose {
        for ListedObject { kind, id, length, frame, offset } in listing.objects()? {
            context.ui.show(&PackedObject { id, kind, size: length, frame, offset })?;
        }
    }
    let totals = listing.totals()?;
    let (objects, frames) = (totals.objects, totals.frames);
    Ok(PackVerdict { ok: true, objects, frames, raw: totals.raw, stored: totals.stored, ..verdict })
}
