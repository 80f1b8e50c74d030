//! Steps through operations, without a disk: what one line of actions leads to, and random ones against a plain model.

use std::collections::HashMap;

use super::*;
use crate::environment::{Durability, Environment};
use crate::object::operation::{NewCommit, RefName, View};
use crate::repo::NewOperation;
use crate::repo::journal::{self, Loaded, Record, Writer};
use crate::time::Timestamp;

/// Operations as commands would record them.
#[derive(Clone)]
struct Story {
    view: View,
    /// Oldest first.
    operations: Vec<Operation>,
    /// The commit that the worktree is.
    worktree: CommitId,
    made: u8,
}

impl Story {
    fn new() -> Story {
        let view = View::new("main");
        Story { view, operations: Vec::new(), worktree: CommitId([0; 32]), made: 0 }
    }

    fn timeline(&self) -> Timeline {
        let operations: Vec<_> = self.operations.iter().rev().map(|it| Ok((it.id(), it.clone()))).collect();
        let newest = self.operations.last().map(Operation::id);
        Timeline::new(self.view.refs.clone(), None, newest, Box::new(operations.into_iter()))
    }

    fn refs(&self) -> Refs {
        self.view.refs.clone()
    }

    fn record(&mut self, verb: &str, refs: &Refs, operation: Operation) -> OperationId {
        let parent = self.operations.last().map(Operation::id);
        let edits = refs.edits_from(&self.view);
        let switched = (refs.current != self.view.current).then(|| (self.view.current.clone(), refs.current.clone()));
        // No two are alike.
        let time = Timestamp { seconds: self.operations.len() as i64, nanoseconds: 0 };
        let operation = Operation { parent, verb: verb.into(), edits, switched, time, ..operation };
        self.view.apply(&operation, operation.time);
        self.operations.push(operation);
        self.operations.last().unwrap().id()
    }

    fn refs_with(&self, branch: &str, commit: CommitId) -> Refs {
        let mut refs = self.refs();
        refs.set(&RefName::Branch(branch.into()), Some(commit));
        refs
    }

    /// A new commit of the worktree, at the end of the current branch.
    fn save(&mut self, verb: &str) -> OperationId {
        let parents = self.view.at().into_iter().collect();
        let refs = self.refs_with(&self.view.current.clone(), self.worktree);
        let commits = vec![NewCommit { id: self.worktree, parents }];
        self.record(verb, &refs, Operation { commits, ..Operation::default() })
    }

    /// Other content in the worktree.
    fn edit(&mut self) -> CommitId {
        self.made += 1;
        self.worktree = CommitId([self.made; 32]);
        self.worktree
    }

    fn commit(&mut self) -> OperationId {
        self.edit();
        self.save("commit")
    }

    /// An automatic commit.
    fn event(&mut self) -> OperationId {
        let worktree = Some((None, self.worktree));
        let refs = self.refs();
        self.record("automatic commit", &refs, Operation { worktree, ..Operation::default() })
    }

    fn branch(&mut self, name: &str) -> OperationId {
        let refs = self.refs_with(name, self.view.at().unwrap());
        self.record("branch", &refs, Operation::default())
    }

    /// Records what is unsaved, if anything is, and goes.
    fn go(&mut self, verb: &str, refs: &Refs, to: CommitId, undo_position: Option<UndoPosition>) -> OperationId {
        let is_joined = self.view.at() != Some(self.worktree);
        if is_joined {
            self.save(verb);
        }
        let worktree = Some((Some(self.worktree), to));
        self.worktree = to;
        self.record(verb, refs, Operation { worktree, is_joined, undo_position, ..Operation::default() })
    }

    fn checkout(&mut self, to: CommitId) -> OperationId {
        let refs = self.refs_with(&self.view.current.clone(), to);
        self.go("checkout", &refs, to, None)
    }

    fn step(&mut self, verb: &str, destination: &Destination) -> OperationId {
        let (refs, undo_position) = (&destination.refs, destination.undo_position);
        match destination.worktree {
            Some(to) => self.go(verb, refs, to, undo_position),
            None => self.record(verb, refs, Operation { undo_position, ..Operation::default() }),
        }
    }

    fn undo(&mut self, steps: usize) -> OperationId {
        let destination = self.timeline().back(steps, &Here::UNKNOWN).unwrap();
        self.step("undo", &destination)
    }

