//! The effect: what a command did to the directory, from the commit before to the one after. How many paths and bytes, and
//! the paths that tell the most; and the bounds that a user sets to it.

mod change_summary;
mod guard;

use std::collections::HashMap;

use crate::diff::trees::Side;
use crate::diff::{self, Change, LeftOut, Status};
use crate::error::Result;
use crate::metadata::Kind;
use crate::object::commit::{Counts, Totals};
use crate::object::{Commit, Entry, Objects};
use crate::path::RepoPathBuf;

pub use change_summary::{Few, Loss, Retyped};
pub use guard::Guard;

use change_summary::Losses;

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// What there was.
    pub before: Totals,
    /// What there is.
    pub after: Totals,
    /// Paths that differ, directories too.
    pub counts: Counts,
    /// Paths that are no longer recorded, since rules ignore them now; no change of the directory.
    pub ignored: u64,
    /// Where the most is gone.
    pub losses: Few<Loss>,
    /// Files that had content and have none.
    pub emptied: Few<RepoPathBuf>,
    /// Paths that are of another kind.
    pub retyped: Few<Retyped>,
}

impl Effect {
    /// From one commit to another, which was made while these paths were there and ignored. What the later one leaves out
    /// is not taken for deleted.
    pub fn between(objects: &dyn Objects, before: &Commit, after: &Commit, ignored: &[RepoPathBuf]) -> Result<Effect> {
        let mut effect = Effect { before: before.totals, after: after.totals, ..Effect::default() };
        let left_out = LeftOut::seen(&after.uncovered, ignored, &HashMap::new());
        let options = diff::Options { left_out, ..diff::Options::default() };
        let mut losses = Losses::default();
        let counts = diff::compare(objects, side(before), side(after), &options, &mut |change| {
            losses.see(&change);
            effect.see(change);
            Ok(())
        })?;
        effect.counts = counts.recorded();
        effect.ignored = counts.ignored;
        effect.losses = losses.finish();
        Ok(effect)
    }

    /// Paths that there were, directories too.
    pub fn paths_before(&self) -> u64 {
        self.before.files + self.before.directories + self.before.others
    }

    fn see(&mut self, change: Change) {
        let (Some(old), Some(new)) = (&change.old, &change.new) else { return };
        if change.status == Status::Type {
            self.retyped.add(Retyped { from: old.kind(), to: new.kind(), path: change.path });
        } else if is_emptied(old, new) {
            self.emptied.add(change.path);
        }
    }
}

fn side(commit: &Commit) -> Side<'_> {
    Side { root: Some(&commit.root), links: commit.links }
}

fn is_emptied(old: &Entry, new: &Entry) -> bool {
    [old, new].iter().all(|entry| entry.kind() == Kind::File) && new.size() == 0 && old.size() > 0
}
