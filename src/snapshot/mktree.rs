//! Builds trees and tables of hard links from entries that a program lists. The objects that they name must exist.

use std::collections::{BTreeMap, HashMap};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{AttributesId, BlobId, LinksId, ObjectId, TreeId};
use crate::object::{Content, Entry, Links, ObjectKind, Objects, Tree};
use crate::store::{Session, Store, Writer};

/// Puts trees into a session.
pub struct Trees<'a> {
    store: &'a Store,
    writer: Writer<'a>,
    entries: BTreeMap<Vec<u8>, Entry>,
    /// Entries and bytes of the trees written so far, which later trees may contain.
    written: HashMap<TreeId, (u64, u64)>,
}

impl<'a> Trees<'a> {
    /// Creates an empty builder.
    pub fn new(store: &'a Store, session: &'a Session<'a>) -> Trees<'a> {
        Trees { store, writer: session.writer(), entries: BTreeMap::new(), written: HashMap::new() }
    }

    /// Adds an entry to the tree that [`Trees::put`] writes; entries may come in any order.
    pub fn add(&mut self, entry: Entry) -> Result<()> {
        let entry = self.complete(entry)?;
        if let Some(first) = self.entries.insert(entry.name.clone(), entry) {
            let name = String::from_utf8_lossy(&first.name).into_owned();
            return Err(Error::new(ErrorKind::Usage, format!("entry `{}` already exists", name.escape_debug()))
                .hint("a tree has each name once"));
        }
        Ok(())
    }

    /// Writes the tree of the entries added since the last one.
    pub fn put(&mut self) -> Result<TreeId> {
        let tree = Tree { entries: std::mem::take(&mut self.entries).into_values().collect() };
        let totals = tree.totals()?;
        let id = tree.save(|id, bytes| self.writer.put(ObjectKind::Tree, id.object_id(), &bytes).map(drop))?;
        self.written.insert(id, totals);
        Ok(id)
    }

    /// An entry as the store has it: with the size of its file or the totals of its directory.
    /// [`ErrorKind::NotFound`] if something that it names is not there.
    fn complete(&self, mut entry: Entry) -> Result<Entry> {
        match &mut entry.content {
            Content::File { blob, size } => *size = self.size(*blob)?,
            Content::Directory { tree, entries, size } => (*entries, *size) = self.totals(*tree)?,
            _ => {}
        }
        if let Some(id) = entry.attributes {
            self.check_attributes(id, &entry)?;
        }
        Ok(entry)
    }

    /// Ends the last tree.
    pub fn finish(self) -> Result<()> {
        self.writer.finish()
    }

    fn size(&self, blob: BlobId) -> Result<u64> {
        self.store.check_not_purged(blob).map_err(not_recorded_again)?;
        if !self.store.contains_blob(blob) {
            return Err(missing("blob", blob.object_id()).hint("store it with `undo hash-object -w`"));
        }
        Ok(self.store.layout(blob)?.size())
    }

    fn totals(&self, tree: TreeId) -> Result<(u64, u64)> {
        if let Some(&totals) = self.written.get(&tree) {
            return Ok(totals);
        }
        if !self.store.contains(ObjectKind::Tree, tree.object_id()) {
            return Err(missing("tree", tree.object_id()).hint("make it first, with `undo mktree` too"));
        }
        self.store.tree(tree)?.totals()
    }

    /// Checks that the attributes exist and their holes are within the file.
    fn check_attributes(&self, id: AttributesId, entry: &Entry) -> Result<()> {
        if !self.store.contains(ObjectKind::Attributes, id.object_id()) {
            return Err(missing("attributes", id.object_id()).hint("a tree can have those of recorded entries, or `-`"));
        }
        let end = self.store.attributes(id)?.holes.last().map(|(offset, length)| offset + length);
        match end {
            Some(end) if entry.blob().is_none() || end > entry.size() => {
                Err(Error::new(ErrorKind::Usage, format!("attributes `{id}` have holes that are not in the content"))
                    .hint("use those of an entry with the same content, or `-`"))
            }
            _ => Ok(()),
        }
    }
}

/// Adds to the error for purged content that a program may not record it again.
pub fn not_recorded_again(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Purged => error.ends_with(ErrorKind::Refused.exit()).hint("purged content cannot be recorded again"),
        _ => error,
    }
}

fn missing(what: &str, id: ObjectId) -> Error {
    Error::new(ErrorKind::NotFound, format!("no {what} `{id}` in this repository"))
}

/// Puts a table of hard links. `None` if it is empty.
pub fn put_links(writer: &mut Writer<'_>, links: &Links) -> Result<Option<LinksId>> {
    if links.groups.is_empty() {
        return Ok(None);
    }
    let put = |id: LinksId, bytes: Vec<u8>| writer.put(ObjectKind::Links, id.object_id(), &bytes).map(drop);
    links.save(put).map(Some)
}