    fn redo(&mut self, steps: usize) -> OperationId {
        let destination = self.timeline().forward(steps, &Here::UNKNOWN).unwrap();
        self.step("redo", &destination)
    }

    fn restore(&mut self, operation: OperationId) -> OperationId {
        let destination = self.timeline().restore(operation).unwrap();
        self.step("op restore", &destination)
    }

    fn state(&self) -> (Refs, CommitId) {
        (self.refs(), self.worktree)
    }

    fn at(&self) -> Option<CommitId> {
        self.view.at()
    }
}

/// All actions, newest first.
fn all(story: &Story) -> Vec<Action> {
    let mut timeline = story.timeline();
    timeline.read_all().unwrap();
    timeline.actions
}

fn message<T>(result: Result<T>) -> String {
    result.err().expect("it fails").to_string()
}

#[test]
fn undo_and_redo_move_one_action_at_a_time() {
    let mut story = Story::new();
    let mut states = vec![story.refs()];
    let commits: Vec<_> = (0..3).map(|_| story.commit()).collect();
    for count in 1..=3 {
        // After each commit.
        let mut refs = states[0].clone();
        refs.set(&RefName::Branch("main".into()), Some(CommitId([count; 32])));
        states.push(refs);
    }
    for (at, state) in states.iter().enumerate().rev().skip(1) {
        story.undo(1);
        assert_eq!((&story.refs(), story.worktree), (state, CommitId([3; 32])), "{at}");
    }
    assert_eq!(message(story.timeline().back(1, &Here::UNKNOWN)), "there is nothing to undo");
    assert_eq!(story.timeline().ahead().unwrap().iter().map(|action| action.id).collect::<Vec<_>>(), commits);
    for state in &states[1..] {
        story.redo(1);
        assert_eq!(&story.refs(), state);
    }
    assert_eq!(message(story.timeline().forward(1, &Here::UNKNOWN)), "there is nothing to redo");
    story.undo(2);
    assert_eq!(story.refs(), states[1]);
    assert_eq!(message(story.timeline().back(2, &Here::UNKNOWN)), "there is only 1 operation to undo");
    assert_eq!(message(story.timeline().forward(3, &Here::UNKNOWN)), "there are only 2 operations to redo");
    story.redo(2);
    story.undo(3);
    assert_eq!((story.refs(), story.timeline().position().unwrap()), (states[0].clone(), None));
}

#[test]
fn undo_restores_the_worktree_only_if_it_changed() {
    let mut story = Story::new();
    story.commit();
    let first = story.at().unwrap();
    story.commit();
    let second = story.worktree;
    story.checkout(first);
    assert_eq!(story.timeline().back(1, &Here::UNKNOWN).unwrap().worktree, Some(second));
    story.undo(1);
    assert_eq!((story.at(), story.worktree), (Some(second), second));
    assert_eq!(story.timeline().back(1, &Here::UNKNOWN).unwrap().worktree, None, "a commit leaves it alone");
    story.redo(1);
    assert_eq!((story.at(), story.worktree), (Some(first), first));
    story.undo(2);
    assert_eq!((story.at(), story.worktree), (Some(first), second));
}

#[test]
fn undo_and_redo_restore_unsaved_changes() {
    let mut story = Story::new();
    story.commit();
    let first = story.at().unwrap();
    story.commit();
    let unsaved = story.edit();
    story.checkout(first);
    assert_eq!(all(&story).len(), 3, "what was recorded first is part of it");
    let other = story.edit();
    story.undo(1);
    assert_eq!((story.at(), story.worktree), (Some(CommitId([2; 32])), unsaved));
    story.redo(1);
    assert_eq!((story.at(), story.worktree), (Some(first), other));
}

/// The state before a checkout is the one that was there, and not the one that the line once went through.
#[test]
fn undo_restores_unsaved_changes_after_an_undo() {
    let mut story = Story::new();
    story.commit();
    let first = story.at().unwrap();
    story.commit();
    story.checkout(first);
    story.undo(1);
    let unsaved = story.edit();
    story.checkout(first);
    story.undo(1);
    assert_eq!(story.worktree, unsaved);
}

