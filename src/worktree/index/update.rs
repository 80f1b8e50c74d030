//! Changes the records of an index to be written.

use std::collections::BTreeMap;

use super::builder::{Builder, Records, find_in, place};
use super::record::{Block, BlockEncoder, Record};
use crate::metadata::Kind;
use crate::path::set::PathSet;
use crate::path::{RepoPath, RepoPathBuf};

/// Changes an index in path order. Directories are rewritten record by record, so that only their bytes are in memory. Changes
/// are lost unless [`Update::finish`] is called.
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
    /// The records before the update, and their number.
    base: (Vec<u8>, usize),
    /// Number of base records that were copied or skipped.
    passed: usize,
    block: BlockEncoder,
}

impl Builder {
    /// Takes over the records of these paths, of what is below them, and of their parent directories from another builder.
    /// The objects of its other records may not be in the store.
    pub fn splice(&mut self, other: Builder, paths: &[RepoPathBuf]) {
        let selection = PathSet::topmost(paths.to_vec());
        let mut changes: BTreeMap<RepoPathBuf, Option<Record>> =
            paths.iter().map(|path| (path.clone(), None)).collect();
        let mut whole = Vec::new();
        for (path, records) in other.directories {
            if selection.covers(&path) {
                whole.push((path, records));
                continue;
            }
            for record in records.read(|block| block.records()).flatten().unwrap_or_default() {
                let below = if record.name.is_empty() { path.clone() } else { path.join(&record.name) };
                if selection.covers(&below) || selection.has_within(&below) {
                    changes.insert(below, Some(record));
                }
            }
        }
        paths.iter().for_each(|path| self.remove_below(path));
        let mut update = Update::new(self);
        for (path, record) in changes {
            match record {
                Some(record) => update.set(&path, record),
                None => update.remove(&path),
            }
        }
        update.finish();
        self.directories.extend(whole);
    }
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
            Some(open) => find_in(open.base(), name),
            None => self.builder.find(path),
        }
    }

    /// Sets the record of an entry; its name is the path's. Drops everything below an entry that is not a directory. Paths must
    /// be given in path order.
    pub fn set(&mut self, path: &RepoPath, mut record: Record) {
        let (parent, name) = place(path);
        record.name = name.to_vec();
        self.enter(parent).skip(name);
        if record.stat.kind != Kind::Directory {
            self.builder.remove_below(path);
        }
        if let Some(directory) = self.open.last_mut() {
            directory.block.push(&record);
        }
    }

    /// Removes an entry and everything below it. Paths must be in the same order as for [`Update::set`].
    pub fn remove(&mut self, path: &RepoPath) {
        let (parent, name) = place(path);
        let is_known =
            self.builder.directories.contains_key(parent) || self.open.iter().any(|open| *open.path == *parent);
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
            let records = self.builder.directories.remove(path);
            let base = records.and_then(|records| records.read(|block| (block.bytes().to_vec(), block.count())));
            let (base, block) = (base.unwrap_or_default(), BlockEncoder::default());
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
        let records = Records::encoded(&directory.path, count, bytes, self.builder.spool.as_ref());
        self.builder.put(directory.path, records);
        true
    }
}

impl Rewritten {
    fn base(&self) -> Block<'_> {
        Block::new(&self.base.0, self.base.1).unwrap_or_default()
    }

    /// Copies base records while their names satisfy `is_wanted`.
    fn copy(&mut self, is_wanted: impl Fn(&[u8]) -> bool) {
        let base = Block::new(&self.base.0, self.base.1).unwrap_or_default();
        while self.passed < base.count() && is_wanted(base.name(self.passed)) {
            // An invalid record is dropped, so its file is read again.
            if let Some(record) = base.record(self.passed) {
                self.block.push(&record);
            }
            self.passed += 1;
        }
    }

    /// Copies the records before a name and skips the record of that name. Returns whether that was a directory.
    fn skip(&mut self, name: &[u8]) -> bool {
        self.copy(|known| known < name);
        let at = self.passed;
        if at == self.base().count() || self.base().name(at) != name {
            return false;
        }
        self.passed += 1;
        self.base().record(at).is_some_and(|record| record.stat.kind == Kind::Directory)
    }
}
