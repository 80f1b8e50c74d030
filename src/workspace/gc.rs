//! Collects garbage: gives back the space of what the history does not need any more.

use crate::error::Result;
use crate::maintain::gc;
use crate::progress::Progress;
use crate::time::age::Age;

use super::Workspace;

/// How to collect garbage.
#[derive(Clone, Copy, Debug, Default)]
pub struct GcOptions {
    /// How long forgotten commits and purged content can be taken back. `None`: as the setting `gc.grace` says.
    pub grace: Option<Age>,
    /// Remove forgotten commits and purged content at once.
    pub is_now: bool,
    /// Maximum number of bytes to write.
    pub max_repack: Option<u64>,
    /// The collection was not asked for: it waits while the clock may be wrong.
    pub is_automatic: bool,
}

impl Workspace {
    /// Hides what nothing needs, and rewrites packs of which too much is hidden. Can be interrupted at any time.
    ///
    /// [`crate::error::ErrorKind::Locked`] if another collection is running, [`crate::error::ErrorKind::Damaged`] if an
    /// object that the history needs is missing.
    pub fn collect_garbage(&mut self, options: &GcOptions, progress: &dyn Progress) -> Result<gc::Outcome> {
        let options = self.options(options, false);
        gc::collect(&mut self.repository, &options, progress)
    }

    /// Determines what [`Workspace::collect_garbage`] would hide, without changing anything.
    pub fn preview_garbage(&mut self, options: &GcOptions, progress: &dyn Progress) -> Result<gc::Outcome> {
        let options = self.options(options, true);
        gc::collect(&mut self.repository, &options, progress)
    }

    /// Whether so much can be removed that a collection should begin in the background. Takes little time.
    pub fn needs_collection(&self) -> bool {
        gc::is_due(&self.repository)
    }

    fn options(&self, options: &GcOptions, is_dry_run: bool) -> gc::Options {
        let grace = options.grace.unwrap_or(self.repository.config.grace);
        let grace = (!options.is_now).then_some(grace);
        gc::Options { grace, max_repack: options.max_repack, is_dry_run, is_automatic: options.is_automatic }
    }
}
