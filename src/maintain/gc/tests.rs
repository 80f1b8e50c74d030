//! Sweeps while other commands change the repository.

use std::path::Path;

use super::search::{Horizon, Search};
use super::*;
use crate::environment::Environment;
use crate::id::CommitId;
use crate::maintain::verify::verify;
use crate::object::{ObjectKind, Objects};
use crate::progress::{Silent, Task, Unit};
use crate::workspace::{CommitOptions, ForgetSelection, Workspace};

/// A directory with one commit for each number.
struct Fixture {
    root: tempfile::TempDir,
    workspace: Workspace,
}

impl Fixture {
    fn new(commits: u64) -> (Fixture, Vec<CommitId>) {
        let root = tempfile::tempdir().unwrap();
        let workspace = Workspace::init(root.path(), None, Environment::from_process()).unwrap();
        let mut fixture = Fixture { root, workspace };
        let ids = (0..commits).map(|n| fixture.commit(n)).collect();
        (fixture, ids)
    }

    /// Commits a file of this number, which is long enough for a separate frame.
    fn commit(&mut self, n: u64) -> CommitId {
        std::fs::write(self.root.path().join("file"), content(n)).unwrap();
        let outcome = self.workspace.commit(&CommitOptions::default(), &Silent).unwrap();
        outcome.commit.unwrap()
    }

    fn forget(&mut self, commits: &[CommitId]) {
        self.workspace.forget(&ForgetSelection::Commits(commits.to_vec(), false), &Silent).unwrap();
    }

    fn search(&self) -> Search {
        let now = self.workspace.repository.environment.now();
        Search::new(&self.workspace.repository, Horizon { now, time: now }, &Silent).unwrap().0
    }

    /// Records the sweep of a search.
    fn sweep(&mut self, search: Search) {
        let horizon = search.horizon();
        let mut transaction = self.workspace.repository.begin().unwrap();
        let (mask, roots) = search.complete(transaction.repository(), &Silent).unwrap();
        sweep::record(&mut transaction, &mask, horizon, roots.substitutes).unwrap();
    }

    fn is_there(&self, n: u64) -> bool {
        let store = self.workspace.repository.store();
        store.contains(ObjectKind::Data, crate::object::id_of(ObjectKind::Data, &content(n)))
    }

    /// Checks that all commits of the history are complete.
    fn check(&self) {
        let repository = open(self.root.path());
        let mut damage = Vec::new();
        let outcome = verify(
            &repository,
            &mut |finding| {
                damage.push(format!("{finding:?}"));
                Ok(())
            },
            &Silent,
        );
        assert_eq!(outcome.unwrap().damaged, 0, "{damage:?}");
    }
}

fn open(root: &Path) -> Repository {
    Repository::discover(root, Environment::from_process()).unwrap()
}