#[test]
fn new_action_after_undo_starts_a_new_line() {
    let mut story = Story::new();
    story.commit();
    let left = story.commit();
    story.undo(1);
    let after = story.branch("other");
    assert!(story.timeline().ahead().unwrap().is_empty());
    assert_eq!(message(story.timeline().forward(1, &Here::UNKNOWN)), "there is nothing to redo");
    let crossed: Vec<_> =
        story.timeline().back(2, &Here::UNKNOWN).unwrap().crossed.iter().map(|it| it.last.verb.to_string()).collect();
    assert_eq!(crossed, ["branch", "commit"]);
    let restored = story.restore(left);
    assert_eq!((story.at(), story.view.branches.len()), (Some(CommitId([2; 32])), 1));
    assert_eq!(story.timeline().position().unwrap(), Some(restored));
    // Which can be taken back as well.
    story.undo(1);
    assert_eq!(story.timeline().position().unwrap(), Some(after));
    assert_eq!((story.at(), story.view.branches.len()), (Some(CommitId([1; 32])), 2));
}

#[test]
fn op_restore_restores_the_worktree_of_that_time() {
    let mut story = Story::new();
    let commit = story.commit();
    let first = story.at().unwrap();
    let edited = story.edit();
    let second = story.commit();
    let checkout = story.checkout(first);
    story.commit();
    story.restore(second);
    assert_eq!((story.at(), story.worktree), (Some(CommitId([3; 32])), CommitId([3; 32])));
    story.restore(checkout);
    assert_eq!((story.at(), story.worktree), (Some(first), CommitId([4; 32])), "a commit came after it");
    story.restore(commit);
    assert_eq!((story.at(), story.worktree), (Some(first), CommitId([3; 32])));
    assert_ne!(edited, story.worktree);
    assert_eq!(story.timeline().restore(second).unwrap().undo_position, None);
}

#[test]
fn undo_switches_branches_back() {
    let mut story = Story::new();
    story.commit();
    story.branch("other");
    story.commit();
    let before = story.state();
    let mut refs = story.refs();
    refs.current = "other".into();
    let to = refs.at().unwrap();
    story.go("checkout", &refs, to, None);
    assert_eq!(story.view.current, "other");
    let after = story.state();
    story.undo(1);
    assert_eq!(story.state(), before);
    story.redo(1);
    assert_eq!(story.state(), after);
}

#[test]
fn find_matches_id_prefixes() {
    let mut story = Story::new();
    assert_eq!(message(story.timeline().find("@")), "no operation `@`");
    story.commit();
    let ids: Vec<_> = (0..400).map(|_| story.branch("one")).collect();
    let mut timeline = story.timeline();
    assert_eq!(timeline.find("@").unwrap().id, *ids.last().unwrap());
    for id in &ids {
        assert_eq!(timeline.find(&id.to_string()).unwrap().id, *id);
    }
    for text in ["", "x", "g123", "0123456789abcdef0123456789abcdef"] {
        assert_eq!(message(timeline.find(text)), format!("no operation `{text}`"));
    }
    // Among 400 ids there are two that begin alike, if not in four digits then in fewer, which do not count.
    let mut starts: HashMap<String, usize> = HashMap::new();
    ids.iter().for_each(|id| *starts.entry(id.to_string()[..4].to_owned()).or_default() += 1);
    for (start, count) in starts {
        match timeline.find(&start) {
            Ok(_) => assert_eq!(count, 1),
            Err(error) => assert!(count > 1 && error.to_string().contains("operations"), "{error}"),
        }
    }
}

#[test]
fn shortened_journal_limits_undo() {
    let mut story = Story::new();
    for _ in 0..5 {
        story.commit();
    }
    story.operations.drain(..2);
    assert_eq!(story.timeline().back(2, &Here::UNKNOWN).unwrap().refs.at(), Some(CommitId([3; 32])));
    assert_eq!(message(story.timeline().back(3, &Here::UNKNOWN)), "the journal has no older operations");
    // A position that is not there any more.
    story.undo(2);
    story.operations.drain(..2);
    assert_eq!(message(story.timeline().back(1, &Here::UNKNOWN)), "the journal has no older operations");
    assert!(story.timeline().ahead().unwrap().len() < 2);
    story.operations.drain(..1);
    assert!(story.timeline().ahead().unwrap().is_empty());
    assert_eq!(message(story.timeline().forward(1, &Here::UNKNOWN)), "there is nothing to redo");
}

