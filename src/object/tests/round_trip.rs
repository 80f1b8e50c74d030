//! Every value comes back from its bytes, and views follow operations.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::samples;
use crate::id::{AttributesId, BlobId, CommitId, DirectoryId, LinksId, OperationId, PackId, TreeId};
use crate::metadata::Metadata;
use crate::object::commit::{Counts, Reason, Totals, Uncovered};
use crate::object::operation::{
    Forgotten, ForgottenCommit, HistoryEdit, NewCommit, Purged, PurgedBlob, RefEdit, RefName, Refs, UndoPosition, View,
};
use crate::object::tree::Node;
use crate::object::{Attributes, Commit, Content, Entry, Extras, Intent, Operation};
use crate::path::RepoPathBuf;
use crate::time::Timestamp;

type Bytes32 = [u8; 32];

fn name() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 1..12).prop_filter("a name", |name| crate::path::is_name(name))
}

fn path() -> impl Strategy<Value = RepoPathBuf> {
    vec(name(), 1..4).prop_map(|names| RepoPathBuf::new(names.join(&b'/')).unwrap())
}

fn time() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), 0..1_000_000_000u32).prop_map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds })
}

fn extras() -> impl Strategy<Value = Extras> {
    btree_map(any::<String>(), any::<Vec<u8>>(), 0..3).prop_map(|map| map.into_iter().collect())
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        any::<(Bytes32, u64)>().prop_map(|(id, size)| Content::File { blob: BlobId(id), size }),
        any::<(Bytes32, u64, u64)>().prop_map(|(id, entries, size)| Content::Directory {
            tree: TreeId(id),
            entries,
            size
        }),
        any::<Vec<u8>>().prop_map(|target| Content::Symlink { target }),
        Just(Content::Fifo),
        any::<u64>().prop_map(|rdev| Content::CharDevice { rdev }),
        any::<u64>().prop_map(|rdev| Content::BlockDevice { rdev }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    (name(), 0..0o10000u16, any::<(u32, u32)>(), time(), any::<Option<Bytes32>>(), content()).prop_map(
        |(name, mode, (uid, gid), mtime, attributes, content)| {
            let metadata = Metadata { mode, uid, gid, mtime };
            Entry { name, metadata, attributes: attributes.map(AttributesId), content }
        },
    )
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let xattrs = btree_map(vec(1u8.., 1..20), any::<Vec<u8>>(), 1..4);
    (xattrs, vec((1u64..1 << 40, 1u64..1 << 40), 0..5)).prop_map(|(xattrs, gaps)| {
        let mut end = 0;
        let holes = gaps.into_iter().map(|(gap, length)| {
            let offset = end + gap;
            end = offset + length;
            (offset, length)
        });
        Attributes { holes: holes.collect(), xattrs: xattrs.into_iter().collect() }
    })
}

fn commit() -> impl Strategy<Value = Commit> {
    let reason = prop_oneof![
        Just(Reason::Unreadable),
        Just(Reason::Socket),
        Just(Reason::Mount),
        Just(Reason::Repository),
        Just(Reason::TooLong)
    ];
    let lists = (btree_set(any::<Bytes32>(), 0..4), btree_map(path(), reason, 0..4), btree_set(path(), 0..4), extras());
    let texts = any::<(String, String, String)>();
    (time(), -93_599..=93_599i32, any::<(bool, Option<Bytes32>, [u64; 7])>(), texts, lists).prop_map(
        |(time, offset, (automatic, links, numbers), (author, host, message), (parents, uncovered, torn, extras))| {
            let [files, directories, others, bytes, added, modified, deleted] = numbers;
            Commit {
                links: links.map(LinksId),
                parents: parents.into_iter().map(CommitId).collect(),
                totals: Totals { files, directories, others, bytes },
                changes: Counts { added, modified, deleted },
                uncovered: uncovered.into_iter().map(|(path, reason)| Uncovered { path, reason }).collect(),
                torn: torn.into_iter().collect(),
                ..Commit { time, offset, author, host, message, automatic, extras, ..samples::commit() }
            }
        },
    )
}

fn edit() -> impl Strategy<Value = RefEdit> {
    any::<(bool, String, Option<Bytes32>, Option<Bytes32>)>().prop_map(|(tag, name, old, new)| RefEdit {
        name: if tag { RefName::Tag(name) } else { RefName::Branch(name) },
        old: old.map(CommitId),
        new: new.map(CommitId),
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let commits = vec((any::<Bytes32>(), vec(any::<Bytes32>(), 0..3)), 0..3);
    let texts = any::<(String, String, Vec<String>, String, String)>();
    let rest = any::<(Option<Bytes32>, Option<(String, String)>, Option<(Option<Bytes32>, Bytes32)>, [u64; 3])>();
    let packs = vec(any::<Bytes32>(), 0..3);
    let more = (any::<(bool, Option<[u8; 16]>)>(), option::of(undo_position()), history_edit());
    (time(), texts, vec(edit(), 0..4), commits, rest, packs, more, extras()).prop_map(
        |(time, (verb, description, arguments, user, host), edits, commits, rest, added, more, extras)| {
            let ((is_joined, directory), undo_position, history) = more;
            let (parent, switched, worktree, [duration, bytes_read, bytes_stored]) = rest;
            let commit = |(id, parents): (Bytes32, Vec<Bytes32>)| NewCommit {
                id: CommitId(id),
                parents: parents.into_iter().map(CommitId).collect(),
            };
            Operation {
                parent: parent.map(OperationId),
                commits: commits.into_iter().map(commit).collect(),
                worktree: worktree.map(|(from, to)| (from.map(CommitId), CommitId(to))),
                packs_added: added.into_iter().map(PackId).collect(),
                is_joined,
                directory: directory.map(DirectoryId),
                undo_position,
                history,
                ..Operation {
                    verb: verb.as_str().into(),
                    description,
                    arguments,
                    time,
                    duration,
                    user,
                    host,
                    edits,
                    switched,
                    bytes_read,
                    bytes_stored,
                    extras,
                    ..Operation::default()
                }
            }
        },
    )
}

fn undo_position() -> impl Strategy<Value = UndoPosition> {
    any::<(Option<Bytes32>, Option<Bytes32>)>()
        .prop_map(|(position, tip)| UndoPosition { position: position.map(OperationId), tip: tip.map(OperationId) })
}

fn commit_ids() -> impl Strategy<Value = Vec<CommitId>> {
    vec(any::<Bytes32>().prop_map(CommitId), 0..3)
}

fn history_edit() -> impl Strategy<Value = HistoryEdit> {
    let commit = (any::<Bytes32>(), commit_ids())
        .prop_map(|(id, parents)| ForgottenCommit { id: CommitId(id), parents })
        .boxed();
    let commits = || vec(commit.clone(), 0..3);
    let blobs = || vec(any::<Bytes32>().prop_map(BlobId), 0..3);
    let purges = vec(any::<(Bytes32, u64)>().prop_map(|(id, size)| PurgedBlob { id: BlobId(id), size }), 0..3);
    (commits(), commits(), commit_ids(), commit_ids(), purges, blobs()).prop_map(
        |(forgets, recalls, heads_added, heads_removed, purges, unpurges)| HistoryEdit {
            forgets,
            recalls,
            heads_added,
            heads_removed,
            purges,
            unpurges,
        },
    )
}

fn view() -> impl Strategy<Value = View> {
    let names = || btree_map(any::<String>(), any::<Bytes32>().prop_map(CommitId), 0..4);
    let forgotten = (commit_ids(), 1_u64.., option::of(time())).prop_map(|(parents, count, time)| Forgotten {
        parents,
        count,
        time,
    });
    let forgotten = btree_map(any::<Bytes32>().prop_map(CommitId), forgotten, 0..4);
    let purged = (any::<u64>(), option::of(time())).prop_map(|(size, time)| Purged { size, time });
    let purged = btree_map(any::<Bytes32>().prop_map(BlobId), purged, 0..4);
    let heads = btree_set(any::<Bytes32>().prop_map(CommitId), 0..4);
    (any::<String>(), names(), names(), heads, forgotten, purged).prop_map(
        |(current, branches, tags, heads, forgotten, purged)| View {
            refs: Refs { current, branches, tags },
            heads,
            forgotten,
            purged,
        },
    )
}

fn intent() -> impl Strategy<Value = Intent> {
    let fields = any::<(u64, String, Option<Bytes32>, Bytes32, Option<String>)>();
    let more = (option::of(undo_position()), any::<Option<Bytes32>>(), any::<Vec<u8>>());
    (fields, time(), vec(path(), 0..3), vec(edit(), 0..3), more).prop_map(
        |((token, verb, from, to, switch), time, paths, edits, (undo_position, before, worktree))| Intent {
            token,
            verb: verb.as_str().into(),
            time,
            from: from.map(CommitId),
            to: CommitId(to),
            paths,
            edits,
            switch,
            undo_position,
            before: before.map(OperationId),
            worktree: [b"/", &worktree[..]].concat(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tree_round_trips(entries in vec(entry(), 0..20)) {
        let mut entries = entries;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup_by(|a, b| a.name == b.name);
        let node = Node::Leaf(entries);
        prop_assert_eq!(Node::decode(&node.encode()).unwrap(), node);
    }

    #[test]
    fn attributes_round_trip(value in attributes()) {
        prop_assert_eq!(Attributes::decode(&value.encode()).unwrap(), value);
    }

    #[test]
    fn commit_round_trips(value in commit()) {
        prop_assert_eq!(Commit::decode(&value.encode()).unwrap(), value);
    }

    #[test]
    fn operation_round_trips(value in operation()) {
        prop_assert_eq!(Operation::decode(&value.encode()).unwrap(), value);
    }

    #[test]
    fn view_round_trips(value in view()) {
        prop_assert_eq!(View::decode(&value.encode()).unwrap(), value);
    }

    #[test]
    fn intent_round_trips(value in intent()) {
        prop_assert_eq!(Intent::decode(&value.encode()).unwrap(), value);
    }
}

#[test]
fn view_applies_operations() {
    let [first, second, aside] = [1, 2, 3].map(|n| CommitId([n; 32]));
    let branch = |name: &str, old, new| RefEdit { name: RefName::Branch(name.into()), old, new };
    let made = |id, parents: &[CommitId]| NewCommit { id, parents: parents.to_vec() };
    let mut view = View::new("main");
    assert_eq!(view.at(), None);

    let commits = vec![made(first, &[]), made(second, &[first])];
    view.apply(
        &Operation { edits: vec![branch("main", None, Some(second))], commits, ..Operation::default() },
        Timestamp::default(),
    );
    assert_eq!((view.at(), view.heads.len()), (Some(second), 1));

    // Going back moves the branch; the commit that it leaves is still the end of a line.
    view.apply(
        &Operation { edits: vec![branch("main", Some(second), Some(first))], ..Operation::default() },
        Timestamp::default(),
    );
    assert_eq!((view.at(), view.heads.clone()), (Some(first), [second].into()));

    let edits = vec![
        branch("trial", None, Some(aside)),
        RefEdit { name: RefName::Tag("v1".into()), old: None, new: Some(first) },
    ];
    let switched = Some(("main".into(), "trial".into()));
    view.apply(
        &Operation { edits, switched, commits: vec![made(aside, &[first])], ..Operation::default() },
        Timestamp::default(),
    );
    assert_eq!((view.at(), view.heads.clone()), (Some(aside), [second, aside].into()));

    view.apply(
        &Operation { edits: vec![branch("main", Some(first), None)], ..Operation::default() },
        Timestamp::default(),
    );
    assert_eq!((view.branches.len(), view.tags.get("v1")), (1, Some(&first)));
}
