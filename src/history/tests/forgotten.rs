//! A history with forgotten commits reads like the same history rewritten without them.

use crate::history::timeline::Here;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::object::operation::{ForgottenCommit, HistoryEdit, UndoPosition, Verb};

/// A commit of a random history. Parents are numbers of older commits.
#[derive(Clone, Debug)]
struct Node {
    parents: Vec<usize>,
    /// Number of the content of `a`, and of `b/c`.
    contents: (u8, u8),
}

fn message(number: usize) -> String {
    format!("commit {number}")
}

/// Commits nodes, and tags the newest one.
fn build(nodes: &[(usize, Node)]) -> (TestHistory, Vec<CommitId>) {
    let mut history = TestHistory::new();
    let mut ids: Vec<CommitId> = Vec::new();
    for (position, (number, node)) in nodes.iter().enumerate() {
        let parents: Vec<CommitId> = node.parents.iter().map(|parent| ids[*parent]).collect();
        let (a, c) = (node.contents.0.to_string(), node.contents.1.to_string());
        let files = [("a", a.as_str()), ("b/c", c.as_str())];
        let text = message(*number);
        let spec = TestCommit { parents: &parents, message: &text, seconds: 1000 + 10 * *number as i64, files: &files };
        let is_last = position + 1 == nodes.len();
        let id = history.commit_all(&[spec], |ids| {
            let name = RefName::Branch("main".to_owned());
            let edits = if is_last { vec![RefEdit { name, old: None, new: Some(ids[0]) }] } else { Vec::new() };
            NewOperation { edits, ..NewOperation::default() }
        });
        ids.push(id[0]);
    }
    (history, ids)
}

/// The nodes that stay, each with its nearest ancestors that stay, in the order of a depth-first search.
fn rewritten(nodes: &[Node], forgotten: &BTreeSet<usize>) -> Vec<(usize, Node)> {
    let kept: Vec<usize> = (0..nodes.len()).filter(|number| !forgotten.contains(number)).collect();
    let place = |number: usize| kept.iter().position(|kept| *kept == number).unwrap();
    let rewrite = |&number: &usize| {
        let mut parents = Vec::new();
        let mut seen = BTreeSet::new();
        let mut stack: Vec<usize> = nodes[number].parents.iter().rev().copied().collect();
        while let Some(parent) = stack.pop() {
            if !seen.insert(parent) {
                continue;
            }
            match forgotten.contains(&parent) {
                true => stack.extend(nodes[parent].parents.iter().rev()),
                false => parents.push(place(parent)),
            }
        }
        (number, Node { parents, contents: nodes[number].contents })
    };
    kept.iter().map(rewrite).collect()
}

/// Messages of commits and of their parents, in the order of a walk.
fn walked(history: &TestHistory, options: WalkOptions) -> Vec<(String, Vec<String>)> {
    let text = |id: &CommitId| history.repository.store().commit(*id).unwrap().message;
    let described = |one: Result<walk::WalkedCommit>| {
        let one = one.unwrap();
        (one.commit.message.clone(), one.parents.iter().map(text).collect())
    };
    walk(&history.repository, options).unwrap().map(described).collect()
}

fn heads(history: &TestHistory) -> BTreeSet<String> {
    let store = history.repository.store();
    history.repository.view().heads.iter().map(|id| store.commit(*id).unwrap().message).collect()
}

/// Checks everything that depends on parents.
fn assert_same(history: &TestHistory, ids: &[CommitId], nodes: &[Node], forgotten: &BTreeSet<usize>) {
    let rewritten = rewritten(nodes, forgotten);
    let (expected, new_ids) = build(&rewritten);
    let kept: Vec<CommitId> = rewritten.iter().map(|(number, _)| ids[*number]).collect();
    assert_eq!(heads(history), heads(&expected));
    assert_eq!(walked(history, WalkOptions::default()), walked(&expected, WalkOptions::default()));
    let paths = |path: &str| PathSelection::of_paths(vec![RepoPathBuf::new(path.into()).unwrap()]);
    for path in ["a", "b/c", "b"] {
        let options = || WalkOptions { paths: paths(path), ..WalkOptions::default() };
        assert_eq!(walked(history, options()), walked(&expected, options()), "{path}");
        let of = |history: &TestHistory| {
            let last = last_version(&history.repository, &RepoPathBuf::new(path.into()).unwrap()).unwrap();
            last.map(|id| history.repository.store().commit(id).unwrap().message)
        };
        assert_eq!(of(history), of(&expected));
    }
    for (n, (&id, &new_id)) in kept.iter().zip(&new_ids).enumerate() {
        let other = (7 * n + 3) % kept.len();
        let range = |from, exclude| WalkOptions { from: vec![from], exclude: vec![exclude], ..WalkOptions::default() };
        assert_eq!(walked(history, range(id, kept[other])), walked(&expected, range(new_id, new_ids[other])));
        for steps in ["~", "~2", "^2", "~3", "^2~"] {
            let of = |history: &TestHistory, id: CommitId| {
                let found = resolve(&history.repository, &format!("{id}{steps}")).ok()?;
                Some(history.repository.store().commit(found).unwrap().message)
            };
            assert_eq!(of(history, id), of(&expected, new_id), "{n}{steps}");
        }
    }
}

/// Undoes or redoes one step that changes only refs and history.
fn step(history: &mut TestHistory, verb: Verb) -> bool {
    let mut timeline = Timeline::open(&history.repository);
    let destination =
        if verb == Verb::Undo { timeline.back(1, &Here::UNKNOWN) } else { timeline.forward(1, &Here::UNKNOWN) };
    let Ok(destination) = destination else { return false };
    let is_change = !destination.history.forgets.is_empty() || !destination.history.recalls.is_empty();
    if !is_change {
        return false;
    }
    let undo_position: Option<UndoPosition> = destination.undo_position;
    history.record(NewOperation { verb, undo_position, history: destination.history, ..NewOperation::default() });
    true
}