/// What is in the journal when the machine stops in a checkout, and the intent.
fn interrupted(story: &mut Story, verb: &str, to: CommitId, undo_position: Option<UndoPosition>) -> Intent {
    let before = story.operations.last().map(Operation::id);
    if story.at() != Some(story.worktree) {
        story.save(verb);
    }
    Intent {
        token: 7,
        verb: verb.into(),
        time: Timestamp::default(),
        from: Some(story.worktree),
        to,
        paths: Vec::new(),
        edits: Vec::new(),
        switch: None,
        undo_position,
        before,
        worktree: b"/data".to_vec(),
    }
}

#[test]
fn undo_reverts_an_interrupted_checkout() {
    for is_saved in [true, false] {
        let mut story = Story::new();
        story.commit();
        let first = story.at().unwrap();
        story.commit();
        story.checkout(first);
        story.undo(1);
        if !is_saved {
            story.edit();
        }
        let (before, ahead) = (story.state(), story.timeline().ahead().unwrap().len());
        let intent = interrupted(&mut story, "checkout", first, None);
        let mix = story.edit();
        let destination = story.timeline().back_before(&intent, 1).unwrap();
        assert_eq!(destination.crossed.len(), usize::from(!is_saved));
        assert_eq!((destination.refs.clone(), destination.worktree), (before.0.clone(), Some(before.1)));
        assert_eq!(destination.interrupted, Some("checkout".into()));
        // The mix that is there is recorded first, as anything is.
        let left = intent.from;
        story.save("undo");
        story.worktree = before.1;
        let worktree = Some((left, before.1));
        let undo_position = destination.undo_position;
        let operation = Operation { worktree, is_joined: true, undo_position, ..Operation::default() };
        story.record("undo", &destination.refs, operation);
        assert_eq!((story.state(), story.timeline().ahead().unwrap().len()), (before.clone(), ahead), "{mix}");
        story.redo(1);
        assert_eq!(story.worktree, first);
        story.undo(1);
        assert_eq!(story.state(), before);
        // One more step, in one go.
        let intent = interrupted(&mut story, "checkout", first, None);
        let further = story.timeline().back_before(&intent, 2).unwrap();
        assert_eq!((further.refs.at(), further.worktree), (Some(first), Some(before.1)));
    }
}

/// States in a list, a place in it, and the worktree as it was last left in each stretch of states.
struct Model {
    states: Vec<(Refs, u32)>,
    here: usize,
    left: HashMap<u32, CommitId>,
    stretches: u32,
}

impl Model {
    fn act(&mut self, story: &Story, is_move: bool) {
        let stretch = if is_move { self.stretches + 1 } else { self.states[self.here].1 };
        self.stretches = self.stretches.max(stretch);
        self.states.truncate(self.here + 1);
        self.states.push((story.refs(), stretch));
        self.here += 1;
    }

    /// Before a step: notes what is left behind.
    fn leave(&mut self, story: &Story) {
        self.left.insert(self.states[self.here].1, story.worktree);
    }

    fn expected(&self) -> (Refs, CommitId) {
        let (refs, stretch) = &self.states[self.here];
        (refs.clone(), self.left[stretch])
    }
}

/// Returns pseudorandom numbers below a given one (xorshift64).
fn random_below(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    move |end| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % end
    }
}

