//! Commits of real directories.

use std::fs;
use std::path::PathBuf;

use crate::compare::scan_worktree;
use crate::environment::Environment;
use crate::error::{ErrorKind, Result};
use crate::history::entry_at;
use crate::id::CommitId;
use crate::object::commit::{Counts, Reason};
use crate::object::operation::Verb;
use crate::object::{Commit, Entry, Objects};
use crate::path::RepoPathBuf;
use crate::progress::Silent;
use crate::repo::Repository;
use crate::snapshot::{Options, Outcome, SavedScan, take};
use crate::worktree::Worktree;

pub(super) struct Fixture {
    place: tempfile::TempDir,
    pub(super) repository: Repository,
}

fn path(text: &str) -> RepoPathBuf {
    RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
}

impl Fixture {
    pub(super) fn new() -> Fixture {
        let place = tempfile::tempdir().unwrap();
        let repository = Repository::init(place.path(), None, Environment::from_process()).unwrap();
        Fixture { place, repository }
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), bytes).unwrap();
    }

    pub(super) fn worktree(&self) -> Worktree {
        Worktree::open(self.place.path().to_owned(), false).unwrap()
    }

    fn try_take(&mut self, paths: &[&str]) -> Result<(Outcome, SavedScan)> {
        let worktree = self.worktree();
        let options = Options {
            message: "why".into(),
            paths: paths.iter().map(|text| path(text)).collect(),
            ..Options::default()
        };
        take(&mut self.repository.begin()?, &worktree, &options, &Silent)
    }

    fn take(&mut self, paths: &[&str]) -> (Outcome, SavedScan) {
        self.try_take(paths).unwrap()
    }

    fn commit(&self, id: Option<CommitId>) -> Commit {
        self.repository.store().commit(id.unwrap()).unwrap()
    }

    fn recorded(&self, name: &str) -> Option<Entry> {
        let commit = self.commit(self.repository.view().at());
        entry_at(self.repository.store(), &commit.root, &path(name)).unwrap()
    }

    pub(super) fn content(&self, name: &str) -> Option<Vec<u8>> {
        let blob = self.recorded(name)?.blob()?;
        self.repository.store().read_blob(blob, u64::MAX).unwrap()
    }
}

fn counts(added: u64, modified: u64, deleted: u64) -> Counts {
    Counts { added, modified, deleted }
}

#[test]
fn second_commit_of_same_content_is_not_made() {
    let mut fixture = Fixture::new();
    fixture.write("a", "1");
    fixture.write("sub/b", "22");
    std::thread::sleep(std::time::Duration::from_millis(30));
    let (first, _) = fixture.take(&[]);
    assert!(first.created && first.bytes_stored > 0);
    assert_eq!((first.changes, first.bytes_read), (counts(3, 0, 0), 3));
    let commit = fixture.commit(first.commit);
    assert_eq!((commit.parents.len(), commit.message.as_str(), commit.changes), (0, "why", first.changes));
    assert_eq!(commit.totals, first.totals);
    assert_eq!(fixture.repository.view().at(), first.commit);
    assert_eq!(fixture.content("sub/b"), Some(b"22".to_vec()));
    let (second, scan) = fixture.take(&[]);
    assert!(!second.created);
    assert_eq!((second.commit, second.bytes_stored, scan.scan().files_read), (first.commit, 0, 0));
    assert_eq!(fixture.repository.operations().count(), 1 + usize::from(started_with_one(&fixture)));
    fixture.write("a", "3");
    fs::remove_file(fixture.at("sub/b")).unwrap();
    let (third, _) = fixture.take(&[]);
    assert_eq!((third.changes, fixture.commit(third.commit).parents), (counts(0, 1, 1), vec![first.commit.unwrap()]));
    assert_eq!((fixture.content("a"), fixture.content("sub/b")), (Some(b"3".to_vec()), None));
    let totals = fixture.commit(third.commit).totals;
    assert_eq!((totals.files, totals.directories, totals.bytes), (1, 1, 1));
}

