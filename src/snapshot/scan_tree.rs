//! Scans the worktree for a commit. New file content goes into the session at once.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diff::{self, Spliced};
use crate::error::{Error, ErrorKind, Result};
use crate::history::entry_at;
use crate::id::{LinksId, ObjectId};
use crate::message::Message;
use crate::metadata::Kind;
use crate::object::{Commit, Entry, ObjectKind, Objects};
use crate::parallel::join;
use crate::path::RepoPathBuf;
use crate::path::set::PathSet;
use crate::progress::Progress;
use crate::repo::Repository;
use crate::snapshot::file::StoreSink;
use crate::store::{Session, Writer};
use crate::worktree::index::Builder;
use crate::worktree::scan::PartialIndex;
use crate::worktree::{HashSink, Index, Overlay, Scan, Worktree, database, scan};

/// What to scan.
#[derive(Default)]
pub(super) struct ScanOptions<'h> {
    /// Scan only these paths; the rest is as in `base`. Empty means all paths.
    pub paths: &'h [RepoPathBuf],
    /// The paths that were added because they belong to a selected database. Rules may ignore them.
    pub journals: &'h [RepoPathBuf],
    /// Paths to cover although rules ignore them.
    pub despite_rules: &'h [RepoPathBuf],
    /// The commit of the other paths.
    pub base: Option<&'h Commit>,
    /// Put trees into the session at once; otherwise they stay in the scan, to be compared first.
    pub takes_trees: bool,
    /// Receives the index of a scan that was not in time.
    pub partial: PartialIndex,
}

/// The scanned worktree as it will be recorded.
pub(super) struct Recording {
    pub scan: Scan,
    pub root: Entry,
    pub links: Option<LinksId>,
}

/// Scans the worktree; without a session, only hashes files.
pub(super) fn record(
    repository: &Repository,
    session: Option<&Session<'_>>,
    worktree: &Worktree,
    index: &Index,
    how: &ScanOptions<'_>,
    progress: &dyn Progress,
) -> Result<Recording> {
    let store = repository.store();
    let options = scan::Options {
        paths: with_linked(store, how.base, how.paths)?,
        despite_rules: how.despite_rules.to_vec(),
        staged_by: repository.unfinished().map(|intent| intent.token),
        partial: how.partial.clone(),
    };
    let mut scan = match session {
        Some(session) => {
            let sinks = || StoreSink::new(store, session, how.takes_trees);
            scan::scan(worktree, store, index, &options, &sinks, progress)?
        }
        None => scan::scan(worktree, store, index, &options, &HashSink::new, progress)?,
    };
    let selection = PathSet::topmost(how.paths.to_vec());
    let chosen = |path: &RepoPathBuf| selection.is_empty() || selection.covers(path);
    scan.uncovered.retain(|uncovered| chosen(&uncovered.path));
    scan.ignored.retain(chosen);
    scan.torn.retain(chosen);
    scan.without_attributes.retain(chosen);
    let named: Vec<RepoPathBuf> = how.paths.iter().filter(|path| !how.journals.contains(path)).cloned().collect();
    check_paths(store, how.base, &scan, &named)?;
    let (root, links) = match how.base {
        Some(base) if !how.paths.is_empty() => splice(store, base, &mut scan, how.paths)?,
        _ => (scan.root.clone(), scan.links),
    };
    Ok(Recording { scan, root, links })
}

/// Puts the objects that a scan has kept in memory.
pub(super) fn put_objects(writer: &mut Writer<'_>, scan: &Scan) -> Result<()> {
    let mut objects: Vec<_> = scan.objects.iter().collect();
    objects.sort_unstable_by_key(|(name, _)| **name);
    objects.into_iter().try_for_each(|(&(kind, id), bytes)| writer.put(kind, id, bytes).map(drop))
}

/// Minimum number of bytes of trees for which a thread is started.
const MANY: usize = 256 << 10;

/// Puts the objects of a scan while `other` runs. Returns the result of `other` and the writer.
pub(super) fn put_objects_during<'s, T>(
    session: &'s Session<'s>,
    scan: &Scan,
    other: impl FnOnce() -> T,
) -> (T, Result<Writer<'s>>) {
    let put = || {
        let mut writer = session.writer();
        put_objects(&mut writer, scan).map(|()| writer)
    };
    if scan.objects.values().map(|bytes| bytes.len()).sum::<usize>() < MANY {
        return (other(), put());
    }
    join(other, put)
}