#[test]
fn random_steps_match_a_list_of_states() {
    for seed in 1..200u64 {
        let mut below = random_below(seed);
        let mut story = Story::new();
        let start = (story.refs(), 0);
        let mut model = Model { states: vec![start], here: 0, left: HashMap::new(), stretches: 0 };
        story.commit();
        model.act(&story, false);
        for step in 0..60 {
            match below(8) {
                0 | 1 => {
                    story.commit();
                    model.act(&story, false);
                }
                2 => {
                    story.branch(["one", "two"][below(2)]);
                    model.act(&story, false);
                }
                3 => {
                    story.edit();
                }
                4 => {
                    model.leave(&story);
                    let to = CommitId([1 + below(usize::from(story.made)) as u8; 32]);
                    story.checkout(to);
                    model.act(&story, true);
                }
                5 if !story.operations.is_empty() => {
                    model.leave(&story);
                    let mut timeline = story.timeline();
                    timeline.read_all().unwrap();
                    let id = timeline.actions[below(timeline.actions.len())].id;
                    let moves = timeline.restore(id).unwrap().worktree.is_some();
                    story.restore(id);
                    model.act(&story, moves);
                }
                6 => {
                    let steps = 1 + below(3);
                    assert_eq!(story.timeline().back(steps, &Here::UNKNOWN).is_ok(), model.here >= steps);
                    if model.here >= steps && story.timeline().back(steps, &Here::UNKNOWN).unwrap().refs.at().is_some()
                    {
                        model.leave(&story);
                        story.undo(steps);
                        model.here -= steps;
                        assert_eq!(story.state(), model.expected(), "seed {seed}, step {step}");
                    }
                }
                _ => {
                    let (steps, ahead) = (1 + below(3), model.states.len() - 1 - model.here);
                    assert_eq!(story.timeline().ahead().unwrap().len(), ahead, "seed {seed}, step {step}");
                    if ahead >= steps {
                        model.leave(&story);
                        story.redo(steps);
                        model.here += steps;
                        assert_eq!(story.state(), model.expected(), "seed {seed}, step {step}");
                    }
                }
            }
        }
    }
}

/// A line of actions and events with a position in it, and copies of what each leads to.
#[derive(Default)]
struct LineModel {
    back: Vec<Copied>,
    /// The next one last.
    ahead: Vec<Copied>,
    /// The worktree as it was last left in each stretch.
    left: HashMap<u32, CommitId>,
    stretches: u32,
}

#[derive(Clone)]
enum Copied {
    Event(CommitId),
    /// Refs after the action, the stretch that it leads to, and whether it changed the worktree.
    Action(Refs, u32, bool),
}

impl LineModel {
    fn stretch(&self) -> u32 {
        let stretch = |entry: &Copied| if let Copied::Action(_, stretch, _) = entry { Some(*stretch) } else { None };
        self.back.iter().rev().find_map(stretch).unwrap_or(0)
    }

    fn refs(&self) -> Refs {
        let refs = |entry: &Copied| if let Copied::Action(refs, ..) = entry { Some(refs.clone()) } else { None };
        self.back.iter().rev().find_map(refs).unwrap_or_else(|| Story::new().refs())
    }

    fn act(&mut self, story: &Story, is_move: bool) {
        self.stretches += u32::from(is_move);
        let stretch = if is_move { self.stretches } else { self.stretch() };
        self.ahead.clear();
        self.back.push(Copied::Action(story.refs(), stretch, is_move));
    }

    /// Goes that many steps, and returns the worktree then. `None` if there are fewer.
    fn step(&mut self, is_back: bool, steps: usize, mut worktree: CommitId) -> Option<CommitId> {
        self.left.insert(self.stretch(), worktree);
        for _ in 0..steps {
            loop {
                let next = if is_back { self.back.last() } else { self.ahead.last() }?.clone();
                match next {
                    Copied::Event(state) if state != worktree => {
                        worktree = state;
                        if !is_back {
                            self.pass(is_back);
                        }
                        break;
                    }
                    Copied::Event(_) => self.pass(is_back),
                    Copied::Action(_, _, is_move) => {
                        self.pass(is_back);
                        if is_move {
                            worktree = match self.ahead.last() {
                                Some(Copied::Event(state)) if !is_back => *state,
                                _ => self.left[&self.stretch()],
                            };
                        }
                        break;
                    }
                }
            }
        }
        Some(worktree)
    }

    fn pass(&mut self, is_back: bool) {
        let (from, to) = if is_back { (&mut self.back, &mut self.ahead) } else { (&mut self.ahead, &mut self.back) };
        to.extend(from.pop());
    }
}

#[test]
fn redo_of_several_steps_reverses_undo_of_several_steps() {
    let mut story = Story::new();
    story.commit();
    let first = story.at().unwrap();
    story.commit();
    story.checkout(first);
    story.event();
    story.edit();
    let before = story.state();
    let step = |story: &mut Story, is_back, steps| {
        story.event();
        let here = Here { commit: Some(story.worktree), is_same: &|a, b| a == b };
        let mut timeline = story.timeline();
        let found = if is_back { timeline.back(steps, &here) } else { timeline.forward(steps, &here) };
        story.step(if is_back { "undo" } else { "redo" }, &found.unwrap());
    };
    for forward in [&[2][..], &[1, 1]] {
        step(&mut story, true, 2);
        assert_ne!(story.state(), before);
        forward.iter().for_each(|steps| step(&mut story, false, *steps));
        assert_eq!(story.state(), before, "{forward:?}");
    }
}

