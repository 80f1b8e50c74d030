//! What each top directory costs in all of history: the bytes that only it needs, and those that others need as well.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::error::{ErrorKind, Result};
use crate::history::walk::{WalkOptions, walk};
use crate::id::TreeId;
use crate::maintain::stats::commits::Search;
use crate::object::nodes::Node;
use crate::object::references::Reference;
use crate::object::{Commit, Entry, ObjectKind, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::{Progress, Unit};
use crate::repo::Repository;
use crate::store::Store;

/// Stored bytes of a directory in all commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathCost {
    /// The directory. One above the depth stands only for itself and for the files directly in it.
    pub path: RepoPathBuf,
    /// Bytes of objects that no other of the directories needs.
    pub alone: u64,
    /// Bytes of objects that others of the directories need as well.
    pub shared: u64,
}

/// The costs of all directories at this depth and above it, the most expensive first. Searches all trees of the history.
/// Needs about eight bytes of memory for each object of the repository. Also returns the number of commits that it omits because
/// they cannot be read.
pub fn path_costs(repository: &Repository, depth: usize, progress: &dyn Progress) -> Result<(Vec<PathCost>, u64)> {
    let search = Search::new(repository)?;
    let mut collector = Collector { store: search.store, depth, seen: HashSet::new(), paths: BTreeMap::new() };
    let mut unreadable = 0;
    let task = progress.start("reading commits", Unit::Items, None);
    for walked in walk(repository, WalkOptions::default())? {
        match walked.and_then(|walked| collector.add_commit(&walked.commit)) {
            Err(error) if error.kind() == ErrorKind::Damaged => unreadable += 1,
            added => added?,
        }
        task.add(1)?;
    }
    drop(task);
    let task = progress.start("searching trees", Unit::Items, None);
    let mut owners: Vec<Vec<Owner>> = search.bytes.iter().map(|pack| vec![Owner::None; pack.len()]).collect();
    let mut totals = Vec::new();
    for (n, objects) in (0..).zip(collector.paths.values()) {
        let mut marking = search.marking();
        marking.mark_objects(objects.whole.iter().copied(), &*task)?;
        let mut marks = marking.finish();
        for &node in &objects.nodes {
            marks.mark(search.store, Reference::Object(ObjectKind::Tree, node.object_id()))?;
        }
        let mut total = 0;
        marks.each(|pack, record| {
            total += u64::from(search.bytes[pack][record]);
            let owner = &mut owners[pack][record];
            *owner = if *owner == Owner::None { Owner::Path(n) } else { Owner::Several };
        });
        totals.push(total);
    }
    let mut alone = vec![0; totals.len()];
    for (owner, bytes) in owners.iter().flatten().zip(search.bytes.iter().flatten()) {
        if let Owner::Path(n) = owner {
            alone[*n as usize] += u64::from(*bytes);
        }
    }
    let sums = alone.into_iter().zip(totals);
    let cost = |(path, (alone, total)): (RepoPathBuf, (u64, u64))| PathCost { path, alone, shared: total - alone };
    let mut costs: Vec<PathCost> = collector.paths.into_keys().zip(sums).map(cost).collect();
    costs.sort_by_key(|cost| std::cmp::Reverse((cost.alone, cost.shared)));
    Ok((costs, unreadable))
}

/// Which paths need an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    None,
    /// The number of the path.
    Path(u32),
    Several,
}

/// Objects of one path in all commits.
#[derive(Default)]
struct PathObjects {
    /// Objects that belong to the path with everything that they need.
    whole: BTreeSet<Reference>,
    /// Nodes of directories whose entries belong to other paths.
    nodes: HashSet<TreeId>,
}

/// Collects the objects of each path.
struct Collector<'s> {
    store: &'s Store,
    depth: usize,
    /// Nodes of directories above the depth that were read.
    seen: HashSet<(RepoPathBuf, TreeId)>,
    paths: BTreeMap<RepoPathBuf, PathObjects>,
}

impl Collector<'_> {
    fn add_commit(&mut self, commit: &Commit) -> Result<()> {
        self.add_entry(&commit.root, RepoPath::root(), 0)
    }

    /// Adds a directory at a depth.
    fn add_entry(&mut self, entry: &Entry, path: &RepoPath, depth: usize) -> Result<()> {
        if depth < self.depth
            && let Some(tree) = entry.tree()
        {
            self.add_attributes(entry, path);
            return self.add_node(tree, path, depth);
        }
        self.add_attributes(entry, path);
        let tree = entry.tree().map(|tree| Reference::Object(ObjectKind::Tree, tree.object_id()));
        self.objects(path).whole.extend(tree.into_iter().chain(entry.blob().map(Reference::Blob)));
        Ok(())
    }

    fn add_attributes(&mut self, entry: &Entry, path: &RepoPath) {
        if let Some(id) = entry.attributes {
            self.objects(path).whole.insert(Reference::Object(ObjectKind::Attributes, id.object_id()));
        }
    }

    fn add_node(&mut self, node: TreeId, path: &RepoPath, depth: usize) -> Result<()> {
        if !self.seen.insert((path.to_owned(), node)) {
            return Ok(());
        }
        self.objects(path).nodes.insert(node);
        match self.store.tree_node(node)? {
            Node::Inner(children) => children.iter().try_for_each(|child| self.add_node(child.node, path, depth)),
            Node::Leaf(entries) => entries.iter().try_for_each(|entry| match entry.tree() {
                Some(_) => self.add_entry(entry, &path.join(&entry.name), depth + 1),
                None => self.add_entry(entry, path, self.depth),
            }),
        }
    }

    fn objects(&mut self, path: &RepoPath) -> &mut PathObjects {
        if !self.paths.contains_key(path) {
            self.paths.insert(path.to_owned(), PathObjects::default());
        }
        self.paths.get_mut(path).expect("it was inserted")
    }
}
