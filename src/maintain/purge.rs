//! Finds content in all of history: where it is, and what else has it or parts of it.

use std::collections::{BTreeMap, HashSet};

use crate::diff::trees::Side;
use crate::diff::{self, Change, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::history::bytes::blob_size;
use crate::history::walk::{WalkOptions, walk};
use crate::id::{BlobId, ChunkId, CommitId};
use crate::message::Message;
use crate::object::layout::Piece;
use crate::object::operation::PurgedBlob;
use crate::object::{Commit, Content, Objects};
use crate::path::RepoPathBuf;
use crate::path::selection::PathSelection;
use crate::progress::{Progress, Task, Unit};
use crate::repo::Repository;
use crate::store::Store;

/// A recorded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedFile {
    /// Its path.
    pub path: RepoPathBuf,
    /// Its content.
    pub blob: BlobId,
    /// Size of the content in bytes.
    pub size: u64,
    /// The newest commit that added the content at this path.
    pub commit: CommitId,
}

/// Content to purge, and the files that this concerns. Each file is listed once for each content at its path.
#[derive(Clone, Debug, Default)]
pub struct FoundContent {
    /// The contents, ascending by id.
    pub blobs: Vec<PurgedBlob>,
    /// Selected files with these contents.
    pub selected: Vec<RecordedFile>,
    /// Other files with the same contents.
    pub same: Vec<RecordedFile>,
    /// Files with other contents that have chunks of these. Those chunks stay.
    pub sharing: Vec<RecordedFile>,
    /// Number of selected contents that were purged before.
    pub purged_before: u64,
}

/// The contents to find.
#[derive(Clone, Debug)]
pub enum Selected {
    /// Those of all files that any commit has at these paths.
    Paths(PathSelection),
    /// These.
    Blobs(Vec<BlobId>),
}

/// Finds the selected contents in all commits, forgotten ones that can be recalled included. Skips the empty content.
pub fn find(repository: &Repository, selected: &Selected, progress: &dyn Progress) -> Result<FoundContent> {
    let (store, task) = (repository.store(), progress.start("searching history", Unit::Items, None));
    let history = History { repository, task: &*task };
    let mut found = FoundContent::default();
    let mut blobs: BTreeMap<BlobId, u64> = BTreeMap::new();
    let is_selected: Box<dyn Fn(&RecordedFile) -> bool> = match selected {
        Selected::Paths(paths) => {
            let mut seen: HashSet<RepoPathBuf> = HashSet::new();
            history.each_file(paths, &mut |file| {
                blobs.insert(file.blob, file.size);
                seen.insert(file.path);
                Ok(())
            })?;
            check_found(paths, &seen)?;
            Box::new(|file| paths.selects(&file.path))
        }
        Selected::Blobs(ids) => {
            for &id in ids {
                blobs.insert(id, blob_size(store, id)?.unwrap_or(0));
            }
            Box::new(|_| true)
        }
    };
    let all = blobs.len();
    blobs.retain(|id, _| !store.is_purged(*id));
    found.purged_before = (all - blobs.len()) as u64;
    blobs.retain(|_, size| *size > 0);
    if blobs.is_empty() {
        return Ok(found);
    }
    let chunks = chunks(store, blobs.keys().copied());
    let mut searched: HashSet<(RepoPathBuf, BlobId)> = HashSet::new();
    history.each_file(&PathSelection::default(), &mut |file| {
        let list = match blobs.contains_key(&file.blob) {
            true if is_selected(&file) => &mut found.selected,
            true => &mut found.same,
            false if shares(store, &file, &chunks) => &mut found.sharing,
            false => return Ok(()),
        };
        if searched.insert((file.path.clone(), file.blob)) {
            list.push(file);
        }
        Ok(())
    })?;
    for list in [&mut found.selected, &mut found.same, &mut found.sharing] {
        list.sort_by(|a, b| (&a.path, a.blob).cmp(&(&b.path, b.blob)));
    }
    found.blobs = blobs.into_iter().map(|(id, size)| PurgedBlob { id, size }).collect();
    Ok(found)
}

