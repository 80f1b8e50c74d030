//! Reads every file of the worktree, finds content that changed although the stat of the file did not, and removes such files
//! from the index.

use crate::error::Result;
use crate::fs;
use crate::metadata::Kind;
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::{Repository, Transaction};
use crate::worktree::index::{Builder, Update};
use crate::worktree::{HashSink, Index, Scan, Worktree, scan};

/// Scans the worktree without the index, so that all files are read.
pub fn scan_all(repository: &Repository, worktree: &Worktree, progress: &dyn Progress) -> Result<Scan> {
    let options =
        scan::Options { staged_by: repository.unfinished().map(|intent| intent.token), ..scan::Options::default() };
    scan::scan(worktree, repository.store(), &Index::empty(), &options, &HashSink::new, progress)
}

/// Paths of files with other content than the index has, although their stat proves them unchanged: size, times, inode,
/// mode and owner. A program that writes a file changes its ctime, so the medium has changed it. Sorted.
pub fn silent_changes(repository: &Repository, scan: &Scan) -> Vec<RepoPathBuf> {
    let index = Index::open(&repository.layout.index());
    let doubtful_since = index.doubtful_since();
    let mut found = Vec::new();
    for (folder, directory) in index.directories() {
        let block = directory.block();
        for at in 0..directory.count() {
            let Some(known) = block.record(at).filter(|record| record.stat.kind == Kind::File) else { continue };
            let path = folder.join(&known.name);
            let Some(read) = scan.index.find(&path) else { continue };
            let is_certain = doubtful_since.is_none_or(|since| read.stat.ctime < since);
            if is_certain && block.proves(at, &read.stat) && known.content != read.content {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Removes the records of these files, sorted by path, from the index: it proves them unchanged, so no command would read them.
/// The transaction keeps others from writing the index.
pub fn remove_from_index(transaction: &Transaction<'_>, paths: &[RepoPathBuf]) -> Result<()> {
    let path = transaction.repository().layout.index();
    let index = Index::open(&path);
    // A new index would no longer tell which records are from before a restart of the system.
    if index.doubtful_since().is_some() {
        return fs::remove_file(&path);
    }
    let mut builder = Builder::from_index(&index);
    let mut update = Update::new(&mut builder);
    paths.iter().for_each(|path| update.remove(path));
    update.finish();
    builder.write(&path)
}
