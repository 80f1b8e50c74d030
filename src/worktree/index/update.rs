//! Changes of an index in path order. A directory is written anew record by record, so that its records are in memory only
//! as bytes, however many of them change.

use super::builder::{Builder, Known, place};
use super::record::{BlockEncoder, Record};
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};

/// An index that is being changed. What is not finished is lost.
#[derive(Debug)]
pub struct Update<'b> {
    builder: &'b mut Builder,
    /// The directories that are being written anew, each in the one before.
    open: Vec<Rewritten>,
}

/// A directory that is being written anew.
#[derive(Debug)]
struct Rewritten {
    path: RepoPathBuf,
    base: Option<Known>,
    /// How many records of the base are copied or left out.
    passed: usize,
    block: BlockEncoder,
}

impl<'b> Update<'b> {
    /// Begins to change an index.
    pub fn new(builder: &'b mut Builder) -> Update<'b> {
        Update { builder, open: Vec::new() }
    }

    /// What was known of an entry before it was changed.
    pub fn find(&self, path: &RepoPath) -> Option<Record> {
        let (parent, name) = place(path);
        match self.open.iter().find(|open| *open.path == *parent) {
            Some(open) => open.base.as_ref()?.find(name),
            None => self.builder.find(path),
        }
    }

    /// Sets the record of an entry, as [`Builder::set`] does. No path may come before one that was changed already.
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

    /// Forgets an entry, and everything below it, as [`Builder::remove`] does. The order is that of [`Update::set`].
    pub fn remove(&mut self, path: &RepoPath) {
        let (parent, name) = place(path);
        let is_known = self.builder.knows(parent) || self.open.iter().any(|open| *open.path == *parent);
        if is_known && self.enter(parent).skip(name) {
            self.builder.remove_below(path);
        }
    }

    /// Ends it.
    pub fn finish(mut self) {
        while self.close() {}
    }

    /// The directory at a path, which is being written anew from now on.
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

    /// Puts the innermost directory back; `false` if there is none.
    fn close(&mut self) -> bool {
        let Some(mut directory) = self.open.pop() else { return false };
        directory.copy(|_| true);
        let (count, bytes) = directory.block.finish(None);
        self.builder.put(directory.path, count, bytes);
        true
    }
}

impl Rewritten {
    /// Copies records of the base, as long as their names are wanted.
    fn copy(&mut self, is_wanted: impl Fn(&[u8]) -> bool) {
        let Some(block) = self.base.as_ref().and_then(Known::block) else { return };
        while self.passed < block.count() && is_wanted(block.name(self.passed)) {
            // One that makes no sense is read again.
            if let Some(record) = block.record(self.passed) {
                self.block.push(&record);
            }
            self.passed += 1;
        }
    }

    /// Copies what comes before a name, and leaves out the record of that; whether it was a directory.
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