/// [`ErrorKind::NotFound`] if a path or pattern selects none of these paths.
fn check_found(paths: &PathSelection, seen: &HashSet<RepoPathBuf>) -> Result<()> {
    for spec in paths.included() {
        if !seen.iter().any(|path| spec.covers(path)) {
            let message = match spec.pattern_text() {
                Some(text) => format!("no commit has a file that matches `{}`", text.escape_ascii()).into(),
                None => Message::from("no commit has a file at ") + Message::path(spec.start()),
            };
            return Err(Error::new(ErrorKind::NotFound, message).hint("to list recorded files: undo ls"));
        }
    }
    Ok(())
}

/// All commits, and the progress of searching them.
struct History<'h> {
    repository: &'h Repository,
    task: &'h dyn Task,
}

impl History<'_> {
    /// Calls `each` with every selected file that a commit has and its first parent does not have with the same content.
    fn each_file(&self, paths: &PathSelection, each: &mut dyn FnMut(RecordedFile) -> Result<()>) -> Result<()> {
        let repository = self.repository;
        for walked in walk(repository, WalkOptions::default())? {
            let walked = walked?;
            self.each_new_file(walked.id, &walked.commit, paths, each)?;
        }
        let forgotten = &repository.view().forgotten;
        for id in forgotten.keys().filter(|id| repository.view().can_recall(**id)) {
            self.each_new_file(*id, &repository.store().commit(*id)?, paths, each)?;
        }
        Ok(())
    }

    fn each_new_file(
        &self,
        id: CommitId,
        commit: &Commit,
        paths: &PathSelection,
        each: &mut dyn FnMut(RecordedFile) -> Result<()>,
    ) -> Result<()> {
        let store = self.repository.store();
        let first = self.repository.parents(commit).first().copied();
        let parent = first.map(|parent| store.commit(parent)).transpose()?;
        let side = |commit: Option<&Commit>| commit.map(|commit| commit.root.clone());
        let (old, new) = (side(parent.as_ref()), side(Some(commit)));
        let options = Options { paths: paths.starts(), filter: paths.clone(), ..Options::default() };
        let (old, new) = (Side { root: old.as_ref(), links: None }, Side { root: new.as_ref(), links: None });
        diff::compare(
            store,
            old,
            new,
            &options,
            &mut |Change { path, new, .. }| match new.map(|entry| entry.content) {
                Some(Content::File { blob, size }) => each(RecordedFile { path, blob, size, commit: id }),
                _ => Ok(()),
            },
        )?;
        self.task.add(1)
    }
}

/// The chunks of these blobs. A blob without a layout is its only chunk.
fn chunks(store: &Store, blobs: impl Iterator<Item = BlobId>) -> HashSet<ChunkId> {
    let mut chunks = HashSet::new();
    for blob in blobs {
        chunks.insert(ChunkId(blob.0));
        // Chunks of a blob that cannot be read are not known.
        chunks.extend(chunks_of(store, blob));
    }
    chunks
}

fn chunks_of(store: &Store, blob: BlobId) -> Vec<ChunkId> {
    let pieces = store.layout(blob).map(|layout| layout.pieces).unwrap_or_default();
    let chunk = |piece| match piece {
        Piece::Chunk { id, .. } => Some(id),
        Piece::Zeros { .. } => None,
    };
    pieces.into_iter().filter_map(chunk).collect()
}

/// Whether a file has one of these chunks.
fn shares(store: &Store, file: &RecordedFile, chunks: &HashSet<ChunkId>) -> bool {
    chunks.contains(&ChunkId(file.blob.0))
        || file.size > store.options().chunk.whole
            && chunks_of(store, file.blob).iter().any(|chunk| chunks.contains(chunk))
}
