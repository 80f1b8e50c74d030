//! Exports to a directory: applies the parts of the plan one after the other.

use std::collections::HashSet;
use std::path::Path;

use crate::apply::apply;
use crate::apply::context::ApplyContext;
use crate::apply::in_use::InUsePaths;
use crate::apply::outcome::ApplyOutcome;
use crate::apply::plan::Plan;
use crate::apply::refresh_index;
use crate::apply::renames::RenamePlan;
use crate::apply::staging::StagingArea;
use crate::apply::swap::WhenOpen;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Silent;
use crate::worktree::index::Builder;

use super::{Export, Exported};

impl Export<'_> {
    /// Writes everything into an empty directory, which is created before the first entry.
    pub(super) fn write_directory(&self, path: &Path) -> Result<Exported> {
        let (mut exported, mut outcome) = (Exported::default(), ApplyOutcome::default());
        // Only entries to which later parts may link.
        let linked: HashSet<&RepoPath> = self.links.groups.iter().flatten().map(|path| &**path).collect();
        let (mut root, mut parts) = (None, 0);
        let written = self.each_part(&mut |plan| {
            let root = match &root {
                Some(root) => root,
                None => root.insert(empty_directory(path)?),
            };
            parts += 1;
            exported.count(plan);
            self.write_part(root, plan, &mut outcome)?;
            outcome.keep_placed(plan, &linked);
            Ok(())
        });
        if let (Err(_), Some(root)) = (&written, &root) {
            self.remove_written(root, parts);
        }
        written?;
        if root.is_none() {
            empty_directory(path)?;
        }
        let taken = |path: RepoPathBuf| (path, "something else has this name".to_owned());
        outcome.inexact.extend(outcome.changed.into_iter().map(taken));
        let (inexact, damaged) = (outcome.inexact.into_iter().collect(), outcome.damaged.into_iter().collect());
        Ok(Exported { inexact, damaged, ..exported })
    }

    fn write_part(&self, root: &Dir, plan: &Plan, outcome: &mut ApplyOutcome) -> Result<()> {
        let context = ApplyContext {
            staging: StagingArea::new(root, None),
            store: self.store,
            objects: self.objects,
            target: &self.source.root,
            saved: &Builder::default(),
            is_stat_doubtful: false,
            unstable: HashSet::new(),
            left: &InUsePaths::default(),
            when_open: WhenOpen::Replace,
            plan,
            fetched: None,
            renames: RenamePlan::default(),
            limits: self.source.limits,
            task: self.task,
            progress: &Silent,
        };
        apply(&context, outcome)?;
        let inexact = refresh_index::find_inexact(root, plan, outcome)?;
        outcome.inexact.extend(inexact);
        Ok(())
    }

    /// Removes what the first parts have written, if possible, so that the export can be repeated.
    fn remove_written(&self, root: &Dir, mut parts: usize) {
        let mut directories = Vec::new();
        let _ = self.each_part(&mut |plan| {
            for action in plan.actions() {
                let (path, entry) = (action.path(), action.entry());
                if entry.is_some_and(|entry| entry.kind() == Kind::Directory) {
                    directories.push(path.to_owned());
                } else {
                    let _ = root.open_parent(path).and_then(|(parent, name)| parent.remove_file(name));
                }
            }
            parts -= 1;
            if parts > 0 { Ok(()) } else { Err(Error::new(ErrorKind::Internal, "this was the last part")) }
        });
        for path in directories.iter().filter(|path| !path.is_root()).rev() {
            let _ = root.open_parent(path).and_then(|(parent, name)| parent.remove_dir(name));
        }
    }
}

fn empty_directory(path: &Path) -> Result<Dir> {
    let refused = |what: &str| {
        let message = format!("`{}` {what}", path.display());
        Err(Error::new(ErrorKind::Refused, message).hint("name a new directory"))
    };
    if fs::stat(path)?.is_some_and(|stat| !matches!(stat.kind, Kind::Directory | Kind::Symlink)) {
        return refused("already exists and is not a directory");
    }
    fs::create_dir_all(path)?;
    let root = Dir::open(path)?;
    if root.entries()?.is_empty() { Ok(root) } else { refused("is not empty") }
}