#[test]
fn random_steps_among_events_match_copies() {
    for seed in 1..400u64 {
        let mut below = random_below(seed);
        let (mut story, mut model) = (Story::new(), LineModel::default());
        story.commit();
        model.act(&story, false);
        for step in 0..60 {
            let choice = below(10);
            match choice {
                0 => {
                    story.commit();
                    model.act(&story, false);
                }
                1 => {
                    story.branch(["one", "two"][below(2)]);
                    model.act(&story, false);
                }
                2 | 3 => drop(story.edit()),
                4 => {
                    model.left.insert(model.stretch(), story.worktree);
                    story.checkout(CommitId([1 + below(usize::from(story.made)) as u8; 32]));
                    model.act(&story, true);
                }
                5 | 6 => {
                    story.event();
                    model.back.push(Copied::Event(story.worktree));
                }
                _ => {
                    let (is_back, steps) = (choice < 9, 1 + below(3));
                    if story.timeline().depends_on_state(is_back, steps).unwrap() {
                        story.event();
                        model.back.push(Copied::Event(story.worktree));
                    }
                    let line = (model.back.clone(), model.ahead.clone());
                    let expected = model.step(is_back, steps, story.worktree);
                    let here = Here { commit: Some(story.worktree), is_same: &|a, b| a == b };
                    let mut timeline = story.timeline();
                    let found = if is_back { timeline.back(steps, &here) } else { timeline.forward(steps, &here) };
                    let context = format!("seed {seed}, step {step}");
                    assert_eq!(found.is_ok(), expected.is_some(), "{context}: {found:?}");
                    match expected.filter(|_| model.refs().at().is_some()) {
                        Some(worktree) => {
                            story.step(if is_back { "undo" } else { "redo" }, &found.unwrap());
                            assert_eq!(story.state(), (model.refs(), worktree), "{context}");
                        }
                        None => (model.back, model.ahead) = line,
                    }
                }
            }
        }
    }
}

/// Appends operations to the journal, many in one write.
fn append_operations(repository: &Repository, count: i64) {
    let directory = repository.layout.journal();
    let Loaded { mut state, end, .. } = journal::load(&directory).unwrap();
    let mut writer = Writer::open(&directory, end, Durability::NoSync).unwrap();
    for start in (0..count).step_by(100) {
        let mut record = |seconds| {
            let time = Timestamp { seconds, nanoseconds: 0 };
            let operation = Operation { parent: state.operation, time, ..Operation::default() };
            let record = Record::Operation { id: operation.id(), operation, ends_intent: false };
            record.apply(&mut state).unwrap();
            record
        };
        let records: Vec<Record> = (start..start + 100).map(&mut record).collect();
        writer.append(&records, || false).unwrap();
        writer.roll_if_long(&state).unwrap();
    }
}

#[test]
fn undo_decodes_only_the_operations_it_crosses() {
    let root = tempfile::tempdir().unwrap();
    let repository = Repository::init(root.path(), None, Environment::from_process()).unwrap();
    append_operations(&repository, 10_000);
    let decoded = |from: usize| journal::DECODED.get() - from;
    let start = decoded(0);
    let mut repository = Repository::open(repository.layout.clone(), Environment::from_process()).unwrap();
    // The records after the checkpoint of the newest segment.
    assert!(decoded(start) < 4_000, "opening decoded {}", decoded(start));
    let start = decoded(0);
    let destination = Timeline::open(&repository).back(3, &Here::UNKNOWN).unwrap();
    assert_eq!((destination.crossed.len(), destination.worktree), (3, None));
    let undo_position = destination.undo_position;
    repository.begin().unwrap().record(NewOperation { undo_position, ..NewOperation::default() }).unwrap();
    let mut timeline = Timeline::open(&repository);
    assert_eq!(timeline.ahead().unwrap().len(), 3);
    assert_eq!(timeline.back(1, &Here::UNKNOWN).unwrap().crossed.len(), 1);
    assert!(decoded(start) < 20, "two steps decoded {}", decoded(start));
    timeline.read_all().unwrap();
    assert_eq!(timeline.actions.len(), 10_001);
}
