//! The context that all steps share: the directory, the plan, the saved state, and the store.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::fs::Stat;
use crate::id::AttributesId;
use crate::metadata::{Kind, Metadata};
use crate::object::{Attributes, Content, Entry, Objects};
use crate::path::RepoPath;
use crate::progress::{Progress, Task};
use crate::store::Store;
use crate::worktree::index::{Builder, Record};

use super::apply_metadata::{Subject, Xattr, apply_metadata};
use super::fetched_files::FetchedFiles;
use super::in_use::InUsePaths;
use super::plan::Plan;
use super::privileges::Limits;
use super::renames::RenamePlan;
use super::staging::StagingArea;
use super::swap::{Expected, WhenOpen};

/// Arguments that all steps share.
pub(crate) struct ApplyContext<'c> {
    pub staging: StagingArea<'c>,
    pub store: &'c Store,
    /// Trees and attributes of both sides.
    pub objects: &'c dyn Objects,
    /// Root entry of the target.
    pub target: &'c Entry,
    /// Records of the saved entries.
    pub saved: &'c Builder,
    /// Files that changed while they were saved, so that their records cannot be trusted.
    pub unstable: HashSet<&'c RepoPath>,
    /// Whether a store through a mapping may leave the stat unchanged. The content of a file is then compared before it
    /// is replaced or removed.
    pub is_stat_doubtful: bool,
    /// Paths that are in use and must be left unchanged.
    pub left: &'c InUsePaths,
    /// What to do with files that turn out to be open for writing.
    pub when_open: WhenOpen,
    pub plan: &'c Plan,
    /// Files that a fetch has already written.
    pub fetched: Option<&'c FetchedFiles>,
    /// Files that can be moved instead of written.
    pub renames: RenamePlan,
    /// Limits on what root restores from a repository of another user.
    pub limits: Option<Limits>,
    /// Progress in bytes of files.
    pub task: &'c dyn Task,
    /// For the progress of removals.
    pub progress: &'c dyn Progress,
}

impl ApplyContext<'_> {
    /// The entry that a path is expected to have. `None` if its record cannot be trusted.
    pub(super) fn expected(&self, path: &RepoPath) -> Option<Expected> {
        match self.saved(path) {
            _ if self.unstable.contains(path) => None,
            None => Some(Expected::Nothing),
            Some(record) if record.stat.kind == Kind::Directory => Some(Expected::EmptyDirectory),
            Some(record) => Some(Expected::Saved(Box::new(record), self.when_open)),
        }
    }

    /// The record of a path, if it can be trusted.
    pub(super) fn trusted(&self, path: &RepoPath) -> Option<Record> {
        self.saved(path).filter(|_| !self.unstable.contains(path))
    }

    fn saved(&self, path: &RepoPath) -> Option<Record> {
        let mut record = self.saved.find(path)?;
        record.racy |= self.is_stat_doubtful && record.stat.kind == Kind::File;
        Some(record)
    }

    /// [`ErrorKind::Damaged`](crate::error::ErrorKind::Damaged) if the saved content of a file cannot be read.
    pub(super) fn check_saved(&self, record: &Record) -> Result<()> {
        match record.content {
            Content::File { blob, .. } if !self.store.can_read(blob) => {
                Err(Error::damaged(format!("blob `{}` cannot be read: this is its last copy", blob.short())))
            }
            _ => Ok(()),
        }
    }

    /// Applies recorded metadata and attributes that differ from the current ones (`now`), within the limits. Returns
    /// what was left out or could not be set, with reasons.
    pub(super) fn apply_metadata(
        &self,
        subject: &Subject<'_>,
        now: &Stat,
        recorded: &Metadata,
        xattrs: Option<&[Xattr]>,
    ) -> Vec<String> {
        let Some(limits) = self.limits else { return apply_metadata(subject, now, recorded, xattrs) };
        let limited = limits.limit(now.kind, recorded, xattrs.unwrap_or_default());
        let failed = apply_metadata(subject, now, &limited.metadata, xattrs.map(|_| &*limited.xattrs));
        limited.left_out.into_iter().chain(failed).collect()
    }

    /// Applies the metadata and attributes of an entry, as [`ApplyContext::apply_metadata`] does.
    pub(super) fn apply_entry_metadata(&self, subject: &Subject<'_>, now: &Stat, entry: &Entry) -> Result<Vec<String>> {
        let xattrs = self.attributes(entry.attributes)?.xattrs;
        Ok(self.apply_metadata(subject, now, &entry.metadata, Some(&xattrs)))
    }

    /// Attributes of an entry or a record.
    pub(super) fn attributes(&self, id: Option<AttributesId>) -> Result<Attributes> {
        id.map_or(Ok(Attributes::default()), |id| self.objects.attributes(id))
    }
}
