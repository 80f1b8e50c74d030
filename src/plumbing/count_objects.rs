//! `undo count-objects`: counts stored objects and their space.

use crate::commands::Context;
use crate::error::Result;
use crate::maintain::stats::DiskUsage;
use crate::object::ObjectKind;
use crate::report::plumbing::ObjectCount;

/// Count stored objects
///
/// Counts each object once, reachable or not. With -v, counts by kind and prints the disk usage in bytes.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context<'_>, _: &Args) -> Result<()> {
    let repository = context.repository()?;
    let (tally, usage) = (repository.store().tally()?, DiskUsage::measure(&repository)?);
    let packs = repository.store().packs();
    let counts = [
        ("objects", tally.objects()),
        ("data", tally.of(ObjectKind::Data)),
        ("layouts", tally.of(ObjectKind::Layout)),
        ("layout_nodes", tally.of(ObjectKind::LayoutNode)),
        ("trees", tally.of(ObjectKind::Tree)),
        ("attributes", tally.of(ObjectKind::Attributes)),
        ("links", tally.of(ObjectKind::Links)),
        ("commits", tally.of(ObjectKind::Commit)),
        ("duplicates", tally.duplicates),
        ("packs", packs.len() as u64),
        ("size_pack", packs.iter().map(|(_, bytes)| bytes).sum()),
        ("journal", usage.journal.size),
        ("garbage", usage.unnamed_packs.files),
        ("size_garbage", usage.unnamed_packs.size),
    ];
    context.ui.show(&ObjectCount { counts })
}
