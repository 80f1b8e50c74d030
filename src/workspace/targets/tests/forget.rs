//! Forgetting commits in a target.

use super::*;
use crate::error::ErrorKind;
use crate::id::CommitId;
use crate::object::Objects;
use crate::workspace::{ForgetOutcome, ForgetSelection, KeepLimit, KeepPeriod, KeepPolicy, KeepRule, WalkOptions};

/// A machine that has pushed this number of commits.
fn pushed(commits: u8) -> Machine {
    let machine = Machine::new(&Memory::new());
    machine.create();
    for n in 0..commits {
        machine.commit("file", &[n]);
    }
    machine.push().unwrap();
    machine
}

impl Machine {
    /// The commits here, newest first.
    fn commits(&self) -> Vec<CommitId> {
        log(&self.workspace())
    }

    /// The history in the target.
    fn remote(&self) -> Workspace {
        let (workspace, target) = self.open(|_| Fault::None).unwrap();
        workspace.with_target(target, None).unwrap()
    }

    fn forget(&self, commits: &[CommitId]) -> Result<ForgetOutcome> {
        self.remote().forget_in_target(&ForgetSelection::Commits(commits.to_vec(), false), false, &Silent)
    }

    fn view(&self) -> crate::object::operation::View {
        let (_, target) = self.open(|_| Fault::None).unwrap();
        target.state().streams.values().next().unwrap().view.clone()
    }

    fn collect_and_verify(&self) {
        for _ in 0..2 {
            let (workspace, mut target) = self.open(|_| Fault::None).unwrap();
            workspace.collect_target(&mut target, &CollectTarget::default(), &Silent).unwrap();
            self.memory.advance(2 * 24 * 3600);
        }
        let (workspace, mut target) = self.open(|_| Fault::None).unwrap();
        let verified = workspace.verify_target(&mut target, &VerifyTarget { sample: 1.0 }, &Silent).unwrap();
        assert!(verified.damage.is_empty(), "{:?}", verified.damage);
    }
}

fn log(workspace: &Workspace) -> Vec<CommitId> {
    workspace.log(WalkOptions::default()).unwrap().map(|walked| walked.unwrap().id).collect()
}

#[test]
fn a_push_does_not_send_again_what_was_forgotten_in_a_target() {
    let machine = pushed(5);
    let commits = machine.commits();
    let outcome = machine.forget(&[commits[1], commits[2], commits[4]]).unwrap();
    assert_eq!(outcome.forgotten(), 3);
    assert_eq!(log(&machine.remote()), [commits[0], commits[3]]);
    assert_eq!(machine.commits(), commits, "the directory keeps its commits");
    for n in 10..13 {
        let (outcome, _) = machine.push().unwrap();
        assert_eq!(outcome.commits, 0);
        machine.commit("file", &[n]);
        assert_eq!(machine.push().unwrap().0.commits, 1);
    }
    let left = log(&machine.remote());
    assert_eq!(left.len(), 5);
    assert_eq!(left[3..], [commits[0], commits[3]]);
    machine.collect_and_verify();
    assert_eq!(machine.push().unwrap().0.commits, 0);
    assert_eq!(log(&machine.remote()), left);
}

#[test]
fn a_named_commit_is_sent_again() {
    let machine = pushed(4);
    let commits = machine.commits();
    machine.forget(&[commits[1], commits[2]]).unwrap();
    machine.collect_and_verify();
    let (workspace, mut target) = machine.open(|_| Fault::None).unwrap();
    let options = PushOptions { commits: Some(vec![commits[2]]) };
    assert_eq!(workspace.push(&mut target, &options, &Silent).unwrap().commits, 1);
    assert_eq!(log(&machine.remote()), [commits[0], commits[2], commits[3]]);
    assert_eq!(machine.push().unwrap().0.commits, 0);
    // A tag names it.
    machine.workspace().create_ref(crate::workspace::RefKind::Tag, "tag", commits[1], false).unwrap();
    assert_eq!(machine.push().unwrap().0.commits, 1);
    assert_eq!(log(&machine.remote()), commits);
    assert_eq!(machine.view().forgotten, Default::default());
    machine.collect_and_verify();
}

#[test]
fn rules_decide_what_leaves_a_target() {
    let machine = pushed(6);
    let commits = machine.commits();
    let rules = vec![KeepRule { period: KeepPeriod::Commit, limit: KeepLimit::Count(2) }];
    let policy = || ForgetSelection::Policy(KeepPolicy { rules: rules.clone(), ..KeepPolicy::default() });
    let before = machine.memory.content();
    let outcome = machine.remote().forget_in_target(&policy(), true, &Silent).unwrap();
    assert_eq!((outcome.forgotten(), outcome.kept()), (4, 2));
    assert_eq!(machine.memory.content(), before, "a dry run changes nothing");
    let outcome = machine.remote().forget_in_target(&policy(), false, &Silent).unwrap();
    assert_eq!((outcome.forgotten(), outcome.kept()), (4, 2));
    assert_eq!(log(&machine.remote()), commits[..2]);
    let outcome = machine.remote().forget_in_target(&policy(), false, &Silent).unwrap();
    assert_eq!((outcome.forgotten(), outcome.kept()), (0, 2));
    machine.collect_and_verify();
}

