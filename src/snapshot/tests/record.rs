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

struct House {
    place: tempfile::TempDir,
    repository: Repository,
}

fn path(text: &str) -> RepoPathBuf {
    RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
}

impl House {
    fn new() -> House {
        let place = tempfile::tempdir().unwrap();
        let repository = Repository::init(place.path(), None, Environment::from_process()).unwrap();
        House { place, repository }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), bytes).unwrap();
    }

    fn worktree(&self) -> Worktree {
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

    fn content(&self, name: &str) -> Option<Vec<u8>> {
        let blob = self.recorded(name)?.blob()?;
        self.repository.store().read_blob(blob, u64::MAX).unwrap()
    }
}

fn counts(added: u64, modified: u64, deleted: u64) -> Counts {
    Counts { added, modified, deleted }
}

#[test]
fn second_commit_of_same_content_is_not_made() {
    let mut house = House::new();
    house.write("a", "1");
    house.write("sub/b", "22");
    std::thread::sleep(std::time::Duration::from_millis(30));
    let (first, _) = house.take(&[]);
    assert!(first.created && first.bytes_stored > 0);
    assert_eq!((first.changes, first.bytes_read), (counts(3, 0, 0), 3));
    let commit = house.commit(first.commit);
    assert_eq!((commit.parents.len(), commit.message.as_str(), commit.changes), (0, "why", first.changes));
    assert_eq!(commit.totals, first.totals);
    assert_eq!(house.repository.view().at(), first.commit);
    assert_eq!(house.content("sub/b"), Some(b"22".to_vec()));
    let (second, scan) = house.take(&[]);
    assert!(!second.created);
    assert_eq!((second.commit, second.bytes_stored, scan.scan().files_read), (first.commit, 0, 0));
    assert_eq!(house.repository.operations().count(), 1 + usize::from(started_with_one(&house)));
    house.write("a", "3");
    fs::remove_file(house.at("sub/b")).unwrap();
    let (third, _) = house.take(&[]);
    assert_eq!((third.changes, house.commit(third.commit).parents), (counts(0, 1, 1), vec![first.commit.unwrap()]));
    assert_eq!((house.content("a"), house.content("sub/b")), (Some(b"3".to_vec()), None));
    let totals = house.commit(third.commit).totals;
    assert_eq!((totals.files, totals.directories, totals.bytes), (1, 1, 1));
}

/// Whether making a repository is an operation.
fn started_with_one(house: &House) -> bool {
    house.repository.operations().any(|operation| operation.unwrap().1.verb == Verb::Init)
}

#[test]
fn commit_records_empty_worktree() {
    let mut house = House::new();
    let (outcome, _) = house.take(&[]);
    assert!(outcome.created);
    assert_eq!(outcome.changes, Counts::default());
    assert!(!house.take(&[]).0.created);
}

#[test]
fn commit_ignores_mtime_only_changes() {
    use std::os::unix::fs::PermissionsExt;
    let mut house = House::new();
    house.write("a", "1");
    let first = house.take(&[]).0;
    house.write("a", "1");
    let touched = house.take(&[]).0;
    assert_eq!((touched.created, touched.commit), (false, first.commit));
    fs::set_permissions(house.at("a"), fs::Permissions::from_mode(0o751)).unwrap();
    assert_eq!(house.take(&[]).0.changes, counts(0, 1, 0));
    fs::set_permissions(house.at(""), fs::Permissions::from_mode(0o711)).unwrap();
    let root = house.take(&[]).0;
    assert!(root.created);
    assert_eq!(house.commit(root.commit).root.metadata.mode, 0o711);
    fs::hard_link(house.at("a"), house.at("b")).unwrap();
    let linked = house.take(&[]).0;
    assert!(linked.created && house.commit(linked.commit).links.is_some());
}

#[test]
fn commit_of_paths_keeps_the_rest() {
    let mut house = House::new();
    for name in ["a", "b", "sub/c", "sub/d"] {
        house.write(name, "old");
    }
    house.take(&[]);
    for name in ["a", "b", "sub/c", "sub/d", "new/e"] {
        house.write(name, "newer");
    }
    fs::remove_file(house.at("b")).unwrap();
    let (outcome, _) = house.take(&["a", "sub/c", "new", "b"]);
    assert_eq!(outcome.changes, counts(2, 2, 1));
    let contents = ["a", "b", "sub/c", "sub/d", "new/e"].map(|name| house.content(name));
    let text = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(contents, [text("newer"), None, text("newer"), text("old"), text("newer")]);
    let commit = house.commit(outcome.commit);
    assert_eq!((commit.totals.files, commit.totals.directories, commit.totals.bytes), (4, 2, 18));
    let error = house.try_take(&["nowhere"]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "`nowhere` is neither in the worktree nor in the last commit");
    // What was not selected is still found changed.
    let (rest, _) = house.take(&[]);
    assert_eq!((rest.changes, house.content("sub/d")), (counts(0, 1, 0), text("newer")));
    assert!(!house.take(&[]).0.created);
}

