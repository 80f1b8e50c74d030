//! The whole way, as commands go it: record, plan, intent, worktree, operation, index.

use std::fs;
use std::path::{Path, PathBuf};

use super::{describe_tree, path};
use crate::checkout::{self, Checkout, Options, Outcome, Target};
use crate::environment::Environment;
use crate::error::{ErrorKind, Result};
use crate::id::CommitId;
use crate::object::Objects;
use crate::object::operation::RefName;
use crate::object::operation::Refs;
use crate::progress::Silent;
use crate::repo::{NewOperation, Repository};
use crate::snapshot;
use crate::worktree::Worktree;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        Repository::init(folder.path(), None, Environment::from_process()).unwrap();
        Place { folder }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn open(&self) -> (Repository, Worktree) {
        let repository = Repository::discover(self.root(), Environment::from_process()).unwrap();
        (repository, Worktree::open(self.root().to_owned(), false).unwrap())
    }

    fn commit(&self) -> snapshot::Outcome {
        let (mut repository, worktree) = self.open();
        let options = snapshot::Options { verb: "commit".into(), ..snapshot::Options::default() };
        snapshot::take(&mut repository.begin().unwrap(), &worktree, &options, &Silent).unwrap().0
    }

    fn check_out(&self, to: CommitId, options: Options) -> Result<Outcome> {
        self.go_despite(to, options, &[])
    }

    fn go_despite(&self, to: CommitId, options: Options, despite: &[&str]) -> Result<Outcome> {
        let (mut repository, worktree) = self.open();
        let mut transaction = repository.begin()?;
        let automatic = snapshot::Options {
            automatic: true,
            despite_rules: despite.iter().map(|text| path(text)).collect(),
            verb: options.verb.clone(),
            ..snapshot::Options::default()
        };
        let at = transaction.repository().view().at();
        let (saved, scan) = snapshot::take(&mut transaction, &worktree, &automatic, &Silent)?;
        let store = transaction.repository().store();
        let target = Target::commit(store, to)?.only(store, scan.scan(), &options.paths)?;
        let plan = checkout::plan(store, &worktree, scan.scan(), &target)?;
        checkout::check(store, &worktree, scan.scan(), &target, &plan, options.force)?;
        let options = Options { saved: saved.commit.filter(|_| saved.created), at, ..options };
        let applied = Checkout { scan, target, plan, options }.apply(&mut transaction, &worktree, &Silent)?;
        applied.record(&mut transaction, None)
    }
}

fn verb(verb: &str) -> Options {
    Options { verb: verb.into(), ..Options::default() }
}

#[test]
fn checkout_saves_unsaved_changes_and_moves_branch() {
    let place = Place::new();
    fs::create_dir(place.at("d")).unwrap();
    fs::write(place.at("d/a"), "one").unwrap();
    let first = place.commit().commit.unwrap();
    let one = describe_tree(place.root());
    fs::write(place.at("d/a"), "two").unwrap();
    fs::write(place.at("b"), "unsaved").unwrap();
    let two = describe_tree(place.root());
    let outcome = place.check_out(first, verb("checkout")).unwrap();
    assert_eq!(describe_tree(place.root()), one);
    assert_eq!((outcome.written, outcome.deleted, outcome.to), (1, 1, Some(first)));
    let saved = outcome.saved.expect("it was unsaved");
    let (repository, _) = place.open();
    assert_eq!((repository.view().at(), repository.unfinished()), (Some(first), None));
    // The scan finds no change without reading content.
    let again = place.commit();
    assert_eq!((again.created, again.bytes_read), (false, 0));
    // A checkout of the current commit appends no operation and writes no index.
    let newest = repository.operation();
    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(place.at(".undo/index")).unwrap());
    let before = inode();
    let outcome = place.check_out(first, verb("checkout")).unwrap();
    assert_eq!((outcome.written, outcome.saved, place.open().0.operation()), (0, None, newest));
    assert_eq!(inode(), before);
    place.check_out(saved, verb("checkout")).unwrap();
    assert_eq!(describe_tree(place.root()), two);
}

