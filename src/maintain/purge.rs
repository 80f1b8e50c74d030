//! Finds content in all of history: where it is, and what else has it or parts of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::diff::trees::Side;
use crate::diff::{self, Change, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::history::bytes::blob_size;
use crate::history::walk::{WalkOptions, walk};
use crate::id::{BlobId, ChunkId, CommitId};
use crate::message::Message;
use crate::metadata::Kind;
use crate::object::layout::Piece;
use crate::object::operation::PurgedBlob;
use crate::object::{Commit, Content, Entry, Objects};
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
    /// Paths that no pattern selects, of files named like selected ones. Empty without patterns.
    pub named_alike: BTreeSet<RepoPathBuf>,
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
    // Names of the files that patterns select.
    let mut names: HashSet<Vec<u8>> = HashSet::new();
    let is_selected: Box<dyn Fn(&RecordedFile) -> bool> = match selected {
        Selected::Paths(paths) => {
            let (mut seen, mut others) = (HashSet::new(), HashMap::new());
            history.each_entry(paths, &mut |path, entry, _| {
                if let Content::File { blob, size } = entry.content {
                    blobs.insert(blob, size);
                    seen.insert(path);
                } else {
                    others.insert(path, entry.kind());
                }
                Ok(())
            })?;
            check_found(paths, &seen, &others)?;
            if paths.included().iter().any(|spec| spec.pattern_text().is_some()) {
                names.extend(seen.iter().filter_map(|path| path.name().map(<[u8]>::to_vec)));
            }
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
            false => {
                if file.path.name().is_some_and(|name| names.contains(name)) && !is_selected(&file) {
                    found.named_alike.insert(file.path);
                }
                return Ok(());
            }
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

/// [`ErrorKind::NotFound`] if a path or pattern selects none of these files, [`ErrorKind::Usage`] if it is one of the others.
fn check_found(paths: &PathSelection, files: &HashSet<RepoPathBuf>, others: &HashMap<RepoPathBuf, Kind>) -> Result<()> {
    for spec in paths.included() {
        if !files.iter().any(|path| spec.covers(path)) {
            let other = others.get(spec.start()).filter(|kind| **kind != Kind::Directory);
            if let (Some(kind), None) = (other, spec.pattern_text()) {
                let word = if *kind == Kind::Symlink { "symbolic link" } else { kind.word() };
                let message =
                    Message::path(spec.start()) + format!(" is a {word}; only the contents of files can be purged");
                return Err(Error::new(ErrorKind::Usage, message));
            }
            let message = match spec.pattern_text() {
                Some(text) => format!("no commit has a file that matches `{}`", text.escape_ascii()).into(),
                None => Message::from("no commit has a file at ") + Message::path(spec.start()),
            };
            return Err(Error::new(ErrorKind::NotFound, message).hint("to list recorded files: undo ls"));
        }
    }
    Ok(())
}

/// Receives the path and the entry of a commit.
type EachEntry<'e> = dyn FnMut(RepoPathBuf, Entry, CommitId) -> Result<()> + 'e;

/// All commits, and the progress of searching them.
struct History<'h> {
    repository: &'h Repository,
    task: &'h dyn Task,
}

impl History<'_> {
    /// Calls `each` with every selected file that a commit has and its first parent does not have with the same content.
    fn each_file(&self, paths: &PathSelection, each: &mut dyn FnMut(RecordedFile) -> Result<()>) -> Result<()> {
        self.each_entry(paths, &mut |path, entry, commit| match entry.content {
            Content::File { blob, size } => each(RecordedFile { path, blob, size, commit }),
            _ => Ok(()),
        })
    }

    /// Calls `each` with every selected entry that a commit has and its first parent does not have.
    fn each_entry(&self, paths: &PathSelection, each: &mut EachEntry<'_>) -> Result<()> {
        let repository = self.repository;
        for walked in walk(repository, WalkOptions::default())? {
            let walked = walked?;
            self.each_new_entry(walked.id, &walked.commit, paths, each)?;
        }
        let forgotten = &repository.view().forgotten;
        for id in forgotten.keys().filter(|id| repository.view().can_recall(**id)) {
            self.each_new_entry(*id, &repository.store().commit(*id)?, paths, each)?;
        }
        Ok(())
    }

    fn each_new_entry(
        &self,
        id: CommitId,
        commit: &Commit,
        paths: &PathSelection,
        each: &mut EachEntry<'_>,
    ) -> Result<()> {
        let store = self.repository.store();
        let first = self.repository.parents(commit).first().copied();
        let parent = first.map(|parent| store.commit(parent)).transpose()?;
        let side = |commit: Option<&Commit>| commit.map(|commit| commit.root.clone());
        let (old, new) = (side(parent.as_ref()), side(Some(commit)));
        let options = Options { paths: paths.starts(), filter: paths.clone(), ..Options::default() };
        let (old, new) = (Side { root: old.as_ref(), links: None }, Side { root: new.as_ref(), links: None });
        diff::compare(store, old, new, &options, &mut |Change { path, new, .. }| match new {
            Some(entry) => each(path, entry, id),
            None => Ok(()),
        })?;
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
    pieces.iter().filter_map(Piece::chunk).collect()
}

/// Whether a file has one of these chunks.
fn shares(store: &Store, file: &RecordedFile, chunks: &HashSet<ChunkId>) -> bool {
    chunks.contains(&ChunkId(file.blob.0))
        || file.size > store.options().chunk.whole
            && chunks_of(store, file.blob).iter().any(|chunk| chunks.contains(chunk))
}
