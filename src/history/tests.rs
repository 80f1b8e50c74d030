//! Tests revisions and walks on real repositories.

mod forgotten;
#[cfg(feature = "targets")]
mod lacking;

use std::collections::{HashMap, HashSet};

use super::timeline::Timeline;
use super::walk::{WalkOptions, walk};
use super::*;
use crate::environment::Environment;
use crate::error::{ErrorKind, Result};
use crate::id::{BlobId, CommitId};
use crate::metadata::Metadata;
use crate::object::commit::{Counts, Totals};
use crate::object::operation::{RefEdit, RefName};
use crate::object::{Commit, Content, Entry, Extras, ObjectKind, Objects, Tree};
use crate::path::RepoPathBuf;
use crate::path::selection::PathSelection;
use crate::repo::{NewOperation, Repository, Transaction};
use crate::time::Timestamp;

/// A repository with a history made by the test.
struct TestHistory {
    _root: tempfile::TempDir,
    repository: Repository,
}

/// A commit to create.
#[derive(Default)]
struct TestCommit<'a> {
    parents: &'a [CommitId],
    message: &'a str,
    seconds: i64,
    /// Paths and contents. Paths have at most one directory.
    files: &'a [(&'a str, &'a str)],
}

fn entry(name: &str, content: Content) -> Entry {
    Entry { name: name.into(), metadata: Metadata::default(), attributes: None, content }
}

impl TestHistory {
    fn is_ancestor(&self, ancestor: CommitId, descendant: CommitId) -> bool {
        let parents = |id: CommitId| self.repository.store().commit(id).unwrap().parents;
        let mut seen = vec![descendant];
        for at in 0.. {
            let Some(&id) = seen.get(at) else { break };
            let new: Vec<_> = parents(id).into_iter().filter(|parent| !seen.contains(parent)).collect();
            seen.extend(new);
        }
        seen.contains(&ancestor)
    }

    fn new() -> TestHistory {
        let root = tempfile::tempdir().unwrap();
        let repository = Repository::init(root.path(), None, Environment::from_process()).unwrap();
        TestHistory { _root: root, repository }
    }

    fn commit(&self, spec: &TestCommit<'_>, put: &mut dyn FnMut(ObjectKind, [u8; 32], Vec<u8>)) -> Commit {
        let mut directory = |entries: Vec<Entry>| {
            let mut tree = Tree { entries };
            tree.entries.sort_by(|a, b| a.name.cmp(&b.name));
            let id = tree.save(|id, bytes| {
                put(ObjectKind::Tree, id.0, bytes);
                Ok(())
            });
            Content::Directory { tree: id.unwrap(), entries: 0, size: 0 }
        };
        let mut folders: HashMap<&str, Vec<Entry>> = HashMap::new();
        for (path, content) in spec.files {
            let (folder, name) = path.split_once('/').unwrap_or(("", path));
            let blob = BlobId(*blake3::hash(content.as_bytes()).as_bytes());
            let file = Content::File { blob, size: content.len() as u64 };
            folders.entry(folder).or_default().push(entry(name, file));
        }
        let mut top = folders.remove("").unwrap_or_default();
        top.extend(folders.into_iter().map(|(name, entries)| entry(name, directory(entries))));
        Commit {
            root: entry("", directory(top)),
            links: None,
            parents: spec.parents.to_vec(),
            time: Timestamp { seconds: spec.seconds, nanoseconds: 0 },
            offset: 0,
            author: "ada".into(),
            host: "host".into(),
            message: spec.message.into(),
            automatic: false,
            totals: Totals::default(),
            changes: Counts::default(),
            uncovered: Vec::new(),
            torn: Vec::new(),
            extras: Extras::default(),
        }
    }

