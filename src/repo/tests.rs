//! Repositories as a whole: made, opened, changed by two handles, refused when they are not what they should be.

use std::path::{Path, PathBuf};

use super::*;
use crate::environment::{Durability, Environment, LockWait};
use crate::error::ErrorKind;
use crate::fs::FileLock;
use crate::id::{AttributesId, CommitId, TreeId};
use crate::metadata::Metadata;
use crate::object::commit::{Counts, Totals};
use crate::object::operation::{ForgottenCommits, Intent, RefEdit, RefName};
use crate::object::{Commit, Content, Entry, Extras, ObjectKind, Objects};
use crate::repo::journal::Sweep;
use crate::store::{Mask, Stored};
use crate::time::Timestamp;

/// A worktree with a new repository for each test.
struct Fixture {
    root: tempfile::TempDir,
    repository: Repository,
}

impl Fixture {
    fn new() -> Fixture {
        let root = tempfile::tempdir().unwrap();
        let repository = Repository::init(root.path(), None, Environment::from_process()).unwrap();
        Fixture { root, repository }
    }

    fn open(&self) -> Repository {
        Repository::discover(self.root.path(), Environment::from_process()).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join(".undo").join(name)
    }
}

fn commit(parents: &[CommitId], message: &str) -> Commit {
    let content = Content::Directory { tree: TreeId([7; 32]), entries: 0, size: 0 };
    let attributes = None::<AttributesId>;
    Commit {
        root: Entry { name: Vec::new(), metadata: Metadata::default(), attributes, content },
        links: None,
        parents: parents.to_vec(),
        time: Timestamp { seconds: 1_700_000_000, nanoseconds: 0 },
        offset: 0,
        author: "ada".into(),
        host: "host".into(),
        message: message.into(),
        automatic: false,
        totals: Totals::default(),
        changes: Counts::default(),
        uncovered: Vec::new(),
        torn: Vec::new(),
        extras: Extras::default(),
    }
}

/// Stores a commit.
fn put(repository: &Repository, commit: &Commit) -> (CommitId, Stored) {
    let session = repository.store().session();
    let mut writer = session.writer();
    let id = Transaction::put_commit(&mut writer, commit).unwrap();
    writer.finish().unwrap();
    (id, session.finish().unwrap())
}

fn edit(name: &str, old: Option<CommitId>, new: Option<CommitId>) -> RefEdit {
    RefEdit { name: RefName::Branch(name.into()), old, new }
}

fn tag(name: &str, old: Option<CommitId>, new: Option<CommitId>) -> RefEdit {
    RefEdit { name: RefName::Tag(name.into()), old, new }
}

/// Makes a commit on `main`.
fn grow(repository: &mut Repository, message: &str) -> CommitId {
    let mut transaction = repository.begin().unwrap();
    let old = transaction.repository().view().at();
    let (id, stored) = put(transaction.repository(), &commit(old.as_slice(), message));
    let edits = vec![edit("main", old, Some(id))];
    let new_operation =
        NewOperation { verb: "commit".into(), edits, commits: vec![id], stored, ..NewOperation::default() };
    transaction.record(new_operation).unwrap();
    id
}

#[test]
fn new_repository_is_private_with_empty_main() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    assert_eq!((fixture.repository.view().current.as_str(), fixture.repository.view().at()), ("main", None));
    assert!(fixture.repository.operation().is_none() && fixture.repository.warnings().is_empty());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&fixture.file("")), 0o700);
    for name in ["format", "config.toml", "reserve", "journal/00000001"] {
        assert_eq!(mode(&fixture.file(name)), 0o600, "{name}");
    }
    for name in ["packs", "journal", "tmp"] {
        assert_eq!(mode(&fixture.file(name)), 0o700, "{name}");
    }
    let error = Repository::init(fixture.root.path(), None, Environment::from_process()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Exists);
}

