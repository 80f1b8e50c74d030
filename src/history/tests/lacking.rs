//! Tests counting of what a copy lacks.

use super::*;
use crate::history::walk::lacking::{CommitCount, count_lacking};
use crate::object::operation::{ForgottenCommit, HistoryEdit, Verb};

fn exactly(commits: u64) -> CommitCount {
    CommitCount { commits, is_minimum: false }
}

fn at_least(commits: u64) -> CommitCount {
    CommitCount { commits, is_minimum: true }
}

#[test]
fn counts_from_the_heads_to_the_present_commits_and_no_further() {
    let mut history = TestHistory::new();
    let mut ids: Vec<CommitId> = Vec::new();
    for seconds in 0..1500 {
        let parents: Vec<CommitId> = ids.last().copied().into_iter().collect();
        ids.push(
            history.commit(&TestCommit { parents: &parents, seconds, ..TestCommit::default() }, &mut |_, _, _| {}).id(),
        );
    }
    let specs = (0..1500usize).map(|at| TestCommit {
        parents: if at == 0 { &[] } else { &ids[at - 1..at] },
        seconds: at as i64,
        ..TestCommit::default()
    });
    history.commit_all(&specs.collect::<Vec<_>>(), |_| NewOperation::default());
    let count = |history: &TestHistory, present: &[CommitId]| count_lacking(&history.repository, present).unwrap();
    assert_eq!(count(&history, &ids[1499..]), exactly(0));
    assert_eq!(count(&history, &ids[1496..1497]), exactly(3));
    assert_eq!(count(&history, &ids[100..101]), at_least(100));
    assert_eq!(count(&history, &[]), at_least(100));
    // A commit beside the newest one, and one so old that finding its place would take reading everything after it.
    let beside = history.add(&ids[1490..1491], "beside", 1600);
    assert_eq!(count(&history, &ids[1499..]), exactly(1));
    assert_eq!(count(&history, &[ids[1499], beside]), exactly(0));
    history.add(&ids[3..4], "old", 4);
    assert_eq!(count(&history, &[ids[1499], beside]), at_least(1));
}

#[test]
fn a_forgotten_commit_stands_for_its_ancestors() {
    let mut history = TestHistory::new();
    let base = history.commit_on_branch("base", 1);
    let side = history.add(&[base], "side", 2);
    let main = history.commit_on_branch("main", 3);
    assert_eq!(count_lacking(&history.repository, &[side]).unwrap(), exactly(1));
    let forgets = vec![ForgottenCommit { id: side, parents: vec![base] }];
    let history_edit = HistoryEdit { forgets, ..HistoryEdit::default() };
    history.record(NewOperation { verb: Verb::Forget, history: history_edit, ..NewOperation::default() });
    assert_eq!(count_lacking(&history.repository, &[side]).unwrap(), exactly(1));
    assert_eq!(count_lacking(&history.repository, &[side, main]).unwrap(), exactly(0));
}