#[test]
fn the_commit_of_a_branch_stays_in_a_target() {
    let machine = pushed(3);
    let commits = machine.commits();
    let before = machine.memory.content();
    assert_eq!(machine.forget(&[commits[0]]).unwrap_err().kind(), ErrorKind::Refused);
    let nothing = ForgetSelection::Policy(KeepPolicy::default());
    let refused = machine.remote().forget_in_target(&nothing, false, &Silent);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(machine.memory.content(), before);
}

#[test]
fn what_the_directory_forgets_later_is_not_remembered_for_ever() {
    let machine = pushed(5);
    let commits = machine.commits();
    machine.forget(&commits[1..4]).unwrap();
    assert_eq!(machine.view().forgotten.len(), 3);
    machine.workspace().forget(&ForgetSelection::Commits(commits[1..4].to_vec(), false), &Silent).unwrap();
    machine.commit("file", b"later");
    machine.push().unwrap();
    let forgotten = machine.view().forgotten;
    assert_eq!(forgotten.keys().copied().collect::<Vec<_>>(), [commits[1]], "the parent of a commit that stays");
    assert_eq!(forgotten[&commits[1]].parents, [commits[4]]);
    assert_eq!(forgotten[&commits[1]].count, 3);
}

#[test]
fn forgetting_a_long_history_reads_each_commit_a_few_times() {
    let machine = Machine::new(&Memory::new());
    machine.create();
    let mut workspace = machine.workspace();
    for n in 0..300 {
        fs::write_private(&machine.directory().join("file"), format!("{n}").as_bytes()).unwrap();
        workspace.commit(&CommitOptions::default(), &Silent).unwrap();
    }
    machine.push().unwrap();
    let commits = machine.commits();
    let mut remote = machine.remote();
    let before = remote.requests().requests();
    let forgotten = ForgetSelection::Commits(commits[2..299].to_vec(), false);
    assert_eq!(remote.forget_in_target(&forgotten, false, &Silent).unwrap().forgotten(), 297);
    assert!(remote.requests().requests() - before < 10, "{}", remote.requests().requests() - before);
    assert_eq!(log(&machine.remote()), [commits[0], commits[1], commits[299]]);
    let entry = &machine.view().forgotten[&commits[2]];
    assert_eq!((entry.count, &entry.parents[..]), (297, &commits[299..]));
    assert_eq!(machine.push().unwrap().0.commits, 0);
}

#[test]
fn a_pull_passes_over_what_was_forgotten_in_a_target() {
    let machine = pushed(4);
    let commits = machine.commits();
    machine.forget(&[commits[1], commits[2]]).unwrap();
    machine.collect_and_verify();
    let other = Machine::new(&machine.memory);
    let mut workspace = other.workspace();
    let (_, mut target) = other.open(|_| Fault::None).unwrap();
    workspace.pull(&mut target, &PullOptions::default(), &Silent).unwrap();
    assert_eq!(log(&workspace), [commits[0], commits[3]]);
    assert!(workspace.forgotten().is_empty(), "nothing can be recalled");
    assert!(workspace.repository.store().commit(commits[1]).is_err());
}

#[test]
fn a_push_during_a_forget_wins() {
    let machine = Arc::new(pushed(3));
    let commits = machine.commits();
    let mut remote = machine.remote();
    machine.commit("file", b"new");
    machine.push().unwrap();
    let selection = ForgetSelection::Commits(vec![commits[1]], false);
    let error = remote.forget_in_target(&selection, false, &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(log(&machine.remote()).len(), 4);
    // A push that was planned before the forget is planned again.
    machine.commit("file", b"newer");
    let (workspace, mut target) = machine.open(|_| Fault::None).unwrap();
    machine.forget(&[commits[1]]).unwrap();
    let outcome = workspace.push(&mut target, &PushOptions::default(), &Silent).unwrap();
    assert!(!outcome.is_new_stream && outcome.commits == 1);
    assert_eq!(log(&machine.remote()).len(), 4);
    machine.collect_and_verify();
}

#[test]
fn a_directory_that_was_removed_is_sent_again_as_a_whole() {
    let machine = pushed(3);
    let other = Machine::new(&machine.memory);
    other.commit("other", b"1");
    other.push().unwrap();
    let (workspace, mut target) = machine.open(|_| Fault::None).unwrap();
    let own = workspace.own_stream(&target).unwrap().unwrap();
    assert_eq!(target.commits_of(own).unwrap(), 3);
    target.forget_directory(own).unwrap();
    assert_eq!(target.forget_directory(own).unwrap_err().kind(), ErrorKind::NotFound);
    machine.collect_and_verify();
    let (_, target) = machine.open(|_| Fault::None).unwrap();
    assert_eq!(target.state().streams.len(), 1);
    assert_eq!(machine.push().unwrap().0.commits, 3);
    machine.collect_and_verify();
}
