//! Summarises the changes between two commits, as made by a command, and checks them against guards.

mod change_summary;
mod guard;

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use crate::diff::rename::{self, MAX_CHANGES, RenameOptions};
use crate::diff::trees::Side;
use crate::diff::{self, Change, LeftOut, Status};
use crate::error::Result;
use crate::metadata::Kind;
use crate::object::commit::{Counts, Totals};
use crate::object::{Commit, Entry, Objects};
use crate::path::RepoPathBuf;

pub use change_summary::{Examples, Loss, Retyped};
pub use guard::Guard;

use change_summary::Losses;

/// The changes from one commit to another, with the field names of `docs/json.md`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Effect {
    /// Number of paths that differ, including directories.
    #[serde(flatten)]
    pub counts: Counts,
    /// Number of paths that were renamed without an edit. Each counts as added and deleted, too.
    pub renamed: u64,
    /// Number of paths that ignore rules now leave out. They still exist, so this is not a change of the directory.
    pub ignored: u64,
    /// Totals of the earlier commit.
    #[serde(rename = "bytes_before", serialize_with = "bytes")]
    pub before: Totals,
    /// Totals of the later commit.
    #[serde(rename = "bytes_after", serialize_with = "bytes")]
    pub after: Totals,
    /// The largest deletions.
    #[serde(rename = "lost")]
    pub losses: Examples<Loss>,
    /// Files that became empty.
    pub emptied: Examples<RepoPathBuf>,
    /// Paths whose kind changed.
    pub retyped: Examples<Retyped>,
}

fn bytes<S: Serializer>(totals: &Totals, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(totals.bytes)
}

impl Effect {
    /// Compares two commits. `ignored` are the paths that existed and were ignored when the later commit was made. Paths that
    /// the later commit does not cover do not count as deleted.
    pub(crate) fn between(
        objects: &dyn Objects,
        before: &Commit,
        after: &Commit,
        ignored: &[RepoPathBuf],
    ) -> Result<Effect> {
        let mut effect = Effect { before: before.totals, after: after.totals, ..Effect::default() };
        let left_out = LeftOut::seen(&after.uncovered, ignored, &HashMap::new());
        let options = diff::Options { left_out, ..diff::Options::default() };
        let mut losses = Losses::default();
        let mut add = |change: Change| {
            losses.add(&change);
            effect.add_example(change);
        };
        let mut held = Some(Vec::new());
        let mut counts = diff::compare(objects, side(before), side(after), &options, &mut |change| {
            let Some(changes) = &mut held else {
                add(change);
                return Ok(());
            };
            changes.push(change);
            if changes.len() > MAX_CHANGES {
                held.take().into_iter().flatten().for_each(&mut add);
            }
            Ok(())
        })?;
        if let Some(mut changes) = held {
            // Similar files could hide a deletion; files with the same content cannot.
            let options = RenameOptions { similarity: 100 };
            rename::detect(&mut changes, &mut counts, options, false, &mut |_, _| Ok(None))?;
            changes.into_iter().for_each(add);
        }
        effect.counts = counts.recorded();
        effect.renamed = counts.renamed;
        effect.ignored = counts.ignored;
        effect.losses = losses.finish();
        Ok(effect)
    }

    /// Number of paths that differ. A rename is one change.
    pub fn changed(&self) -> u64 {
        self.counts.total() - self.renamed
    }

    /// Number of paths in the earlier commit, including directories.
    pub fn paths_before(&self) -> u64 {
        self.before.files + self.before.directories + self.before.others
    }

    fn add_example(&mut self, change: Change) {
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
