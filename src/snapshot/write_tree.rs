//! Stores the trees of the worktree without a commit.

use crate::error::{Error, ErrorKind, Result};
use crate::history::entry_at;
use crate::id::{LinksId, TreeId};
use crate::message::Message;
use crate::object::Objects;
use crate::path::RepoPath;
use crate::progress::Progress;
use crate::repo::Transaction;
use crate::snapshot::mktree;
use crate::snapshot::scan_tree::{self, Recording, ScanOptions};
use crate::store::Writer;
use crate::worktree::{Index, Overlay, Scan, Worktree};

/// Outcome of storing a tree.
pub struct WrittenTree {
    /// Id of the directory.
    pub tree: TreeId,
    /// Hard links in the directory.
    pub links: Option<LinksId>,
    /// The scan.
    pub scan: Scan,
}

/// Stores a directory of the worktree. Durable on return.
pub fn write_tree(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    prefix: &RepoPath,
    progress: &dyn Progress,
) -> Result<WrittenTree> {
    let repository = transaction.repository();
    let (store, index_path) = (repository.store(), repository.layout.index());
    let index = Index::open(&index_path);
    let paths = if prefix.is_root() { Vec::new() } else { vec![prefix.to_owned()] };
    let session = store.session();
    let how = ScanOptions { paths: &paths, takes_trees: prefix.is_root(), ..ScanOptions::default() };
    let mut recording = scan_tree::record(repository, Some(&session), worktree, &index, &how, progress)?;
    let tree = directory(&Overlay { below: store, objects: &recording.scan.objects }, &recording, prefix)?;
    let mut writer = session.writer();
    scan_tree::put_objects(&mut writer, &recording.scan)?;
    let links = put_links_below(store, &mut writer, &recording, prefix)?;
    writer.finish()?;
    let stored = session.finish()?;
    transaction.keep(&stored)?;
    scan_tree::complete_index(&mut recording.scan, &index, &paths);
    recording.scan.index.write_if_changed(&index, &index_path);
    Ok(WrittenTree { tree, links, scan: recording.scan })
}

fn directory(objects: &dyn Objects, recording: &Recording, prefix: &RepoPath) -> Result<TreeId> {
    let found =
        if prefix.is_root() { Some(recording.root.clone()) } else { entry_at(objects, &recording.root, prefix)? };
    let wrong = |what: &str| {
        let message = Message::path(prefix) + format!(" is {what}");
        Error::new(ErrorKind::Usage, message).hint("name a directory that is recorded; `undo status` lists what is not")
    };
    match found {
        None => Err(wrong("not covered")),
        Some(entry) => entry.tree().ok_or_else(|| wrong(&format!("a {}, not a directory", entry.kind().word()))),
    }
}

/// Puts the hard links in the directory, with paths relative to it.
fn put_links_below(
    store: &dyn Objects,
    writer: &mut Writer<'_>,
    recording: &Recording,
    prefix: &RepoPath,
) -> Result<Option<LinksId>> {
    let Some(links) = recording.links.filter(|_| !prefix.is_root()) else { return Ok(recording.links) };
    let below = Overlay { below: store, objects: &recording.scan.objects }.links(links)?.below(prefix);
    mktree::put_links(writer, &below)
}
