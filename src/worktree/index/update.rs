//! Changes an index in path order. A directory is rewritten record by record, so that its records are in memory only as
//! bytes, however many of them change.

use super::builder::{Builder, Known, place};
use super::record::{BlockEncoder, Record};
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};

/// An index that is being changed. Changes are lost unless [`Update::finish`] is called.
#[derive(Debug)]
pub struct Update<'b> {
    builder: &'b mut Builder,
    /// The directories being rewritten, each in the previous one.
    open: Vec<Rewritten>,
}

/// A directory that is being rewritten.
#[derive(Debug)]
struct Rewritten {
    path: RepoPathBuf,
    base: Option<Known>,
    /// Number of base records that were copied or skipped.
    passed: usize,
    block: BlockEncoder,
}

impl<'b> Update<'b> {
    /// Starts changing an index.
    pub fn new(builder: &'b mut Builder) -> Update<'b> {
        Update { builder, open: Vec::new() }
    }

    /// The record of an entry before this update.
    pub fn find(&self, path: &RepoPath) -> Option<Record> {
        let (parent, name) = place(path);
        match self.open.iter().find(|open| *open.path == *parent) {
            Some(open) => open.base.as_ref()?.find(name),
            None => self.builder.find(path),
        }
    }

    /// Sets the record of an entry, like [`Builder::set`]. Paths must be given in path order.
    pub fn set(&mut self, path: &RepoPath, mut record: Record) {
        let (parent, name) = place(path);
        record.name = name.to_vec();
        let was_directory = self.enter(parent).skip(name);
        if was_directory && record.stat.kind != Kind::Directory {
            self.builder.remove_below(path);
        }
        if let Some(directory) = self.open.last_mut() {
            directory.block.push(&record);
        }
    }

    /// Removes an entry and everything below it, like [`Builder::remove`]. Paths must be in the same order as for
    /// [`Update::set`].
    pub fn remove(&mut self, path: &RepoPath) {
        let (parent, name) = place(path);
        let is_known = self.builder.knows(parent) || self.open.iter().any(|open| *open.path == *parent);
        if is_known && self.enter(parent).skip(name) {
            self.builder.remove_below(path);
        }
    }

    /// Completes the update.
    pub fn finish(mut self) {
        while self.close() {}
    }

    /// Starts rewriting the directory at a path, unless it is being rewritten already.
    fn enter(&mut self, path: &RepoPath) -> &mut Rewritten {
        while self.open.last().is_some_and(|last| !path.is_within(&last.path)) {
            self.close();
        }
        if self.open.last().is_none_or(|last| *last.path != *path) {
            let base = self.builder.take(path);
            let block = BlockEncoder::default();
            self.open.push(Rewritten { path: path.to_owned(), base, passed: 0, block });
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    /// Completes the innermost directory; `false` if none is open.
    fn close(&mut self) -> bool {
        let Some(mut directory) = self.open.pop() else { return false };
        directory.copy(|_| true);
        let (count, bytes) = directory.block.finish(None);
        self.builder.put(directory.path, count, bytes);
        true
    }
}

impl Rewritten {
    /// Copies base records while their names satisfy `is_wanted`.
    fn copy(&mut self, is_wanted: impl Fn(&[u8]) -> bool) {
        let Some(block) = self.base.as_ref().and_then(Known::block) else { return };
        while self.passed < block.count() && is_wanted(block.name(self.passed)) {
            // An invalid record is dropped, so its file is read again.
            if let Some(record) = block.record(self.passed) {
                self.block.push(&record);
            }
            self.passed += 1;
        }
    }

    /// Copies the records before a name and skips the record of that name. Returns whether that was a directory.
    fn skip(&mut self, name: &[u8]) -> bool {
        self.copy(|known| known < name);
        let Some(block) = self.base.as_ref().and_then(Known::block) else { return false };
        if self.passed == block.count() || block.name(self.passed) != name {
            return false;
        }
        self.passed += 1;
        block.record(self.passed - 1).is_some_and(|record| record.stat.kind == Kind::Directory)
    }
}