/// Whether making a repository is an operation.
fn started_with_one(fixture: &Fixture) -> bool {
    fixture.repository.operations().any(|operation| operation.unwrap().1.verb == Verb::Init)
}

#[test]
fn commit_records_empty_worktree() {
    let mut fixture = Fixture::new();
    let (outcome, _) = fixture.take(&[]);
    assert!(outcome.created);
    assert_eq!(outcome.changes, Counts::default());
    assert!(!fixture.take(&[]).0.created);
}

#[test]
fn commit_ignores_mtime_only_changes() {
    use std::os::unix::fs::PermissionsExt;
    let mut fixture = Fixture::new();
    fixture.write("a", "1");
    let first = fixture.take(&[]).0;
    fixture.write("a", "1");
    let touched = fixture.take(&[]).0;
    assert_eq!((touched.created, touched.commit), (false, first.commit));
    fs::set_permissions(fixture.at("a"), fs::Permissions::from_mode(0o751)).unwrap();
    assert_eq!(fixture.take(&[]).0.changes, counts(0, 1, 0));
    fs::set_permissions(fixture.at(""), fs::Permissions::from_mode(0o711)).unwrap();
    let root = fixture.take(&[]).0;
    assert!(root.created);
    assert_eq!(fixture.commit(root.commit).root.metadata.mode, 0o711);
    fs::hard_link(fixture.at("a"), fixture.at("b")).unwrap();
    let linked = fixture.take(&[]).0;
    assert!(linked.created && fixture.commit(linked.commit).links.is_some());
}

#[test]
fn commit_of_paths_keeps_the_rest() {
    let mut fixture = Fixture::new();
    for name in ["a", "b", "sub/c", "sub/d"] {
        fixture.write(name, "old");
    }
    fixture.take(&[]);
    for name in ["a", "b", "sub/c", "sub/d", "new/e"] {
        fixture.write(name, "newer");
    }
    fs::remove_file(fixture.at("b")).unwrap();
    let (outcome, _) = fixture.take(&["a", "sub/c", "new", "b"]);
    assert_eq!(outcome.changes, counts(2, 2, 1));
    let contents = ["a", "b", "sub/c", "sub/d", "new/e"].map(|name| fixture.content(name));
    let text = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(contents, [text("newer"), None, text("newer"), text("old"), text("newer")]);
    let commit = fixture.commit(outcome.commit);
    assert_eq!((commit.totals.files, commit.totals.directories, commit.totals.bytes), (4, 2, 18));
    let error = fixture.try_take(&["nowhere"]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "`nowhere` is neither in the worktree nor in the last commit");
    // What was not selected is still found changed.
    let (rest, _) = fixture.take(&[]);
    assert_eq!((rest.changes, fixture.content("sub/d")), (counts(0, 1, 0), text("newer")));
    assert!(!fixture.take(&[]).0.created);
}

#[test]
fn commit_of_one_name_keeps_hard_link() {
    let mut fixture = Fixture::new();
    fixture.write("a", "1");
    fs::hard_link(fixture.at("a"), fixture.at("b")).unwrap();
    fixture.take(&[]);
    assert!(!fixture.take(&["a"]).0.created);
    // No link any more, and other content: not asked for, so neither recorded nor taken for recorded.
    fs::remove_file(fixture.at("b")).unwrap();
    fixture.write("b", "other");
    let third = fixture.take(&["a"]).0;
    assert!(third.created && fixture.commit(third.commit).links.is_none());
    assert_eq!(fixture.content("b"), Some(b"1".to_vec()));
    fixture.take(&[]);
    assert_eq!(fixture.content("b"), Some(b"other".to_vec()));
}