    /// Records commits in one operation, with the given ref changes.
    fn commit_all(
        &mut self,
        commits: &[TestCommit<'_>],
        edits: impl FnOnce(&[CommitId]) -> NewOperation,
    ) -> Vec<CommitId> {
        let mut objects = Vec::new();
        let mut put = |kind, id, bytes| objects.push((kind, id, bytes));
        let commits: Vec<Commit> = commits.iter().map(|spec| self.commit(spec, &mut put)).collect();
        let mut transaction = self.repository.begin().unwrap();
        let session = transaction.repository().store().session();
        let mut writer = session.writer();
        for (kind, id, bytes) in objects {
            writer.put(kind, crate::id::ObjectId(id), &bytes).unwrap();
        }
        let ids: Vec<_> = commits.iter().map(|one| Transaction::put_commit(&mut writer, one).unwrap()).collect();
        writer.finish().unwrap();
        let stored = session.finish().unwrap();
        transaction.record(NewOperation { commits: ids.clone(), stored, ..edits(&ids) }).unwrap();
        ids
    }

    /// Records a commit on top of `@` and moves the current branch to it.
    fn commit_on_branch(&mut self, message: &str, seconds: i64) -> CommitId {
        let old = self.repository.view().at();
        let name = RefName::Branch(self.repository.view().current.clone());
        let spec = TestCommit { parents: old.as_slice(), message, seconds, ..TestCommit::default() };
        let edits = |ids: &[CommitId]| vec![RefEdit { name, old, new: Some(ids[0]) }];
        self.commit_all(&[spec], |ids| NewOperation {
            verb: "commit".into(),
            edits: edits(ids),
            ..NewOperation::default()
        })[0]
    }

    /// Records a commit without a ref.
    fn add(&mut self, parents: &[CommitId], message: &str, seconds: i64) -> CommitId {
        let spec = TestCommit { parents, message, seconds, ..TestCommit::default() };
        self.commit_all(&[spec], |_| NewOperation::default())[0]
    }

    fn record(&mut self, new_operation: NewOperation) {
        self.repository.begin().unwrap().record(new_operation).unwrap();
    }

    /// Moves the current branch to a commit, like a checkout.
    fn checkout(&mut self, to: CommitId) {
        let old = self.repository.view().at();
        let name = RefName::Branch(self.repository.view().current.clone());
        let edits = vec![RefEdit { name, old, new: Some(to) }];
        self.record(NewOperation {
            verb: "checkout".into(),
            edits,
            worktree: Some((old, to)),
            ..NewOperation::default()
        });
    }

    fn switch(&mut self, branch: &str, to: Option<CommitId>) {
        let edit = to.map(|to| RefEdit { name: RefName::Branch(branch.into()), old: None, new: Some(to) });
        let edits = edit.into_iter().collect();
        self.record(NewOperation {
            verb: "branch".into(),
            edits,
            switch: Some(branch.into()),
            ..NewOperation::default()
        });
    }

    fn tag(&mut self, name: &str, to: CommitId) {
        let edits = vec![RefEdit { name: RefName::Tag(name.into()), old: None, new: Some(to) }];
        self.record(NewOperation { verb: "tag".into(), edits, ..NewOperation::default() });
    }

    fn resolve(&self, text: &str) -> CommitId {
        resolve(&self.repository, text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn resolve_error(&self, text: &str) -> (ErrorKind, String, String) {
        let error = resolve(&self.repository, text).unwrap_err();
        (error.kind(), error.to_string(), error.hint_text().unwrap_or_default().to_owned())
    }

    /// The messages of the commits that a walk visits.
    fn walk(&self, options: WalkOptions) -> Vec<String> {
        walk(&self.repository, options).unwrap().map(|item| item.unwrap().commit.message).collect()
    }
}

#[test]
fn resolves_refs_steps_ids_and_keywords() {
    let mut history = TestHistory::new();
    let (a, b, c) =
        (history.commit_on_branch("a", 1), history.commit_on_branch("b", 2), history.commit_on_branch("c", 3));
    let merge = history.add(&[a, c], "merge", 9);
    history.tag("v1", b);
    history.switch("feature/x", Some(a));
    for (text, id) in [
        ("main", c),
        ("@", a),
        ("feature/x", a),
        ("v1", b),
        ("main~", b),
        ("main^", b),
        ("main~1", b),
        ("main~2", a),
        ("main~~", a),
        ("main~0", c),
        ("v1^0", b),
        ("latest", merge),
        ("latest^2", c),
        ("latest^2~2", a),
        (&c.to_string(), c),
        (&c.to_string().to_uppercase()[..12], c),
        (&format!("{}~1", c.short()), b),
    ] {
        assert_eq!(history.resolve(text), id, "{text}");
    }
}

#[test]
fn latest_is_the_commit_recorded_last_if_times_are_equal() {
    let mut history = TestHistory::new();
    let root = history.commit_on_branch("root", 1);
    // Independent of the order of their ids.
    for n in 0..6 {
        let next = history.add(&[root], &format!("line {n}"), 5);
        assert_eq!(history.resolve("latest"), next, "{n}");
    }
    let newest = history.add(&[root], "newer", 6);
    history.add(&[root], "older", 5);
    assert_eq!(history.resolve("latest"), newest);
}

#[test]
fn rejects_unknown_revisions_with_hints() {
    let mut history = TestHistory::new();
    assert_eq!(history.resolve_error("@").1, "there are no commits yet");
    assert_eq!(history.resolve_error("latest").2, "create one with `undo commit`");
    assert_eq!(history.resolve_error("whatever").1, "there are no commits yet");
    let a = history.commit_on_branch("a", 1);
    history.tag("before-cleanup", a);
    for (text, kind, message, hint) in [
        ("mian", ErrorKind::NotFound, "revision `mian` does not exist", "did you mean `main`?"),
        ("before", ErrorKind::NotFound, "revision `before` does not exist", "did you mean `before-cleanup`?"),
        ("0000", ErrorKind::NotFound, "revision `0000` does not exist", "list commits with `undo log`"),
        ("main~7", ErrorKind::NotFound, "history does not go back that far", "list commits"),
        ("main^2", ErrorKind::NotFound, "revision `main^2` does not exist", "list commits"),
        ("-", ErrorKind::NotFound, "nothing was checked out before", "list commits"),
        ("", ErrorKind::Usage, "it names nothing", "see how"),
        ("~2", ErrorKind::Usage, "it names nothing", "see how"),
        ("main~x", ErrorKind::Usage, "only `~` and `^` can follow", "see how"),
        ("main~99999999999999999999999", ErrorKind::Usage, "too large", "see how"),
        ("@{1h", ErrorKind::Usage, "a `}` is missing", "see how"),
        ("@{soon}", ErrorKind::Usage, "`soon` is not a valid date or time", "valid forms"),
        ("nowhere@{1h}", ErrorKind::NotFound, "no history at", "to list operations"),
        ("@{1h ago}", ErrorKind::NotFound, "history begins at", "to list operations"),
        ("nowhere@{now}", ErrorKind::NotFound, "revision `nowhere` does not exist", "list commits"),
    ] {
        let found = history.resolve_error(text);
        assert_eq!(found.0, kind, "{text}: {}", found.1);
        assert!(found.1.contains(message) && found.2.starts_with(hint), "{text}: {found:?}");
    }
}

#[test]
fn lists_ambiguous_ids_with_their_messages() {
    let mut history = TestHistory::new();
    let mut seen = HashMap::new();
    // Of this many commits, two share their first four digits.
    let (first, second) = (0..)
        .find_map(|seconds| {
            let spec = TestCommit { message: "twin", seconds, ..TestCommit::default() };
            let id = history.commit(&spec, &mut |_, _, _| {}).id();
            seen.insert(id.to_string()[..4].to_owned(), seconds).map(|other| (other, seconds))
        })
        .unwrap();
    let (one, two) = (history.add(&[], "twin", first), history.add(&[], "twin", second));
    let (kind, message, hint) = history.resolve_error(&one.to_string()[..4]);
    assert_eq!((kind, hint.as_str()), (ErrorKind::Ambiguous, "use more digits"));
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines[0], format!("`{}` is ambiguous: it matches 2 commits", &one.to_string()[..4]));
    let mut shorts = [one.short(), two.short()];
    shorts.sort();
    assert!(lines[1].trim().starts_with(&shorts[0]) && lines[1].ends_with("twin"), "{message}");
    assert!(lines[2].trim().starts_with(&shorts[1]), "{message}");
    assert_eq!(history.resolve(&one.to_string()[..20]), one);
}

#[test]
fn dash_is_the_commit_before_the_last_move() {
    let mut history = TestHistory::new();
    let (a, b) = (history.commit_on_branch("a", 1), history.commit_on_branch("b", 2));
    assert_eq!(history.resolve_error("-").0, ErrorKind::NotFound);
    history.checkout(a);
    assert_eq!(history.resolve("-"), b);
    history.tag("v1", a);
    let c = history.commit_on_branch("c", 3);
    assert_eq!(history.resolve("-"), b, "recording a commit does not count as a move");
    history.switch("other", Some(b));
    assert_eq!((history.resolve("-"), history.resolve("@")), (c, b));
    history.switch("main", None);
    assert_eq!((history.resolve("-"), history.resolve("@")), (b, c));
    history.record(NewOperation { verb: "restore".into(), worktree: Some((Some(c), a)), ..NewOperation::default() });
    assert_eq!(history.resolve("-"), b, "the current commit is the same");
}

/// A time after everything that was recorded before.
fn moment() -> Timestamp {
    let pause = || std::thread::sleep(std::time::Duration::from_millis(2));
    pause();
    let now = Environment::from_process().now();
    pause();
    now
}

#[test]
fn resolves_refs_at_earlier_times() -> Result<()> {
    let mut history = TestHistory::new();
    let before = moment();
    let a = history.commit_on_branch("a", 1);
    let first = moment();
    let b = history.commit_on_branch("b", 2);
    history.switch("trial", Some(a));
    let second = moment();
    history.switch("main", None);
    history.checkout(a);
    let at = |name: &str, time: Timestamp| history.resolve(&format!("{name}@{{{}}}", time.to_rfc3339()));
    assert_eq!((at("", first), at("main", first)), (a, a));
    assert_eq!((at("", second), at("@", second), at("main", second), at("trial", second)), (a, a, b, a));
    assert_eq!((history.resolve("main@{now}"), history.resolve("main@{today}~0")), (a, a));
    assert_eq!(history.resolve(&format!("main@{{{}}}~1", second.to_rfc3339())), a);
    let error = resolve(&history.repository, &format!("@{{{}}}", before.to_rfc3339())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("history begins at"), "{error}");
    let error = resolve(&history.repository, &format!("trial@{{{}}}", first.to_rfc3339())).unwrap_err();
    assert!(error.to_string().starts_with("`trial` did not exist at"), "{error}");

    let operations: Vec<_> = history.repository.operations().collect::<Result<_>>()?;
    let mut timeline = Timeline::open(&history.repository);
    let after_b = timeline.restore(operations[3].0)?.refs;
    assert_eq!((after_b.at(), after_b.branches.len()), (Some(b), 1));
    assert_eq!(timeline.restore(operations[0].0)?.refs, history.repository.view().refs);
    let mut refs = after_b;
    refs.revert(&operations[3].1);
    refs.revert(&operations[4].1);
    assert_eq!((refs.at(), refs.branches.len()), (None, 0));
    Ok(())
}

#[test]
fn splits_paths_and_ranges() {
    let mut history = TestHistory::new();
    let (a, b) = (history.commit_on_branch("a", 1), history.commit_on_branch("b", 2));
    let path = |text: &str| RepoPathBuf::new(text.into()).unwrap();
    history.repository.layout.start = path("sub/deep");
    for (text, id, expected) in [
        ("main", b, None),
        ("main:x/y", b, Some(path("x/y"))),
        ("@~1:a:b", a, Some(path("a:b"))),
        ("main:", b, Some(path(""))),
        (":x", b, Some(path("x"))),
        (":/x", b, Some(path("x"))),
        (":/", b, Some(path(""))),
        ("@:./x/", b, Some(path("sub/deep/x"))),
        ("@:.", b, Some(path("sub/deep"))),
        (":../y/./z", b, Some(path("sub/y/z"))),
        ("@:../..", b, Some(path(""))),
        ("@{23:59}:x", b, Some(path("x"))),
    ] {
        if !text.contains('{') {
            assert_eq!(resolve_path(&history.repository, text).unwrap(), (id, expected), "{text}");
        } else if let Ok(found) = resolve_path(&history.repository, text) {
            assert_eq!(found, (id, expected));
        }
    }
    for bad in ["@:../../../x", "@:a//b", "@:./a//b", "@:/etc", "@:a/../b"] {
        assert_eq!(resolve_path(&history.repository, bad).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
    }
    let range = |text| resolve_range(&history.repository, text).unwrap();
    assert_eq!(range("@~1..main"), Some((a, b)));
    assert_eq!((range("@~.."), range("..@~")), (Some((a, b)), Some((b, a))));
    assert_eq!((range("main"), range("@{a..b}")), (None, None));
}

#[test]
fn walks_newest_first() {
    let mut history = TestHistory::new();
    let (a, b) = (history.commit_on_branch("a", 1), history.commit_on_branch("b", 5));
    let side = history.add(&[a], "side", 3);
    assert_eq!(history.walk(WalkOptions::default()), ["b", "side", "a"]);
    let items: Vec<_> = walk(&history.repository, WalkOptions::default()).unwrap().map(Result::unwrap).collect();
    assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), [b, side, a]);
}

#[test]
fn filters_by_range_time_message_and_count() {
    let mut history = TestHistory::new();
    let ids: Vec<_> = (1..=6).map(|n| history.commit_on_branch(&format!("Step {n}"), n)).collect();
    let time = |seconds| Some(Timestamp { seconds, nanoseconds: 0 });
    for (options, expected) in [
        (WalkOptions { from: vec![ids[2]], ..WalkOptions::default() }, vec![3, 2, 1]),
        (WalkOptions { exclude: vec![ids[2]], ..WalkOptions::default() }, vec![6, 5, 4]),
        (WalkOptions { from: vec![ids[1]], exclude: vec![ids[4]], ..WalkOptions::default() }, vec![]),
        (WalkOptions { since: time(5), ..WalkOptions::default() }, vec![6, 5]),
        (WalkOptions { until: time(2), ..WalkOptions::default() }, vec![2, 1]),
        (WalkOptions { grep: Some("STEP 4".into()), ..WalkOptions::default() }, vec![4]),
        (WalkOptions { limit: Some(2), ..WalkOptions::default() }, vec![6, 5]),
        (WalkOptions { limit: Some(0), ..WalkOptions::default() }, vec![]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|n| format!("Step {n}")).collect();
        assert_eq!(history.walk(options.clone()), expected, "{options:?}");
    }
}

#[test]
fn filters_by_changed_paths() {
    let mut history = TestHistory::new();
    let mut parent = Vec::new();
    let versions: [&[(&str, &str)]; 5] = [
        &[("a", "1"), ("dir/x", "1")],
        &[("a", "2"), ("dir/x", "1")],
        &[("a", "2"), ("dir/x", "2"), ("dir/y", "1")],
        &[("a", "2"), ("dir/y", "1")],
        &[("a", "2"), ("dir/y", "1"), ("b", "1")],
    ];
    for (n, files) in versions.into_iter().enumerate() {
        let message = format!("{n}");
        let spec = TestCommit { parents: &parent, message: &message, seconds: n as i64, files };
        parent = history.commit_all(&[spec], |_| NewOperation::default());
    }
    for (paths, expected) in [
        (vec!["a"], vec!["1", "0"]),
        (vec!["dir"], vec!["3", "2", "0"]),
        (vec!["dir/x"], vec!["3", "2", "0"]),
        (vec!["dir/y", "b"], vec!["4", "2"]),
        (vec!["a/b", "nothing"], vec![]),
        (vec![""], vec!["4", "3", "2", "1", "0"]),
    ] {
        let paths: Vec<_> = paths.into_iter().map(|path| RepoPathBuf::new(path.into()).unwrap()).collect();
        assert_eq!(
            history.walk(WalkOptions { paths: PathSelection::of_paths(paths), ..WalkOptions::default() }),
            expected
        );
    }
}

#[test]
fn reads_about_as_many_commits_as_it_returns() {
    let mut history = TestHistory::new();
    let mut ids: Vec<CommitId> = Vec::new();
    let mut commits: Vec<(Vec<CommitId>, i64)> = Vec::new();
    // Five lines of 40 commits, interleaved by time.
    for seconds in 0..200 {
        let parents: Vec<CommitId> = ids.len().checked_sub(5).map(|at| ids[at]).into_iter().collect();
        let spec = TestCommit { parents: &parents, seconds, ..TestCommit::default() };
        ids.push(history.commit(&spec, &mut |_, _, _| {}).id());
        commits.push((parents, seconds));
    }
    let commits: Vec<TestCommit<'_>> = commits
        .iter()
        .map(|(parents, seconds)| TestCommit { parents, seconds: *seconds, ..TestCommit::default() })
        .collect();
    history.commit_all(&commits, |_| NewOperation::default());
    assert_eq!(history.repository.view().heads.len(), 5);
    let mut commits = walk(&history.repository, WalkOptions::default()).unwrap();
    let walked: Vec<CommitId> = commits.by_ref().take(20).map(|item| item.unwrap().id).collect();
    assert_eq!(walked, ids.iter().rev().take(20).copied().collect::<Vec<_>>());
    assert!(commits.decoded() <= 25, "{}", commits.decoded());
}

/// Generates histories whose commits are not older than their parents; some times are equal.
#[test]
fn visits_children_before_parents_and_each_commit_once() {
    let mut seed = 7u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for round in 0..12 {
        let mut history = TestHistory::new();
        let mut made: Vec<(CommitId, i64, Vec<CommitId>)> = Vec::new();
        let mut commits = Vec::new();
        for n in 0..30 {
            let mut parents: Vec<usize> = (0..random(3)).filter(|_| n > 0).map(|_| random(n)).collect();
            parents.sort_unstable();
            parents.dedup();
            let oldest = parents.iter().map(|&at| made[at].1).max().unwrap_or(0);
            let seconds = oldest + if round % 2 == 0 { 0 } else { random(4) as i64 };
            let parents: Vec<CommitId> = parents.into_iter().map(|at| made[at].0).collect();
            let message = n.to_string();
            let spec = TestCommit { parents: &parents, message: &message, seconds, ..TestCommit::default() };
            made.push((history.commit(&spec, &mut |_, _, _| {}).id(), seconds, parents.clone()));
            commits.push((parents, message, seconds));
        }
        let commits: Vec<TestCommit<'_>> = commits
            .iter()
            .map(|(parents, message, seconds)| TestCommit {
                parents,
                message,
                seconds: *seconds,
                ..TestCommit::default()
            })
            .collect();
        let ids = history.commit_all(&commits, |_| NewOperation::default());
        let walked: Vec<CommitId> =
            walk(&history.repository, WalkOptions::default()).unwrap().map(|one| one.unwrap().id).collect();
        let place: HashMap<CommitId, usize> = walked.iter().enumerate().map(|(n, &id)| (id, n)).collect();
        assert_eq!((walked.len(), place.len()), (30, 30));
        for (id, _, parents) in &made {
            assert!(parents.iter().all(|parent| place[id] < place[parent]), "round {round}");
        }
        let excluded = ids[random(30)];
        let ancestors: HashSet<CommitId> =
            ids.iter().copied().filter(|&id| history.is_ancestor(id, excluded)).collect();
        let options = WalkOptions { exclude: vec![excluded], ..WalkOptions::default() };
        let rest: HashSet<CommitId> = walk(&history.repository, options).unwrap().map(|one| one.unwrap().id).collect();
        assert!(rest.is_disjoint(&ancestors) && rest.len() + ancestors.len() == 30, "round {round}");
    }
}
