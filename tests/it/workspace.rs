//! The library as other programs use it: two environments in one process, cancelling, and the examples.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use undo::environment::{Durability, Environment};
use undo::error::{ErrorKind, Result};
use undo::path::RepoPath;
use undo::path::selection::PathSelection;
use undo::progress::{Progress, Silent, Task, Unit, cancelled};
use undo::time::Timestamp;
use undo::workspace::{CheckoutMode, CommitOptions, Verb, Workspace};

use crate::env::TestEnv;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Commits ten times in a new directory, with a fixed clock, author and durability.
fn commit_in(directory: &Path, seconds: i64, author: &str, durability: Durability) -> Workspace {
    std::fs::create_dir(directory).unwrap();
    let time = Timestamp { seconds, nanoseconds: 0 };
    let environment = Environment::from_process().with_clock(move || time).with_author(author);
    let environment = environment.with_arguments([author, "commit"]).with_durability(durability);
    let mut workspace = Workspace::init(directory, None, environment).unwrap();
    for n in 0..10 {
        std::fs::write(directory.join("file"), format!("{author} {n}")).unwrap();
        workspace.commit(&CommitOptions::default(), &Silent).unwrap();
    }
    workspace
}

#[test]
fn workspaces_with_different_environments_work_at_the_same_time() {
    let env = TestEnv::new();
    let cases = [(1_000_000_000, "ada", Durability::Synced), (1_700_000_000, "bob", Durability::NoSync)];
    std::thread::scope(|scope| {
        for (seconds, author, durability) in cases {
            let directory = env.path().join(author);
            scope.spawn(move || {
                let workspace = commit_in(&directory, seconds, author, durability);
                let commit = workspace.read_commit(workspace.view().at().unwrap()).unwrap();
                assert_eq!((commit.time.seconds, commit.author.as_str()), (seconds, author));
                let is_unsynced = directory.join(".undo/unsynced").exists();
                assert_eq!(is_unsynced, durability == Durability::NoSync, "{author}");
            });
        }
    });
}

/// Cancels after this many reports.
struct CancelAfter(Arc<AtomicUsize>);

impl CancelAfter {
    fn new(reports: usize) -> CancelAfter {
        CancelAfter(Arc::new(AtomicUsize::new(reports)))
    }
}

impl Progress for CancelAfter {
    fn start(&self, _: &'static str, _: Unit, _: Option<u64>) -> Arc<dyn Task> {
        Arc::new(CancelAfter(self.0.clone()))
    }
}

impl Task for CancelAfter {
    fn add(&self, _: u64) -> Result<()> {
        let count_down = |left: usize| left.checked_sub(1);
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count_down);
        left.map(drop).map_err(|_| cancelled())
    }

    fn set_total(&self, _: u64) {}
}

/// Completed and total units of each task.
type Counts = BTreeMap<&'static str, (u64, Option<u64>)>;

/// Records [`Counts`].
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Counts>>);

