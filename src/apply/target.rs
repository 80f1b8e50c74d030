//! The wanted state of the worktree.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diff::{self, Spliced};
use crate::error::{Error, ErrorKind, Result};
use crate::fs::Dir;
use crate::history::entry_at;
use crate::id::{CommitId, LinksId, ObjectId};
use crate::message::Message;
use crate::metadata::Kind;
use crate::object::commit::Uncovered;
use crate::object::{Entry, ObjectKind, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::{Overlay, Scan, database};

/// The wanted state of the worktree: a commit or, for `restore`, some paths of one and the rest of the worktree.
#[derive(Clone, Debug)]
pub struct Target {
    /// The commit.
    pub commit: CommitId,
    /// The root directory.
    pub root: Entry,
    /// Hard links.
    pub links: Option<LinksId>,
    /// Paths that it does not cover, which are not changed.
    pub uncovered: Vec<Uncovered>,
    /// Trees and links that the store does not hold (of a mix).
    pub objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    /// Files that kept changing while they were recorded: their content may be a mix of two states.
    pub unstable: Vec<RepoPathBuf>,
    /// Paths that were not selected but belong to a selected database.
    pub journals: Vec<RepoPathBuf>,
    /// Paths that were not selected, and get the time of a selected name of the same file.
    pub other_names: Vec<RepoPathBuf>,
    /// The commits between which an unfinished checkout stopped.
    pub halfway: Vec<CommitId>,
}

/// Why a path is not restored that could not be read when the target was recorded.
pub const NOT_RECORDED: &str = "it could not be read when the commit was made";

impl Target {
    /// The target of a whole commit.
    pub fn commit(objects: &dyn Objects, id: CommitId) -> Result<Target> {
        let commit = objects.commit(id)?;
        let (root, links, uncovered, unstable) = (commit.root, commit.links, commit.uncovered, commit.torn);
        let objects = HashMap::new();
        let (journals, other_names, halfway) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Target { commit: id, root, links, uncovered, objects, unstable, journals, other_names, halfway })
    }

    /// [`ErrorKind::NotFound`] if neither the target nor the worktree has one of these paths.
    pub fn check_names(&self, store: &dyn Objects, root: &Dir, paths: &[RepoPathBuf]) -> Result<()> {
        for path in paths {
            let is_absent = || !matches!(root.stat_below(path), Ok(Some(_)));
            if entry_at(store, &self.root, path)?.is_none() && !path.is_root() && is_absent() {
                let error = on_neither_side(path, self.commit, &[]);
                // A user may have typed a path from the root of the worktree.
                let Some(meant) = self.tail(store, path)? else { return Err(error) };
                return Err(error.hint(Message::from("did you mean ") + Message::path(&meant) + "?"));
            }
        }
        Ok(())
    }

    /// The longest end of a path that the target has.
    fn tail(&self, store: &dyn Objects, path: &RepoPath) -> Result<Option<RepoPathBuf>> {
        let names: Vec<&[u8]> = path.names().collect();
        for first in 1..names.len() {
            let tail = names[first..].iter().fold(RepoPathBuf::default(), |path, name| path.join(name));
            if entry_at(store, &self.root, &tail)?.is_some() {
                return Ok(Some(tail));
            }
        }
        Ok(None)
    }

    /// Selects these paths and the other files of their databases; keeps the rest as the scan found it. Empty means all
    /// paths. [`ErrorKind::NotFound`] if a path is on neither side.
    pub fn only(self, store: &dyn Objects, scan: &Scan, paths: &[RepoPathBuf]) -> Result<Target> {
        if paths.is_empty() {
            return Ok(self);
        }
        let overlay = Overlay { below: store, objects: &scan.objects };
        for path in paths {
            let is_there = entry_at(&overlay, &scan.root, path)?.is_some();
            if !is_there && entry_at(&overlay, &self.root, path)?.is_none() {
                return Err(on_neither_side(path, self.commit, &scan.ignored));
            }
        }
        let is_file = |root: &Entry, path: &RepoPath| -> Result<bool> {
            Ok(entry_at(&overlay, root, path)?.is_some_and(|entry| entry.kind() == Kind::File))
        };
        let (paths, journals) =
            database::with_all_files(paths, &mut |path| Ok(is_file(&scan.root, path)? || is_file(&self.root, path)?))?;
        let mut made: HashMap<(ObjectKind, ObjectId), Arc<[u8]>> = HashMap::new();
        let (base, from) = ((&scan.root, scan.links), (&self.root, self.links));
        let Spliced { root, links, other_names } =
            diff::splice(&overlay, base, from, &paths, &mut |kind, id, bytes| {
                made.insert((kind, id), bytes.into());
                Ok(())
            })?;
        let is_wanted = |one: &RepoPath| paths.iter().any(|path| one.is_within(path));
        let uncovered = self.uncovered.into_iter().filter(|one| is_wanted(&one.path)).collect();
        let unstable = self.unstable.into_iter().filter(|path| is_wanted(path)).collect();
        Ok(Target { root, links, uncovered, objects: made, unstable, journals, other_names, ..self })
    }
}

fn on_neither_side(path: &RepoPath, commit: CommitId, ignored: &[RepoPathBuf]) -> Error {
    let short = commit.short();
    let reason = match ignored.iter().find(|ignored| path.is_within(ignored)) {
        Some(ignored) if **ignored == *path => format!(" is not in commit {short}, and here it is ignored").into(),
        Some(ignored) => {
            Message::from(format!(" is not in commit {short}, and here ")) + Message::path(ignored) + " is ignored"
        }
        None => Message::from(format!(" is neither in commit {short} nor here")),
    };
    let hint = format!("to list the commit: undo ls -R {short}");
    Error::new(ErrorKind::NotFound, Message::path(path) + reason).hint(hint).paths(vec![path.to_owned()])
}