#[derive(Clone, Debug)]
enum Step {
    /// Forgets the commits that are not forgotten, and recalls the others.
    Toggle(Vec<prop::sample::Index>),
    Undo,
    Redo,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let toggle = prop::collection::vec(any::<prop::sample::Index>(), 1..4).prop_map(Step::Toggle);
    prop::collection::vec(prop_oneof![3 => toggle, 1 => Just(Step::Undo), 1 => Just(Step::Redo)], 1..8)
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let node = (prop::collection::vec(any::<prop::sample::Index>(), 0..3), (0..3_u8, 0..3_u8));
    prop::collection::vec(node, 2..10).prop_map(|drawn| {
        let node = |(n, (parents, contents)): (usize, (Vec<prop::sample::Index>, (u8, u8)))| {
            // Mostly a line with some merges.
            let mut parents: Vec<usize> = parents.iter().filter(|_| n > 0).map(|parent| parent.index(n)).collect();
            parents.dedup();
            if n > 0 && contents.0 < 2 {
                parents.insert(0, n - 1);
            }
            let mut seen = BTreeSet::new();
            parents.retain(|parent| seen.insert(*parent));
            Node { parents, contents }
        };
        drawn.into_iter().enumerate().map(node).collect()
    })
}

#[test]
fn a_commit_on_a_forgotten_tip_recalls_and_continues_it() {
    let mut history = TestHistory::new();
    let base = history.commit_on_branch("base", 1);
    let side = history.add(&[base], "side", 2);
    history.commit_on_branch("main", 3);
    let forgets = vec![ForgottenCommit { id: side, parents: vec![base] }];
    let edit = HistoryEdit { forgets, ..HistoryEdit::default() };
    history.record(NewOperation { verb: Verb::Forget, history: edit, ..NewOperation::default() });
    assert_eq!(heads(&history), ["main".to_owned()].into());
    history.add(&[side], "child", 4);
    assert_eq!(heads(&history), ["child".to_owned(), "main".to_owned()].into());
    assert!(history.repository.view().forgotten.is_empty());
}

#[test]
fn thinning_reads_no_commit_that_reached_the_highest_age_before() {
    const DAY: i64 = 86_400;
    let mut history = TestHistory::new();
    // A commit every five days for 500 days.
    for n in 0..100 {
        history.commit_on_branch(&message(n), n as i64 * 5 * DAY);
    }
    let set_clock = |history: &mut TestHistory, days: i64| {
        let now = Timestamp { seconds: days * DAY, nanoseconds: 0 };
        history.repository.environment = history.repository.environment.clone().with_clock(move || now);
    };
    let read_when_due = |history: &TestHistory| {
        let before = candidates::READ.get();
        thinning::due(&history.repository, &[]).unwrap().map(|_| candidates::READ.get() - before)
    };
    let newest = history.repository.state().time.seconds / DAY + 1;
    set_clock(&mut history, newest);
    assert_eq!(read_when_due(&history), Some(100));
    history.record(NewOperation { thins: Some(Vec::new()), ..NewOperation::default() });
    assert_eq!(read_when_due(&history), None);
    // The next day: commits younger than 91 days.
    set_clock(&mut history, newest + 1);
    assert!(read_when_due(&history).is_some_and(|read| read < 20));
    // The clock jumps.
    set_clock(&mut history, newest + 3);
    assert_eq!(read_when_due(&history), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn forgotten_commits_read_like_a_rewritten_history(nodes in nodes(), steps in steps()) {
        let numbered: Vec<(usize, Node)> = nodes.iter().cloned().enumerate().collect();
        let (mut history, ids) = build(&numbered);
        let (mut states, mut position) = (vec![BTreeSet::new()], 0);
        for step_to_take in steps {
            match step_to_take {
                Step::Undo if position > 0 => {
                    prop_assert!(step(&mut history, Verb::Undo));
                    position -= 1;
                }
                Step::Redo if position + 1 < states.len() => {
                    prop_assert!(step(&mut history, Verb::Redo));
                    position += 1;
                }
                Step::Undo | Step::Redo => continue,
                Step::Toggle(numbers) => {
                    let mut forgotten: BTreeSet<usize> = states[position].clone();
                    let mut edit = HistoryEdit::default();
                    // The last commit has a branch.
                    for number in numbers.iter().map(|number| number.index(ids.len())).filter(|n| *n + 1 < ids.len()) {
                        let parents = history.repository.store().commit(ids[number]).unwrap().parents;
                        let commit = ForgottenCommit { id: ids[number], parents };
                        if edit.forgets.contains(&commit) || edit.recalls.contains(&commit) {
                            continue;
                        }
                        if forgotten.remove(&number) {
                            edit.recalls.push(commit);
                        } else {
                            forgotten.insert(number);
                            edit.forgets.push(commit);
                        }
                    }
                    if edit.is_empty() {
                        continue;
                    }
                    history.record(NewOperation { verb: Verb::Forget, history: edit, ..NewOperation::default() });
                    states.truncate(position + 1);
                    states.push(forgotten);
                    position += 1;
                }
            }
            let forgotten: BTreeSet<CommitId> = history.repository.view().forgotten.keys().copied().collect();
            prop_assert_eq!(forgotten, states[position].iter().map(|number| ids[*number]).collect::<BTreeSet<_>>());
            assert_same(&history, &ids, &nodes, &states[position]);
            let layout = history.repository.layout.clone();
            let reopened = Repository::open(layout, Environment::from_process()).unwrap();
            prop_assert_eq!(reopened.state(), history.repository.state());
        }
    }
}
