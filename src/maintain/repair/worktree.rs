//! Recovers lost objects from the worktree: files with the lost content, chunks at their offsets, and directories.

use std::collections::{HashMap, HashSet};

use super::copies::Put;
use crate::error::Result;
use crate::fs;
use crate::history::entry_at;
use crate::history::listing::{ListOptions, list};
use crate::history::objects::ObjectType;
use crate::id::{BlobId, CommitId, ObjectId};
use crate::maintain::verify::Damage;
use crate::object::layout::Piece;
use crate::object::{ObjectKind, Objects, id_of};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::Repository;
use crate::store::Store;
use crate::worktree::{HashSink, Index, Overlay, Scan, Worktree, scan};

/// A scan of the worktree, whose trees are in memory if the intact packs lack them.
pub(super) struct Source<'w> {
    worktree: &'w Worktree,
    scan: Scan,
    /// Paths of the files by content.
    files: HashMap<BlobId, RepoPathBuf>,
}

impl<'w> Source<'w> {
    /// Scans the worktree. `intact` has the packs without damage. Lost directories are found only if all files are read.
    pub(super) fn scan(
        repository: &Repository,
        worktree: &'w Worktree,
        intact: &Store,
        reads_all: bool,
        progress: &dyn Progress,
    ) -> Result<Source<'w>> {
        let index = if reads_all { Index::empty() } else { Index::open(&repository.layout.index()) };
        let options =
            scan::Options { staged_by: repository.unfinished().map(|intent| intent.token), ..scan::Options::default() };
        let scan = scan::scan(worktree, intact, &index, &options, &HashSink::new, progress)?;
        let mut files = HashMap::new();
        if let Some(tree) = scan.root.tree() {
            let options = ListOptions { recursive: true, ..ListOptions::default() };
            // With an index, the trees of unchanged directories may be lost: their files are found by the recorded paths.
            for found in list(&Overlay { below: intact, objects: &scan.objects }, tree, options).map_while(Result::ok) {
                let (path, entry) = found;
                files.extend(entry.blob().map(|blob| (blob, path)));
            }
        }
        Ok(Source { worktree, scan, files })
    }

    /// Puts lost trees, attributes and chunks. Returns the files whose whole content is lost, with its ids.
    pub(super) fn recover(
        &self,
        store: &Store,
        lost: &[Damage],
        put: &mut Put<'_>,
    ) -> Result<Vec<(RepoPathBuf, BlobId)>> {
        let ids: HashSet<ObjectId> = lost.iter().filter_map(|damage| damage.id).collect();
        for ((kind, id), bytes) in &self.scan.objects {
            if ids.contains(id) {
                put(*kind, *id, bytes)?;
            }
        }
        let is_lost = |blob: &BlobId| ids.contains(&blob.object_id());
        let files = self.files.iter().filter(|(blob, _)| is_lost(blob));
        let mut whole: Vec<(RepoPathBuf, BlobId)> = files.map(|(blob, path)| (path.clone(), *blob)).collect();
        let mut seen = HashSet::new();
        for damage in lost.iter().filter(|damage| damage.what == ObjectType::Blob.word()) {
            let (Some(commit), Some(path)) = (damage.commit, damage.paths.first()) else { continue };
            let Some(blob) = recorded_blob(store, commit, path) else { continue };
            if damage.id == Some(blob.object_id()) {
                whole.push((path.clone(), blob));
            }
            for path in self.files.get(&blob).into_iter().chain([path]) {
                if seen.insert((path.clone(), blob)) {
                    self.put_chunks(store, path, blob, &ids, put)?;
                }
            }
        }
        whole.sort();
        whole.dedup();
        Ok(whole)
    }

    /// Puts the lost chunks of a large blob that a file has at the recorded offsets.
    fn put_chunks(
        &self,
        store: &Store,
        path: &RepoPathBuf,
        blob: BlobId,
        lost: &HashSet<ObjectId>,
        put: &mut Put<'_>,
    ) -> Result<()> {
        let (Ok(layout), Ok(file)) = (store.layout(blob), self.worktree.root.open_file_below(path)) else {
            return Ok(());
        };
        for (offset, piece) in layout.pieces_with_offsets() {
            let Piece::Chunk { id, length } = piece else { continue };
            if !lost.contains(&id.object_id()) {
                continue;
            }
            let mut bytes = vec![0; length as usize];
            let is_read = fs::read_exact_at(&file, &mut bytes, offset).is_ok();
            if is_read && id_of(ObjectKind::Data, &bytes) == id.object_id() {
                put(ObjectKind::Data, id.object_id(), &bytes)?;
            }
        }
        Ok(())
    }
}

/// The content of a recorded file, if the path can be followed.
fn recorded_blob(store: &Store, commit: CommitId, path: &RepoPathBuf) -> Option<BlobId> {
    let commit = store.commit(commit).ok()?;
    entry_at(store, &commit.root, path).ok().flatten()?.blob()
}
