//! What each commit costs: the bytes that it has alone, and those that it shares with its parents and children.

use std::collections::{BTreeSet, HashMap};

use crate::error::{ErrorKind, Result};
use crate::history::mark::Marking;
use crate::history::walk::{WalkOptions, WalkedCommit, walk};
use crate::id::{BlobId, CommitId};
use crate::progress::{Progress, Task, Unit};
use crate::repo::Repository;
use crate::store::{Marks, Store};

/// Stored bytes of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitCost {
    /// The commit.
    pub walked: WalkedCommit,
    /// Bytes of objects that neither its parents nor its children have.
    pub own: u64,
    /// Bytes of all other objects.
    pub shared: u64,
}

/// Passes the costs of the newest commits on to `each`, newest first. Searches the trees of each commit and of its parents
/// and children. Needs five bytes of memory for each object of the repository. Returns the number of commits that it skipped because they
/// cannot be read.
pub fn commit_costs(
    repository: &Repository,
    limit: usize,
    each: &mut dyn FnMut(CommitCost) -> Result<()>,
    progress: &dyn Progress,
) -> Result<u64> {
    let task = progress.start("comparing commits", Unit::Items, None);
    let search = Search::new(repository)?;
    let mut unreadable = 0;
    let mut children: HashMap<CommitId, Vec<CommitId>> = HashMap::new();
    for walked in walk(repository, WalkOptions { limit: Some(limit), ..WalkOptions::default() })? {
        let walked = match walked {
            Err(error) if error.kind() == ErrorKind::Damaged => {
                unreadable += 1;
                continue;
            }
            walked => walked?,
        };
        let mut neighbours = children.remove(&walked.id).unwrap_or_default();
        neighbours.extend(&walked.parents);
        // Children come before their parents.
        for parent in &walked.parents {
            children.entry(*parent).or_default().push(walked.id);
        }
        let (own, shared) = search.compare(walked.id, neighbours, &*task)?;
        each(CommitCost { walked, own, shared })?;
    }
    Ok(unreadable)
}

/// Sizes of stored objects, and what is not stored.
pub(super) struct Search<'r> {
    pub(super) store: &'r Store,
    /// For each pack, the bytes of each object.
    pub(super) bytes: Vec<Vec<u32>>,
    pub(super) purged: BTreeSet<BlobId>,
}

impl<'r> Search<'r> {
    pub(super) fn new(repository: &'r Repository) -> Result<Search<'r>> {
        let store = repository.store();
        Ok(Search { store, bytes: store.record_bytes()?, purged: repository.view().purged.keys().copied().collect() })
    }

    /// A search that has found nothing, and that skips missing objects.
    pub(super) fn marking(&self) -> Marking<'_> {
        let mut marking = Marking::new(self.store, self.store.marks(), &self.purged);
        marking.skip_missing();
        marking
    }

    /// Bytes that a commit has and `others` do not have, and its other bytes.
    fn compare(&self, id: CommitId, others: Vec<CommitId>, task: &dyn Task) -> Result<(u64, u64)> {
        let marks_of = |commits: Vec<CommitId>| -> Result<Marks> {
            let mut marking = self.marking();
            marking.mark(commits, task)?;
            Ok(marking.finish())
        };
        let (mine, others) = (marks_of(vec![id])?, marks_of(others)?);
        let (mut own, mut shared) = (0, 0);
        mine.each(|pack, record| {
            let sum = if others.has(pack, record) { &mut shared } else { &mut own };
            *sum += u64::from(self.bytes[pack][record]);
        });
        Ok((own, shared))
    }
}