#[test]
fn commit_of_one_name_keeps_hard_link() {
    let mut house = House::new();
    house.write("a", "1");
    fs::hard_link(house.at("a"), house.at("b")).unwrap();
    house.take(&[]);
    assert!(!house.take(&["a"]).0.created);
    // No link any more, and other content: not asked for, so neither recorded nor taken for recorded.
    fs::remove_file(house.at("b")).unwrap();
    house.write("b", "other");
    let third = house.take(&["a"]).0;
    assert!(third.created && house.commit(third.commit).links.is_none());
    assert_eq!(house.content("b"), Some(b"1".to_vec()));
    house.take(&[]);
    assert_eq!(house.content("b"), Some(b"other".to_vec()));
}

#[test]
fn commit_of_other_paths_keeps_hard_link() {
    let mut house = House::new();
    house.write("a", "1");
    fs::hard_link(house.at("a"), house.at("b")).unwrap();
    let first = house.take(&[]).0;
    house.write("c", "2");
    let second = house.take(&["a", "c"]).0;
    assert_eq!(second.changes, counts(1, 0, 0));
    assert_eq!(house.commit(second.commit).links, house.commit(first.commit).links);
}

#[test]
fn first_commit_can_select_paths() {
    let mut house = House::new();
    house.write("a", "1");
    house.write("sub/b", "2");
    let (outcome, _) = house.take(&["sub/b"]);
    assert_eq!(outcome.changes, counts(2, 0, 0));
    assert_eq!((house.content("a"), house.content("sub/b")), (None, Some(b"2".to_vec())));
}

#[test]
fn commit_lists_file_replaced_by_socket() {
    let mut house = House::new();
    house.write("a", "1");
    house.write("b", "2");
    house.take(&[]);
    fs::remove_file(house.at("b")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(house.at("b")).unwrap();
    let (outcome, _) = house.take(&[]);
    assert_eq!(outcome.changes, counts(0, 0, 1));
    assert_eq!(outcome.uncovered[0].reason, Reason::Socket);
    house.write("a", "3");
    let (outcome, _) = house.take(&[]);
    assert_eq!(outcome.changes, counts(0, 1, 0));
    let commit = house.commit(outcome.commit);
    assert_eq!((commit.uncovered[0].path.clone(), commit.totals.files), (path("b"), 1));
}

#[test]
fn scan_without_session_stores_nothing() {
    let mut house = House::new();
    house.write("a", "1");
    let (outcome, _) = house.take(&[]);
    house.write("a", "2");
    let scan = scan_worktree(&house.repository, &house.worktree(), &[], &Silent).unwrap();
    assert_ne!(scan.root, house.commit(outcome.commit).root);
    let root = scan.root;
    let (outcome, _) = house.take(&[]);
    assert_eq!(house.commit(outcome.commit).root.content, root.content);
}

#[test]
fn commit_records_large_and_small_files_exactly() {
    let mut house = House::new();
    let mut large = vec![0; 5 << 20];
    blake3::Hasher::new().finalize_xof().fill(&mut large);
    house.write("large", &large);
    for number in 0..2_500 {
        house.write(&format!("many/{number}"), number.to_string());
    }
    let (outcome, _) = house.take(&[]);
    assert_eq!(outcome.totals.files, 2_501);
    assert!(house.content("large") == Some(large));
    assert!((0..2_500).all(|number| house.content(&format!("many/{number}")) == Some(number.to_string().into_bytes())));
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
    let mut house = House::new();
    house.write("d/a", "1");
    house.take(&[]);
    let backup = tempfile::tempdir().unwrap();
    copy(&house.at(".undo"), backup.path());
    house.write("d/b", "only in the second commit");
    house.write("e/c", "this one too");
    std::thread::sleep(std::time::Duration::from_millis(30));
    house.take(&[]);
    for name in ["packs", "journal"] {
        fs::remove_dir_all(house.at(".undo").join(name)).unwrap();
        copy(&backup.path().join(name), &house.at(".undo").join(name));
    }
    house.repository = Repository::open(house.repository.layout.clone(), Environment::from_process()).unwrap();
    house.write("d/c", "3");
    house.take(&[]);
    assert_eq!(house.content("d/b"), Some(b"only in the second commit".to_vec()));
    assert_eq!(house.content("e/c"), Some(b"this one too".to_vec()));
}
