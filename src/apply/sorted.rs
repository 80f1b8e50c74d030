//! The actions of a plan, grouped by kind of work.

use crate::metadata::Kind;

use super::context::ApplyContext;
use super::outcome::ApplyOutcome;
use super::verdict::Verdict;

/// Numbers of the actions by kind of work; each list is in path order.
#[derive(Default)]
pub(super) struct Sorted {
    pub directories: Vec<u32>,
    pub files: Vec<u32>,
    pub others: Vec<u32>,
    pub links: Vec<u32>,
    pub removals: Vec<u32>,
    /// Entries that replace a directory, to be created once the directory is empty.
    pub late: Vec<u32>,
    pub late_links: Vec<u32>,
    pub touches: Vec<u32>,
}

impl Sorted {
    /// Groups the actions of a plan that can be performed; records the others in the tally.
    pub(super) fn new(work: &ApplyContext<'_>, tally: &mut ApplyOutcome) -> Sorted {
        let mut sorted = Sorted::default();
        let plan = work.plan;
        let takes_directory =
            |n: usize| work.saved.find(&plan.path(n)).is_some_and(|record| record.stat.kind == Kind::Directory);
        for n in plan.numbers() {
            if work.left.concerns(plan, n) {
                tally.in_use.insert(plan.path(n));
                continue;
            }
            let list = match (plan.verdict(n), plan.kind(n)) {
                (Verdict::Create | Verdict::Replace, Some(Kind::Directory)) => &mut sorted.directories,
                (Verdict::Replace, _) if takes_directory(n) => &mut sorted.late,
                (Verdict::Create | Verdict::Replace, Some(Kind::File)) => &mut sorted.files,
                (Verdict::Create | Verdict::Replace, _) => &mut sorted.others,
                (Verdict::Touch, Some(Kind::Directory)) => continue,
                (Verdict::Touch, _) => &mut sorted.touches,
                (Verdict::Remove, _) => &mut sorted.removals,
                _ => &mut sorted.links,
            };
            list.push(n as u32);
        }
        let is_late = |n: &u32| {
            let to = plan.linked_to(*n as usize).and_then(|to| plan.find(&to));
            to.is_some_and(|to| sorted.late.binary_search(&(to as u32)).is_ok()) || takes_directory(*n as usize)
        };
        (sorted.late_links, sorted.links) = std::mem::take(&mut sorted.links).into_iter().partition(is_late);
        sorted
    }
}
