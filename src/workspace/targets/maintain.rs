//! Collects the garbage of targets, and verifies them.

use crate::error::Result;
use crate::progress::Progress;
use crate::transfer::{collect, verify};
use crate::workspace::Workspace;

use super::OpenTarget;

pub use crate::transfer::collect::Outcome as CollectedTarget;
pub use crate::transfer::verify::Outcome as TargetVerification;

/// How to collect the garbage of a target.
#[derive(Clone, Copy, Debug, Default)]
pub struct CollectTarget {
    /// Change nothing.
    pub is_dry_run: bool,
}

/// What to verify of a target.
#[derive(Clone, Copy, Debug)]
pub struct VerifyTarget {
    /// Share of the packs to read, from 0 to 1. 0: only check that they exist.
    pub sample: f64,
}

impl Workspace {
    /// Condemns what no commit of a target needs, and deletes what was condemned more than a day ago.
    pub fn collect_target(
        &self,
        target: &mut OpenTarget,
        options: &CollectTarget,
        progress: &dyn Progress,
    ) -> Result<CollectedTarget> {
        let connections = target.connections();
        let local = Some(self.repository.store());
        let options = collect::Options { local, connections, is_dry_run: options.is_dry_run };
        collect::collect(&mut target.target, &options, progress)
    }

    /// Verifies a target: its log, its files, and that it has everything that its commits need. Only reads.
    pub fn verify_target(
        &self,
        target: &mut OpenTarget,
        options: &VerifyTarget,
        progress: &dyn Progress,
    ) -> Result<TargetVerification> {
        let options = verify::Options { sample: options.sample, connections: target.connections() };
        verify::verify(&mut target.target, &options, progress)
    }
}
