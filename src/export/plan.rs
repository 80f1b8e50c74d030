//! Plans for an empty directory, in parts, so that memory does not grow with the number of files.

use std::collections::HashMap;

use crate::apply::plan::{Plan, Verdict, check_not_repository};
use crate::diff;
use crate::diff::trees::Side;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::object::{Entry, Links};
use crate::path::{REPOSITORY, RepoPath, RepoPathBuf};

use super::Export;

/// Approximate number of paths in a part. Small in unit tests, so that a part may end anywhere.
const PART: usize = if cfg!(test) { 3 } else { 16 << 10 };

impl Export<'_> {
    /// Calls `each` with the parts of the plan in path order. A directory whose content continues in the next part is
    /// finished again with that part.
    pub(super) fn each_part(&self, each: &mut dyn FnMut(&Plan) -> Result<()>) -> Result<()> {
        let is_purged = |entry: &Entry| entry.blob().is_some_and(|blob| self.store.is_purged(blob));
        let (objects, source) = (self.objects, self.source);
        let sides = (Side { root: None, links: None }, Side { root: Some(&source.root), links: source.links });
        let options = diff::Options { mtimes: source.is_root_known, ..diff::Options::default() };
        let mut groups = Groups::new(&self.links);
        let mut plan = Plan::default();
        let mut end_part = |plan: &mut Plan| {
            let mut part = std::mem::take(plan);
            part.complete(objects, &source.root)?;
            if !source.is_root_known {
                part.forget_root();
            }
            each(&part)
        };
        diff::compare(objects, sides.0, sides.1, &options, &mut |change| {
            match source.is_root_known {
                true => check_not_repository(&change.path, change.new.as_ref())?,
                false => check_not_worktree(&change.path)?,
            }
            if change.new.as_ref().is_some_and(is_purged) {
                plan.purged.push(change.path);
                return Ok(());
            }
            let verdict = if change.path.is_root() { Verdict::Touch } else { Verdict::Create };
            plan.push(&change.path, verdict, change.new.as_ref());
            if let Some(first) = groups.first_met(&change.path) {
                plan.set_link(plan.end() - 1, &first);
            }
            if plan.end() < PART { Ok(()) } else { end_part(&mut plan) }
        })?;
        if plan.end() == 0 && plan.purged.is_empty() { Ok(()) } else { end_part(&mut plan) }
    }
}

/// Rejects a tree with `.undo` at its root, because the exported directory would be taken for a worktree.
fn check_not_worktree(path: &RepoPath) -> Result<()> {
    if path.names().next() != Some(REPOSITORY) {
        return Ok(());
    }
    let message =
        Message::from("the tree has ") + Message::path(path) + " in it, which would make a worktree of the directory";
    Err(Error::new(ErrorKind::Refused, message).hint("`undo export` writes the whole commit"))
}

/// Hard links of the source.
struct Groups<'l> {
    /// Group of each path.
    group: HashMap<&'l RepoPath, usize>,
    /// First path of each group so far.
    first: Vec<Option<RepoPathBuf>>,
}

impl<'l> Groups<'l> {
    fn new(links: &'l Links) -> Groups<'l> {
        let groups = links.groups.iter().enumerate();
        let group = groups.flat_map(|(at, paths)| paths.iter().map(move |path| (&**path, at))).collect();
        Groups { group, first: vec![None; links.groups.len()] }
    }

    /// The earlier path of the same group. `None` if there is none.
    fn first_met(&mut self, path: &RepoPath) -> Option<RepoPathBuf> {
        let first = &mut self.first[*self.group.get(path)?];
        if first.is_none() {
            *first = Some(path.to_owned());
            return None;
        }
        first.clone()
    }
}
