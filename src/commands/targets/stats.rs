//! `undo stats --target`: what a target takes.

use crate::commands::Context;
use crate::error::Result;
use crate::report::targets::{TargetStatsRecord, stream_records};
use crate::workspace::targets::OpenTarget;

/// Shows what a target takes.
pub fn show(context: &Context<'_>, target: &OpenTarget) -> Result<()> {
    let stats = target.stats()?;
    stream_records(target).iter().try_for_each(|stream| context.ui.show(stream))?;
    context.ui.show(&TargetStatsRecord::new(target, &stats))
}
