//! The scan: every entry of the worktree, merged against the index; what the index does not prove is read.
//!
//! The way of an entry: `walk` finds it, `look` proves it or `visit` reads it, `gather` puts it into its directory's tree.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::id::{LinksId, ObjectId};
use crate::metadata::Kind;
use crate::object::commit::{Totals, Uncovered};
use crate::object::{Entry, Links, ObjectKind};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::store::Store;
use crate::worktree::ignore::IgnoreWarning;
use crate::worktree::inodes::{Inode, State};
use crate::worktree::walk::{Found, Walk};
use crate::worktree::{Index, Worktree, index};

use crate::worktree::content::Sink;
pub use crate::worktree::walk::Options;

/// The worktree as it was read.
pub struct Scan {
    /// The root directory as an entry without a name.
    pub root: Entry,
    /// Its hard links.
    pub links: Option<LinksId>,
    /// What there is.
    pub totals: Totals,
    /// Trees, attributes and links that the store does not hold, unless the sinks took them.
    pub objects: HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
    /// The stats of everything covered: the next index.
    pub index: index::Builder,
    /// What could not be read, and sockets, mounts and nested repositories; sorted.
    pub uncovered: Vec<Uncovered>,
    /// What the ignore rules leave out; of an ignored directory only itself; sorted.
    pub ignored: Vec<RepoPathBuf>,
    /// Ignore rules without effect, sorted.
    pub ignore_warnings: Vec<IgnoreWarning>,
    /// Files that kept changing while they were read; sorted.
    pub torn: Vec<RepoPathBuf>,
    /// Why the index could not be read. All files were read in that case.
    pub index_failure: Option<Arc<Error>>,
    /// Kinds of the uncovered entries, where known.
    pub uncovered_kinds: HashMap<RepoPathBuf, Kind>,
    /// Paths recorded without their extended attributes, which could not be read; sorted.
    pub without_attributes: Vec<RepoPathBuf>,
    /// Files whose content was read.
    pub files_read: u64,
    /// Bytes read.
    pub bytes_read: u64,
}

/// Reads the worktree. `sinks` makes one sink a thread.
pub fn scan<S: Sink>(
    worktree: &Worktree,
    store: &Store,
    index: &Index,
    options: &Options,
    sinks: &(dyn Fn() -> S + Sync),
    progress: &dyn Progress,
) -> Result<Scan> {
    let walk = Walk::new(worktree, store, index, options, progress)?;
    let (root, found) = walk.run(sinks)?;
    let gather = |walk: &Walk<'_>, root, found| -> Result<Scan> {
        let scan = finish(root, found, index::Builder::spooled(walk.spool.clone()), store)?;
        Ok(Scan { index_failure: index.failure().cloned(), ..scan })
    };
    if !walk.inodes.are_contradicted() {
        return gather(&walk, root, found);
    }
    let nothing = Index::empty();
    let walk = Walk::new(worktree, store, &nothing, options, progress)?;
    let (root, found) = walk.run(sinks)?;
    gather(&walk, root, found)
}

/// Puts together what the threads found, in an order that does not depend on who found it.
fn finish(root: Entry, found: Vec<Found>, index: index::Builder, store: &Store) -> Result<Scan> {
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
    for part in found {
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