#[test]
fn commit_of_other_paths_keeps_hard_link() {
    let mut fixture = Fixture::new();
    fixture.write("a", "1");
    fs::hard_link(fixture.at("a"), fixture.at("b")).unwrap();
    let first = fixture.take(&[]).0;
    fixture.write("c", "2");
    let second = fixture.take(&["a", "c"]).0;
    assert_eq!(second.changes, counts(1, 0, 0));
    assert_eq!(fixture.commit(second.commit).links, fixture.commit(first.commit).links);
}

#[test]
fn first_commit_can_select_paths() {
    let mut fixture = Fixture::new();
    fixture.write("a", "1");
    fixture.write("sub/b", "2");
    let (outcome, _) = fixture.take(&["sub/b"]);
    assert_eq!(outcome.changes, counts(2, 0, 0));
    assert_eq!((fixture.content("a"), fixture.content("sub/b")), (None, Some(b"2".to_vec())));
}

#[test]
fn commit_lists_file_replaced_by_socket() {
    let mut fixture = Fixture::new();
    fixture.write("a", "1");
    fixture.write("b", "2");
    fixture.take(&[]);
    fs::remove_file(fixture.at("b")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(fixture.at("b")).unwrap();
    let (outcome, _) = fixture.take(&[]);
    assert_eq!(outcome.changes, counts(0, 0, 1));
    assert_eq!(outcome.uncovered[0].reason, Reason::Socket);
    fixture.write("a", "3");
    let (outcome, _) = fixture.take(&[]);
    assert_eq!(outcome.changes, counts(0, 1, 0));
    let commit = fixture.commit(outcome.commit);
    assert_eq!((commit.uncovered[0].path.clone(), commit.totals.files), (path("b"), 1));
}

#[test]
fn scan_matches_later_commit() {
    let mut fixture = Fixture::new();
    fixture.write("a", "1");
    let (outcome, _) = fixture.take(&[]);
    fixture.write("a", "2");
    let scan = scan_worktree(&fixture.repository, &fixture.worktree(), &[], &Silent).unwrap();
    assert_ne!(scan.root, fixture.commit(outcome.commit).root);
    let root = scan.root;
    let (outcome, _) = fixture.take(&[]);
    assert_eq!(fixture.commit(outcome.commit).root.content, root.content);
}

#[test]
fn commit_records_large_and_small_files_exactly() {
    let mut fixture = Fixture::new();
    let mut large = vec![0; 5 << 20];
    blake3::Hasher::new().finalize_xof().fill(&mut large);
    fixture.write("large", &large);
    for number in 0..2_500 {
        fixture.write(&format!("many/{number}"), number.to_string());
    }
    let (outcome, _) = fixture.take(&[]);
    assert_eq!(outcome.totals.files, 2_501);
    assert!(fixture.content("large") == Some(large));
    assert!(
        (0..2_500).all(|number| fixture.content(&format!("many/{number}")) == Some(number.to_string().into_bytes()))
    );
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// As when the repository is brought back from a backup and the index, which is newer, stays.
#[test]
fn commit_rereads_files_missing_from_store() {
    let mut fixture = Fixture::new();
    fixture.write("d/a", "1");
    fixture.take(&[]);
    let backup = tempfile::tempdir().unwrap();
    copy(&fixture.at(".undo"), backup.path());
    fixture.write("d/b", "only in the second commit");
    fixture.write("e/c", "this one too");
    std::thread::sleep(std::time::Duration::from_millis(30));
    fixture.take(&[]);
    for name in ["packs", "journal"] {
        fs::remove_dir_all(fixture.at(".undo").join(name)).unwrap();
        copy(&backup.path().join(name), &fixture.at(".undo").join(name));
    }
    fixture.repository = Repository::open(fixture.repository.layout.clone(), Environment::from_process()).unwrap();
    fixture.write("d/c", "3");
    fixture.take(&[]);
    assert_eq!(fixture.content("d/b"), Some(b"only in the second commit".to_vec()));
    assert_eq!(fixture.content("e/c"), Some(b"this one too".to_vec()));
}