fn content(n: u64) -> Vec<u8> {
    let mut bytes = vec![0; 70_000];
    blake3::Hasher::new().update(&n.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

#[test]
fn what_changes_while_objects_are_marked_is_kept() {
    let (mut fixture, ids) = Fixture::new(12);
    fixture.forget(&ids[2..8]);
    let mut search = fixture.search();
    search.mask().unwrap();
    // One forgotten commit returns, and new commits use content of another one, which the store still has.
    fixture.workspace.recall(&ids[2..3]).unwrap();
    fixture.commit(3);
    let before = fixture.workspace.repository.state().packs.clone();
    (20..30).for_each(|n| _ = fixture.commit(n));
    assert!(!before.is_subset(&fixture.workspace.repository.state().packs), "packs were merged");
    search.follow(&Silent).unwrap();
    fixture.commit(4);
    fixture.sweep(search);
    fixture.check();
    let kept = (0..4).chain([4]).chain(8..12).chain(20..30);
    kept.for_each(|n| assert!(fixture.is_there(n), "{n}"));
    (5..8).for_each(|n| assert!(!fixture.is_there(n), "{n}"));
    assert!(fixture.workspace.repository.store().commit(ids[2]).is_ok());
    assert!(fixture.workspace.repository.store().commit(ids[3]).is_err());
}

#[test]
fn merged_packs_take_the_marks_of_their_objects() {
    let (mut fixture, ids) = Fixture::new(12);
    fixture.forget(&ids[2..8]);
    let search = fixture.search();
    (20..30).for_each(|n| _ = fixture.commit(n));
    fixture.sweep(search);
    fixture.check();
    (2..8).for_each(|n| assert!(!fixture.is_there(n), "{n} was in a merged pack"));
}

#[test]
fn garbage_is_gone_at_once_and_space_comes_back() {
    let (mut fixture, ids) = Fixture::new(12);
    fixture.forget(&ids[2..8]);
    let options = Options::default();
    let outcome = collect(&mut fixture.workspace.repository, &options, &Silent).unwrap();
    assert_eq!((outcome.commits, outcome.waiting_commits), (6, 0));
    assert!(outcome.freed > 6 * 70_000 && outcome.waste * 10 <= outcome.total, "{outcome:?}");
    fixture.check();
    let repository = open(fixture.root.path());
    assert_eq!(repository.view().forgotten.len(), 1, "one entry for the gap");
    let entry = repository.view().forgotten.values().next().unwrap();
    assert_eq!((entry.count, entry.time, &entry.parents[..]), (6, None, &ids[1..2]));
}

#[test]
fn objects_that_no_commit_names_stay_for_a_day() {
    let (mut fixture, _) = Fixture::new(2);
    let mut transaction = fixture.workspace.repository.begin().unwrap();
    let bytes = content(50);
    let stored = {
        let session = transaction.repository().store().session();
        let mut writer = session.writer();
        writer.put(ObjectKind::Data, crate::object::id_of(ObjectKind::Data, &bytes), &bytes).unwrap();
        writer.finish().unwrap();
        session.finish().unwrap()
    };
    transaction.keep(&stored).unwrap();
    drop(transaction);
    collect(&mut fixture.workspace.repository, &Options::default(), &Silent).unwrap();
    assert!(fixture.is_there(50));
    let later = |seconds: i64| {
        Environment::from_process().with_clock(move || {
            let now = Environment::from_process().now();
            Timestamp { seconds: now.seconds + seconds, ..now }
        })
    };
    let mut tomorrow = Repository::discover(fixture.root.path(), later(25 * 3600)).unwrap();
    collect(&mut tomorrow, &Options::default(), &Silent).unwrap();
    assert!(!tomorrow.store().contains(ObjectKind::Data, crate::object::id_of(ObjectKind::Data, &bytes)));
}

#[test]
fn automatic_sweeps_wait_while_the_clock_may_be_wrong() {
    let (mut fixture, ids) = Fixture::new(4);
    fixture.forget(&ids[1..2]);
    let year = 366 * 24 * 3600;
    let ahead = Environment::from_process().with_clock(move || {
        let now = Environment::from_process().now();
        Timestamp { seconds: now.seconds + year, ..now }
    });
    let mut repository = Repository::discover(fixture.root.path(), ahead).unwrap();
    let options = Options { grace: Age::parse("7d"), is_automatic: true, ..Options::default() };
    assert_eq!(collect(&mut repository, &options, &Silent).unwrap().commits, 0);
    // A command of the user counts.
    let options = Options { is_automatic: false, ..options };
    assert_eq!(collect(&mut repository, &options, &Silent).unwrap().commits, 1);
    drop(repository);
    // The clock is back: nothing goes earlier than by the newest record.
    fixture.workspace.repository.reload().unwrap();
    let newer = fixture.commit(60);
    fixture.commit(61);
    fixture.forget(&[newer]);
    assert_eq!(collect(&mut fixture.workspace.repository, &options, &Silent).unwrap().commits, 0);
    fixture.check();
}

#[test]
fn missing_objects_stop_a_collection() {
    let (mut fixture, ids) = Fixture::new(4);
    fixture.forget(&ids[1..2]);
    for (_, path) in fixture.workspace.repository.layout.pack_files().unwrap().into_iter().take(3) {
        std::fs::remove_file(path).unwrap();
    }
    let mut repository = open(fixture.root.path());
    let error = collect(&mut repository, &Options::default(), &Silent).unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Damaged, "{error}");
}

/// Commits whenever a compaction begins, as another process that never rests.
struct Committing {
    fixture: std::sync::Mutex<Fixture>,
    begun: std::sync::atomic::AtomicU64,
}

impl Progress for Committing {
    fn start(&self, label: &'static str, unit: Unit, total: Option<u64>) -> std::sync::Arc<dyn Task> {
        if label == "compacting" {
            let n = self.begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            assert!(n < 20, "the compaction does not end");
            let mut fixture = self.fixture.lock().unwrap();
            (0..3).for_each(|more| {
                fixture.commit(100 + 3 * n + more);
            });
        }
        Silent.start(label, unit, total)
    }
}

#[test]
fn compaction_ends_although_another_command_commits_all_the_time() {
    let (mut fixture, ids) = Fixture::new(12);
    fixture.forget(&ids[2..8]);
    let mut repository = open(fixture.root.path());
    let committing = Committing { fixture: fixture.into(), begun: Default::default() };
    collect(&mut repository, &Options::default(), &committing).unwrap();
    let fixture = committing.fixture.into_inner().unwrap();
    let mask = repository.store().mask().cloned().unwrap_or_default();
    assert!(mask.packs().all(|(id, _)| !repository.state().packs.contains(&id)), "everything hidden was rewritten");
    fixture.check();
}