/// Extends the index of a scan of some paths to the whole worktree. The store must hold everything that it names.
pub(super) fn complete_index(scan: &mut Scan, index: &Index, paths: &[RepoPathBuf]) {
    if paths.is_empty() {
        return;
    }
    let mut whole = Builder::from_index(index);
    whole.splice(std::mem::take(&mut scan.index), paths);
    scan.index = whole;
}

/// Replaces paths of the base by those of the scan. New trees go into the scan.
fn splice(
    store: &dyn Objects,
    base: &Commit,
    scan: &mut Scan,
    paths: &[RepoPathBuf],
) -> Result<(Entry, Option<LinksId>)> {
    let mut made: HashMap<(ObjectKind, ObjectId), Arc<[u8]>> = HashMap::new();
    let overlay = Overlay { below: store, objects: &scan.objects };
    let (base, from) = ((&base.root, base.links), (&scan.root, scan.links));
    let Spliced { root, links, .. } = diff::splice(&overlay, base, from, paths, &mut |kind, id, bytes| {
        made.insert((kind, id), bytes.into());
        Ok(())
    })?;
    scan.objects.extend(made);
    Ok((root, links))
}

/// The paths to scan: the selected ones, and the other names that their files had in the parent, to find out whether they
/// still are names of one file.
fn with_linked(store: &dyn Objects, parent: Option<&Commit>, paths: &[RepoPathBuf]) -> Result<Vec<RepoPathBuf>> {
    let (mut all, selection) = (paths.to_vec(), PathSet::topmost(paths.to_vec()));
    let links = parent.and_then(|parent| parent.links);
    let (Some(links), false) = (links, paths.is_empty()) else { return Ok(all) };
    for group in store.links(links)?.groups {
        let (chosen, others): (Vec<_>, Vec<_>) = group.into_iter().partition(|path| selection.covers(path));
        if !chosen.is_empty() {
            all.extend(others);
        }
    }
    Ok(all)
}

/// Rejects paths that are in neither the worktree nor the parent commit.
fn check_paths(store: &dyn Objects, parent: Option<&Commit>, scan: &Scan, paths: &[RepoPathBuf]) -> Result<()> {
    let overlay = Overlay { below: store, objects: &scan.objects };
    for path in paths {
        let is_uncovered = scan.uncovered.iter().any(|uncovered| uncovered.path.is_within(path));
        if is_uncovered || entry_at(&overlay, &scan.root, path)?.is_some() {
            continue;
        }
        if scan.ignored.iter().any(|ignored| path.is_within(ignored)) {
            let message = Message::path(path) + " is ignored by the rules of the worktree";
            let hint = format!("to record it, add this line to the `.undoignore` of the root: !/{}", path.display());
            return Err(Error::new(ErrorKind::Usage, message).hint(hint).paths(vec![path.clone()]));
        }
        let recorded = parent.map(|parent| entry_at(store, &parent.root, path)).transpose()?.flatten();
        if recorded.is_none() {
            let elsewhere =
                if parent.is_some() { "neither in the worktree nor in the last commit" } else { "not in the worktree" };
            let message = Message::path(path) + format!(" is {elsewhere}");
            return Err(Error::new(ErrorKind::NotFound, message).hint("undo status").paths(vec![path.clone()]));
        }
    }
    Ok(())
}

/// Returns these paths plus the other files of their databases that exist in the worktree or in the current commit, and
/// separately the paths that were added.
pub fn with_database_files(
    repository: &Repository,
    worktree: &Worktree,
    paths: &[RepoPathBuf],
) -> Result<(Vec<RepoPathBuf>, Vec<RepoPathBuf>)> {
    // An unreadable commit is reported by the code that needs it.
    let parent = repository.view().at().and_then(|id| repository.store().commit(id).ok());
    database::with_all_files(paths, &mut |path| {
        let recorded = parent.as_ref().and_then(|parent| entry_at(repository.store(), &parent.root, path).ok()?);
        let stat = worktree.root.stat_below(path).ok().flatten();
        Ok(stat.is_some_and(|stat| stat.kind == Kind::File) || recorded.is_some_and(|entry| entry.kind() == Kind::File))
    })
}