#[test]
fn init_completes_interrupted_init() {
    for kept in 0..6 {
        let root = tempfile::tempdir().unwrap();
        let undo = root.path().join(".undo");
        std::fs::create_dir(&undo).unwrap();
        for name in ["packs", "journal", "tmp"].iter().take(kept) {
            std::fs::create_dir(undo.join(name)).unwrap();
        }
        if kept > 3 {
            std::fs::write(undo.join("journal/00000001.5-0.tmp"), "half").unwrap();
        }
        if kept > 4 {
            std::fs::write(undo.join("config.toml"), "[user]\nname = 'x'\n").unwrap();
        }
        let error = Repository::discover(root.path(), Environment::from_process()).err().unwrap();
        assert_eq!(
            (error.kind(), error.hint_text().as_deref()),
            (ErrorKind::NoRepository, Some("to complete it, run there: undo init"))
        );
        let repository = Repository::init(root.path(), None, Environment::from_process()).unwrap();
        assert_eq!(repository.config.author, if kept > 4 { "x" } else { "" });
    }
}

#[test]
fn missing_format_is_damage() {
    let mut fixture = Fixture::new();
    grow(&mut fixture.repository, "a");
    std::fs::remove_file(fixture.file("format")).unwrap();
    assert_eq!(
        Repository::discover(fixture.root.path(), Environment::from_process()).err().unwrap().kind(),
        ErrorKind::Damaged
    );
    assert_eq!(
        Repository::init(fixture.root.path(), None, Environment::from_process()).err().unwrap().kind(),
        ErrorKind::Damaged
    );
    std::fs::write(fixture.file("format"), "undo format 7\n").unwrap();
    assert_eq!(
        Repository::discover(fixture.root.path(), Environment::from_process()).err().unwrap().kind(),
        ErrorKind::Unsupported
    );
}

#[test]
fn reload_sees_operations_of_other_handles() {
    let mut fixture = Fixture::new();
    let mut other = fixture.open();
    let first = grow(&mut fixture.repository, "first");
    assert_eq!(other.view().at(), None);
    let second = grow(&mut other, "second");
    assert_eq!(fixture.repository.view().at(), Some(first));
    fixture.repository.reload().unwrap();
    assert_eq!(fixture.repository.view().at(), Some(second));
    assert_eq!(fixture.repository.store().commit(second).unwrap().parents, [first]);
    let operations: Vec<_> = fixture.repository.operations().map(Result::unwrap).collect();
    assert_eq!(operations.len(), 2);
    assert_eq!(Some(operations[0].0), fixture.repository.operation());
    assert_eq!(operations[0].1.parent, Some(operations[1].0));
    assert_eq!(operations[0].1.commits[0].parents, [first]);
    assert!(!operations[0].1.arguments.is_empty() && !operations[0].1.user.is_empty());
    assert_eq!(fixture.open().view().heads.iter().collect::<Vec<_>>(), [&second]);
}