#[test]
fn checkout_switches_branch_without_moving_others() {
    let place = Place::new();
    fs::write(place.at("a"), "one").unwrap();
    let first = place.commit().commit.unwrap();
    let (mut repository, _) = place.open();
    let name = RefName::Branch("trial".into());
    let edits = vec![crate::object::operation::RefEdit { name, old: None, new: Some(first) }];
    let new_operation = NewOperation { verb: "branch".into(), edits, ..NewOperation::default() };
    repository.begin().unwrap().record(new_operation).unwrap();
    drop(repository);
    fs::write(place.at("a"), "two").unwrap();
    let second = place.commit().commit.unwrap();
    let (repository, _) = place.open();
    let refs = Refs { current: "trial".into(), ..repository.view().refs.clone() };
    let options = Options { refs: Some(refs), ..verb("checkout") };
    place.check_out(first, options).unwrap();
    let (repository, _) = place.open();
    let view = repository.view();
    assert_eq!((view.current.as_str(), view.at(), view.branches["main"]), ("trial", Some(first), second));
}

#[test]
fn restore_changes_only_selected_paths() {
    let place = Place::new();
    fs::create_dir(place.at("d")).unwrap();
    fs::write(place.at("d/a"), "one").unwrap();
    fs::write(place.at("d/b"), "one").unwrap();
    let first = place.commit().commit.unwrap();
    fs::remove_file(place.at("d/a")).unwrap();
    fs::write(place.at("d/b"), "two").unwrap();
    fs::write(place.at("d/c"), "two").unwrap();
    let options = Options { paths: vec![path("d/a"), path("d/c")], ..verb("restore") };
    let outcome = place.check_out(first, options).unwrap();
    assert_eq!(fs::read(place.at("d/a")).unwrap(), b"one");
    assert_eq!(fs::read(place.at("d/b")).unwrap(), b"two");
    assert!(!place.at("d/c").exists());
    let (repository, _) = place.open();
    assert_eq!(repository.view().at(), outcome.saved, "the branch stays where what was unsaved was saved");
    assert!(place.commit().created, "what was restored is a change");
}

#[test]
fn refused_checkout_leaves_no_intent_and_force_saves_first() {
    let place = Place::new();
    fs::write(place.at("data"), "recorded").unwrap();
    let first = place.commit().commit.unwrap();
    fs::write(place.at(".undoignore"), "data\n").unwrap();
    fs::write(place.at("data"), "precious").unwrap();
    let before = describe_tree(place.root());
    let error = place.check_out(first, verb("checkout")).unwrap_err();
    assert_eq!((error.kind(), error.path_list()), (ErrorKind::Refused, &[path("data")][..]));
    assert_eq!((describe_tree(place.root()), place.open().0.unfinished()), (before.clone(), None));
    let options = Options { force: true, ..verb("checkout") };
    let saved = place.go_despite(first, options, &["data"]).unwrap().saved.unwrap();
    assert_eq!(fs::read(place.at("data")).unwrap(), b"recorded");
    place.check_out(saved, verb("checkout")).unwrap();
    assert_eq!(describe_tree(place.root()), before);
}

#[test]
fn later_checkout_ends_unfinished_one() {
    let place = Place::new();
    fs::write(place.at("a"), "one").unwrap();
    let first = place.commit().commit.unwrap();
    let one = describe_tree(place.root());
    fs::write(place.at("a"), "two").unwrap();
    let second = place.commit().commit.unwrap();
    // As if the machine had stopped in the middle.
    let (mut repository, _) = place.open();
    let intent = crate::object::operation::Intent {
        token: 0xab,
        verb: "checkout".into(),
        time: repository.environment.now(),
        from: Some(second),
        to: first,
        paths: Vec::new(),
        edits: Vec::new(),
        switch: None,
        undo_position: None,
        before: repository.operation(),
        worktree: place.root().as_os_str().as_encoded_bytes().to_vec(),
    };
    repository.begin().unwrap().intend(intent).unwrap();
    fs::write(place.at(".undo-00000000000000ab-0"), "half").unwrap();
    let (repository, worktree) = place.open();
    let intent = repository.unfinished().expect("it is open").clone();
    let kept = checkout::clean_staged(&worktree, repository.store(), intent.token).unwrap();
    assert_eq!(kept, [path(".undo-00000000000000ab-0")], "a file with this mode is not an unfinished one");
    fs::remove_file(place.at(".undo-00000000000000ab-0")).unwrap();
    place.check_out(intent.to, verb("checkout")).unwrap();
    let (repository, _) = place.open();
    assert_eq!((describe_tree(place.root())["a"].clone(), repository.unfinished()), (one["a"].clone(), None));
    assert!(repository.store().commit(first).is_ok());
}
