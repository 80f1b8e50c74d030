//! Plans for an empty directory, in parts, so that memory does not grow with the number of files.

use std::collections::HashMap;

use crate::apply::plan::Plan;
use crate::apply::plan::check_not_repository;
use crate::apply::verdict::{Steps, Verdict};
use crate::diff;
use crate::diff::trees::Side;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::object::{Links, Objects};
use crate::path::{REPOSITORY, RepoPath, RepoPathBuf};

use super::Source;

/// Approximate number of paths in a part. Small in unit tests, so that a part may end anywhere.
const PART: usize = if cfg!(test) { 3 } else { 16 << 10 };

/// Calls `each` with the parts in path order. A directory whose content continues in the next part is finished again with that
/// part. `links` are those of the source.
pub(super) fn plans(
    objects: &dyn Objects,
    source: &Source,
    links: &Links,
    each: &mut dyn FnMut(&Plan) -> Result<()>,
) -> Result<()> {
    let sides = (Side { root: None, links: None }, Side { root: Some(&source.root), links: source.links });
    let options = diff::Options { mtimes: source.is_root_known, ..diff::Options::default() };
    let mut groups = Groups::new(links);
    let mut steps = Steps::default();
    let mut part = |steps: &mut Steps| {
        let plan = Plan::new(objects, std::mem::take(steps), &source.root, Vec::new())?;
        each(&if source.is_root_known { plan } else { plan.without_root() })
    };
    diff::compare(objects, sides.0, sides.1, &options, &mut |change| {
        match source.is_root_known {
            true => check_not_repository(&change.path, change.new.as_ref())?,
            false => check_not_worktree(&change.path)?,
        }
        let verdict = if change.path.is_root() { Verdict::Touch } else { Verdict::Create };
        steps.push(&change.path, verdict, change.new.as_ref());
        if let Some(first) = groups.first_met(&change.path) {
            steps.set_link(steps.len() - 1, &first);
        }
        if steps.len() < PART { Ok(()) } else { part(&mut steps) }
    })?;
    if steps.len() == 0 { Ok(()) } else { part(&mut steps) }
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