#[test]
fn unexpected_old_value_rejects_the_operation() {
    let mut fixture = Fixture::new();
    let first = grow(&mut fixture.repository, "first");
    let second = grow(&mut fixture.repository, "second");
    let nowhere = CommitId([9; 32]);
    let mut transaction = fixture.repository.begin().unwrap();
    for (edits, kind, text) in [
        (vec![edit("main", Some(first), Some(second))], ErrorKind::Refused, "has changed"),
        (vec![edit("main", None, Some(first))], ErrorKind::Exists, "branch `main` already exists"),
        (vec![edit("gone", Some(first), None)], ErrorKind::Refused, "no longer exists"),
        (vec![tag("main", None, Some(first))], ErrorKind::Exists, "branch `main` already exists"),
        (
            vec![tag("v1", None, Some(first)), edit("v1", None, Some(first))],
            ErrorKind::Exists,
            "tag `v1` already exists",
        ),
        (vec![tag("a b", None, Some(first))], ErrorKind::Usage, "is not a valid branch or tag name"),
        (vec![tag("v1", None, Some(nowhere))], ErrorKind::NotFound, "no commit"),
    ] {
        let error = transaction.record(NewOperation { edits, ..NewOperation::default() }).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    let switch = Some("-x".to_owned());
    assert_eq!(
        transaction.record(NewOperation { switch, ..NewOperation::default() }).unwrap_err().kind(),
        ErrorKind::Usage
    );
    drop(transaction);
    assert_eq!(fixture.open().operations().count(), 2);
}

#[test]
fn transactions_create_switch_and_delete_refs() {
    let mut fixture = Fixture::new();
    let first = grow(&mut fixture.repository, "first");
    let mut transaction = fixture.repository.begin().unwrap();
    let edits = vec![edit("trial", None, Some(first)), tag("v1", None, Some(first))];
    transaction.record(NewOperation { edits, switch: Some("trial".into()), ..NewOperation::default() }).unwrap();
    let view = transaction.repository().view().clone();
    assert_eq!((view.current.as_str(), view.at(), view.tags.get("v1")), ("trial", Some(first), Some(&first)));
    // One operation may rename: the name goes from the tags to the branches.
    let edits = vec![tag("v1", Some(first), None), edit("v1", None, Some(first))];
    transaction.record(NewOperation { edits, switch: Some("trial".into()), ..NewOperation::default() }).unwrap();
    drop(transaction);
    let repository = fixture.open();
    assert_eq!(repository.view().branches.len(), 3);
    let (_, newest) = repository.operations().next().unwrap().unwrap();
    assert_eq!(newest.switched, None, "it was current already");
}

/// Stores commits that no ref leads to, each the child of the one before it; the first one's parents are given.
fn keep_line(repository: &mut Repository, parents: &[CommitId], names: &[&str]) -> Vec<CommitId> {
    let (mut made, mut parents) = (Vec::new(), parents.to_vec());
    let mut transaction = repository.begin().unwrap();
    for name in names {
        let (id, stored) = put(transaction.repository(), &commit(&parents, name));
        transaction.keep(&stored).unwrap();
        parents = vec![id];
        made.push(id);
    }
    made
}

/// Points a branch at a commit; gives the commits that became known, and all heads.
fn point(repository: &mut Repository, name: &str, to: CommitId) -> (Vec<CommitId>, Vec<CommitId>) {
    let mut transaction = repository.begin().unwrap();
    let old = transaction.repository().view().branches.get(name).copied();
    let edits = vec![edit(name, old, Some(to))];
    transaction.record(NewOperation { verb: "test".into(), edits, ..NewOperation::default() }).unwrap();
    drop(transaction);
    let (_, operation) = repository.operations().next().unwrap().unwrap();
    let heads = repository.view().heads.iter().copied().collect();
    (operation.commits.iter().map(|made| made.id).collect(), heads)
}

#[test]
fn new_ref_adds_unknown_ancestors() {
    let mut fixture = Fixture::new();
    let repository = &mut fixture.repository;
    let base = grow(repository, "base");
    let line = keep_line(repository, &[base], &["a", "b", "c"]);
    assert_eq!(point(repository, "main", line[2]), (line.clone(), vec![line[2]]));
    // All of these are known by now: at a head, at a ref, and behind a head.
    for to in [line[2], base, line[1]] {
        assert_eq!(point(repository, "trial", to), (Vec::new(), vec![line[2]]));
    }
    // On a side branch, from a commit that is not a head.
    let beside = keep_line(repository, &[line[0]], &["d", "e"]);
    let mut heads = vec![line[2], beside[1]];
    heads.sort();
    assert_eq!(point(repository, "trial", beside[1]), (beside.clone(), heads));
    // Of two lines that meet, and of one without a beginning in common.
    let merge = keep_line(repository, &[line[2], beside[1]], &["merge"]);
    assert_eq!(point(repository, "main", merge[0]), (merge.clone(), merge.clone()));
    let apart = keep_line(repository, &[], &["x", "y"]);
    let mut heads = vec![merge[0], apart[1]];
    heads.sort();
    assert_eq!(point(repository, "apart", apart[1]), (apart, heads));
}

#[test]
fn transactions_exclude_each_other() {
    let mut fixture = Fixture::new();
    let lock = fixture.repository.layout.lock();
    let transaction = fixture.repository.begin().unwrap();
    let error =
        FileLock::acquire(&lock, &Environment::from_process(), LockWait::For(std::time::Duration::ZERO)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    drop(transaction);
    FileLock::acquire(&lock, &Environment::from_process(), LockWait::For(std::time::Duration::ZERO)).unwrap();
}

fn intent(token: u64, to: CommitId) -> Intent {
    Intent {
        token,
        verb: "checkout".into(),
        time: Timestamp::default(),
        from: None,
        to,
        paths: Vec::new(),
        edits: Vec::new(),
        switch: None,
        undo_position: None,
        before: None,
        worktree: b"/data".to_vec(),
    }
}

#[test]
fn intent_stays_until_finished_or_abandoned() {
    let mut fixture = Fixture::new();
    let first = grow(&mut fixture.repository, "first");
    fixture.repository.begin().unwrap().intend(intent(5, first)).unwrap();
    let mut repository = fixture.open();
    assert_eq!(repository.unfinished().unwrap().token, 5);
    // Another command in between does not lose it.
    let mut transaction = repository.begin().unwrap();
    transaction.record(NewOperation { edits: vec![tag("v1", None, Some(first))], ..NewOperation::default() }).unwrap();
    transaction.abandon(4).unwrap();
    assert!(transaction.repository().unfinished().is_some());
    transaction.record(NewOperation { worktree: Some((None, first)), ..NewOperation::default() }).unwrap();
    assert!(transaction.repository().unfinished().is_none());
    transaction.intend(intent(6, first)).unwrap();
    transaction.abandon(6).unwrap();
    transaction.intend(intent(7, first)).unwrap();
    transaction.record(NewOperation { verb: "restore".into(), ..NewOperation::default() }).unwrap();
    drop(transaction);
    assert!(fixture.open().unfinished().is_none());
}

#[test]
fn damaged_journal_is_readable_but_not_writable() {
    let mut fixture = Fixture::new();
    let first = grow(&mut fixture.repository, "first");
    grow(&mut fixture.repository, "second");
    let path = fixture.file("journal/00000001");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let mut repository = fixture.open();
    assert_eq!(repository.view().at(), Some(first));
    let warning = repository.warnings()[0].to_string();
    assert!(warning.contains("journal/00000001` is damaged at byte"), "{warning}");
    assert_eq!(repository.begin().err().unwrap().kind(), ErrorKind::Damaged);
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing is cut off");
    assert_eq!(repository.operations().count(), 1);
}

#[test]
fn begin_cleans_staged_files_and_restores_the_reserve() {
    let mut fixture = Fixture::new();
    for name in ["tmp/pack-1", "journal/00000002.9-0.tmp", "index.9-1.tmp"] {
        std::fs::write(fixture.file(name), "x").unwrap();
    }
    std::fs::remove_file(fixture.file("reserve")).unwrap();
    grow(&mut fixture.repository, "a");
    assert!(fixture.file("reserve").exists() && !fixture.file("tmp/pack-1").exists());
    assert!(!fixture.file("journal/00000002.9-0.tmp").exists());
    assert!(fixture.file("index.9-1.tmp").exists(), "it may be of a reader that is still at work");
}

#[test]
fn replaced_packs_stay_for_a_grace_period_if_they_may_be_read() {
    let mut fixture = Fixture::new();
    let reader = fixture.open();
    let mut commits = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..40 {
        commits.push(grow(&mut fixture.repository, &format!("commit {n}")));
        seen.extend(fixture.repository.state().packs.iter().copied());
    }
    let repository = fixture.open();
    assert!(repository.state().packs.len() < 20, "{}", repository.state().packs.len());
    assert!(commits.iter().all(|&id| repository.store().commit(id).is_ok()));
    assert_eq!(repository.operations().count(), 40, "merging does not add an operation");
    let retired: Vec<_> = seen.iter().filter(|pack| !repository.state().packs.contains(pack)).collect();
    assert!(retired.len() > 20);
    assert!(retired.iter().all(|pack| repository.layout.pack(**pack).exists()));
    drop(reader);
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    for pack in &retired {
        std::fs::File::open(repository.layout.pack(**pack)).unwrap().set_modified(long_ago).unwrap();
    }
    leftovers::remove_packs(&repository.layout, &repository.state().packs, &|_| false).unwrap();
    assert!(retired.iter().all(|pack| !repository.layout.pack(**pack).exists()));
    assert!(commits.iter().all(|&id| fixture.open().store().commit(id).is_ok()));
}

#[test]
fn replaced_packs_go_at_once_if_nothing_reads_them() {
    let mut fixture = Fixture::new();
    let commits: Vec<_> = (0..40).map(|n| grow(&mut fixture.repository, &format!("commit {n}"))).collect();
    let repository = fixture.open();
    let files: std::collections::BTreeSet<_> =
        repository.layout.pack_files().unwrap().into_iter().map(|(id, _)| id).collect();
    assert!(files == repository.state().packs && files.len() < 20, "{} packs", files.len());
    assert!(commits.iter().all(|&id| repository.store().commit(id).is_ok()));
}

#[test]
fn reader_without_lock_finds_objects_of_replaced_packs() {
    let mut fixture = Fixture::new();
    let commits: Vec<_> = (0..15).map(|n| grow(&mut fixture.repository, &format!("commit {n}"))).collect();
    // Packs of the catalog are opened only when they are read.
    fixture.repository.store().write_catalog().unwrap();
    let reader = fixture.open();
    grow(&mut fixture.repository, "merges");
    assert!(fixture.repository.state().packs.is_disjoint(&reader.state().packs), "all packs were merged");
    for (_, path) in fixture.repository.layout.pack_files().unwrap() {
        let is_named = fixture.repository.state().packs.iter().any(|&id| fixture.repository.layout.pack(id) == path);
        if !is_named {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert!(commits.iter().all(|&id| reader.store().commit(id).is_ok()));
    let mut objects = reader.store().reader();
    assert!(commits.iter().all(|&id| objects.read(ObjectKind::Commit, id.object_id()).is_ok()));
    assert!(reader.store().object(ObjectKind::Commit, crate::id::ObjectId([7; 32])).is_err());
}

#[test]
fn external_store_can_be_attached_again() {
    let root = tempfile::tempdir().unwrap();
    let (work, store) = (root.path().join("work"), root.path().join("disk/store"));
    let mut repository = Repository::init(&work, Some(&store), Environment::from_process()).unwrap();
    let first = grow(&mut repository, "first");
    std::fs::remove_dir_all(&work).unwrap();
    let again = Repository::init(&work, Some(&store), Environment::from_process()).unwrap();
    assert_eq!(again.view().at(), Some(first));
    assert!(work.join(".undo").is_file());
    assert_eq!(again.layout.index().parent(), Some(again.layout.repository.as_path()));
    assert_eq!(
        Repository::init(&work, Some(&store), Environment::from_process()).err().unwrap().kind(),
        ErrorKind::Exists
    );
    std::fs::rename(&store, root.path().join("disk/moved")).unwrap();
    let error = Repository::discover(&work, Environment::from_process()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NoRepository);
    assert!(!store.exists());
}

#[test]
fn init_rejects_unsuitable_store_folders() {
    let root = tempfile::tempdir().unwrap();
    let work = root.path().join("work");
    let error = Repository::init(&work, Some(&work.join("store")), Environment::from_process()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(!work.join("store").exists());
    let full = root.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("mine"), "x").unwrap();
    assert_eq!(
        Repository::init(&work, Some(&full), Environment::from_process()).err().unwrap().kind(),
        ErrorKind::Exists
    );
    assert!(!work.join(".undo").exists());
}

#[test]
fn damaged_mask_stops_writing_but_not_reading() {
    let mut fixture = Fixture::new();
    let mask = Mask::default().write(&fixture.repository.layout.repository, Durability::Synced).unwrap();
    let sweep = Sweep { time: Timestamp::default(), horizon: Timestamp::default(), mask: Some(mask) };
    fixture.repository.begin().unwrap().sweep(sweep, ForgottenCommits::default()).unwrap();
    assert_eq!(fixture.repository.store().mask(), Some(&Mask::default()));
    let file = fixture.file(&format!("masks/{mask}"));
    std::fs::write(&file, b"x").unwrap();
    for _ in 0..2 {
        let mut repository = fixture.open();
        assert!(repository.warnings()[0].to_string().contains(&mask.to_string()));
        let error = repository.begin().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Damaged);
        assert!(error.hint_text().unwrap().ends_with("undo repair"), "{error}");
        // The second time it is missing.
        let _ = std::fs::remove_file(&file);
    }
}
