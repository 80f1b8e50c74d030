//! Scans the worktree: reads every entry that the index does not prove unchanged.
//!
//! `walk` lists the directories, `classify` compares entries with the index, `read_entry` reads those that have changed, and
//! `node` builds the trees.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{LinksId, ObjectId};
use crate::metadata::Kind;
use crate::object::commit::{Totals, Uncovered};
use crate::object::{Entry, Links, ObjectKind};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::store::Store;
use crate::worktree::ignore::IgnoreWarning;
use crate::worktree::inodes::{Inode, State};
use crate::worktree::walk::{Findings, Walk};
use crate::worktree::{Index, Worktree, index};

use crate::worktree::content::Sink;
pub use crate::worktree::walk::Options;

/// Result of a scan.
pub struct Scan {
    /// The root directory, as an entry without a name.
    pub root: Entry,
    /// Its hard links.
    pub links: Option<LinksId>,
    /// Number and size of the covered entries.
    pub totals: Totals,
    /// Trees, attributes and links that the store lacks, unless the sinks took them.
    pub objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    /// The next index: records of all covered entries.
    pub index: index::Builder,
    /// Unreadable entries, sockets, mounts and nested repositories; sorted.
    pub uncovered: Vec<Uncovered>,
    /// Ignored paths; of an ignored directory only the directory; sorted.
    pub ignored: Vec<RepoPathBuf>,
    /// Ignore rules without effect, sorted.
    pub ignore_warnings: Vec<IgnoreWarning>,
    /// Files that kept changing while they were read; sorted.
    pub torn: Vec<RepoPathBuf>,
    /// Error of reading the index. All files were read in that case.
    pub index_failure: Option<Arc<Error>>,
    /// Kinds of the uncovered entries, where known.
    pub uncovered_kinds: HashMap<RepoPathBuf, Kind>,
    /// Paths recorded without their extended attributes, which are unreadable; sorted.
    pub without_attributes: Vec<RepoPathBuf>,
    /// Number of files whose content was read.
    pub files_read: u64,
    /// Number of bytes read.
    pub bytes_read: u64,
}

/// Scans the worktree. `new_sink` makes a sink for each worker.
pub fn scan<S: Sink>(
    worktree: &Worktree,
    store: &Store,
    index: &Index,
    options: &Options,
    new_sink: &(dyn Fn() -> S + Sync),
    progress: &dyn Progress,
) -> Result<Scan> {
    let run = |index: &Index| -> Result<Option<Scan>> {
        let walk = Walk::new(worktree, store, index, options, progress)?;
        let (root, findings) = walk.run(new_sink)?;
        if walk.inodes.are_contradicted() {
            return Ok(None);
        }
        merge(root, findings, index::Builder::spooled(walk.spool.clone()), store).map(Some)
    };
    let scan = run(index)?.map_or_else(|| run(&Index::empty()), |scan| Ok(Some(scan)))?;
    let scan = scan.ok_or_else(|| Error::new(ErrorKind::Internal, "an empty index proves no inode"))?;
    Ok(Scan { index_failure: index.failure().cloned(), ..scan })
}

/// Merges the findings of all workers, in an order that does not depend on which worker made them.
fn merge(root: Entry, findings: Vec<Findings>, index: index::Builder, store: &Store) -> Result<Scan> {
    let mut scan = Scan {
        root,
        links: None,
        totals: Totals::default(),
        objects: HashMap::new(),
        index,
        uncovered: Vec::new(),
        ignored: Vec::new(),
        ignore_warnings: Vec::new(),
        torn: Vec::new(),
        index_failure: None,
        uncovered_kinds: HashMap::new(),
        without_attributes: Vec::new(),
        files_read: 0,
        bytes_read: 0,
    };
    // Names in different states belong to different files: the inode number was reused.
    let mut names: BTreeMap<(Inode, State), Vec<RepoPathBuf>> = BTreeMap::new();
    for part in findings {
        scan.totals.files += part.totals.files;
        scan.totals.directories += part.totals.directories;
        scan.totals.others += part.totals.others;
        scan.totals.bytes += part.totals.bytes;
        scan.objects.extend(part.objects);
        scan.index.absorb(part.index);
        scan.uncovered.extend(part.uncovered);
        scan.ignored.extend(part.ignored);
        scan.ignore_warnings.extend(part.ignore_warnings);
        scan.torn.extend(part.torn);
        scan.uncovered_kinds.extend(part.uncovered_kinds);
        scan.without_attributes.extend(part.without_attributes);
        scan.files_read += part.files_read;
        scan.bytes_read += part.bytes_read;
        part.links.into_iter().for_each(|(inode, path)| names.entry(inode).or_default().push(path));
    }
    scan.uncovered.sort();
    scan.ignored.sort();
    scan.ignore_warnings.sort();
    scan.torn.sort();
    scan.without_attributes.sort();
    scan.without_attributes.dedup();
    let mut groups: Vec<_> = names.into_values().filter(|group| group.len() > 1).collect();
    groups.iter_mut().for_each(|group| group.sort());
    groups.sort();
    if !groups.is_empty() {
        let objects = &mut scan.objects;
        let links = Links { groups }.save(|id, bytes| {
            if !store.knows(ObjectKind::Links, id.object_id()) {
                objects.insert((ObjectKind::Links, id.object_id()), bytes.into());
            }
            Ok(())
        })?;
        scan.links = Some(links);
    }
    Ok(scan)
}