struct RecordedTask(Recorder, &'static str);

impl Progress for Recorder {
    fn start(&self, label: &'static str, _: Unit, total: Option<u64>) -> Arc<dyn Task> {
        self.0.lock().unwrap().insert(label, (0, total));
        Arc::new(RecordedTask(self.clone(), label))
    }
}

impl Task for RecordedTask {
    fn add(&self, units: u64) -> Result<()> {
        self.0.0.lock().unwrap().get_mut(self.1).unwrap().0 += units;
        Ok(())
    }

    fn set_total(&self, total: u64) {
        self.0.0.lock().unwrap().get_mut(self.1).unwrap().1 = Some(total);
    }
}

#[test]
fn checkout_reports_removed_entries_and_written_bytes() {
    let env = TestEnv::initialised();
    fill(&env, "one");
    env.undo("commit -qm one").ok();
    std::fs::remove_dir_all(env.path().join("one1")).unwrap();
    std::fs::remove_dir_all(env.path().join("both")).unwrap();
    env.undo("commit -qm two").ok();
    let check_out = |revision| -> Counts {
        let (progress, mut workspace) = (Recorder::default(), open(&env));
        let checkout = workspace.prepare_checkout(revision, CheckoutMode::default(), &progress).unwrap();
        checkout.apply(&progress).unwrap();
        progress.0.lock().unwrap().clone()
    };
    let tasks = check_out("@~");
    let (written, total) = tasks["restoring"];
    assert!(written > 0 && total == Some(written), "{tasks:?}");
    assert!(!tasks.contains_key("removing"), "{tasks:?}");
    let tasks = check_out("-");
    assert_eq!(tasks["removing"].1, Some(4 + 12 + 2));
    assert_eq!(tasks["removing"].0, 4 + 12 + 2);
    assert_eq!(tasks["restoring"], (0, Some(0)));
}

/// Whether the operation was cancelled. Panics if it failed for another reason.
fn is_cancelled<T>(result: Result<T>) -> bool {
    match result {
        Ok(_) => false,
        Err(error) if error.kind() == ErrorKind::Interrupted => true,
        Err(error) => panic!("{error}"),
    }
}

fn fill(env: &TestEnv, word: &str) {
    for n in 0..12 {
        env.write(&format!("{word}{}/file{n}", n % 3), format!("{word} {n}").repeat(100));
        env.write(&format!("both/file{n}"), format!("{word} {n}").repeat(50));
    }
}

fn open(env: &TestEnv) -> Workspace {
    Workspace::open(env.path(), Environment::from_process()).unwrap()
}

fn assert_verified(env: &TestEnv) {
    let outcome = open(env).verify(&mut |finding| panic!("{finding:?}"), &Silent).unwrap();
    assert_eq!(outcome.damaged, 0);
}

#[test]
fn cancelled_commits_and_verifications_change_nothing() {
    let env = TestEnv::initialised();
    fill(&env, "one");
    let tree = Tree::read(&env.path());
    let mut reports = 0;
    while is_cancelled(open(&env).commit(&CommitOptions::default(), &CancelAfter::new(reports))) {
        assert_eq!(open(&env).view().at(), None, "cancelled after {reports} reports");
        assert_same(&Tree::read(&env.path()), &tree);
        reports += 1;
    }
    assert!(reports > 5, "{reports}");
    let mut reports = 0;
    while is_cancelled(open(&env).verify(&mut |_| Ok(()), &CancelAfter::new(reports))) {
        reports += 1;
    }
    assert!(reports > 5, "{reports}");
    assert_verified(&env);
}

#[test]
fn cancelled_checkouts_are_continued_or_undone() {
    let (mut reports, mut unfinished) = (0, 0);
    loop {
        let env = TestEnv::initialised();
        fill(&env, "one");
        env.undo("commit -qm one").ok();
        let old_tree = Tree::read(&env.path());
        std::fs::remove_dir_all(env.path().join("one1")).unwrap();
        fill(&env, "two");
        env.undo("commit -qm two").ok();
        let new_tree = Tree::read(&env.path());
        let progress = CancelAfter::new(reports);
        let mut workspace = open(&env);
        let checkout = workspace.prepare_checkout("@~", CheckoutMode::default(), &progress);
        let result = checkout.and_then(|checkout| checkout.apply(&progress));
        drop(workspace);
        if !is_cancelled(result) {
            assert_same(&Tree::read(&env.path()), &old_tree);
            break;
        }
        assert_verified(&env);
        let (line, expected) =
            if reports % 2 == 0 { ("checkout -q --continue", &old_tree) } else { ("undo -q", &new_tree) };
        if open(&env).is_checkout_unfinished() {
            unfinished += 1;
            env.undo(line).ok();
            assert_same(&Tree::read(&env.path()), expected);
        } else {
            assert_same(&Tree::read(&env.path()), &new_tree);
        }
        reports += 3;
    }
    assert!(unfinished > 3, "{unfinished} of {reports}");
}

#[test]
fn changes_after_a_step_was_found_are_kept() {
    let env = TestEnv::initialised();
    for name in ["changed", "removed", "untouched"] {
        env.write(name, "one");
    }
    env.undo("commit -qm one").ok();
    env.undo("commit -q --auto").ok();
    for name in ["changed", "removed", "untouched", "folder/added"] {
        env.write(name, "two");
    }
    let mut workspace = open(&env);
    let step = workspace.find_undo(1, false, &Silent).unwrap();
    env.write("changed", "of another program");
    env.write("folder/new", "of another program");
    std::fs::remove_file(env.path().join("removed")).unwrap();
    let prepared = workspace.prepare_step(step, Verb::Undo, CheckoutMode::default(), &Silent).unwrap();
    let outcome = prepared.apply(&Silent).unwrap();
    let contents = ["changed", "untouched", "folder/new"].map(|name| String::from_utf8(env.read(name)).unwrap());
    assert_eq!(contents, ["of another program", "one", "of another program"]);
    assert_eq!(outcome.changed.len(), 2, "{outcome:?}");
    assert!(outcome.aside.is_some());
    assert!(!env.path().join("folder/added").exists());
    workspace.find_redo(1, false, &Silent).unwrap();
    let step = workspace.find_undo(1, false, &Silent).unwrap();
    env.undo("commit -qm two").ok();
    let outdated = workspace.prepare_step(step, Verb::Undo, CheckoutMode::default(), &Silent);
    assert_eq!(outdated.err().map(|error| error.kind()), Some(ErrorKind::Refused));
}

#[test]
fn cancelled_exports_leave_nothing() {
    let env = TestEnv::initialised();
    fill(&env, "one");
    env.undo("commit -qm one").ok();
    let workspace = open(&env);
    let id = workspace.resolve("@").unwrap();
    for name in ["copy", "copy.tar"] {
        let path = env.root().join(name);
        let mut reports = 0;
        while is_cancelled(workspace.export(
            id,
            RepoPath::root(),
            &PathSelection::default(),
            &path,
            false,
            &CancelAfter::new(reports),
        )) {
            let is_empty = std::fs::read_dir(&path).map_or(!path.exists(), |mut entries| entries.next().is_none());
            assert!(is_empty, "cancelled after {reports} reports");
            reports += 1;
        }
        assert!(reports > 5 && path.exists(), "{reports}");
    }
}

/// An example, which `cargo test` builds next to the binary; `cargo test --test it` does not.
fn example(name: &str) -> Option<Command> {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_undo")).with_file_name("examples").join(name);
    if !path.exists() {
        skip(format_args!("the example `{name}` is not built"));
        return None;
    }
    Some(Command::new(path))
}

#[test]
fn the_example_commits_and_restores() {
    let env = TestEnv::new();
    let Some(mut example) = example("commit_and_restore") else { return };
    let output = example.arg(env.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        text, "committed 1 files\nrestoring 1 paths\nrestored: first version\nsaved first: true\n",
        "{output:?}"
    );
}

#[test]
fn the_example_watches_changes() {
    let env = TestEnv::initialised();
    env.write("kept", "one");
    env.undo("commit -qm one").ok();
    let Some(mut example) = example("watch_changes") else { return };
    let mut child = example.arg(env.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    env.write("new", "two");
    assert_eq!(lines.next().unwrap().unwrap(), "Added new");
    std::fs::remove_file(env.path().join("new")).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "as committed new");
    child.kill().unwrap();
    child.wait().unwrap();
}
